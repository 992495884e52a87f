//! Acts that change something at the service: sent once, then read back. A lost answer is settled by reading what the
//! service holds, never by sending again blindly.

use super::answer::Trouble;
use super::rollout::{Asked, Selection};
use super::wave::{ACTIVE, CANCELED, COMPLETE, Wave, wave_path};
use super::{Client, CourierError, WaveStatus};
use crate::text::shown;
use ureq::http::Method;

/// How often an act is sent, when the service is found not to have done it.
const TRIES: u32 = 3;
/// Seconds between an answer and the next look, where the service is behind its own answer.
const PAUSE: u64 = 1;
/// The longest wait that the service may ask for before the next try, in seconds.
const LONGEST_WAIT: u64 = 60;

/// An act to be sent.
pub(super) struct Act<'a> {
    /// In words: "complete the wave".
    pub doing: &'a str,
    pub method: Method,
    pub path: &'a str,
    pub body: Option<&'a [u8]>,
    /// Does it come to the same when it is done twice?
    pub may_repeat: bool,
    /// The command that finds out what became of it.
    pub find_out: &'a str,
}

/// What the service shows of an act.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// It was done.
    Done,
    /// It was not done.
    NotDone,
    /// It would look the same either way.
    Hidden,
}

impl From<bool> for Look {
    fn from(is_done: bool) -> Look {
        if is_done { Look::Done } else { Look::NotDone }
    }
}

/// Sends an act until it is found to be done. Returns the answer's body, where there was a whole one.
pub(super) fn settle(
    client: &Client<'_>,
    act: &Act<'_>,
    look: &dyn Fn() -> Result<Look, CourierError>,
) -> Result<Option<Vec<u8>>, CourierError> {
    let mut tried = 0;
    loop {
        tried += 1;
        let trouble = match client.send(act.method.clone(), act.path, act.body) {
            Ok(answer) if is_confirmed(client, act, look)? => return Ok(Some(answer.body)),
            Ok(_) => Trouble::Lost("it said yes, and what it holds does not show it".to_owned()),
            Err(trouble) => trouble,
        };
        let sentence = trouble.sentence(client.factory());
        let mut seen = Look::NotDone;
        let again = match &trouble {
            Trouble::NotSent(_) => true,
            Trouble::Refused { status: 429, retry_after, .. } => {
                let wait = retry_after.unwrap_or(PAUSE);
                if tried < TRIES && wait <= LONGEST_WAIT {
                    client.host().clock.sleep(wait * 1000);
                }
                wait <= LONGEST_WAIT
            }
            // An earlier try, or somebody else at the same time, may have done it after all.
            Trouble::Refused { status, .. } if tried > 1 || *status == 409 => {
                if matches!(look(), Ok(Look::Done)) {
                    return Ok(None);
                }
                false
            }
            Trouble::Refused { .. } => false,
            Trouble::Lost(_) | Trouble::Elsewhere(_) => {
                client
                    .host()
                    .terminal
                    .err(&format!("The answer was lost ({sentence}): looking what the service holds\n"));
                seen = look().map_err(|e| act.unread(format!("{sentence}; and then"), e))?;
                if seen == Look::Done {
                    return Ok(None);
                }
                act.may_repeat && matches!(trouble, Trouble::Lost(_))
            }
        };
        if again && tried < TRIES {
            continue;
        }
        return Err(match trouble {
            Trouble::Lost(_) | Trouble::Elsewhere(_) if seen == Look::Hidden => act.unknown(sentence),
            Trouble::Lost(_) => CourierError::refused(
                act.doing,
                format!(
                    "{sentence}. What the service holds shows that it was not done. Run the command again"
                ),
            ),
            _ => CourierError::refused(act.doing, sentence),
        });
    }
}

/// The service said yes: does what it holds show it? It may be a moment behind its own answer.
fn is_confirmed(
    client: &Client<'_>,
    act: &Act<'_>,
    look: &dyn Fn() -> Result<Look, CourierError>,
) -> Result<bool, CourierError> {
    for _ in 0..TRIES {
        match look().map_err(|e| act.unread("it said yes, and then".to_owned(), e))? {
            Look::Done | Look::Hidden => return Ok(true),
            Look::NotDone => client.host().clock.sleep(PAUSE * 1000),
        }
    }
    Ok(false)
}

impl Act<'_> {
    fn unknown(&self, why: String) -> CourierError {
        CourierError::Unknown {
            doing: self.doing.to_owned(),
            why,
            find_out: format!("Find out before anything else: {}", self.find_out),
        }
    }

    /// What the service holds cannot be read; a check of ours that failed stays what it is.
    fn unread(&self, when: String, e: CourierError) -> CourierError {
        match e {
            CourierError::Blocked(_) => e,
            e => self.unknown(format!("{when}: {e}")),
        }
    }
}

