//! Institution lists that are late: no turn waits for one that it does not need, and only briefly for one that it does.

use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::SystemClock;
use kiungo::core::ids::PartnerId;
use kiungo::core::time::Clock;
use kiungo::providers::{Provider, ProviderKeys, ProviderRegistry};
use kiungo::service::catalogue::Catalogue;
use kiungo::service::providers::{Providers, save_partner};
use kiungo::store::memory::MemoryStore;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::support::app_fixture::{AppOptions, TestApp, assemble_unread};
use crate::support::clock::ManualClock;
use crate::support::doubles::PlainGateway;
use crate::support::eventually;
use crate::support::invented::Umoja;
use crate::support::invented::bank::{Client, UmojaBank};
use crate::support::invented::branches::Branch;
use crate::support::machine::Stopwatch;
use crate::support::one_bank::OneBank;
use crate::support::records::{operator_partner, partner};

async fn turns(banks: Vec<Arc<OneBank>>) -> TestApp {
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    let around = AppOptions {
        banks,
        ..AppOptions::default()
    };
    assemble_unread(store, PlainGateway { sink: None }, around).await
}

/// While one provider has not given its list, the list of another is read, shown and searched.
#[tokio::test]
async fn a_slow_provider_holds_up_no_other() {
    let gate = Arc::new(Semaphore::new(0));
    let turns = turns(vec![OneBank::behind("slow", &gate), OneBank::ready("mono")]).await;
    let catalogue = turns.service.0.catalogue.clone();
    let reading = Handle::current().spawn({
        let catalogue = catalogue.clone();
        async move { catalogue.refresh().await }
    });
    let offered = || {
        catalogue
            .offers(operator_partner().id, "NG")
            .0
            .map_or(0, |offers| offers.len())
    };
    eventually(Duration::from_secs(10), async || offered() == 1).await;
    assert!(catalogue.institution(operator_partner().id, "mono", "b1:p").is_some());
    assert!(catalogue.institution(operator_partner().id, "slow", "b1:p").is_none());
    turns.answer("d1 +2348031234567 ").await;
    let screen = turns.answer("d1 +2348031234567 1").await;
    assert!(screen.contains("1 Savanna Bank"), "{screen}");
    assert!(!reading.is_finished());
    gate.add_permits(1);
    reading.await.unwrap();
    assert_eq!(offered(), 2);
}

/// Dialing does not wait for the first list; choosing a bank does, briefly, and shows it once it is there.
#[tokio::test]
async fn only_who_needs_the_list_waits_for_it() {
    let gate = Arc::new(Semaphore::new(0));
    let turns = turns(vec![OneBank::behind("mono", &gate)]).await;
    let keeping = Handle::current().spawn(turns.service.0.catalogue.clone().keep_fresh());
    let began = Stopwatch::start();
    let screen = turns.answer("d1 +2348031234567 ").await;
    assert!(screen.starts_with("CON Umoja Credit asks"), "{screen}");
    assert!(began.fair() < Duration::from_millis(2_500), "it waited for the list");
    let screen = turns.answer("d1 +2348031234567 1").await;
    assert!(screen.starts_with("CON The list of banks is not available"), "{screen}");
    let open = async { gate.add_permits(1) };
    let (screen, ()) = tokio::join!(turns.answer("d1 +2348031234567 1*1"), open);
    assert!(screen.contains("1 Savanna Bank"), "{screen}");
    keeping.abort();
}

/// Two providers: one whose list is the same for all, and one whose console decides for each partner. The operator has keys
/// at both, partner 2 at the second only, partner 3 at none.
struct TwoProviders {
    app: TestApp,
    umoja: Arc<UmojaBank>,
    catalogue: Arc<Catalogue>,
}

