//! One ceremony on one page: every entry about a request, each with what it shows, for the file of that wave.

use super::html::{across, sign_off};
use crate::audit::elsewhere::Elsewhere;
use crate::audit::verdict::Verdict;
use crate::audit::{AuditError, Pack};
use crate::host::Draft;
use crate::host::clock::Time;
use crate::ledger::summary::summary;
use crate::ledger::{Entry, Filter, Kind};
use crate::page::{Columns, page, row, table};
use crate::text::shown;
use maud::{Markup, PreEscaped, display, html};
use std::path::Path;

/// The most bytes of a page's rows: a ceremony has some dozen. Of more, the page says how many it leaves out.
const LARGEST: usize = 8 << 20;

/// The most officers' signatures that are kept for the act that follows them: more than any act needs.
const MOST_SIGNATURES: usize = 64;

const ENTRY: Columns<5> =
    [("Entry", "number"), ("Time", "time"), ("Who", "name"), ("What", ""), ("What it shows", "")];

/// What an entry of this kind shows.
const fn shows(kind: Kind) -> &'static str {
    match kind {
        Kind::RequestImported => "The request as it was taken in. Its digest stands for every byte of it.",
        Kind::NonceDrawn => {
            "This station's own number in the confirmation words: nobody can know them before."
        }
        Kind::EvidenceVerified => {
            "These signatures over what the request brought held, under the root in force."
        }
        Kind::ReviewRendered => {
            "What the officers were shown, with every finding. They approve the digest of this."
        }
        Kind::ApprovalGranted => {
            "Signed with her own approval key, over the request, this review and the policy in force."
        }
        Kind::ApprovalDenied => "A refusal. While it stands, nobody signs.",
        Kind::ApprovalExpired => "An approval that was too old to count.",
        Kind::ReviewKept => "The review as text and as a page, kept with the log and put into the bundle.",
        Kind::ActSigned => "The officer's signature under the act that follows.",
        Kind::SignIntent => {
            "On disk and under a signed head before the key was opened, with those who opened it."
        }
        Kind::SignResult => {
            "The signature over exactly these bytes, verified again before it was written down."
        }
        Kind::SignAborted => "Nothing was signed.",
        Kind::SignInDoubt => "Whether a signature was made was not known; an officer says what it was.",
        Kind::BundleExported | Kind::SlipExported => "What left the room, with the log's head.",
        Kind::ExportFailed => "A bundle that could not be written.",
        _ => "",
    }
}

/// Verifies a pack, and writes the page about the ceremony of the request whose digest begins so. Returns the verdict, and how
/// many entries are about it; of none, no page is written.
///
/// # Errors
/// The pack cannot be read, or the file cannot be written.
pub fn ceremony(
    pack: &Pack<'_>,
    request: &str,
    out: &Path,
    elsewhere: &mut Elsewhere,
    now: Time,
) -> Result<(Verdict, u64), AuditError> {
    pack.refuse_within(out)?;
    let filter = Filter { request: Some(request.to_owned()), ..Filter::default() };
    let (mut rows, mut before, mut count, mut left_out) = (String::new(), Vec::new(), 0, 0);
    let mut of = None;
    let verdict = elsewhere.verify(pack, &[pack], &mut |entry, remarks| {
        if entry.kind() == Kind::ActSigned {
            if before.len() < MOST_SIGNATURES {
                before.push(about(entry, "").into_string());
            }
        } else if filter.matches(entry) {
            let found = entry.record().request().unwrap_or_default();
            if of.get_or_insert_with(|| found.to_owned()) != found {
                return Err(AuditError::SeveralRequests(request.to_owned()));
            }
            count += 1;
            if rows.len() < LARGEST {
                rows.extend(before.drain(..));
                let remarks: Vec<String> = remarks.iter().map(|remark| remark.text.clone()).collect();
                rows.push_str(&about(entry, &remarks.join("; ")).into_string());
            } else {
                left_out += 1;
            }
        } else {
            before.clear();
        }
        Ok(())
    })?;
    if count == 0 {
        return Ok((verdict, 0));
    }
    let found = &verdict.examination;
    let head = found.head.as_ref().map_or_else(String::new, |head| {
        format!(", head of {} entries, root {}", head.checkpoint.size, hex::encode(head.checkpoint.root))
    });
    let title = format!("Ceremony of request {}", shown(of.as_deref().unwrap_or(request)));
    let key = if pack.key_was_given() { "given" } else { "from the pack itself" };
    let body = html! {
        h1 { (title) }
        p {
            "Log " (shown(pack.key().name())) ", key " (display(pack.key())) " (" (key) ")" (head) ". The log is "
            (verdict.outcome.word()) ". Made " (display(now)) "."
        }
        (table(&ENTRY, html! {
            (PreEscaped(rows))
            @if left_out > 0 { (across(html! { "and " (left_out) " more entries: audit show has them" })) }
        }))
        (sign_off())
    };
    let page = page(&title, &[("top-left", title.clone())], body);
    let mut draft = Draft::begin(pack.disk(), out, 0o644)?;
    draft.bytes().extend_from_slice(page.as_bytes());
    draft.finish()?;
    Ok((verdict, count))
}

fn about(entry: &Entry<'_>, remarks: &str) -> Markup {
    row(
        &ENTRY,
        [
            &entry.seq(),
            &display(entry.time()),
            &shown(&entry.actor()),
            &summary(entry),
            &html! { (shows(entry.kind())) @if !remarks.is_empty() { " " strong { (remarks) } } },
        ],
    )
}
