//! Many people at once.

use futures_util::future::join_all;

use super::{granted, link};
use crate::support::world::{Setup, World};

/// Sixty-four people link at once, each their own account: nobody ever sees another's digits, and each login arrives once.
#[tokio::test]
async fn nobody_sees_anothers_account() {
    const PEOPLE: usize = 64;
    let world = World::start(Setup::TwoNodes).await;
    let world = &world;
    let person = |number: usize| async move {
        let mut phone = world.phone(&format!("+23480300040{number:02}"));
        let user = format!("ada@crowd-{number}");
        let reply = link(&mut phone, &user, &format!("good-pass-crowd-{number}")).await;
        phone.dial().await.asks("It cannot move money");
        let listed = phone.say("2").await;
        listed.asks("1 Providus Bank ..").lacks("2 Providus");
        (user, reply.masked(), listed.masked())
    };
    for (user, reply, listed) in join_all((0..PEOPLE).map(person)).await {
        assert_eq!(world.submits(&user), granted(), "{user}");
        let accounts = world.accounts(&user);
        assert_eq!(accounts.len(), 1, "{user}");
        assert_eq!(&accounts[0][6..], reply, "{user}");
        assert_eq!(reply, listed, "{user}");
    }
    assert_eq!(world.call_log().submits.len(), PEOPLE);
}
