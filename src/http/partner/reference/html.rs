//! HTML as it is written: tags are ours, texts are escaped.

/// A page so far.
#[derive(Default)]
pub(super) struct Html(String);

impl Html {
    /// What stands in our own sources.
    pub(super) fn raw(&mut self, ours: &'static str) -> &mut Self {
        self.0.push_str(ours);
        self
    }

    /// A text.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                _ => self.0.push(character),
            }
        }
        self
    }

    /// An element with one attribute around what `within` writes.
    pub(super) fn with(
        &mut self,
        tag: &'static str,
        attribute: (&'static str, &str),
        within: impl FnOnce(&mut Self),
    ) -> &mut Self {
        let (name, value) = attribute;
        self.raw("<")
            .raw(tag)
            .raw(" ")
            .raw(name)
            .raw("=\"")
            .text(value)
            .raw("\">");
        within(self);
        self.raw("</").raw(tag).raw(">")
    }

    /// An element around what `within` writes.
    pub(super) fn element(&mut self, tag: &'static str, within: impl FnOnce(&mut Self)) -> &mut Self {
        self.raw("<").raw(tag).raw(">");
        within(self);
        self.raw("</").raw(tag).raw(">")
    }

    /// A link to a place on this page.
    pub(super) fn link(&mut self, kind: &'static str, name: &str, text: &str) -> &mut Self {
        self.with("a", ("href", &format!("#{kind}-{name}")), |html| {
            html.text(text);
        })
    }

    /// A text in which backticks are around what is code.
    pub(super) fn words(&mut self, text: &str) -> &mut Self {
        for (index, part) in text.split('`').enumerate() {
            if index % 2 == 0 {
                self.text(part);
            } else {
                self.code(part);
            }
        }
        self
    }

    /// A text of several paragraphs.
    pub(super) fn paragraphs(&mut self, text: &str) -> &mut Self {
        for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
            self.element("p", |html| {
                html.words(paragraph.trim());
            });
        }
        self
    }

    /// Code.
    pub(super) fn code(&mut self, text: &str) -> &mut Self {
        self.element("code", |html| {
            html.text(text);
        })
    }

    /// The page.
    pub(super) fn end(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever a text says, it is text; and what is code in it is shown so.
    #[test]
    fn texts_stay_texts() {
        let mut html = Html::default();
        html.with("p", ("id", "a\"b"), |html| {
            html.words("<i> & `x<y` \"q\"");
        });
        let want = "<p id=\"a&quot;b\">&lt;i&gt; &amp; <code>x&lt;y</code> &quot;q&quot;</p>";
        assert_eq!(html.end(), want);
    }
}
