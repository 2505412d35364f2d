//! The program as operators call it.

mod events;
#[cfg(feature = "sandbox")]
mod load;
mod menu_dir;
mod running;
mod transport;

use std::fs;
use std::process::{Command, Output};

fn kiungo(args: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiungo"));
    command.args(args).env_clear().envs(env.iter().copied());
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Without a file the sandbox's settings are shown; variables count; secrets do not appear.
#[test]
fn config_show_shows_what_is_in_force() {
    let shown = kiungo(
        &["config", "show", "--data", "elsewhere"],
        &[("KIUNGO_PARTNER__NAME", "Duka")],
    );
    let out = text(&shown.stdout);
    assert!(shown.status.success(), "{}", text(&shown.stderr));
    assert!(
        out.contains("name = \"Duka\"") && out.contains("sqlite:elsewhere/kiungo.db"),
        "{out}"
    );
    assert!(!out.contains("test_sk_"), "{out}");
}

/// An invalid configuration fails with every error on standard error, from the file that the variable names.
#[test]
fn config_check_tells_faults() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("broken.toml");
    fs::write(&path, "[server]\nlisten = 8080\n").unwrap();
    let path = path.to_str().unwrap();
    for checked in [
        kiungo(&["config", "check", "--config", path], &[]),
        kiungo(&["config", "check"], &[("KIUNGO_CONFIG", path)]),
    ] {
        assert_eq!(checked.status.code(), Some(1));
        assert!(checked.stdout.is_empty());
        let err = text(&checked.stderr);
        assert!(err.contains("broken.toml: server.listen must be text"), "{err}");
        assert!(err.contains("policy.secrets_over_ussd is missing"), "{err}");
    }
    assert!(kiungo(&["config", "check"], &[]).status.success());
}

/// Keys are created in the given directory, the second time without touching the first; the output says what to do.
#[test]
fn keys_new_makes_keys() {
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("keys");
    let first = kiungo(&["keys", "new", "--dir", keys.to_str().unwrap()], &[]);
    assert!(text(&first.stdout).contains("active = \"k1\""), "{first:?}");
    assert!(text(&first.stdout).contains("Back up tag.key"));
    let before = fs::read(keys.join("k1.key")).unwrap();
    let second = kiungo(&["keys", "new"], &[("KIUNGO_KEYS__DIR", keys.to_str().unwrap())]);
    assert!(text(&second.stdout).contains("active = \"k2\""), "{second:?}");
    assert_eq!(fs::read(keys.join("k1.key")).unwrap(), before);
    for key in [&first, &second] {
        assert!(!text(&key.stdout).contains(text(&before).trim()));
    }
}

/// Help explains the commands, with examples.
#[test]
fn help_has_examples() {
    let help = kiungo(&["--help"], &[]);
    assert!(help.status.success());
    assert!(text(&help.stdout).contains("Examples:"));
}

/// Values are counted by the key that sealed them, and unused keys are listed, too.
#[test]
fn keys_status_counts() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let status = || kiungo(&["keys", "status", "--data", data], &[]);
    assert!(text(&status().stderr).contains("is missing"));
    for _ in 0..2 {
        let keys = dir.path().join("keys");
        assert!(
            kiungo(&["keys", "new", "--dir", keys.to_str().unwrap()], &[])
                .status
                .success()
        );
    }
    let told = status();
    let lines: Vec<_> = text(&told.stdout).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 2, "{told:?}");
    assert!(
        lines[0].starts_with("k1 ") && lines[0].ends_with(" 0 values, and seals"),
        "{lines:?}"
    );
    assert!(
        lines[1].starts_with("k2 ") && lines[1].ends_with(" 0 values"),
        "{lines:?}"
    );
}

/// A phone number is not an argument, and help says why; anything else is refused without repeating it.
#[test]
fn subscribers_are_named_on_standard_input() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let help = kiungo(&["subscriber", "erase", "--help"], &[]);
    assert!(text(&help.stdout).contains("list of processes"), "{help:?}");
    let given = kiungo(&["subscriber", "export", "--msisdn", "+2348031234567"], &[]);
    assert!(!given.status.success());
    let nobody = kiungo(&["subscriber", "export", "--data", data], &[]);
    let told = text(&nobody.stderr);
    assert!(told.contains("not a phone number"), "{told}");
}

