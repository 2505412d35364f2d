//! Rights: what users may do to others who may do more, less, or something else.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kiungo::core::access::{Action, Object, Permissions};
use kiungo::http::partner::{AuthRequirement, routes};
use kiungo::service::partners::access::RequiredAccess;
use serde_json::{Value, json};

use super::helpers::text;
use crate::support::api::{Api, ApiRequest};
use crate::support::eventually;
use crate::support::sandbox::Sandbox;

/// Everything there is, to this degree.
fn everything(permission: &str) -> Value {
    let actions = |object: Object| {
        let actions = object
            .actions()
            .iter()
            .map(|action| (word(&json!(action)), json!(permission)));
        Value::Object(actions.collect())
    };
    let objects = Object::ALL.map(|object| (word(&json!(object)), actions(object)));
    Value::Object(objects.into_iter().collect())
}

fn word(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn permissions(value: &Value) -> Permissions {
    serde_json::from_value(value.clone()).unwrap()
}

/// Different rights, of which some cover each other and some do not.
fn rights() -> [Value; 4] {
    let all = json!({"create": "allowed", "read": "allowed", "update": "allowed", "delete": "allowed"});
    [
        everything("allowed"),
        json!({"user": all, "role": all}),
        json!({"role": all, "user": {"update": "allowed_for_own", "read": "allowed"}}),
        json!({"link": {"read": "allowed", "delete": "allowed"}}),
    ]
}

/// A partner with one entity.
struct Company {
    api: Api,
    partner: String,
    entity: String,
    users: u32,
}

/// Somebody in it, with a role of their own that is for this entity only.
struct Person {
    id: String,
    role: String,
}

/// What is so of every user: login, name and what they may do; and of every role.
#[derive(Debug, PartialEq)]
struct Snapshot {
    users: BTreeMap<String, (String, String, Permissions)>,
    roles: BTreeMap<String, (String, Permissions)>,
}

impl Company {
    async fn new(sandbox: &Sandbox) -> Self {
        let api = Api::of_sandbox(&sandbox.origin);
        let partner = api.token().await;
        let entity = api.entity(&partner, "Lagos").await;
        Self {
            api,
            partner,
            entity,
            users: 0,
        }
    }

    async fn person(&mut self, rights: &Value) -> Person {
        self.users += 1;
        let (api, entity) = (&self.api, Some(self.entity.as_str()));
        let role = json!({"name": "A role", "permissions": rights});
        let role = api.created(&self.partner, entity, "/v1/roles", &role).await;
        let login = format!("user{}", self.users);
        let id = api.user(&self.partner, &self.entity, &login, Some(&role)).await;
        Person { id, role }
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        let ask = self.api.get(&format!("{path}?limit=100")).by(&self.partner);
        let list = ask.within(&self.entity).send().await;
        let list = list.expect(200);
        assert_eq!(list["next_cursor"], Value::Null, "too many for a page");
        list["data"].as_array().unwrap().clone()
    }

    async fn snapshot(&self) -> Snapshot {
        let roles = self.list("/v1/roles").await.into_iter().map(|role| {
            let of = (text(&role, "name").to_owned(), permissions(&role["permissions"]));
            (text(&role, "id").to_owned(), of)
        });
        let roles: BTreeMap<_, _> = roles.collect();
        let users = self.list("/v1/users").await.into_iter().map(|user| {
            let may = roles
                .get(text(&user, "role_id"))
                .map(|(_, may)| may.clone())
                .unwrap_or_default();
            let of = (text(&user, "login").to_owned(), text(&user, "name").to_owned(), may);
            (text(&user, "id").to_owned(), of)
        });
        Snapshot {
            users: users.collect(),
            roles,
        }
    }

    /// Everything that one could try on another, and on themselves.
    fn attacks(&self, actor: &Person, target: &Person) -> Vec<ApiRequest> {
        let api = &self.api;
        let mut all = Vec::new();
        for who in [target, actor] {
            let (user, role) = (format!("/v1/users/{}", who.id), format!("/v1/roles/{}", who.role));
            all.extend([
                api.patch(&user, &json!({"login": format!("mine-{}", who.id)})),
                api.patch(&user, &json!({"name": "Mine"})),
                api.patch(&user, &json!({"role_id": actor.role})),
                api.patch(&user, &json!({"role_id": target.role})),
                api.patch(&user, &json!({"role_id": null})),
                api.patch(&role, &json!({"name": "Mine"})),
            ]);
            for rights in rights() {
                all.push(api.patch(&role, &json!({"permissions": rights})));
            }
            all.push(api.patch(&role, &json!({"permissions": {}})));
        }
        let login = format!("new-{}", target.id);
        for rights in rights() {
            all.push(api.post("/v1/roles", &json!({"name": "New", "permissions": rights})));
        }
        all.push(api.post(
            "/v1/users",
            &json!({"login": login, "name": "New", "role_id": target.role}),
        ));
        all.push(api.delete(&format!("/v1/roles/{}", target.role)));
        all.push(api.delete(&format!("/v1/users/{}", target.id)));
        all
    }
}

/// What somebody did is within what they could do before: for everybody who is changed, before and after.
#[track_caller]
fn within_own_rights(may: &Permissions, before: &Snapshot, after: &Snapshot, what: &str) {
    let users = before.users.keys().chain(after.users.keys());
    for user in users.collect::<BTreeSet<_>>() {
        let (was, is) = (before.users.get(user), after.users.get(user));
        if was != is {
            for (_, _, rights) in [was, is].into_iter().flatten() {
                assert!(may.covers(rights), "{what}: {was:?} became {is:?}");
            }
        }
    }
    let roles = before.roles.keys().chain(after.roles.keys());
    for role in roles.collect::<BTreeSet<_>>() {
        let (was, is) = (before.roles.get(role), after.roles.get(role));
        if was != is {
            for (_, rights) in [was, is].into_iter().flatten() {
                assert!(may.covers(rights), "{what}: role {was:?} became {is:?}");
            }
        }
    }
}

/// For every pair of different rights, whatever one with the first tries on one with the second, and on themselves: nobody
/// who can more than they is changed, and nobody comes to more than they have. An administrator always remains.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_reaches_beyond_the_callers_rights() {
    let sandbox = Sandbox::with(&[("KIUNGO_API__REQUESTS_PER_SECOND", "10000")]).await;
    let mut done = 0;
    for first in rights() {
        for second in rights() {
            let mut company = Company::new(&sandbox).await;
            let (mut actor, mut target) = (company.person(&first).await, company.person(&second).await);
            let count = company.attacks(&actor, &target).len();
            let mut token = company.api.token_of(&actor.id).await;
            let mut before = company.snapshot().await;
            for index in 0..count {
                let attack = company.attacks(&actor, &target).swap_remove(index);
                let answer = attack.by(&token).send().await;
                let after = company.snapshot().await;
                let what = format!("{index} by {first} on {second}: {answer:?}");
                if !(200..300).contains(&answer.status) {
                    assert_eq!(after, before, "{what}");
                    continue;
                }
                let may = &before.users[&actor.id].2;
                within_own_rights(may, &before, &after, &what);
                let admins = |of: &Snapshot| of.users.values().filter(|(_, _, may)| may.is_administrator()).count();
                assert!(admins(&after) > 0 || admins(&before) == 0, "{what}");
                done += 1;
                // The next one begins as this one did.
                company = Company::new(&sandbox).await;
                (actor, target) = (company.person(&first).await, company.person(&second).await);
                token = company.api.token_of(&actor.id).await;
                before = company.snapshot().await;
            }
        }
    }
    assert!(done > 80, "only {done} of all were allowed, so little was tried");
    sandbox.stop().await;
}

