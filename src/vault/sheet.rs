//! A printable sheet of a paper backup: one self-contained HTML file for A4, without scripts.
//!
//! Whoever holds it in ten years may have neither this program nor its authors: the sheet says what it is, what it is
//! good for, and how to get the key back with tools that any Linux distribution has.

use crate::page::{self, fact, facts};
use crate::text::short;
use crate::vault::error::CustodyResult;
use crate::vault::paper::Document;
use crate::vault::qr::Qr;
use crate::vault::sealed::SealedKey;
use crate::words;
use maud::{Markup, html};

/// Picks the codes of one file out of everything that was scanned, in order: a page gives its codes in any order, and one
/// that was scanned twice gives them twice.
const PART: &str = r#"part() {
    awk -v file="$1" '
        /^countersign-paper/ { split($4, n, "/"); on = ($2 == file && !seen[$4]++); next }
        on && NF { print n[1] "\t" $0 }' all.txt | sort -sn | cut -f2-
}"#;

/// Puts shares together with Python's standard library alone; printed on the sheets of a split key.
const COMBINE: &str = include_str!("paper/combine.py");

/// One sheet to print.
pub(crate) struct Sheet<'a> {
    /// What it is, for its headline.
    pub title: String,
    /// The Factory.
    pub factory: &'a str,
    /// The key that it is a backup of.
    pub key: &'a SealedKey,
    /// When it was made.
    pub made: String,
    /// The officer whose sheet it is; none on the key's own.
    pub officer: Option<&'a str>,
    /// What it carries.
    pub documents: &'a [Document],
}

/// One QR code of a sheet.
pub(crate) struct Code {
    /// The document that it is of: `sealed.age`, `share of alice.age`.
    pub document: String,
    /// Which of its parts, from 1.
    pub part: usize,
    /// How many parts there are.
    pub of: usize,
    /// The text that it holds.
    pub text: String,
    /// The code.
    pub qr: Qr,
}

impl Code {
    /// The end of its pictures' names, which sort in the order of the parts: `sealed.age-01of11`.
    pub(crate) fn file_stem(&self) -> String {
        format!("{}-{:02}of{:02}", self.document.replace(' ', "-"), self.part, self.of)
    }
}

/// 64 digits in groups of 8, to be compared by eye.
fn grouped(digits: &str) -> String {
    let groups: Vec<&str> = (0..digits.len()).step_by(8).filter_map(|at| digits.get(at..at + 8)).collect();
    groups.join(" ")
}

