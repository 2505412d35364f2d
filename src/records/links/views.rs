//! Links and connect sessions, as their partner sees them.

use async_trait::async_trait;
use sqlx::{FromRow as _, Row as _};

use super::audit::add_audit;
use super::links::{link_columns, links_of, move_link};
use super::{Backend, Connection, Row, page_of, scoped, select_scoped};
use crate::core::access::TenantScope;
use crate::core::ids::{ConnectSessionId, IntentId, LinkId};
use crate::core::page::{PageCursor, PageRequest, Paged};
use crate::records::{
    AuditEntry, ConnectSessionView, Consent, EndedLink, IntentSummary, Job, LinkDetails, LinkFilter, LinkState,
    LinkViewRecords, Result,
};

/// What grew out of an intent is whose that is; what grew out of none is nobody's but the partner's.
macro_rules! of_the_caller {
    ($row:literal) => {
        concat!(
            $row,
            ".partner = $1 AND ($2 IS NULL OR i.entity = $2) AND ($3 IS NULL OR i.created_by = $3)"
        )
    };
}

macro_rules! intent_columns {
    () => {
        "i.id AS intent_id, i.entity, i.created_by, i.reference"
    };
}

/// Links with accounts, one row an account; `$chosen` says which, newest first. One that was never in use is not there.
macro_rules! link_views {
    ($chosen:literal) => {
        concat!(
            "SELECT ",
            link_columns!(),
            ", c.id, c.intent, c.msisdn, c.text, c.version, c.locale, c.channel, c.agreed_at, c.purpose, c.purposes, c.days, c.scope, ",
            intent_columns!(),
            " FROM (SELECT k.* FROM links k JOIN consents e ON e.id = k.consent \
             LEFT JOIN link_intents i ON i.id = e.intent WHERE NOT k.unannounced AND ",
            of_the_caller!("k"),
            $chosen,
            ") l JOIN consents c ON c.id = l.consent LEFT JOIN link_intents i ON i.id = c.intent \
             LEFT JOIN linked_accounts a ON a.link = l.id ORDER BY l.created_at DESC, l.id DESC, a.place"
        )
    };
}

/// A session's first submission says when it was begun; the one that made the link, or else the last, where it stands.
macro_rules! connect_sessions {
    ($chosen:literal) => {
        concat!(
            "SELECT f.session, f.partner, f.created_at, n.provider, n.institution, n.institution_name, n.state, \
             n.moved_at, COALESCE(l.id, n.renews) AS link, ",
            intent_columns!(),
            " FROM attempts f JOIN attempts n ON n.id = (SELECT id FROM attempts WHERE partner = f.partner \
             AND session = f.session ORDER BY CASE WHEN state = 'linked' THEN 0 ELSE 1 END, nth DESC LIMIT 1) \
             JOIN consents c ON c.id = n.consent LEFT JOIN link_intents i ON i.id = c.intent \
             LEFT JOIN links l ON l.attempt = n.id AND NOT l.unannounced \
             WHERE NOT EXISTS (SELECT 1 FROM attempts e WHERE e.partner = f.partner AND e.session = f.session \
             AND e.nth < f.nth) AND ",
            of_the_caller!("f"),
            $chosen
        )
    };
}

#[async_trait]
impl LinkViewRecords for Backend {
    async fn link_view(&self, scope: &TenantScope, id: LinkId) -> Result<Option<LinkDetails>> {
        self.call(async {
            let view = scoped(link_views!(" AND k.id = $4"), scope).bind(id);
            Ok(views_of(&view.fetch_all(&self.readers).await?)?.pop())
        })
        .await
    }

    async fn link_views(
        &self,
        scope: &TenantScope,
        filter: &LinkFilter,
        page: &PageRequest,
    ) -> Result<Paged<LinkDetails>> {
        self.call(async {
            let after = page.after.unwrap_or(PageCursor::START);
            let statement = link_views!(
                " AND ($4 IS NULL OR $4 = CASE WHEN k.state IN ('active', 'reauth_required') AND k.until <= $10 \
                 THEN 'expired' ELSE k.state END) AND ($5 IS NULL OR e.intent = $5) \
                 AND ($6 IS NULL OR i.reference = $6) AND (k.created_at < $7 OR (k.created_at = $7 AND k.id < $8)) \
                 ORDER BY k.created_at DESC, k.id DESC LIMIT $9"
            );
            let rows = scoped(statement, scope)
                .bind(filter.state)
                .bind(filter.intent)
                .bind(&filter.reference)
                .bind(after.at)
                .bind(&after.id[..])
                .bind(i64::from(page.limit) + 1)
                .bind(filter.at)
                .fetch_all(&self.readers)
                .await?;
            let key = |view: &LinkDetails| (view.link.created_at, *view.link.id.as_bytes());
            Ok(page_of(views_of(&rows)?, page, key))
        })
        .await
    }