/// A partner is added once; errors say what to do; help shows how to continue.
#[test]
fn partners_are_added_once() {
    let dir = tempfile::tempdir().unwrap();
    let partners = |args: &[&str]| {
        let args: Vec<_> = ["partners", "--data", dir.path().to_str().unwrap()]
            .iter()
            .chain(args)
            .copied()
            .collect();
        kiungo(&args, &[])
    };
    assert!(text(&partners(&["list"]).stdout).contains("partners add"));
    let add: &[&str] = &["add", "Duka", "--purpose", "loans"];
    let first = text(&partners(add).stdout);
    assert_eq!(first.lines().count(), 3, "{first}");
    let again = partners(add);
    assert!(
        !again.status.success() && text(&again.stderr).contains("partners rotate"),
        "{again:?}"
    );
    // What people read as that name is refused, and so is what ends a sentence of ours.
    for alike in ["Duk\u{430}", "duka", "D u k a", "Duka\u{200b}", "DUKA."] {
        let refused = partners(&["add", alike, "--purpose", "loans"]);
        assert!(
            !refused.status.success() && text(&refused.stderr).contains("told apart"),
            "{alike:?}: {refused:?}"
        );
    }
    for odd in ["`Lender\". Agree?`", "Lender: agree", "Lender\u{201d} asks"] {
        let refused = partners(&["add", odd, "--purpose", "loans"]);
        assert!(!refused.status.success(), "{odd:?}: {refused:?}");
    }
    let nobody = partners(&["rotate", "Soko"]);
    assert!(text(&nobody.stderr).contains("partners list"), "{nobody:?}");
    let next = partners(&["rotate", "Duka", "--publishable"]);
    let told = text(&next.stdout);
    assert!(
        told.contains("publishable_key  kg_pub_sandbox_") && told.contains("opens until"),
        "{next:?}"
    );
    let long = "x".repeat(41);
    for wrong in [
        &["add", "Soko", "--purpose", &long][..],
        &["add", " ", "--purpose", "loans"],
        &["add", "Soko"],
    ] {
        assert!(!partners(wrong).status.success(), "{wrong:?}");
    }
    assert!(text(&partners(&["add", "--help"]).stdout).contains("/v1/provider-credentials"));
    assert_eq!(text(&partners(&["list"]).stdout).matches("since").count(), 4);
}

/// The operator states in a partner's place that it is eligible: what is left out or does not hold is told at once and nothing
/// is kept; what is kept is listed with the name.
#[test]
fn partners_are_stated_eligible() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let partners = |args: &[&str]| kiungo(&[&["partners", "--data", data], args].concat(), &[]);
    assert!(partners(&["add", "Duka", "--purpose", "loans"]).status.success());
    let eligible = |more: &[&str]| partners(&[&["eligible", "Duka", "--provider"], more].concat());
    let whole = "mono --registered --licence partner --trading-six-months --agreement-signed-on 2024-01-31";
    let whole: Vec<_> = whole.split(' ').collect();
    let refused = eligible(&["mono", "--licence", "partner", "--agreement-signed-on", "9999-01-01"]);
    let told = text(&refused.stderr);
    assert!(!refused.status.success(), "{told}");
    for part in [
        "--registered is missing",
        "--licensed-partner is missing",
        "--trading-six-months is missing",
        "--agreement-signed-on is in the future",
        "--stated-by is missing",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let elsewhere = eligible(&["nowhere"]);
    assert!(text(&elsewhere.stderr).contains("there are: mono"), "{elsewhere:?}");
    assert!(!text(&partners(&["list"]).stdout).contains("eligible"));
    let stated = eligible(
        &[
            &whole[..],
            &["--licensed-partner", "Umoja Bank", "--stated-by", "Ada Obi"],
        ]
        .concat(),
    );
    assert!(text(&stated.stdout).contains("may set live keys at mono"), "{stated:?}");
    let listed = text(&partners(&["list"]).stdout);
    assert!(listed.contains("eligible at mono, as stated by Ada Obi"), "{listed}");
    assert!(listed.contains("(command_line)"), "{listed}");
}

/// The short codes are listed with their gateways; what a gateway cannot do is said and not done, and a number is no
/// argument. The phone speaks as the gateways that it knows.
#[cfg(feature = "sandbox")]
#[test]
fn channels_are_listed_and_phones_speak_their_gateway() {
    let listed = kiungo(&["channels", "list"], &[]);
    assert!(listed.status.success(), "{listed:?}");
    assert!(
        text(&listed.stdout).contains("sandbox  africastalking  *384*96#"),
        "{listed:?}"
    );
    for (arguments, told) in [
        (&["channels", "subscribe", "sandbox"][..], "africastalking"),
        (&["channels", "list", "nowhere"], "kiungo channels list"),
        (
            &["channels", "push", "sandbox", "+2348030000001"],
            "unexpected argument",
        ),
        (&["phone", "--gateway", "pigeon"], "it speaks: africastalking"),
    ] {
        let refused = kiungo(arguments, &[]);
        assert!(!refused.status.success(), "{arguments:?}");
        assert!(text(&refused.stderr).contains(told), "{arguments:?}: {refused:?}");
    }
}
