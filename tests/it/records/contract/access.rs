//! Keys and tokens.

use std::collections::BTreeMap;

use kiungo::core::access::{Action, Caller, Object, Permission, Permissions};
use kiungo::core::api_key::ApiKeyKind;
use kiungo::core::ids::{EntityId, RoleId, UserId};
use kiungo::records::{AccessToken, Bearer, ExpiredData, PartnerKey, Records, WriteOutcome};
use rstest::rstest;

use super::organization::{entity, of, role, user};
use crate::support::records::{Backend, at, audit_entry, partner, unique_bytes};

fn key(n: u8, kind: ApiKeyKind, made: i64) -> PartnerKey {
    PartnerKey {
        digest: unique_bytes(),
        partner: partner(n).id,
        kind,
        hint: "last".to_owned(),
        created_at: at(made),
        until: None,
    }
}

fn token(n: u8, who: Option<UserId>) -> AccessToken {
    AccessToken {
        digest: unique_bytes(),
        partner: partner(n).id,
        user: who,
        created_at: at(0),
        expires_at: at(1_000),
    }
}

/// A key opens until its time is over; replaced, it opens as long as was said, and the one before it no more. Other
/// kinds, and other partners, keep theirs.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn at_most_two_keys_of_a_kind_open(#[case] backend: Backend) {
    let db = backend.create().await;
    let opens = async |key: &PartnerKey, when: i64| db.key(&key.digest, at(when)).await.unwrap().is_some();
    let (first, public, others) = (
        key(1, ApiKeyKind::Secret, 0),
        key(1, ApiKeyKind::Publishable, 0),
        key(2, ApiKeyKind::Secret, 0),
    );
    for key in [&first, &public, &others] {
        db.put_key(key).await.unwrap();
        assert_eq!(db.key(&key.digest, at(0)).await.unwrap().as_ref(), Some(key));
    }
    let (second, third) = (key(1, ApiKeyKind::Secret, 10), key(1, ApiKeyKind::Secret, 20));
    db.rotate_key(&second, at(110), &audit_entry(1, 0)).await.unwrap();
    assert!(opens(&first, 109).await && !opens(&first, 110).await && opens(&second, 110).await);
    db.rotate_key(&third, at(120), &audit_entry(1, 0)).await.unwrap();
    assert!(!opens(&first, 20).await && opens(&second, 119).await && !opens(&second, 120).await);
    for key in [&third, &public, &others] {
        assert!(opens(key, 1_000_000).await);
    }
    let all = db.keys(partner(1).id).await.unwrap();
    let made: Vec<_> = all.iter().map(|key| (key.kind, key.created_at)).collect();
    assert_eq!(made[..2], [(ApiKeyKind::Secret, at(20)), (ApiKeyKind::Secret, at(10))]);
    assert_eq!(made.len(), 4);
    assert!(db.key(&unique_bytes(), at(0)).await.unwrap().is_none());
}

/// A key that is ended at once takes the partner's tokens with it; one that still opens for a while does not.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_key_that_is_ended_at_once_takes_its_tokens(#[case] backend: Backend) {
    let db = backend.create().await;
    let (mine, others) = (token(1, None), token(2, None));
    for token in [&mine, &others] {
        assert!(db.add_token(token, &audit_entry(1, 0)).await.unwrap());
    }
    let opens = async |token: &AccessToken| db.bearer(&token.digest, at(20)).await.unwrap().is_some();
    db.rotate_key(&key(1, ApiKeyKind::Secret, 10), at(11), &audit_entry(1, 0))
        .await
        .unwrap();
    assert!(opens(&mine).await && opens(&others).await);
    db.rotate_key(&key(1, ApiKeyKind::Secret, 10), at(10), &audit_entry(1, 0))
        .await
        .unwrap();
    assert!(!opens(&mine).await && opens(&others).await);
}

/// A token stands for whom it was made until it is over or revoked by its partner; old ones are forgotten.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn tokens_are_over_when_they_are_over(#[case] backend: Backend) {
    let db = backend.create().await;
    let (one, two) = (token(1, None), token(1, None));
    for token in [&one, &two] {
        assert!(db.add_token(token, &audit_entry(1, 0)).await.unwrap());
    }
    let bearer = Bearer {
        caller: Caller::Partner(partner(1).id),
        expires_at: at(1_000),
    };
    assert_eq!(db.bearer(&one.digest, at(999)).await.unwrap(), Some(bearer));
    assert_eq!(db.bearer(&one.digest, at(1_000)).await.unwrap(), None);
    db.revoke_token(&one.digest, &audit_entry(2, 5)).await.unwrap();
    assert!(db.bearer(&one.digest, at(5)).await.unwrap().is_some());
    db.revoke_token(&one.digest, &audit_entry(1, 5)).await.unwrap();
    db.revoke_token(&unique_bytes(), &audit_entry(1, 5)).await.unwrap();
    assert!(db.bearer(&one.digest, at(5)).await.unwrap().is_none());
    assert!(db.bearer(&two.digest, at(5)).await.unwrap().is_some());
    assert_eq!(db.delete_expired(ExpiredData::Tokens, at(1_000), 9).await.unwrap(), 0);
    assert_eq!(db.delete_expired(ExpiredData::Tokens, at(1_001), 1).await.unwrap(), 1);
    assert_eq!(db.delete_expired(ExpiredData::Tokens, at(1_001), 9).await.unwrap(), 1);
}

