//! Every route by every kind of caller: who may call, whose rows they see, and that nobody else's rows change.

use kiungo::core::access::Permission::{self, Allowed, AllowedForOwn, NotAllowed};
use kiungo::http::partner::{AuthRequirement, Route, routes};
use kiungo::service::partners::access::RequiredAccess;

use super::seeds::{Rows, SEEDS, Scope, Seed};
use super::tenants::{Staff, Tenant};
use crate::support::api::{ApiAnswer, ApiRequest};
use crate::support::sandbox::Sandbox;

/// The owner of a row, from the point of view of the first tenant's first entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// Created by the user who may do everything to their own.
    Own,
    /// Created by a colleague.
    Colleague,
    /// Another entity's.
    Entity,
    /// Another tenant's.
    Tenant,
}

use Owner::{Colleague, Entity, Own};

const ALL: [Owner; 4] = [Own, Colleague, Entity, Owner::Tenant];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CallerKind {
    Nobody,
    Publishable,
    Partner,
    /// A partner that names an entity of another.
    Trespasser,
    User(Permission),
}

struct Caller<'a> {
    name: &'static str,
    is: CallerKind,
    tenant: &'a Tenant,
    token: Option<&'a str>,
    entity: Option<&'a str>,
    /// The rows they may see, if any.
    sees: &'static [Owner],
    /// The row they request.
    wants: Owner,
}

impl<'a> Caller<'a> {
    fn new(name: &'static str, is: CallerKind, tenant: &'a Tenant, token: Option<&'a str>) -> Self {
        Self {
            name,
            is,
            tenant,
            token,
            entity: None,
            sees: &[],
            wants: Own,
        }
    }

    fn user(name: &'static str, permission: Permission, tenant: &'a Tenant, who: &'a Staff) -> Self {
        Self::new(name, CallerKind::User(permission), tenant, Some(&who.token))
    }

    fn sees(self, sees: &'static [Owner]) -> Self {
        Self { sees, ..self }
    }

    fn wants(self, wants: Owner) -> Self {
        Self { wants, ..self }
    }

    fn within(self, entity: &'a Staff) -> Self {
        Self {
            entity: Some(&entity.entity),
            ..self
        }
    }
}

/// All callers, those without permission first.
fn callers<'a>(ours: &'a Tenant, theirs: &'a Tenant) -> Vec<Caller<'a>> {
    let all: &[Owner] = &[Own, Colleague, Entity];
    let key = |name, tenant: &'a Tenant| Caller::new(name, CallerKind::Publishable, tenant, Some(&tenant.publishable));
    let partner = |name, tenant: &'a Tenant| Caller::new(name, CallerKind::Partner, tenant, Some(&tenant.token));
    let user = |name, permission, who| Caller::user(name, permission, ours, who);
    let trespasser = Caller::new(
        "a partner in another's entity",
        CallerKind::Trespasser,
        ours,
        Some(&ours.token),
    );
    vec![
        Caller::new("nobody", CallerKind::Nobody, ours, None),
        key("a publishable key", ours).sees(all),
        key("another's publishable key", theirs).sees(&[Owner::Tenant]),
        partner("another partner", theirs).sees(&[Owner::Tenant]),
        trespasser.within(&theirs.all),
        user("a user in another entity", Allowed, &ours.elsewhere).sees(&[Entity]),
        user("a user without permission", NotAllowed, &ours.nothing),
        user("a user with their own, for another's", AllowedForOwn, &ours.own)
            .sees(&[Own])
            .wants(Colleague),
        partner("the partner in another entity", ours)
            .sees(&[Entity])
            .within(&ours.elsewhere),
        user("a user with their own", AllowedForOwn, &ours.own).sees(&[Own]),
        user("a user with all", Allowed, &ours.all).sees(&[Own, Colleague]),
        user("a user who says their entity", Allowed, &ours.all)
            .sees(&[Own, Colleague])
            .wants(Colleague)
            .within(&ours.all),
        partner("the partner", ours).sees(all).wants(Colleague),
    ]
}

/// The rows behind one route, in the order of [`ALL`].
struct Seeded([String; 4]);

impl Seeded {
    fn of(&self, whose: Owner) -> &str {
        &self.0[ALL.iter().position(|all| *all == whose).unwrap()]
    }
}

