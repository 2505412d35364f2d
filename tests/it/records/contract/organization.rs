//! Roles, entities and users.

use kiungo::core::access::{Permissions, TenantScope};
use kiungo::core::ids::{EntityId, RoleId, UserId};
use kiungo::core::page::PageRequest;
use kiungo::records::{Entity, EntityChange, Role, RoleChange, User, UserChange, WriteOutcome};
use rstest::rstest;

use crate::support::records::{Backend, at, audit_entry, partner, unique_bytes};

/// All of a partner's rows.
pub(super) fn of(n: u8) -> TenantScope {
    TenantScope {
        partner: partner(n).id,
        entity: None,
        own: None,
    }
}

pub(super) fn role(n: u8, entity: Option<EntityId>, permissions: Permissions) -> Role {
    Role {
        id: RoleId::from_bytes(unique_bytes()),
        partner: partner(n).id,
        entity,
        name: "Till".to_owned(),
        permissions,
        created_by: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(super) fn entity(n: u8) -> Entity {
    Entity {
        id: EntityId::from_bytes(unique_bytes()),
        partner: partner(n).id,
        name: "Lagos".to_owned(),
        default_role: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(super) fn user(home: &Entity, login: &str) -> User {
    User {
        id: UserId::from_bytes(unique_bytes()),
        partner: home.partner,
        entity: home.id,
        login: login.to_owned(),
        name: login.to_uppercase(),
        role: None,
        created_by: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

/// Scopes around a row of partner 1 in `home`, made by `maker`, and whether they hold it.
fn reaches(home: EntityId, other: EntityId, maker: UserId, colleague: UserId) -> [(TenantScope, bool); 6] {
    let within = |entity, own| TenantScope {
        entity: Some(entity),
        own,
        ..of(1)
    };
    [
        (of(1), true),
        (within(home, None), true),
        (within(home, Some(maker)), true),
        (within(home, Some(colleague)), false),
        (within(other, None), false),
        (of(2), false),
    ]
}

/// A user's row is read, changed and ended within scope only: a colleague's "own", another entity and another partner
/// neither see nor touch it.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn users_are_touched_within_reach_only(#[case] backend: Backend) {
    let db = backend.create().await;
    let (home, other) = (entity(1), entity(1));
    for entity in [&home, &other] {
        db.add_entity(entity, &audit_entry(1, 0)).await.unwrap();
    }
    let (maker, colleague) = (UserId::from_bytes(unique_bytes()), UserId::from_bytes(unique_bytes()));
    for (n, (scope, holds)) in reaches(home.id, other.id, maker, colleague).into_iter().enumerate() {
        let row = User {
            created_by: Some(maker),
            ..user(&home, &format!("ada{n}"))
        };
        assert_eq!(
            db.add_user(&row, &audit_entry(1, 0)).await.unwrap(),
            WriteOutcome::Done(row.clone())
        );
        assert_eq!(
            db.user(&scope, row.id).await.unwrap(),
            holds.then(|| row.clone()),
            "{n}"
        );
        let listed = db.users(&scope, &PageRequest::default()).await.unwrap();
        assert_eq!(listed.rows.iter().any(|found| found.id == row.id), holds, "{n}");
        let change = UserChange {
            name: Some("changed".to_owned()),
            ..UserChange::default()
        };
        let changed = db
            .change_user(&scope, row.id, &change, &audit_entry(1, 1))
            .await
            .unwrap();
        assert_eq!(matches!(changed, WriteOutcome::Done(_)), holds, "{n}");
        let now = db.user(&of(1), row.id).await.unwrap().unwrap();
        assert_eq!(now.name == "changed", holds, "{n}");
        let ended = db.delete_user(&scope, row.id, &audit_entry(1, 2)).await.unwrap();
        assert_eq!(ended == WriteOutcome::Done(()), holds, "{n}");
        assert_eq!(db.user(&of(1), row.id).await.unwrap().is_none(), holds, "{n}");
    }
}

/// So it is with roles; one for all entities is seen within each, and changed within none.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn roles_are_touched_within_reach_only(#[case] backend: Backend) {
    let db = backend.create().await;
    let (home, other) = (entity(1), entity(1));
    for entity in [&home, &other] {
        db.add_entity(entity, &audit_entry(1, 0)).await.unwrap();
    }
    let (maker, colleague) = (UserId::from_bytes(unique_bytes()), UserId::from_bytes(unique_bytes()));
    let change = RoleChange {
        name: Some("changed".to_owned()),
        permissions: None,
    };
    for (n, (scope, holds)) in reaches(home.id, other.id, maker, colleague).into_iter().enumerate() {
        for (whose, seen, touched) in [
            (Some(home.id), holds, holds),
            (
                None,
                scope.partner == partner(1).id && scope.own != Some(colleague),
                scope == of(1),
            ),
        ] {
            let row = Role {
                created_by: Some(maker),
                ..role(1, whose, Permissions::default())
            };
            assert_eq!(
                db.add_role(&row, &audit_entry(1, 0)).await.unwrap(),
                WriteOutcome::Done(row.clone())
            );
            assert_eq!(db.role(&scope, row.id).await.unwrap(), seen.then(|| row.clone()), "{n}");
            let listed = db.roles(&scope, &PageRequest::default()).await.unwrap();
            assert_eq!(listed.rows.iter().any(|found| found.id == row.id), seen, "{n}");
            let changed = db
                .change_role(&scope, row.id, &change, &audit_entry(1, 1))
                .await
                .unwrap();
            assert_eq!(matches!(changed, WriteOutcome::Done(_)), touched, "{n}");
            let now = db.role(&of(1), row.id).await.unwrap().unwrap();
            assert_eq!(now.name == "changed", touched, "{n}");
            let ended = db.delete_role(&scope, row.id, &audit_entry(1, 2)).await.unwrap();
            assert_eq!(ended == WriteOutcome::Done(()), touched, "{n}");
            db.delete_role(&of(1), row.id, &audit_entry(1, 2)).await.unwrap();
        }
    }
}

/// Entities are their partner's; where one was chosen it is the only one, and no user's "own" holds any.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn entities_are_touched_within_reach_only(#[case] backend: Backend) {
    let db = backend.create().await;
    let other = entity(1);
    db.add_entity(&other, &audit_entry(1, 0)).await.unwrap();
    let change = EntityChange {
        name: Some("changed".to_owned()),
        default_role: None,
    };
    let somebody = UserId::from_bytes(unique_bytes());
    for n in 0..5 {
        let row = entity(1);
        let within = |entity, own| TenantScope { entity, own, ..of(1) };
        let (scope, holds) = [
            (of(1), true),
            (within(Some(row.id), None), true),
            (within(Some(other.id), None), false),
            (within(Some(row.id), Some(somebody)), false),
            (of(2), false),
        ][n];
        assert_eq!(
            db.add_entity(&row, &audit_entry(1, 0)).await.unwrap(),
            WriteOutcome::Done(row.clone())
        );
        assert_eq!(
            db.entity(&scope, row.id).await.unwrap(),
            holds.then(|| row.clone()),
            "{n}"
        );
        let listed = db.entities(&scope, &PageRequest::default()).await.unwrap();
        assert_eq!(listed.rows.iter().any(|found| found.id == row.id), holds, "{n}");
        let changed = db
            .change_entity(&scope, row.id, &change, &audit_entry(1, 1))
            .await
            .unwrap();
        assert_eq!(matches!(changed, WriteOutcome::Done(_)), holds, "{n}");
        let ended = db.delete_entity(&scope, row.id, &audit_entry(1, 2)).await.unwrap();
        assert_eq!(ended == WriteOutcome::Done(()), holds, "{n}");
        assert_eq!(db.entity(&of(1), row.id).await.unwrap().is_none(), holds, "{n}");
    }
}

/// A role is given only where it is for that entity or for all, and cannot be ended while somebody has it.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn roles_are_given_where_they_are_for(#[case] backend: Backend) {
    let db = backend.create().await;
    let (home, other) = (entity(1), entity(1));
    for entity in [&home, &other] {
        db.add_entity(entity, &audit_entry(1, 0)).await.unwrap();
    }
    let none = Permissions::default;
    let (all, ours, theirs, foreign, ended) = (
        role(1, None, none()),
        role(1, Some(home.id), none()),
        role(1, Some(other.id), none()),
        role(2, None, none()),
        role(1, None, none()),
    );
    for role in [&all, &ours, &theirs, &foreign, &ended] {
        db.add_role(role, &audit_entry(1, 0)).await.unwrap();
    }
    db.delete_role(&of(1), ended.id, &audit_entry(1, 1)).await.unwrap();
    for (n, (role, good)) in [
        (&all, true),
        (&ours, true),
        (&theirs, false),
        (&foreign, false),
        (&ended, false),
    ]
    .into_iter()
    .enumerate()
    {
        let row = User {
            role: Some(role.id),
            ..user(&home, &format!("ada{n}"))
        };
        let added = db.add_user(&row, &audit_entry(1, 0)).await.unwrap();
        assert_eq!(added == WriteOutcome::NoRole, !good, "{n}");
        let bare = user(&home, &format!("bola{n}"));
        db.add_user(&bare, &audit_entry(1, 0)).await.unwrap();
        let change = UserChange {
            role: Some(Some(role.id)),
            ..UserChange::default()
        };
        let changed = db
            .change_user(&of(1), bare.id, &change, &audit_entry(1, 1))
            .await
            .unwrap();
        assert_eq!(changed == WriteOutcome::NoRole, !good, "{n}");
        let change = EntityChange {
            name: None,
            default_role: Some(Some(role.id)),
        };
        let changed = db
            .change_entity(&of(1), home.id, &change, &audit_entry(1, 1))
            .await
            .unwrap();
        assert_eq!(changed == WriteOutcome::NoRole, !good, "{n}");
        let brand = Entity {
            default_role: Some(role.id),
            ..entity(1)
        };
        let added = db.add_entity(&brand, &audit_entry(1, 0)).await.unwrap();
        assert_eq!(matches!(added, WriteOutcome::Done(_)), role.id == all.id, "{n}");
        if good {
            assert_eq!(
                db.delete_role(&of(1), role.id, &audit_entry(1, 2)).await.unwrap(),
                WriteOutcome::InUse,
                "{n}"
            );
        }
    }
}

/// One user of an entity has a login, until they are deleted; asking for the same user again changes nothing.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_login_is_one_users(#[case] backend: Backend) {
    let db = backend.create().await;
    let (home, other) = (entity(1), entity(1));
    for entity in [&home, &other] {
        db.add_entity(entity, &audit_entry(1, 0)).await.unwrap();
    }
    let ada = user(&home, "ada");
    assert_eq!(
        db.add_user(&ada, &audit_entry(1, 0)).await.unwrap(),
        WriteOutcome::Done(ada.clone())
    );
    let again = User {
        name: "Another".to_owned(),
        ..ada.clone()
    };
    assert_eq!(
        db.add_user(&again, &audit_entry(1, 0)).await.unwrap(),
        WriteOutcome::Done(ada.clone())
    );
    assert_eq!(
        db.add_user(&user(&home, "ada"), &audit_entry(1, 0)).await.unwrap(),
        WriteOutcome::Taken
    );
    let elsewhere = user(&other, "ada");
    assert_eq!(
        db.add_user(&elsewhere, &audit_entry(1, 0)).await.unwrap(),
        WriteOutcome::Done(elsewhere)
    );
    let bola = user(&home, "bola");
    db.add_user(&bola, &audit_entry(1, 0)).await.unwrap();
    let change = UserChange {
        login: Some("ada".to_owned()),
        ..UserChange::default()
    };
    assert_eq!(
        db.change_user(&of(1), bola.id, &change, &audit_entry(1, 1))
            .await
            .unwrap(),
        WriteOutcome::Taken
    );
    db.delete_user(&of(1), ada.id, &audit_entry(1, 2)).await.unwrap();
    assert!(matches!(
        db.change_user(&of(1), bola.id, &change, &audit_entry(1, 3))
            .await
            .unwrap(),
        WriteOutcome::Done(_)
    ));
    db.delete_entity(&of(1), home.id, &audit_entry(1, 4)).await.unwrap();
    assert_eq!(
        db.add_user(&user(&home, "chi"), &audit_entry(1, 0)).await.unwrap(),
        WriteOutcome::NoEntity
    );
}