    async fn end_link(
        &self,
        scope: &TenantScope,
        id: LinkId,
        unlink: &Job,
        audit: &AuditEntry,
    ) -> Result<Option<EndedLink>> {
        self.transaction(async |tx| {
            if read(tx, scope, id).await?.is_none() {
                return Ok(None);
            }
            let unlink = std::slice::from_ref(unlink);
            let newly_ended = move_link(tx, id, LinkState::Removing, unlink, audit.at).await?;
            let ended = read(tx, scope, id).await?;
            if newly_ended {
                add_audit(tx, audit).await?;
            }
            Ok(ended.map(|ended| EndedLink { newly_ended, ..ended }))
        })
        .await
    }

    async fn connect_session(&self, scope: &TenantScope, id: ConnectSessionId) -> Result<Option<ConnectSessionView>> {
        self.call(async {
            let session = scoped(connect_sessions!(" AND f.session = $4"), scope).bind(id);
            let row = session.fetch_optional(&self.readers).await?;
            row.as_ref().map(session_of).transpose()
        })
        .await
    }

    async fn connect_sessions(
        &self,
        scope: &TenantScope,
        intent: Option<IntentId>,
        page: &PageRequest,
    ) -> Result<Paged<ConnectSessionView>> {
        self.call(async {
            let after = page.after.unwrap_or(PageCursor::START);
            let statement = connect_sessions!(
                " AND ($4 IS NULL OR c.intent = $4) \
                 AND (f.created_at < $5 OR (f.created_at = $5 AND f.session < $6)) \
                 ORDER BY f.created_at DESC, f.session DESC LIMIT $7"
            );
            let rows = scoped(statement, scope)
                .bind(intent)
                .bind(after.at)
                .bind(&after.id[..])
                .bind(i64::from(page.limit) + 1)
                .fetch_all(&self.readers)
                .await?;
            let sessions = rows.iter().map(session_of).collect::<Result<Vec<_>>>()?;
            Ok(page_of(sessions, page, |one| (one.created_at, *one.id.as_bytes())))
        })
        .await
    }
}

/// Whose a link in scope is, and where it stands.
async fn read(tx: &mut Connection, scope: &TenantScope, id: LinkId) -> Result<Option<EndedLink>> {
    let statement = concat!(
        "SELECT k.tag, k.state FROM links k JOIN consents e ON e.id = k.consent \
         LEFT JOIN link_intents i ON i.id = e.intent WHERE NOT k.unannounced AND ",
        of_the_caller!("k"),
        " AND k.id = $4"
    );
    Ok(select_scoped(statement, scope).bind(id).fetch_optional(tx).await?)
}

/// Gathers rows, one an account, into links; the rows of one link stand together.
fn views_of(rows: &[Row]) -> Result<Vec<LinkDetails>> {
    let link_id = |row: &Row| row.try_get::<LinkId, _>("link_id").ok();
    let mut views = Vec::new();
    for rows in rows.chunk_by(|one, next| link_id(one) == link_id(next)) {
        if let (Some(link), Some(row)) = (links_of(rows)?.pop(), rows.first()) {
            views.push(LinkDetails {
                link,
                moved_at: row.try_get("moved_at")?,
                consent: Consent::from_row(row)?,
                intent: intent_of(row)?,
            });
        }
    }
    Ok(views)
}

fn intent_of(row: &Row) -> Result<Option<IntentSummary>> {
    let intent: Option<IntentId> = row.try_get("intent_id")?;
    Ok(intent.map(|_| IntentSummary::from_row(row)).transpose()?)
}

fn session_of(row: &Row) -> Result<ConnectSessionView> {
    Ok(ConnectSessionView {
        id: row.try_get("session")?,
        partner: row.try_get("partner")?,
        provider: row.try_get("provider")?,
        institution: row.try_get("institution")?,
        institution_name: row.try_get("institution_name")?,
        state: row.try_get("state")?,
        link: row.try_get("link")?,
        intent: intent_of(row)?,
        created_at: row.try_get("created_at")?,
        moved_at: row.try_get("moved_at")?,
    })
}