/// The two tenants.
struct Matrix {
    ours: Tenant,
    theirs: Tenant,
    /// The last number used.
    last: u32,
}

impl Matrix {
    /// A new number of six digits.
    fn fresh(&mut self) -> u32 {
        self.last += 1;
        self.last
    }

    async fn seeded(&mut self, rows: Rows) -> Seeded {
        let n = [self.fresh(), self.fresh(), self.fresh(), self.fresh()];
        let (ours, theirs) = (&self.ours, &self.theirs);
        Seeded([
            rows.make(ours, &ours.own, n[0]).await,
            rows.make(ours, &ours.all, n[1]).await,
            rows.elsewhere(ours, n[2]).await,
            rows.elsewhere(theirs, n[3]).await,
        ])
    }

    /// Calls one route as every caller.
    async fn walk(&mut self, route: &Route, seed: &Seed) {
        let count = callers(&self.ours, &self.theirs).len();
        let mut rows = self.seeded(seed.rows).await;
        let mut before = [fingerprint(&self.ours).await, fingerprint(&self.theirs).await];
        for index in 0..count {
            let n = self.fresh();
            let caller = &callers(&self.ours, &self.theirs)[index];
            let wanted = expected_status(route, seed, caller);
            let answer = ask(route, seed, caller, &rows, n).send().await;
            let what = format!("{} as {}: {answer:?}", seed.route, caller.name);
            assert_eq!(answer.status, wanted, "{what}");
            sees_no_more(route, seed, caller, &rows, &answer, &what);
            if route.method == "GET" {
                continue;
            }
            // A successful request changes rows of the caller only; a refused one changes nothing.
            let (done, by_us) = (wanted == seed.done, caller.tenant.api.id == self.ours.api.id);
            let bystander = usize::from(done && by_us);
            let now = fingerprint([&self.ours, &self.theirs][bystander]).await;
            assert!(now == before[bystander], "something has changed: {what}");
            if done {
                // The next caller needs rows that are not deleted.
                rows = self.seeded(seed.rows).await;
                before = [fingerprint(&self.ours).await, fingerprint(&self.theirs).await];
            }
        }
    }
}

fn ask(route: &Route, seed: &Seed, caller: &Caller<'_>, rows: &Seeded, n: u32) -> ApiRequest {
    let path = route
        .path
        .replace("{id}", rows.of(caller.wants))
        .replace("{provider}", "mono");
    let list = route.method == "GET" && !path.contains('?') && !route.path.contains('{') && seed.rows != Rows::Nothing;
    let path = if list { format!("{path}?limit=100") } else { path };
    let mut ask = caller.tenant.api.ask(route.method, &path);
    if let Some(body) = seed.body(n) {
        ask = ask.json(&body);
    }
    if let Some(token) = caller.token {
        ask = ask.by(token);
    }
    let needed =
        (seed.scope == Scope::Needed && caller.is == CallerKind::Partner).then_some(&*caller.tenant.all.entity);
    match caller.entity.or(needed) {
        Some(entity) => ask.within(entity),
        None => ask,
    }
}

fn expected_status(route: &Route, seed: &Seed, caller: &Caller<'_>) -> u16 {
    let item = route.path.contains("{id}");
    let reached = if !item || seed.scope == Scope::Partner || caller.sees.contains(&caller.wants) {
        seed.done
    } else {
        404
    };
    match (route.auth, caller.is) {
        (AuthRequirement::PublishableKey, CallerKind::Publishable) => reached,
        (AuthRequirement::PublishableKey, _)
        | (AuthRequirement::Token(_), CallerKind::Nobody | CallerKind::Publishable) => 401,
        (AuthRequirement::Token(_), CallerKind::Trespasser)
        | (AuthRequirement::Token(RequiredAccess::User), CallerKind::Partner)
        | (AuthRequirement::Token(RequiredAccess::Partner), CallerKind::User(_))
        | (AuthRequirement::Token(RequiredAccess::Permitted(..)), CallerKind::User(NotAllowed)) => 403,
        (AuthRequirement::Token(_), CallerKind::Partner) if seed.scope == Scope::Whole && caller.entity.is_some() => {
            422
        }
        (AuthRequirement::Token(_), CallerKind::Partner | CallerKind::User(_)) => reached,
        (AuthRequirement::Open | AuthRequirement::ClientCredentials, _) => unreachable!("these have no seed"),
    }
}

