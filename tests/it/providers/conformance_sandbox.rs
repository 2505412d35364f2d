//! The sandbox's stand-in for Mono conforms to what any provider must do.

use kiungo::core::secret::Secret;
use kiungo::providers::mono::MonoApiVersion;
use kiungo::providers::{Provider, ProviderKeys};

use super::conformance_keypad::Answers;
use super::conformance_mono::check_mono;
use super::mono::mono_with;

/// The stand-in that the sandbox and other tests use conforms as well, in both API versions: whatever is tested against it is
/// tested against a provider with these guarantees.
#[tokio::test]
async fn mono_conforms_against_the_sandbox() {
    use crate::support::standin::{MonoFixture as StandIn, PLAIN_BANK};
    use kiungo::sandbox::mono::{APP, KEY as STAND_IN_KEY};

    for dialect in [MonoApiVersion::V2, MonoApiVersion::V1] {
        let stand_in = StandIn::start(|_| {});
        let mono = mono_with(&stand_in.running.url(), dialect, |_| {});
        let keys = [("secret_key", STAND_IN_KEY), ("app_id", APP)];
        let keys: ProviderKeys = keys.into_iter().map(|(name, key)| (name, Secret::new(key))).collect();
        let list = mono.institutions(&keys).await.unwrap();
        let bank = list
            .iter()
            .find(|bank| bank.provider_id == PLAIN_BANK)
            .expect("the bank");
        let login = (bank.id.as_str(), bank.methods[0].id.as_str());
        let answers: [Answers<'_>; 2] = [
            &[("username", "otp-many"), ("password", "right")],
            &[("username", "otp-many"), ("password", "wrong")],
        ];
        check_mono(&mono, [STAND_IN_KEY, APP], login, answers).await;
    }
}
