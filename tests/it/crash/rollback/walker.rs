//! A person whose value goes back while they link an account, as planned.

use kiungo::core::seal::SubscriberTag;
use kiungo::sandbox::mono::CallLog;

use super::plan::{Next, Plan, RollbackPoint, Stop};
use crate::crash::person::{FinalResult, Login, Person};
use crate::crash::reader::{Reader, SeenScreen};
use crate::support::aggregator::{AggregatorClient, NoReply};
use crate::support::recorder::Recorder;

/// How often a gateway repeats a callback.
const REPEATS: usize = 3;

/// Where it happens.
pub struct Site<'a, C> {
    pub line: &'a AggregatorClient,
    pub recorder: &'a Recorder,
    pub call_log: C,
}

/// Somebody, and what befalls them.
pub struct Walker<'a, C> {
    pub site: &'a Site<'a, C>,
    pub person: &'a mut Person,
    pub tag: SubscriberTag,
    pub plan: Plan,
    /// How often it is still to happen.
    pub left: usize,
}

impl<'a, C: Fn() -> CallLog + Sync> Walker<'a, C> {
    pub fn new(site: &'a Site<'a, C>, person: &'a mut Person, tag: SubscriberTag, plan: Plan) -> Self {
        person.story.tell(format!("{plan:?}"));
        Self {
            site,
            person,
            tag,
            plan,
            left: plan.times(),
        }
    }

    /// Dials and goes on until told, whatever happens.
    pub async fn lives(mut self) -> Result<(), NoReply> {
        let mut phone = self.person.phone(self.site.line);
        let mut seen = phone.dial().await?;
        loop {
            self.person.reads(&seen, &phone.last_text());
            if self.left > 0 && self.is_here(&seen) {
                self.left -= 1;
                self.rolls_back().await;
                seen = self.next(&mut phone, &seen).await?;
                continue;
            }
            if phone.over() || self.person.result != FinalResult::Nothing {
                break;
            }
            let known = (seen == SeenScreen::Confirming).then(&self.site.call_log);
            let Some(typed) = self.person.next(&seen, known.as_ref()) else {
                break;
            };
            seen = if self.left > 0 && self.plan.submits_at(&seen) {
                self.left -= 1;
                self.types_and_rolls_back(&mut phone, &typed).await?
            } else {
                phone.line(&typed).await?
            };
        }
        self.person.redial(self.site.line, &self.site.call_log).await
    }

    fn is_here(&self, seen: &SeenScreen) -> bool {
        Stop::of(seen).is_some_and(|stop| self.plan.edge == RollbackPoint::Shown(stop))
    }

    async fn rolls_back(&self) {
        self.person
            .story
            .tell(format!("the value goes back: {:?}", self.plan.back));
        self.site.recorder.roll_back(&self.tag, self.plan.back).await;
    }

    /// What comes next; the dialog that goes on is then on the phone.
    async fn next(&mut self, phone: &mut Reader, seen: &SeenScreen) -> Result<SeenScreen, NoReply> {
        match self.plan.next {
            Next::Repeat => {
                self.person.is_repeated(&(self.site.call_log)());
                let mut seen = phone.again().await?;
                for _ in 1..REPEATS {
                    self.person.reads(&seen, &phone.last_text());
                    self.person.is_repeated(&(self.site.call_log)());
                    seen = phone.again().await?;
                }
                Ok(seen)
            }
            // Nothing is asked any more: the gateway sends one more line all the same.
            Next::Answer if phone.over() => phone.line("1").await,
            Next::Answer => match self.person.next(seen, None) {
                Some(typed) => phone.line(&typed).await,
                None => phone.again().await,
            },
            Next::Key => {
                self.presses_1();
                phone.line("1").await
            }
            Next::Whole => {
                self.person.is_repeated(&(self.site.call_log)());
                let text = phone.text().to_owned();
                self.redials(phone, &text).await
            }
            Next::Redial => self.redials(phone, "").await,
        }
    }

    /// Which chooses an account, where that is asked.
    fn presses_1(&mut self) {
        self.person.typed.choices += usize::from(self.plan.login == Login::Choice);
    }

    async fn redials(&mut self, phone: &mut Reader, behind: &str) -> Result<SeenScreen, NoReply> {
        *phone = self.person.phone(self.site.line);
        phone.dial_with(behind).await
    }

    /// Types what is submitted; while that goes on, the value goes back and the next thing comes.
    async fn types_and_rolls_back(&mut self, phone: &mut Reader, typed: &str) -> Result<SeenScreen, NoReply> {
        let RollbackPoint::Written(writes) = self.plan.edge else {
            return phone.line(typed).await;
        };
        let fired = self.site.recorder.arm(&self.tag, writes, self.plan.back);
        let story = self.person.story.clone();
        let (mut beside, plan, line) = (phone.clone(), self.plan, self.site.line);
        let mut other = self.person.phone(line);
        let text = [phone.text(), "*", typed].concat();
        if plan.next == Next::Key {
            self.presses_1();
        }
        let meanwhile = async {
            if fired.await.is_err() {
                return Ok(None);
            }
            story.tell(format!("the value went back after write {writes}: {:?}", plan.back));
            let seen = match plan.next {
                Next::Answer => return Ok(None),
                Next::Repeat => {
                    beside.was_sent(&text);
                    for _ in 1..REPEATS {
                        beside.again().await?;
                    }
                    beside.again().await?
                }
                Next::Key => {
                    beside.was_sent(&text);
                    beside.line("1").await?
                }
                Next::Whole => other.dial_with(&text).await?,
                Next::Redial => other.dial().await?,
            };
            Ok::<_, NoReply>(Some(seen))
        };
        let typing = async {
            let seen = phone.line(typed).await;
            // Less was written than the plan waits for.
            self.site.recorder.disarm(&self.tag);
            (seen, (self.site.call_log)())
        };
        let ((seen, call_log), came) = tokio::join!(typing, meanwhile);
        let (seen, came) = (seen?, came?);
        self.person.reads(&seen, &phone.last_text());
        if came.is_some() && matches!(plan.next, Next::Repeat | Next::Whole) {
            self.person.is_repeated(&call_log);
        }
        let Some(came) = came else {
            if plan.next == Next::Answer {
                return Ok(seen);
            }
            self.rolls_back().await;
            return self.next(phone, &seen).await;
        };
        *phone = if matches!(plan.next, Next::Whole | Next::Redial) {
            other
        } else {
            beside
        };
        Ok(came)
    }
}
