//! What providers hand out and want back: sealed in its place, and no other.

use std::sync::Arc;

use kiungo::ambient::OsRng;
use kiungo::core::ids::{AttemptId, LinkId, ProviderPersonId};
use kiungo::core::seal::SubscriberTag;
use kiungo::core::secret::Secret;
use kiungo::providers::AccessBlob;
use kiungo::records::{AttemptState, Link, LinkAccess, LinkCompletion, ProviderPerson, TicketPurpose};
use kiungo::service::metrics::Metrics;
use kiungo::service::resealing::Resealing;
use kiungo::service::sealing::Sealing;

use crate::support::app_fixture::keyring;
use crate::support::records::{Backend, at, job, link, person, settle, ticket, unique_bytes};

fn sealing(keys: &[&str]) -> Sealing {
    Sealing {
        keyring: Arc::new(keyring(keys)),
        rng: Arc::new(OsRng),
    }
}

fn blob() -> AccessBlob {
    // The provider's own words need not be text.
    AccessBlob::new([0xff, 0, b'r', b't'])
}

/// A sealed value opens where it was sealed; of another person, another row, or as another field, it does not.
#[test]
fn each_is_bound_to_its_place() {
    let sealing = sealing(&["k1"]);
    let (ada, bola) = (SubscriberTag::from_bytes([1; 32]), SubscriberTag::from_bytes([2; 32]));
    let (one, other) = (unique_bytes(), unique_bytes());
    let link = LinkId::from_bytes;
    let access = sealing.seal_link_access(&ada, link(one), &blob()).unwrap();
    assert_eq!(sealing.open_link_access(&ada, link(one), &access), Ok(blob()));
    let user = ProviderPersonId::from_bytes;
    let person = sealing.seal_person_access(&ada, user(one), &blob()).unwrap();
    assert_eq!(sealing.open_person_access(&ada, user(one), &person), Ok(blob()));
    let secret = Secret::new("connection 7");
    let handle = sealing.seal_link_handle(&ada, link(one), &secret).unwrap();
    let opened = sealing.open_link_handle(&ada, link(one), &handle).unwrap();
    assert_eq!(opened.expose(), secret.expose());
    let attempt = AttemptId::from_bytes;
    let returned = sealing.seal_returned(&ada, attempt(one), &secret).unwrap();
    let opened = sealing.open_returned(&ada, attempt(one), &returned).unwrap();
    assert_eq!(opened.expose(), secret.expose());

    for (tag, id) in [(&bola, one), (&ada, other)] {
        sealing.open_link_access(tag, link(id), &access).unwrap_err();
        sealing.open_person_access(tag, user(id), &person).unwrap_err();
        assert!(sealing.open_link_handle(tag, link(id), &handle).is_err());
        assert!(sealing.open_returned(tag, attempt(id), &returned).is_err());
    }
    sealing.open_link_access(&ada, link(one), &person).unwrap_err();
    sealing.open_person_access(&ada, user(one), &access).unwrap_err();
    assert!(sealing.open_link_handle(&ada, link(one), &access).is_err());
    assert!(sealing.open_grant(&ada, attempt(one), &returned).is_err());
}

/// The same words are recognised again, and are something else for another provider, as another thing, or as a ticket for
/// something else.
#[test]
fn each_is_recognised_as_what_it_is() {
    let sealing = sealing(&["k1"]);
    let id = Secret::new("7");
    let digests = || {
        [
            sealing.account_digest("powens", &id),
            sealing.link_handle_digest("powens", &id),
            sealing.link_handle_digest("mono", &id),
            sealing.person_handle_digest("powens", &id),
            sealing.person_handle_digest("mono", &id),
            sealing.session_digest("powens", "7"),
            sealing.session_digest("mono", "7"),
            sealing.ticket_digest(TicketPurpose::Go, &id),
            sealing.ticket_digest(TicketPurpose::State, &id),
        ]
    };
    assert_eq!(digests(), digests());
    let mut different = digests().to_vec();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), digests().len());
}

/// When the keys are rotated, all of it is resealed with the rest and opens without the old key; versions stay, so that
/// anyone who replaces it meanwhile still follows the one before.
#[tokio::test]
async fn it_is_resealed_like_everything_else() {
    let db = Backend::Sqlite.create().await;
    let (old, new) = (sealing(&["k1"]), sealing(&["n2"]));
    let ada = person(1, 1);
    let mut attempt = ada.attempted(&*db, AttemptState::Waiting, |_| ()).await;
    let state = ticket(&attempt, TicketPurpose::State);
    db.add_tickets(std::slice::from_ref(&state)).await.unwrap();
    let returned = old.seal_returned(&ada.tag, attempt.id, &Secret::new("code=1")).unwrap();
    let go_on = [job(ada.partner, settle(&attempt).kind, "go on", at(0))];
    let used = db.return_with_ticket(&state.digest, &returned, &go_on, at(0));
    assert_eq!(used.await.unwrap(), Some(attempt.id));

    let other = ada.attempted(&*db, AttemptState::Unknown, |_| ()).await;
    let id = LinkId::from_bytes(unique_bytes());
    let made = Link {
        id,
        access: LinkAccess {
            handle_digest: Some(old.link_handle_digest("mono", &Secret::new("7"))),
            handle: Some(old.seal_link_handle(&ada.tag, id, &Secret::new("7")).unwrap()),
            sealed: Some(old.seal_link_access(&ada.tag, id, &blob()).unwrap()),
            version: 1,
        },
        ..link(&other, 0)
    };
    assert_eq!(db.complete_link(&made, &[]).await.unwrap(), LinkCompletion::Written(id));
    let user = ProviderPersonId::from_bytes(unique_bytes());
    let user = ProviderPerson {
        id: user,
        partner: ada.partner,
        provider: "mono".to_owned(),
        tag: ada.tag,
        handle_digest: None,
        sealed: old.seal_person_access(&ada.tag, user, &blob()).unwrap(),
        version: 1,
        updated_at: at(0),
    };
    db.put_provider_person(&user).await.unwrap();

    let resealing = Resealing {
        records: db.shared(),
        sealing: sealing(&["n2", "k1"]),
        metrics: Arc::new(Metrics::new()),
    };
    resealing.pass().await.unwrap();
    attempt = db.attempt(attempt.id).await.unwrap().unwrap().0;
    let returned = new.open_returned(&ada.tag, attempt.id, &attempt.returned.unwrap());
    assert_eq!(returned.unwrap().expose(), "code=1");
    let access = db.link_access(id).await.unwrap().unwrap();
    let handle = new.open_link_handle(&ada.tag, id, &access.handle.unwrap());
    assert_eq!(handle.unwrap().expose(), "7");
    assert_eq!(new.open_link_access(&ada.tag, id, &access.sealed.unwrap()), Ok(blob()));
    assert_eq!(access.version, 1);
    let found = db
        .provider_person(ada.partner, "mono", &ada.tag)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(new.open_person_access(&ada.tag, user.id, &found.sealed), Ok(blob()));
    assert_eq!(found.version, 1);
}