fn status_is(client: &Client<'_>, wave: &str, status: &str) -> Result<bool, CourierError> {
    Ok(Wave::require(client, wave)?.status == status)
}

/// What was found before an act, or what it came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Done {
    /// By this call.
    Now,
    /// It had been done before.
    Before,
}

/// Makes an active wave complete: its targets become the tag's production targets.
///
/// # Errors
/// It was canceled, the service refuses, or it is not known what became of it.
pub(crate) fn complete(client: &Client<'_>, status: &WaveStatus) -> Result<Done, CourierError> {
    if status.is_complete() {
        return Ok(Done::Before);
    }
    require_active(
        status,
        "A canceled wave stays canceled: release its targets with a new wave of a higher version",
    )?;
    finish(client, &status.name, "complete the wave", "complete/", COMPLETE)
}

/// Cancels an active wave. Devices that took it stay on it.
///
/// # Errors
/// It is complete, the service refuses, or it is not known what became of it.
pub(crate) fn cancel(client: &Client<'_>, status: &WaveStatus) -> Result<Done, CourierError> {
    if status.is_canceled() {
        return Ok(Done::Before);
    }
    require_active(
        status,
        "A complete wave cannot be canceled: take its version out with a new wave (request --prune)",
    )?;
    finish(client, &status.name, "cancel the wave", "cancel/", CANCELED)
}

fn finish(client: &Client<'_>, wave: &str, doing: &str, act: &str, end: &str) -> Result<Done, CourierError> {
    let find_out = format!("countersign-courier wave show {}", shown(wave));
    let path = wave_path(client, wave, act)?;
    let act =
        Act { doing, method: Method::POST, path: &path, body: None, may_repeat: true, find_out: &find_out };
    settle(client, &act, &|| Ok(status_is(client, wave, end)?.into()))?;
    Ok(Done::Now)
}

fn require_active(status: &WaveStatus, otherwise: &str) -> Result<(), CourierError> {
    if status.is_active() {
        return Ok(());
    }
    Err(CourierError::Blocked(format!(
        "the wave {} is {}, and only an active one can be changed. {otherwise}",
        shown(&status.name),
        shown(&status.status)
    )))
}

/// What a rollout came to.
#[derive(Clone, Debug)]
pub(crate) struct RolledOut {
    /// Devices.
    pub devices: u64,
    /// Their UUIDs, where the service lists them.
    pub uuids: Vec<String>,
    /// Their names, in the same order, where the service lists them.
    pub names: Vec<String>,
}

/// Rolls an active wave out.
///
/// # Errors
/// The wave is not active, the service refuses, or it is not known what became of it.
pub(crate) fn rollout(
    client: &Client<'_>,
    wave: &Wave,
    selection: &Selection,
) -> Result<RolledOut, CourierError> {
    if wave.status != ACTIVE {
        return Err(CourierError::Blocked(format!(
            "the wave {} is {}: only an active wave is rolled out",
            shown(&wave.name),
            shown(&wave.status)
        )));
    }
    let doing = "roll the wave out";
    let path = wave_path(client, &wave.name, "rollout/")?;
    let body = selection.body();
    if selection.dry_run {
        let answer = client.try_out("what would be rolled out", &path, &body)?;
        let answer = answer.ok_or_else(|| super::wave::no_wave(&wave.name))?;
        let asked: Asked = super::wave::typed("what would be rolled out", &answer)?;
        return Ok(asked.into());
    }
    let before = wave.rollout_history.len();
    let find_out = format!("countersign-courier wave show {} (its rollout history)", shown(&wave.name));
    let act = Act {
        doing,
        method: Method::POST,
        path: &path,
        body: Some(&body),
        may_repeat: selection.may_repeat(),
        find_out: &find_out,
    };
    let newest = || -> Result<_, CourierError> {
        let now = Wave::require(client, &wave.name)?;
        Ok(now.rollout_history.into_iter().skip(before).rfind(|entry| selection.is_of(entry)))
    };
    let answer = settle(client, &act, &|| Ok(newest()?.is_some().into()))?;
    if let Some(asked) = answer.and_then(|body| super::wave::typed::<Asked>("the answer", &body).ok())
        && asked.device_num.is_some()
    {
        return Ok(asked.into());
    }
    // The answer was lost, or is none: the service's own history says how many.
    let devices = newest()?.map_or(0, |entry| entry.num_devices);
    Ok(RolledOut { devices, uuids: Vec::new(), names: Vec::new() })
}
