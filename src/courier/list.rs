//! The Factory's waves: a page, and all of them as one list of one moment.

use super::wave::{Wave, typed};
use super::{Client, CourierError, SMALL};
use crate::json::{Document, Kind, Limits, Value};
use crate::text::shown;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Waves that are asked for at a time.
const A_PAGE: u64 = 100;
/// More pages than this are no list of waves.
const MOST_PAGES: usize = 1_000;

/// One page of waves, for showing.
#[derive(Debug, Deserialize, Serialize)]
#[serde(expecting = "a page of waves")]
pub(crate) struct Page {
    /// The waves, in the service's order.
    pub waves: Vec<Wave>,
    /// How many there are on all pages.
    #[serde(default)]
    pub total: Option<u64>,
    /// The address of the next page.
    #[serde(default)]
    pub next: Option<String>,
}

/// Reads one page.
pub(crate) fn page(
    client: &Client<'_>,
    limit: u64,
    number: u64,
    status: Option<&str>,
    tag: Option<&str>,
) -> Result<Page, CourierError> {
    let mut path = client.factory_path(&format!("waves/?limit={limit}&page={number}"))?;
    for (name, value) in [("status", status), ("tag", tag)] {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        }
    }
    let body = client.read("the waves", &path, SMALL)?.ok_or_else(|| no_factory(client))?;
    typed("the waves", &body)
}

/// The Factory is not there, or not for this token.
pub(super) fn no_factory(client: &Client<'_>) -> CourierError {
    CourierError::refused(
        "find the Factory",
        format!(
            "the service knows no Factory \"{}\", or this token may not see it. Check --factory and the token",
            shown(client.factory())
        ),
    )
}

/// All waves: as `waves.json`, and read.
#[derive(Debug)]
pub(crate) struct AllWaves {
    /// `{"waves":[…],"total":n,"next":null}`: one page byte for byte, or the waves of all pages, each byte for byte.
    pub file: Vec<u8>,
    pub waves: Vec<Wave>,
}

/// Reads all pages.
///
/// # Errors
/// The service refuses, the pages lead elsewhere or round in a circle, or they do not add up.
pub(crate) fn all_waves(client: &Client<'_>) -> Result<AllWaves, CourierError> {
    let first = client.factory_path(&format!("waves/?limit={A_PAGE}&page=1"))?;
    let (mut next, mut pages, mut seen) = (Some(first), Vec::new(), BTreeSet::new());
    let mut total = None;
    while let Some(path) = next {
        if pages.len() == MOST_PAGES || !seen.insert(path.clone()) {
            return Err(CourierError::Incoherent("the pages of waves have no end".to_owned()));
        }
        let body = client.read("the waves", &path, SMALL)?.ok_or_else(|| no_factory(client))?;
        let page: Page = typed("the waves", &body)?;
        total = page.total.or(total);
        next = page
            .next
            .filter(|address| !address.is_empty())
            .map(|address| next_path(client, &address))
            .transpose()?;
        pages.push(body);
    }
    let file = match <[Vec<u8>; 1]>::try_from(pages) {
        Ok([only]) => only,
        Err(pages) => joined(&pages)?,
    };
    let list: Page = typed("the waves", &file)?;
    let names: BTreeSet<&str> = list.waves.iter().map(|wave| wave.name.as_str()).collect();
    if names.len() != list.waves.len() || total.is_some_and(|total| total != list.waves.len() as u64) {
        return Err(CourierError::Incoherent(format!(
            "the pages hold {} waves of {} names, and the service counts {}",
            list.waves.len(),
            names.len(),
            total.map_or("none".to_owned(), |total| total.to_string())
        )));
    }
    Ok(AllWaves { waves: list.waves, file })
}

/// The next page's path, on the same server and of the same list.
fn next_path(client: &Client<'_>, address: &str) -> Result<String, CourierError> {
    let list = client.factory_path("waves/")?;
    match client.path_of(address) {
        Some(path) if path.split('?').next() == Some(&list) => Ok(path.to_owned()),
        _ => Err(CourierError::refused(
            "read the waves",
            format!("the next page is said to be at \"{}\", which is not this service", shown(address)),
        )),
    }
}

/// The waves of all pages in one list, each with the bytes that came.
fn joined(pages: &[Vec<u8>]) -> Result<Vec<u8>, CourierError> {
    let mut out = b"{\"waves\":[".to_vec();
    let mut count = 0;
    for page in pages {
        let document = Document::parse("the waves", &page[..], Limits::of_bytes(SMALL))?;
        let list: Value<'_> = document.root().require("waves")?;
        list.want(Kind::Array)?;
        for wave in list.items() {
            if count > 0 {
                out.push(b',');
            }
            out.extend_from_slice(wave.span());
            count += 1;
        }
    }
    out.extend_from_slice(format!("],\"total\":{count},\"next\":null}}\n").as_bytes());
    Ok(out)
}
