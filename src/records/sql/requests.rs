//! Statements about who asks a person.

/// Columns of a request with its partner's name.
macro_rules! requests {
    ($which:literal) => {
        concat!(
            "SELECT i.id, i.partner, p.name, i.purpose, i.days, i.scope, i.institution, i.locale, i.many, i.renews \
             FROM link_intents i JOIN partners p ON p.id = i.partner WHERE i.state = 'open' AND i.expires_at > $2 AND ",
            $which
        )
    };
}

pub(in crate::records) const OF_A_PERSON: &str = requests!("i.tag = $1 ORDER BY i.created_at DESC, i.id DESC LIMIT 20");

/// One that is for somebody by their number has no code.
pub(in crate::records) const BY_CODE: &str = requests!("i.code_digest = $1 AND i.tag IS NULL");

pub(in crate::records) const WALK_INS: &str = "SELECT p.id AS partner, p.name, p.purpose, p.days FROM partners p \
     WHERE p.walk_in = 1 AND EXISTS (SELECT 1 FROM provider_credentials c WHERE c.partner = p.id) \
     ORDER BY p.name, p.id LIMIT 50";

pub(in crate::records) const BUSINESSES: &str = "SELECT id, name FROM partners WHERE id IN \
     (SELECT partner FROM links WHERE tag = $1 UNION SELECT partner FROM attempts WHERE tag = $1)";