impl TwoProviders {
    async fn new(clock: Arc<dyn Clock>) -> Self {
        let bank = OneBank::ready("mono");
        let around = AppOptions {
            banks: vec![bank.clone()],
            clock: clock.clone(),
            ..AppOptions::default()
        };
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let app = assemble_unread(store, PlainGateway { sink: None }, around).await;
        let clients = vec![
            Client::new("operator", &[Branch::Savings]),
            Client::new("two", &[Branch::Chama, Branch::Trust]),
        ];
        let keys: Vec<ProviderKeys> = clients.iter().map(Client::keys).collect();
        let umoja = UmojaBank::new(clients, clock.clone());
        let registry: Vec<Arc<dyn Provider>> = vec![bank, Arc::new(Umoja::new(&umoja))];
        let operator = operator_partner();
        let providers = Providers::new(
            &app.deps,
            ProviderRegistry::new(registry),
            operator.id,
            vec!["NG".to_owned()],
        );
        let partners = [operator, partner(2)];
        for (partner, keys) in partners.iter().zip(keys) {
            save_partner(&app.deps, partner, &[("umoja", keys)]).await.unwrap();
        }
        save_partner(&app.deps, &partner(3), &[]).await.unwrap();
        let catalogue = Catalogue::new(Arc::new(providers), app.service.0.flow.clone(), clock);
        Self {
            app,
            umoja,
            catalogue: Arc::new(catalogue),
        }
    }

    /// What a partner can link, once it can be said.
    async fn offered(&self, partner: PartnerId) -> Vec<String> {
        assert!(self.catalogue.wait_for_offers(partner, "NG").await);
        let offers = self.catalogue.offers(partner, "NG").0.unwrap();
        offers
            .iter()
            .map(|offer| format!("{}/{}", offer.provider, offer.institution.id))
            .collect()
    }

    fn lists_read(&self) -> usize {
        let state = self.umoja.state();
        state.calls.iter().filter(|call| **call == "institutions").count()
    }
}

/// Partners are offered what is in their own lists, at the providers where they have keys, and nothing of each other's.
#[tokio::test]
async fn each_partner_is_offered_its_own() {
    let two = TwoProviders::new(Arc::new(SystemClock)).await;
    let operator = operator_partner().id;
    assert!(two.catalogue.offers(partner(2).id, "NG").0.is_none());
    two.catalogue.refresh().await;
    assert_eq!(two.offered(operator).await, ["mono/b1:p", "umoja/savings"]);
    assert_eq!(two.offered(partner(2).id).await, ["umoja/chama", "umoja/trust"]);
    assert!(two.offered(partner(3).id).await.is_empty());
    assert!(two.catalogue.institution(partner(2).id, "umoja", "chama").is_some());
    for (partner, id) in [
        (operator, "chama"),
        (partner(2).id, "savings"),
        (partner(3).id, "savings"),
    ] {
        assert!(two.catalogue.institution(partner, "umoja", id).is_none(), "{id}");
    }
    assert_eq!(two.catalogue.usable_methods(partner(2).id, "umoja", "chama").len(), 1);
    two.app.tasks.close();
}

/// Each list lives as long as its provider says, no matter whose it is: one is read again when the other still holds.
#[tokio::test]
async fn each_list_has_its_providers_life() {
    let clock = Arc::new(ManualClock::default());
    let two = TwoProviders::new(clock.clone()).await;
    two.catalogue.refresh().await;
    two.offered(partner(2).id).await;
    assert_eq!(two.lists_read(), 2);
    let listed = || two.catalogue.offers(operator_partner().id, "NG").0.unwrap();
    let before = listed();
    two.umoja.state().clients[1].branches.push(Branch::Savings);
    for (minutes, read) in [(9, 2), (2, 4), (5, 4)] {
        clock.advance(Duration::from_mins(minutes));
        two.catalogue.refresh().await;
        assert_eq!(two.lists_read(), read);
    }
    assert_eq!(two.offered(partner(2).id).await.len(), 3);
    // Turns wait while a list is made: that of another partner is no reason to make this one again.
    assert!(Arc::ptr_eq(&before, &listed()));
}

/// A partner that sets its keys is offered the provider at once on this node, and no more when it has deleted them.
#[tokio::test]
async fn new_keys_are_noticed() {
    let two = TwoProviders::new(Arc::new(SystemClock)).await;
    let keeping = Handle::current().spawn(two.catalogue.clone().keep_fresh());
    let of_three = async || {
        two.catalogue
            .offers(partner(3).id, "NG")
            .0
            .map_or(0, |offers| offers.len())
    };
    assert!(two.offered(partner(3).id).await.is_empty());
    let keys = two.umoja.state().clients[1].keys();
    save_partner(&two.app.deps, &partner(3), &[("umoja", keys)])
        .await
        .unwrap();
    two.catalogue.providers().note_keys_changed();
    eventually(Duration::from_secs(10), async || of_three().await == 2).await;
    keeping.abort();
}