/// One who may change users takes over nobody who can more: not their login, their role nor the user. The last one who can
/// put things right cannot be disarmed, not even by themselves; the partner can.
#[tokio::test(flavor = "multi_thread")]
async fn administrators_are_not_disarmed() {
    let sandbox = Sandbox::start().await;
    let mut company = Company::new(&sandbox).await;
    let (boss, clerk) = (
        everything("allowed"),
        json!({"user": {"update": "allowed", "delete": "allowed"}}),
    );
    let (boss, clerk) = (company.person(&boss).await, company.person(&clerk).await);
    let api = &company.api;
    let (by_clerk, by_boss) = (api.token_of(&clerk.id).await, api.token_of(&boss.id).await);
    let user = format!("/v1/users/{}", boss.id);
    for ask in [
        api.patch(&user, &json!({"login": "mallory"})),
        api.patch(&user, &json!({"role_id": null})),
        api.patch(&user, &json!({"role_id": clerk.role})),
        api.delete(&user),
        api.patch(&format!("/v1/users/{}", clerk.id), &json!({"role_id": boss.role})),
    ] {
        ask.by(&by_clerk).send().await.refused(403, "role_does_not_allow");
    }
    let role = format!("/v1/roles/{}", boss.role);
    for ask in [
        api.patch(&user, &json!({"role_id": null})),
        api.patch(&role, &json!({"permissions": {}})),
        api.patch(
            &role,
            &json!({"permissions": {"user": {"update": "allowed"}, "role": {"update": "allowed_for_own"}}}),
        ),
        api.delete(&user),
    ] {
        ask.by(&by_boss).send().await.refused(409, "conflict");
    }
    let second = json!({"login": "second", "name": "Second", "role_id": boss.role});
    let made = api.post("/v1/users", &second).by(&by_boss).send().await.expect(201);
    api.delete(&user).by(&by_boss).send().await.expect(204);
    let second = api
        .delete(&format!("/v1/users/{}", text(&made, "id")))
        .by(&company.partner);
    second.send().await.expect(204);
    sandbox.stop().await;
}

