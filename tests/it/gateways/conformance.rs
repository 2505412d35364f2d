//! What every USSD gateway must do, whatever it sends. A new one joins by its row, and by its settings in [`setup`].

use std::collections::BTreeSet;

use kiungo::core::secret::Secret;
use kiungo::gateways::settings::SettingValues;
use kiungo::gateways::ussd::ChannelFacts;
use kiungo::gateways::{DialogEnd, Echo, GatewayRegistration, ScreenMenu, UssdGateway, UssdReply, UssdSetup};
use proptest::prelude::*;

use super::awkward::{CALLBACK, TOKEN};
use super::invented::REGISTRY;
use super::kit::{self, RequestRow};

/// The keys that every channel has.
const COMMON: [&str; 15] = [
    "name",
    "kind",
    "gateway",
    "service_code",
    "secret",
    "secret_file",
    "country",
    "sources",
    "turn",
    "dialog",
    "idle",
    "out_septets",
    "in_chars",
    "alphabet",
    "networks",
];

/// What the gateway with this name is built with here.
fn setup(name: &str) -> UssdSetup {
    let mut own = SettingValues::default();
    if name == "invented" {
        own.set_secret("token", Secret::new(TOKEN));
    }
    let channel = ChannelFacts {
        name: "test".to_owned(),
        country: "NG".to_owned(),
        service_code: "*384*96#".to_owned(),
        callback: Some(Secret::new(CALLBACK)),
    };
    UssdSetup { channel, own }
}

/// All gateways that carry USSD, those of the registry and the invented one.
fn gateways() -> Vec<(GatewayRegistration, Box<dyn UssdGateway>)> {
    let registered = kiungo::gateways::GATEWAYS.iter().chain(&REGISTRY[1..]);
    let ussd = registered.filter_map(|gateway| Some((*gateway, gateway.ussd?)));
    ussd.map(|(gateway, ussd)| (gateway, (ussd.build)(setup(gateway.name)).expect("settings")))
        .collect()
}

/// Names and settings are unique, and no setting hides one that every channel has.
#[test]
fn names_and_settings_are_unique() {
    let mut names = BTreeSet::new();
    for gateway in kiungo::gateways::GATEWAYS.iter().chain(&REGISTRY[1..]) {
        assert!(names.insert(gateway.name), "{} is there twice", gateway.name);
        assert!(
            gateway.ussd.is_some() || gateway.sms.is_some(),
            "{} carries nothing",
            gateway.name
        );
        let mut keys: BTreeSet<_> = COMMON.into();
        for setting in gateway.ussd.map_or(&[][..], |ussd| ussd.requirements.settings) {
            assert!(keys.insert(setting.key), "{}: {}", gateway.name, setting.key);
        }
    }
    for (registration, gateway) in gateways() {
        assert_eq!(gateway.name(), registration.name);
    }
}

/// A page has room for every screen of the menu, and is none that USSD cannot carry; a turn leaves time to answer.
#[test]
fn limits_can_be_kept() {
    for (registration, gateway) in gateways() {
        let limits = gateway.limits(None);
        kit::check_limits(gateway.as_ref(), &[(None, limits)]);
        assert!(
            limits.turn.as_secs() >= 2 && limits.idle < limits.dialog,
            "{}",
            registration.name
        );
        assert!(limits.in_chars >= 20, "{}", registration.name);
    }
}

/// Every reply can be rendered even where nothing is known of the request: as HTTP 200, a screen with its text.
#[test]
fn every_reply_is_rendered() {
    let menu = Some(ScreenMenu {
        title: "Umoja",
        options: vec![("1", "Go on")],
    });
    for (registration, gateway) in gateways() {
        for (reply, shown) in [
            (
                UssdReply::Continue {
                    text: "Umoja",
                    menu: None,
                },
                "Umoja",
            ),
            (
                UssdReply::Continue {
                    text: "Umoja",
                    menu: menu.clone(),
                },
                "Umoja",
            ),
            (UssdReply::End { text: "Kwaheri" }, "Kwaheri"),
            (UssdReply::Acknowledged(DialogEnd::Finished), ""),
            (UssdReply::Acknowledged(DialogEnd::Abandoned), ""),
            (UssdReply::Acknowledged(DialogEnd::Failed), ""),
            (UssdReply::Probed { open: false }, ""),
            (UssdReply::Taken, ""),
        ] {
            let wire = gateway.render(&reply, &Echo::default());
            let body = String::from_utf8_lossy(&wire.body);
            assert!(
                wire.status == 200 && body.contains(shown),
                "{}: {reply:?}: {body}",
                registration.name
            );
        }
    }
}

proptest! {
    /// No bytes make a parser panic or print them.
    #[test]
    fn any_bytes_are_survived(
        tail in prop::sample::select(vec!["", "events", "end", "status", "new", "x/y"]),
        query in any::<Vec<u8>>(),
        body in any::<Vec<u8>>(),
        token in any::<bool>(),
    ) {
        let headers: &'static [(&'static str, &'static str)] = if token { &[("x-token", TOKEN)] } else { &[] };
        for (_, gateway) in gateways() {
            let (query, body) = (query.clone(), body.clone());
            let row = RequestRow { name: "any bytes", tail, query, headers, body, ..RequestRow::default() };
            kit::parse(gateway.as_ref(), &row);
        }
    }
}
