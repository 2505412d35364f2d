//! What holds of every provider, whatever shape its journeys have.

use std::collections::HashSet;
use std::time::Duration;

use kiungo::core::next_step::Grant;
use kiungo::core::secret::Secret;
use kiungo::providers::{
    Access, AccountsQuery, EndScope, EndTarget, ProviderError, ProviderKeys, ProviderRequest, WebhookError,
};

use super::conformance::{Scenario, list, quiet};

pub async fn common_guarantees(scenario: &Scenario<'_>) {
    facts_are_possible(scenario);
    keys_are_declared_and_checked(scenario).await;
    the_list_is_stable(scenario).await;
    strangers_are_told_apart(scenario).await;
}

fn facts_are_possible(scenario: &Scenario<'_>) {
    let facts = scenario.provider.facts();
    for limit in [facts.institutions_ttl, facts.timeout, facts.settle_for] {
        assert!(limit > Duration::ZERO, "{facts:?}");
    }
    assert!(facts.max_rounds > 0);
    let name = scenario.provider.name();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    assert!(!name.is_empty() && name.chars().all(plain), "{name} is not a name");
}

/// The declaration accepts what the provider accepts, and names what is missing, unknown, or not accepted there.
async fn keys_are_declared_and_checked(scenario: &Scenario<'_>) {
    let (provider, keys, wrong) = (scenario.provider, (scenario.keys)(), (scenario.wrong_keys)());
    let declared = provider.facts().keys;
    let names: HashSet<_> = declared.iter().map(|key| key.name).collect();
    assert_eq!(names.len(), declared.len(), "two keys have one name");
    assert!(declared.iter().any(|key| key.required) && declared.iter().all(|key| !key.help.is_empty()));
    assert_eq!(keys.faults(declared), []);
    let exposed = || keys.iter().map(|(name, key)| (name, Secret::new(key.expose())));
    let more: ProviderKeys = exposed().chain([("no-key-of-any", Secret::new("x"))]).collect();
    assert_eq!(more.faults(declared)[0].0, "no-key-of-any");
    for required in declared.iter().filter(|key| key.required) {
        let fewer: ProviderKeys = exposed().filter(|(name, _)| *name != required.name).collect();
        assert_eq!(fewer.faults(declared), [(required.name.to_owned(), "is missing")]);
    }
    assert_eq!(provider.check(&keys).await, Ok(()));
    let refused = provider.check(&wrong).await;
    assert!(matches!(refused, Err(ProviderError::Refused(_))), "{refused:?}");
    let secrets: Vec<_> = keys.iter().map(|(_, key)| key.expose().to_owned()).collect();
    quiet(&secrets, &keys);
}

async fn the_list_is_stable(scenario: &Scenario<'_>) {
    let first = list(scenario).await;
    assert_eq!(first, list(scenario).await);
    let ids: HashSet<_> = first.iter().map(|it| &it.id).collect();
    assert_eq!(ids.len(), first.len(), "ids are unique");
    for institution in &first {
        assert!(!institution.name.is_empty() && !institution.provider_id.is_empty());
        assert!(institution.country.as_ref().is_none_or(|code| code.len() == 2));
        for method in &institution.methods {
            assert!(!method.id.is_empty() && !method.name.is_empty());
        }
    }
}

async fn strangers_are_told_apart(scenario: &Scenario<'_>) {
    let (provider, keys) = (scenario.provider, (scenario.keys)());
    let access = Access::keys(&keys);
    let wrong = provider.institutions(&(scenario.wrong_keys)()).await;
    assert!(matches!(wrong, Err(ProviderError::Refused(_))), "{wrong:?}");
    let nobodys = Secret::new("nobodys-account");
    let read = provider.accounts(access, AccountsQuery::One(&nobodys)).await;
    assert_eq!(read.err(), Some(ProviderError::NotFound));
    let target = match provider.facts().ends {
        EndScope::Account => EndTarget::Account(&nobodys),
        EndScope::Link => EndTarget::Link(&nobodys),
    };
    let ended = provider.end(access, target).await;
    assert_eq!(ended, Err(ProviderError::NotFound));
    let redeemed = provider.redeem(access, &Grant(Secret::new("nobodys-grant"))).await;
    let error = redeemed.expect_err("a grant out of nothing");
    assert!(
        matches!(error, ProviderError::Refused(_) | ProviderError::NotFound),
        "{error:?}"
    );
    let forged = ProviderRequest {
        method: "POST",
        path: "/hooks/it",
        tail: "",
        query: "",
        headers: &[],
        body: b"{}",
    };
    let received = provider.webhook(&keys, &forged).await;
    assert_eq!(received.unwrap_err(), WebhookError::Unauthentic);
}
