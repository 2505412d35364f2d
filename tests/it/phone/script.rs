//! The language of phone scripts.

use std::time::Duration;

use kiungo::sandbox::phone::script::{ExpectedScreen, ScriptStep, parse};
use rstest::rstest;

fn expected(end: Option<bool>, text: &str) -> ExpectedScreen {
    ExpectedScreen {
        end,
        text: text.to_owned(),
    }
}

/// Lines are read as people mean them.
#[rstest]
#[case("number +2348030000001", ScriptStep::Number("+2348030000001".into()))]
#[case("network 62130", ScriptStep::Network("62130".into()))]
#[case("code *384*96#", ScriptStep::Code("*384*96#".into()))]
#[case("dial", ScriptStep::Dial(None))]
#[case("dial *384*96*482913507#", ScriptStep::Dial(Some("*384*96*482913507#".into())))]
#[case("press 1", ScriptStep::Press("1".into()))]
#[case("press\t00", ScriptStep::Press("00".into()))]
#[case("type  kuda bank ", ScriptStep::Type("kuda bank".into()))]
#[case("type \" kuda \"", ScriptStep::Type(" kuda ".into()))]
#[case("type 100%*#", ScriptStep::Type("100%*#".into()))]
#[case(
    "expect CON  Example Lender",
    ScriptStep::Expect(expected(Some(false), "Example Lender"))
)]
#[case("expect END", ScriptStep::Expect(expected(Some(true), "")))]
#[case("expect Linked", ScriptStep::Expect(expected(None, "Linked")))]
#[case("expect \"END of list\"", ScriptStep::Expect(expected(None, "END of list")))]
#[case("expect ENDED", ScriptStep::Expect(expected(None, "ENDED")))]
#[case("expect-not pass word", ScriptStep::ExpectNot("pass word".into()))]
#[case("cancel", ScriptStep::Cancel)]
#[case("redial", ScriptStep::Redial)]
#[case("sms LINK", ScriptStep::Sms("LINK".into()))]
#[case("sms {number}", ScriptStep::SmsNumber)]
#[case("dial {code}", ScriptStep::DialCode)]
#[case("expect-sms Agree?", ScriptStep::ExpectSms("Agree?".into()))]
#[case("wait 10m", ScriptStep::Wait(Duration::from_mins(10)))]
#[case("wait 90 s", ScriptStep::Wait(Duration::from_secs(90)))]
#[case("wait 24h", ScriptStep::Wait(Duration::from_hours(24)))]
#[case("note half way", ScriptStep::Note("half way".into()))]
#[case("poll 1 until Linked within 20s", poll("1", expected(None, "Linked"), 20))]
#[case("poll 1 until END Linked", poll("1", expected(Some(true), "Linked"), 60))]
#[case(
    "poll 1 until all within reach within 5s",
    poll("1", expected(None, "all within reach"), 5)
)]
fn a_line_is_read_as_meant(#[case] line: &str, #[case] step: ScriptStep) {
    let script = parse("t.phone", &format!("\u{feff}# head\r\n\r\ndial\r\n  {line}\r\n")).expect(line);
    assert_eq!(script.steps, [(3, ScriptStep::Dial(None)), (4, step)]);
}

fn poll(key: &str, until: ExpectedScreen, seconds: u64) -> ScriptStep {
    ScriptStep::Poll {
        key: key.to_owned(),
        until,
        within: Duration::from_secs(seconds),
    }
}

/// An error names the file, the line and what to write instead.
#[rstest]
#[case("until Linked", "\"until\" is not a verb", "poll 1 until")]
#[case("wait", "is not a time of up to a day", "wait 10m")]
#[case("wait 0s", "is not a time of up to a day", "wait 10m")]
#[case("wait 25h", "is not a time of up to a day", "wait 10m")]
#[case("wait 10", "is not a time of up to a day", "wait 10m")]
#[case("wait until Linked", "is not a time of up to a day", "wait 10m")]
#[case("text LINK", "\"text\" is not a verb", "sms TEXT")]
#[case("sms", "sms what", "sms LINK")]
#[case("expect-sms", "expect-sms what", "expect-sms Choose your bank")]
#[case("enter kuda", "\"enter\" is not a verb", "type TEXT")]
#[case("Dial *384#", "\"Dial\" is not a verb", "the verbs are")]
#[case("number 08030000001", "international form", "+2348030000001")]
#[case("network MTN", "\"MTN\" is not a network code", "62130")]
#[case("dial 384", "not a code that can be dialled", "*384*96#")]
#[case("dial *384*96", "not a code that can be dialled", "from * to #")]
#[case("press one", "\"one\" cannot be pressed", "type TEXT")]
#[case("press", "\"\" cannot be pressed", "0-9")]
#[case("type", "type what", "type kuda")]
#[case("expect", "expect what", "expect END Linked")]
#[case("expect \"Choose", "no end", "close it")]
#[case("expect-not", "expect-not what", "expect-not password")]
#[case("redial now", "too much", "verb alone")]
#[case("poll 1 Linked", "poll needs", "until TEXT")]
#[case("poll x until Linked", "cannot be pressed", "0-9")]
#[case("poll 1 until Linked within a minute", "is not a time", "within 60s")]
fn a_mistake_says_where_and_what_to_write(#[case] line: &str, #[case] problem: &str, #[case] fix: &str) {
    let error = parse("trader.phone", &format!("dial\n{line}")).expect_err(line);
    assert_eq!(error.line, 2);
    assert!(error.problem.contains(problem) && error.fix.contains(fix), "{error}");
    assert!(error.to_string().starts_with("trader.phone:2: "), "{error}");
}

/// A script that never dials tests nothing.
#[test]
fn a_script_must_dial() {
    assert!(
        parse("t.phone", "# nothing\nnote hello\n")
            .expect_err("no dial")
            .to_string()
            .contains("nothing is dialled")
    );
}

/// The scripts in the repository can all be parsed.
#[test]
fn our_own_scripts_are_in_the_language() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/simulator");
    let mut read = 0;
    for file in std::fs::read_dir(folder).expect("the folder") {
        let path = file.expect("a file").path();
        if path.extension().is_some_and(|e| e == "phone") {
            let source = std::fs::read_to_string(&path).expect("readable");
            parse(&path.display().to_string(), &source).unwrap_or_else(|e| panic!("{e}"));
            read += 1;
        }
    }
    assert!(read > 0, "no scripts in {folder}");
}