/// Asserts that a response has the rows that its caller may see, and no others.
#[track_caller]
fn sees_no_more(route: &Route, seed: &Seed, caller: &Caller<'_>, rows: &Seeded, answer: &ApiAnswer, what: &str) {
    if matches!(seed.rows, Rows::Nothing | Rows::Credentials | Rows::Eligibility) {
        return;
    }
    let text = answer.body.to_string();
    let item = route.path.contains("{id}");
    for whose in ALL {
        let told = text.contains(rows.of(whose));
        let may = answer.status == seed.done && caller.sees.contains(&whose);
        let must = may && route.method == "GET" && (!item || whose == caller.wants);
        assert!(may || !told, "{whose:?} is told of in {what}");
        assert!(told || !must, "{whose:?} is missing in {what}");
    }
}

/// Everything that a partner's token sees, except the audit trail, which grows by reading.
async fn fingerprint(tenant: &Tenant) -> String {
    let mut all = String::new();
    for route in routes() {
        let AuthRequirement::Token(RequiredAccess::Partner | RequiredAccess::Permitted(..)) = route.auth else {
            continue;
        };
        if route.method == "GET" && !route.path.contains('{') && route.path != "/v1/audit" {
            let answer = tenant.api.get(&route.path).by(&tenant.token).send().await;
            let mut told = answer.expect(200);
            if let Some(rows) = told["data"].as_array_mut() {
                // A link that was ended changes by itself once its provider has been told.
                rows.retain(|row| row["state"] != "removing" && row["state"] != "removed");
            }
            all.push_str(&told.to_string());
        }
    }
    all
}

/// No caller sees or changes a row of another tenant, of another entity, or of a colleague where only their own are allowed.
/// A route without a seed fails.
#[tokio::test(flavor = "multi_thread")]
async fn every_route_by_everybody() {
    let seedless: Vec<_> = routes()
        .filter(|route| !matches!(route.auth, AuthRequirement::Open | AuthRequirement::ClientCredentials))
        .map(|route| format!("{} {}", route.method, route.path))
        .filter(|route| !SEEDS.iter().any(|seed| seed.route == *route))
        .collect();
    assert!(
        seedless.is_empty(),
        "add a line for each of these to SEEDS in tests/it/partner/seeds.rs: {seedless:?}"
    );
    let sandbox = Sandbox::with(&[("KIUNGO_API__REQUESTS_PER_SECOND", "10000")]).await;
    let mut matrix = Matrix {
        ours: Tenant::new(&sandbox, 1).await,
        theirs: Tenant::new(&sandbox, 2).await,
        last: 100_000,
    };
    for seed in SEEDS {
        let route = routes().find(|route| format!("{} {}", route.method, route.path) == seed.route);
        let route = route.unwrap_or_else(|| panic!("{} has a seed, and is not there", seed.route));
        matrix.walk(route, seed).await;
    }
    keys_open_their_own(&matrix).await;
    sandbox.stop().await;
}

/// A partner's keys issue and revoke its own tokens, and nobody else's.
async fn keys_open_their_own(matrix: &Matrix) {
    let (ours, theirs) = (&matrix.ours.api, &matrix.theirs.api);
    let me = ours
        .get("/v1/users/me")
        .by(&matrix.ours.all.token)
        .send()
        .await
        .expect(200);
    for (who, secret, status) in [
        (ours, ours.secret.as_str(), 200),
        (theirs, theirs.secret.as_str(), 422),
        (ours, theirs.secret.as_str(), 401),
        (ours, matrix.ours.publishable.as_str(), 401),
        (ours, matrix.ours.token.as_str(), 401),
    ] {
        let mut ask = who.keys();
        ask["client_secret"] = secret.into();
        ask["grant_type"] = "user".into();
        ask["user_id"] = me["id"].clone();
        let answer = who.post("/v1/auth/token", &ask).send().await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    theirs.revoke(&matrix.ours.all.token).await;
    ours.get("/v1/users/me")
        .by(&matrix.ours.all.token)
        .send()
        .await
        .expect(200);
    ours.revoke(&matrix.ours.all.token).await;
    let over = ours.get("/v1/users/me").by(&matrix.ours.all.token).send().await;
    over.refused(401, "unauthenticated");
}