impl Sheet<'_> {
    /// The sheet's QR codes in the order in which they are printed.
    ///
    /// # Errors
    /// A document that has no paper form.
    pub(crate) fn codes(&self) -> CustodyResult<Vec<Code>> {
        let mut codes = Vec::new();
        for document in self.documents {
            let parts = document.parts()?;
            let path = document.paper.to_string();
            let name = path.rsplit('/').next().unwrap_or_default();
            let name = if path.contains("/shares/") { format!("share of {name}") } else { name.to_owned() };
            for (at, text) in parts.iter().enumerate() {
                codes.push(Code {
                    document: name.clone(),
                    part: at + 1,
                    of: parts.len(),
                    text: text.clone(),
                    qr: Qr::of(text)?,
                });
            }
        }
        Ok(codes)
    }

    /// The sheet as HTML.
    pub(crate) fn html(&self, codes: &[Code]) -> String {
        let body = html! {
            h1 { (self.title) }
            (self.facts())
            h2 { "By hand" }
            (page::blank(&["Printed by", "Witness", "Bag number", "Kept where", "Date"], 3))
            (self.purpose())
            (self.recipe())
            div.page {
                h2 { "The codes" }
                @for Code { document, part, of, qr, .. } in codes {
                    figure { (qr.svg()) figcaption { (document) " " (part) "/" (of) } }
                    "\n"
                }
            }
            div.page {
                h2 { "The same as text, should the codes not be readable" }
                @for Code { text, .. } in codes { pre { (text) } "\n" }
            }
        };
        // A page that lies alone says what it belongs to.
        let key = short(&self.key.keyid);
        let whose =
            self.officer.map_or("the key's own sheet".to_owned(), |name| format!("the sheet of {name}"));
        let margin = format!("{}, key {key}, {whose}", self.factory);
        page::page(&self.title, &[("bottom-left", margin)], body)
    }

    fn facts(&self) -> Markup {
        let key = self.key;
        let words = hex::decode(&key.keyid).map(|bytes| words::of(&bytes)).unwrap_or_default();
        facts(html! {
            (fact("Factory", self.factory))
            (fact("Key id", grouped(&key.keyid)))
            (fact("... in words", words))
            (fact("Key type", &key.keytype))
            (fact("Opens with", key.opens_with()))
            @if let Some(set) = &key.set { (fact("Set of shares", set)) }
            (fact("Printed", &self.made))
        })
    }

    fn purpose(&self) -> Markup {
        html! {
            p.note {
                @match (self.officer, self.key.quorum) {
                    (None, _) => {
                        "This sheet holds the " b { "sealed" } " key. Alone it opens nothing: it takes the officers named "
                        "above, with their own sheets and passphrases. Keep it apart from theirs."
                    }
                    (Some(name), 1) => {
                        "This sheet holds the identity of " b { (name) } ", under her passphrase. With the passphrase and "
                        "the key's sheet it opens the key. Keep it in a numbered tamper-evident bag, apart from the key's "
                        "sheet."
                    }
                    (Some(name), quorum) => {
                        "This sheet holds the identity of " b { (name) } ", under her passphrase, and her share of the "
                        "key, sealed to that identity. The key opens with the key's sheet and " (quorum) " such sheets "
                        "with their passphrases. Keep it in a numbered tamper-evident bag, apart from all the others."
                    }
                }
                " " b { "Never write a passphrase on a sheet." }
            }
        }
    }

    /// How to get the key back.
    fn recipe(&self) -> Markup {
        let keyid = &self.key.keyid;
        let name = self.officer.unwrap_or("NAME");
        html! {
            h2 { "To get the key back on a station" }
            p {
                "Scan the pages with the codes of the key's sheet and of the officers' sheets into one folder, then restore "
                "and prove that it opens:"
            }
            pre {
                "zbarimg -q --raw -Sdisable -Sqrcode.enable scans/*.png > scans/all.txt\ncountersign key restore scans/\n"
                "countersign key drill " (short(keyid)) " --officer NAME ..."
            }
            h2 { "To get the key back without countersign" }
            p {
                "On a machine without a network, with Debian's packages " code { "age" } " and " code { "zbar-tools" } ", in "
                code { "/dev/shm" } ", with the same scans:"
            }
            pre {
                "zbarimg -q --raw -Sdisable -Sqrcode.enable *.png > all.txt\nKEY=" (keyid) "\n" (PART)
                "\npart keys/$KEY/sealed.age > sealed.age"
            }
            @if self.key.quorum == 1 {
                p { "Then, with the officer's passphrase:" }
                pre {
                    "part officers/" (name) ".age > " (name) ".age\n"
                    "age -d -i " (name) ".age sealed.age > fioctl-targets-$KEY.sec"
                }
            } @else {
                p { "Then for each of " (self.key.quorum) " officers, with her name and her passphrase:" }
                pre {
                    "part officers/" (name) ".age > " (name) ".age\n"
                    "part keys/$KEY/shares/" (name) ".age > " (name) ".share.age\n"
                    "age -d -i " (name) ".age " (name) ".share.age > " (name) ".share"
                }
                p { "And with the program below as combine.py:" }
                pre {
                    "python3 combine.py " (name) ".share OTHER.share ... > identity.txt\n"
                    "age -d -i identity.txt sealed.age > fioctl-targets-$KEY.sec"
                }
                pre { (COMBINE) }
            }
            p {
                "The .sec file is the private key as fioctl reads it, unprotected: keep it in " code { "/dev/shm" }
                ", and wipe it when done."
            }
        }
    }
}
