//! What is held about a person is told and erased, with the real program.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use kiungo::ambient::{OsRng, SystemClock};
use kiungo::core::ids::PartnerId;
use kiungo::core::msisdn::Msisdn;
use kiungo::core::seal::SubscriberTag;
use kiungo::records::{ErasureState, LinkState, Partner, SubscriberData};
use kiungo::service::data_subject::begin_erasure;
use serde_json::Value;

use super::link;
use crate::support::eventually;
use crate::support::records::{RecordedPerson, at};
use crate::support::world::{PARTNER, Setup, World};

const NUMBER: &str = "+2348030009901";
/// The same as a person says it.
const SPOKEN: &str = "0803 000 9901";

/// Runs a command about this number, which stands on standard input.
fn kiungo(world: &World, args: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kiungo"))
        .arg("subscriber")
        .args(args)
        .arg("--config")
        .arg(&world.nodes[0].config)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{SPOKEN}").unwrap();
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

fn exported(world: &World) -> Value {
    serde_json::from_str(&said(&kiungo(world, &["export", "--partner", PARTNER]))).unwrap()
}

fn tag(world: &World) -> SubscriberTag {
    world.keyring().tag(&Msisdn::parse(NUMBER, "NG").unwrap())
}

/// In how many files this tag stands.
fn standing(world: &World, tag: &SubscriberTag) -> usize {
    let holds = |bytes: &[u8]| bytes.windows(32).any(|window| window == tag.as_bytes());
    world
        .files()
        .iter()
        .filter(|path| holds(&fs::read(path).unwrap()))
        .count()
}

/// Two servers on PostgreSQL and Redis: one is killed when the erasures of several people have just been asked for, and the
/// other brings them all to their end, at the provider, in the records and in Redis.
#[tokio::test(flavor = "multi_thread")]
async fn erasures_survive_the_death_of_a_server() {
    let mut world = World::with(Setup::TwoHosts, |options| options.level = "info").await;
    let partner = kiungo::app::partner_id(PARTNER);
    let people: Vec<_> = (0..4)
        .map(|n| (format!("+234803000992{n}"), format!("ada@erased-{n}")))
        .collect();
    for (number, user) in &people {
        link(&mut world.phone(number), user, "good-pass-erased").await;
    }
    let keyring = world.keyring();
    let tags: Vec<_> = people
        .iter()
        .map(|(number, _)| keyring.tag(&Msisdn::parse(number, "NG").unwrap()))
        .collect();
    let mut begun = Vec::new();
    for tag in &tags {
        begun.push(
            begin_erasure(world.records.as_ref(), &SystemClock, &OsRng, partner, tag)
                .await
                .unwrap(),
        );
    }
    world.nodes[0].kill();
    for id in begun {
        eventually(Duration::from_secs(90), async || {
            let erasure = world.records.erasure(id).await.unwrap().unwrap();
            erasure.state == ErasureState::Done
        })
        .await;
    }
    for ((number, user), tag) in people.iter().zip(&tags) {
        assert!(
            world.accounts(user).is_empty(),
            "{user} was not unlinked at the provider"
        );
        assert_eq!(
            world.records.export(partner, tag).await.unwrap(),
            SubscriberData::default()
        );
        let key = format!("kg:{{{}}}", tag.to_hex());
        let redis = world.redis.as_ref().unwrap();
        assert_eq!(redis.command(&["EXISTS", &key]).await, redis::Value::Int(0), "{user}");
        let mut phone = world.phone_at(1, number);
        phone.dial().await.asks("It cannot move money");
        assert_eq!(
            redis.command(&["EXISTS", &key]).await,
            redis::Value::Int(1),
            "{user}: the key is not this"
        );
        phone.dial_with("2").await.asks("You have no linked accounts.");
    }
}

/// Another partner holds a link of the same person.
async fn elsewhere(world: &World, tag: SubscriberTag) -> RecordedPerson {
    let partner = Partner {
        id: PartnerId::from_bytes([7; 16]),
        name: "Other Lender".to_owned(),
        purpose: "savings".into(),
        days: 90,
        walk_in: false,
        contact: None,
        created_at: at(0),
    };
    world.records.put_partner(&partner).await.unwrap();
    let who = RecordedPerson {
        partner: partner.id,
        tag,
    };
    who.linked(world.records.as_ref(), 1, LinkState::Active).await;
    who
}

/// The person is told of everything that this partner holds about them and of nothing else; the holder's name in it.
async fn tells_everything(world: &World, account: &str) -> String {
    eventually(Duration::from_secs(10), async || {
        !exported(world)["partners"][0]["links"][0]["accounts"][0]["holder"].is_null()
    })
    .await;
    let exported_data = exported(world);
    let held = &exported_data["partners"][0];
    assert_eq!(
        (&exported_data["msisdn"], &held["consents"][0]["msisdn"]),
        (&NUMBER.into(), &NUMBER.into())
    );
    assert!(
        held["consents"][0]["text"].as_str().unwrap().contains(PARTNER),
        "{exported_data}"
    );
    assert_eq!(
        (&held["links"][0]["state"], &held["attempts"][0]["outcome"]),
        (&"active".into(), &"linked".into())
    );
    let shown = &held["links"][0]["accounts"][0];
    assert!(
        account.ends_with(shown["ends_in"].as_str().unwrap()),
        "{account} {shown}"
    );
    assert!(!exported_data.to_string().contains("Other Lender"), "{exported_data}");
    shown["holder"].as_str().unwrap().to_owned()
}

/// Somebody asks what is held about them, and then to be forgotten: they are told of everything that this partner holds and
/// of nothing else; their account is ended at the provider; and no file holds anything that leads to them.
#[tokio::test]
async fn a_person_is_told_and_forgotten() {
    let world = World::with(Setup::Memory, |options| options.level = "info").await;
    let mut phone = world.phone(NUMBER);
    link(&mut phone, "ada@forgotten", "good-pass-forgotten").await;
    let account = world.accounts("ada@forgotten").pop().unwrap();
    let (ours, theirs) = (tag(&world), elsewhere(&world, tag(&world)).await);
    let untouched = world.records.export(theirs.partner, &theirs.tag).await.unwrap();

    let holder = tells_everything(&world, &account).await;

    let refused = kiungo(&world, &["erase", "--partner", PARTNER]);
    assert!(!refused.status.success());
    assert_eq!(world.accounts("ada@forgotten"), std::slice::from_ref(&account));
    let output = said(&kiungo(&world, &["erase", "--partner", PARTNER, "--yes"]));
    assert!(
        output.contains("1 links (1 in use)") && output.trim_end().ends_with("Sandbox Lender: erased"),
        "{output}"
    );
    assert!(
        world.accounts("ada@forgotten").is_empty(),
        "not unlinked at the provider"
    );
    assert_eq!(exported(&world)["partners"], Value::Array(Vec::new()));
    assert_eq!(
        world.records.export(theirs.partner, &theirs.tag).await.unwrap(),
        untouched
    );
    assert!(said(&kiungo(&world, &["erasures"])).contains("erased"));

    // The other partner's rows may bear the tag; once they are gone, too, nothing does.
    assert!(standing(&world, &ours) > 0);
    said(&kiungo(&world, &["erase", "--no-wait", "--yes"]));
    let open = || async {
        world
            .records
            .unremoved_links(theirs.partner, &theirs.tag)
            .await
            .unwrap()
    };
    eventually(Duration::from_secs(10), async || {
        open().await[0].1 == LinkState::Removing
    })
    .await;
    // Its account was made up, and so is its end.
    let id = open().await[0].0;
    assert!(
        world
            .records
            .move_link(id, LinkState::Removed, &[], at(0))
            .await
            .unwrap()
    );
    eventually(Duration::from_mins(1), async || standing(&world, &ours) == 0).await;
    world
        .assert_absent(&[NUMBER, "2348030009901", "08030009901", &account, &holder])
        .await;
    phone.dial().await.asks("It cannot move money");
    phone.dial_with("2").await.asks("You have no linked accounts.");
}
