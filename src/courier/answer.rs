//! What one call came to: an answer of the service, or why there is none that can be used.

use crate::text::{counted, one_line, shown};
use serde_json::Value;

/// Characters of a service's message that are shown.
const LONGEST_MESSAGE: usize = 1_000;

/// Why a call came to nothing. Each text is escaped already.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The service has seen nothing of it.
    NotSent(String),
    /// It was sent, and no whole answer came back: the service may have done it.
    Lost(String),
    /// Somebody else answered: a redirect, a page to sign in. The service may have seen nothing.
    Elsewhere(String),
    /// The service said no: nothing was changed.
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said.
        message: String,
        /// Seconds after which to ask again.
        retry_after: Option<u64>,
    },
}

impl Trouble {
    /// May a call that changes nothing be made again?
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Trouble::NotSent(_) | Trouble::Lost(_) => true,
            Trouble::Elsewhere(_) => false,
            Trouble::Refused { status, .. } => *status == 429,
        }
    }

    /// What happened and what to do, for a person.
    pub(super) fn sentence(&self, factory: &str) -> String {
        match self {
            Trouble::NotSent(why) => format!("{why}. Nothing was sent"),
            Trouble::Lost(why) => why.clone(),
            Trouble::Elsewhere(why) => format!("{why}. Nothing was believed of it, and no token was sent on"),
            Trouble::Refused { status, message, retry_after } => {
                let said = if message.is_empty() { String::new() } else { format!(": {message}") };
                format!("the service answered {status}{said}. {}", hint(*status, *retry_after, factory))
            }
        }
    }
}

/// What to do about a refusal.
fn hint(status: u16, retry_after: Option<u64>, factory: &str) -> String {
    let hint = match status {
        401 => "The token is not known, or it has expired: give another with --token-file FILE",
        403 => {
            "The token lacks a scope, or its user the role: reading needs targets:read and devices:read, and a wave is \
             changed with targets:read-update by an Owner or Admin of the Factory"
        }
        404 => {
            return format!(
                "It is not there, or the Factory {} is none that this token may see: check the name, --factory and the \
                 token",
                shown(factory)
            );
        }
        409 => "What is there already forbids it: look with `countersign-courier wave list`",
        423 => "It is locked while keys are being changed: try again when that is over",
        429 => {
            return match retry_after {
                Some(wait) => format!("It was asked too often: try again in {}", counted(wait, "second")),
                None => "It was asked too often: try again in some minutes".to_owned(),
            };
        }
        _ => "Nothing was changed: it is not sent again as it is",
    };
    hint.to_owned()
}

/// The words of an error's body, as fioctl reads it: `msg` or `message`, and `errors` as a list or by field.
pub fn message(body: &[u8]) -> String {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return String::new() };
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut words: Vec<String> =
        ["msg", "message"].iter().filter_map(|name| value.get(name)).map(text).collect();
    words.truncate(1);
    match value.get("errors") {
        Some(Value::Array(list)) => words.extend(list.iter().map(text)),
        Some(Value::Object(fields)) => {
            words.extend(fields.iter().map(|(field, why)| format!("{field}: {}", text(why))));
        }
        _ => {}
    }
    let shortened: String = words.join("; ").chars().take(LONGEST_MESSAGE).collect();
    one_line(&shown(shortened.trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_body_is_told_in_its_own_words_and_cannot_reach_the_terminal() {
        let body = br#"{"message":"Invalid\u001b[2J targets","errors":{"version":"too low"}}"#;
        assert_eq!(message(body), "Invalid\\u{1b}[2J targets; version: too low");
        assert_eq!(message(br#"{"msg":"no.","errors":["a","b"]}"#), "no.; a; b");
        assert_eq!(message(b"<html>502</html>"), "");
        assert_eq!(message(b"[]"), "");
        assert!(
            message(format!("{{\"msg\":\"{}\"}}", "x".repeat(9_000)).as_bytes()).len() <= LONGEST_MESSAGE
        );
    }
}