/// What can be granted does something: each of it is what a route asks for, and there is nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_granted_does_something() {
    let used: BTreeSet<(Object, Action)> = routes()
        .filter_map(|route| match route.auth {
            AuthRequirement::Token(RequiredAccess::Permitted(object, action)) => Some((object, action)),
            _ => None,
        })
        .collect();
    let all = Object::ALL.into_iter();
    let grantable: BTreeSet<_> = all
        .flat_map(|object| object.actions().iter().map(move |action| (object, *action)))
        .collect();
    assert_eq!(grantable, used);
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    let role = api.role(&token, &json!({"audit": {"delete": "not_allowed"}})).await;
    let wrong = json!({"audit": {"delete": "allowed"}, "link": {"create": "allowed_for_own", "read": "allowed"}});
    for ask in [
        api.post("/v1/roles", &json!({"name": "x", "permissions": wrong})),
        api.patch(&format!("/v1/roles/{role}"), &json!({"permissions": wrong})),
    ] {
        let answer = ask.by(&token).send().await;
        answer.refused(422, "invalid");
        let faults = ["/permissions/link/create", "/permissions/audit/delete"];
        assert_eq!(
            answer.faults(),
            faults.map(|place| (place.to_owned(), "unknown".to_owned()))
        );
    }
    sandbox.stop().await;
}

/// A user makes no endpoint that hears more than they may read, and has nobody else's send to them. Users leave some of the
/// endpoints for the partner.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story, told in order")]
async fn endpoints_hear_no_more_than_their_makers_read() {
    let sandbox = Sandbox::start().await;
    let mut company = Company::new(&sandbox).await;
    let endpoints = json!({"create": "allowed", "read": "allowed", "update": "allowed", "delete": "allowed"});
    let rights = |read: &str| json!({"webhook_endpoint": endpoints, "event": {"read": read}});
    let mut tokens = Vec::new();
    for read in ["allowed", "allowed_for_own", "not_allowed"] {
        let person = company.person(&rights(read)).await;
        tokens.push((company.api.token_of(&person.id).await, person));
    }
    let [all, own, nothing] = <[_; 3]>::try_from(tokens).ok().unwrap();
    let api = &company.api;
    let new = json!({"url": "https://hooks.example.com/in"});
    let make = async |token: &str| {
        let ask = api.post("/v1/webhook-endpoints", &new).by(token);
        let made = ask.within(&company.entity).send().await.expect(201);
        format!("/v1/webhook-endpoints/{}", text(&made, "id"))
    };
    let refused = api.post("/v1/webhook-endpoints", &new).by(&nothing.0).send().await;
    refused.refused(403, "role_does_not_allow");
    let (theirs, partners) = (make(&own.0).await, make(&company.partner).await);
    for (path, who, may) in [
        (&theirs, &own.0, true),
        (&theirs, &all.0, true),
        (&theirs, &nothing.0, false),
        (&partners, &own.0, false),
        (&partners, &nothing.0, false),
        (&partners, &all.0, true),
    ] {
        let rotation = api.ask("POST", &format!("{path}/rotate-secret"));
        for ask in [
            api.patch(path, &json!({"state": "disabled"})),
            api.patch(path, &new),
            rotation,
        ] {
            let answer = ask.by(who).send().await;
            assert_eq!(answer.status, if may { 200 } else { 403 }, "{path} {answer:?}");
        }
    }
    api.delete(&partners)
        .by(&own.0)
        .send()
        .await
        .refused(403, "role_does_not_allow");
    // One whose rights shrink goes on with less.
    let less = json!({"permissions": rights("not_allowed")});
    let role = format!("/v1/roles/{}", own.1.role);
    api.patch(&role, &less).by(&company.partner).send().await.expect(200);
    eventually(Duration::from_secs(1), async || {
        api.get("/v1/events").by(&own.0).send().await.status == 403
    })
    .await;
    let refused = api.post("/v1/webhook-endpoints", &new).by(&own.0).send().await;
    refused.refused(403, "role_does_not_allow");
    let mut refused = None;
    for _ in 0..20 {
        let answer = api.post("/v1/webhook-endpoints", &new).by(&all.0).send().await;
        if answer.status != 201 {
            refused = Some(answer);
            break;
        }
    }
    refused.expect("users have them all").refused(409, "conflict");
    make(&company.partner).await;
    sandbox.stop().await;
}
