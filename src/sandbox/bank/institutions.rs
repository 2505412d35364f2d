//! Institutions as banks know them: what they are called, how they let people in, what their forms ask for.

use super::approvals::ApprovalWay;

/// How quickly a bank answers a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BankSpeed {
    /// As most do.
    Usual,
    /// Slower than a dialog can wait.
    Slow,
}

#[derive(Clone, Copy, Debug)]
pub enum ElementKind {
    /// Something typed, with its content type: `string`, `password` or the like.
    Input(&'static str),
    /// The digits in a picture.
    Picture,
    /// One of several: label, value and its name for the password.
    Switch(&'static [(&'static str, u8, &'static str)]),
}

#[derive(Clone, Copy, Debug)]
pub struct FormElement {
    pub name: &'static str,
    pub hint: &'static str,
    pub kind: ElementKind,
    pub max: Option<usize>,
}

impl FormElement {
    pub const fn text(name: &'static str, hint: &'static str) -> Self {
        Self {
            name,
            hint,
            kind: ElementKind::Input("string"),
            max: None,
        }
    }

    pub const fn secret(name: &'static str, hint: &'static str, max: Option<usize>) -> Self {
        Self {
            name,
            hint,
            kind: ElementKind::Input("password"),
            max,
        }
    }

    /// Whether the typed value must not be shown.
    pub fn is_secret(&self) -> bool {
        matches!(self.kind, ElementKind::Input("password"))
    }

    /// Whether it is a plain input.
    pub fn is_input(&self) -> bool {
        matches!(self.kind, ElementKind::Input(_))
    }

    /// Whether the element accepts a value.
    pub fn takes(&self, value: &str) -> bool {
        match self.kind {
            ElementKind::Picture => value.chars().count() == PICTURE_DIGITS,
            ElementKind::Switch(options) => options.iter().any(|option| option.1.to_string() == value),
            ElementKind::Input(_) => !value.is_empty() && self.max.is_none_or(|max| value.chars().count() <= max),
        }
    }
}

pub const PICTURE_DIGITS: usize = 4;

#[derive(Clone, Copy, Debug)]
pub struct LoginMethod {
    /// `internet_banking`, `mobile_banking` or a bank's own.
    pub id: &'static str,
    pub name: &'static str,
    /// What is asked first; may be empty where the bank asks for approval.
    pub form: &'static [FormElement],
    /// Where the bank asks for approval when no magic word says otherwise; `None` if the form is enough.
    pub approval: Option<ApprovalWay>,
}

impl LoginMethod {
    pub const fn keypad(id: &'static str, name: &'static str, form: &'static [FormElement]) -> Self {
        Self {
            id,
            name,
            form,
            approval: None,
        }
    }

    /// The name of the field that names the person: the first plain input that is not secret, else the first field.
    pub fn naming_field(&self) -> &'static str {
        let open = self
            .form
            .iter()
            .find(|element| element.is_input() && !element.is_secret());
        open.or(self.form.first()).map_or("", |element| element.name)
    }

    /// The name of the field with the password or PIN.
    pub fn secret_field(&self) -> Option<&'static str> {
        let naming = self.naming_field();
        let secrets = || {
            self.form
                .iter()
                .filter(|element| element.is_secret() && element.name != naming)
        };
        secrets()
            .find(|element| element.name == "password")
            .or(secrets().next_back())
            .map(|element| element.name)
    }
}

#[derive(Clone, Copy, Debug)]
pub struct StandInInstitution {
    pub id: &'static str,
    pub name: &'static str,
    pub business: bool,
    /// Its code in its country's clearing, if it has one.
    pub code: Option<&'static str>,
    /// Its code for instant payments; empty if it has none.
    pub nip: &'static str,
    pub pace: BankSpeed,
    pub methods: &'static [LoginMethod],
}

impl StandInInstitution {
    /// An institution of the usual speed for private people.
    pub const fn personal(id: &'static str, name: &'static str, methods: &'static [LoginMethod]) -> Self {
        Self {
            id,
            name,
            business: false,
            code: None,
            nip: "",
            pace: BankSpeed::Usual,
            methods,
        }
    }

    pub fn method(&self, id: &str) -> Option<&'static LoginMethod> {
        self.methods.iter().find(|method| method.id == id)
    }
}
