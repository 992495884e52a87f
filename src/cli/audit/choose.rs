//! Which entries to show: the arguments that `log show` and `audit show` share.

use crate::cli::{Context, Failure};
use crate::host::clock::Time;
use crate::ledger::Filter;
use crate::ledger::filter::kinds_named;
use crate::text::shown;

/// Which entries to show.
#[derive(clap::Args, Default)]
pub(crate) struct Chosen {
    /// Not before this time: RFC 3339, or a day as 2026-11-23.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Not after this time; a day means its end.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Only this kind, as sign.result, or a group, as sign or approval.
    #[arg(long = "type", value_name = "KIND")]
    pub kind: Vec<String>,
    /// Only what this officer did, or what names this officer.
    #[arg(long, value_name = "NAME")]
    pub officer: Option<String>,
    /// Only what concerns this request: the first digits of its digest.
    #[arg(long, value_name = "ID")]
    pub request: Option<String>,
}

impl Chosen {
    /// The filter that the arguments mean.
    pub(crate) fn filter(&self) -> Result<Filter, Failure> {
        let time = |text: &Option<String>, end: &str| -> Result<Option<Time>, Failure> {
            let Some(text) = text else { return Ok(None) };
            let found = Time::parse(text).or_else(|| Time::parse(&format!("{text}T{end}Z")));
            let why = || {
                Failure::usage(format!(
                    "\"{}\" is no time: write 2026-11-23 or 2026-11-23T09:00:00Z",
                    shown(text)
                ))
            };
            found.map(Some).ok_or_else(why)
        };
        let mut kinds = Vec::new();
        for name in &self.kind {
            let named = kinds_named(name);
            if named.is_empty() {
                return Err(Failure::usage(format!(
                    "there is no kind of entry \"{}\": docs/log.md lists them",
                    shown(name)
                )));
            }
            kinds.extend(named);
        }
        Ok(Filter {
            since: time(&self.since, "00:00:00")?,
            until: time(&self.until, "23:59:59")?,
            kinds,
            officer: self.officer.clone(),
            request: self.request.as_ref().map(|id| id.to_lowercase()),
        })
    }
}

/// With `--json`, prints lines of the log as one JSON list, each line byte for byte.
pub(crate) fn print_json_lines<'l>(
    context: &Context<'_>,
    lines: impl Iterator<Item = &'l [u8]>,
) -> Result<(), Failure> {
    if !context.global.json {
        return Ok(());
    }
    let mut out = String::from("[");
    for (index, line) in lines.enumerate() {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        // A line of the log is ASCII.
        out.push_str(&String::from_utf8_lossy(line));
    }
    out.push_str("\n]\n");
    Ok(context.host.terminal.out(&out)?)
}