/// A user's token says what their role allows now, or else their entity's default role; it is over when they are, or
/// their entity is. Nobody gets a token for somebody else's user.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_users_token_says_what_they_may_do_now(#[case] backend: Backend) {
    let db = backend.create().await;
    let may = |object| {
        Permissions(BTreeMap::from([(
            object,
            BTreeMap::from([(Action::Read, Permission::Allowed)]),
        )]))
    };
    let (first, second) = (role(1, None, may(Object::Link)), role(1, None, may(Object::Event)));
    for role in [&first, &second] {
        db.add_role(role, &audit_entry(1, 0)).await.unwrap();
    }
    let home = entity(1);
    db.add_entity(&home, &audit_entry(1, 0)).await.unwrap();
    let ada = user(&home, "ada");
    db.add_user(&ada, &audit_entry(1, 0)).await.unwrap();
    let token = token(1, Some(ada.id));
    assert!(db.add_token(&token, &audit_entry(1, 0)).await.unwrap());
    for stranger in [UserId::from_bytes(unique_bytes()), ada.id] {
        assert!(
            !db.add_token(&self::token(2, Some(stranger)), &audit_entry(2, 0))
                .await
                .unwrap()
        );
    }
    let allows = async || match db.bearer(&token.digest, at(1)).await.unwrap().unwrap().caller {
        Caller::User {
            entity,
            user,
            permissions,
            ..
        } if (entity, user) == (home.id, ada.id) => permissions,
        other => panic!("{other:?}"),
    };
    assert_eq!(allows().await, Permissions::default());
    change_default(&*db, home.id, Some(first.id)).await;
    assert_eq!(allows().await, may(Object::Link));
    let own = kiungo::records::UserChange {
        role: Some(Some(second.id)),
        ..Default::default()
    };
    db.change_user(&of(1), ada.id, &own, &audit_entry(1, 2)).await.unwrap();
    assert_eq!(allows().await, may(Object::Event));
    assert_eq!(
        db.delete_user(&of(1), ada.id, &audit_entry(1, 3)).await.unwrap(),
        WriteOutcome::Done(())
    );
    assert!(db.bearer(&token.digest, at(3)).await.unwrap().is_none());
    assert!(
        !db.add_token(&self::token(1, Some(ada.id)), &audit_entry(1, 0))
            .await
            .unwrap()
    );
    let bola = user(&home, "bola");
    db.add_user(&bola, &audit_entry(1, 0)).await.unwrap();
    let token = self::token(1, Some(bola.id));
    assert!(db.add_token(&token, &audit_entry(1, 0)).await.unwrap());
    db.delete_entity(&of(1), home.id, &audit_entry(1, 4)).await.unwrap();
    assert!(db.bearer(&token.digest, at(4)).await.unwrap().is_none());
}

async fn change_default(db: &dyn Records, entity: EntityId, role: Option<RoleId>) {
    let change = kiungo::records::EntityChange {
        name: None,
        default_role: Some(role),
    };
    let changed = db
        .change_entity(&of(1), entity, &change, &audit_entry(1, 0))
        .await
        .unwrap();
    assert!(matches!(changed, WriteOutcome::Done(_)));
}

/// A partner is added once, with its keys, and its trail says so; anyone who is there already stays as it is.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_partner_is_added_once(#[case] backend: Backend) {
    let db = backend.create().await;
    let (new, first, second) = (partner(9), key(9, ApiKeyKind::Secret, 0), key(9, ApiKeyKind::Secret, 0));
    let mut other = new.clone();
    other.purpose = "something else".into();
    let entry = audit_entry(9, 0);
    assert!(
        db.add_partner(&new, std::slice::from_ref(&first), &entry)
            .await
            .unwrap()
    );
    assert!(!db.add_partner(&other, &[second], &entry).await.unwrap());
    assert_eq!(db.partner(new.id).await.unwrap(), Some(new.clone()));
    assert_eq!(db.keys(new.id).await.unwrap(), [first]);
    assert_eq!(db.audit_count(entry.kind).await, 1);
}
