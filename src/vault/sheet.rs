//! A printable sheet of a paper backup: one self-contained HTML file for A4, without scripts.
//!
//! Whoever holds it in ten years may have neither this program nor its authors: the sheet says what it is, what it is
//! good for, and how to get the key back with tools that any Linux distribution has.

use crate::vault::error::CustodyResult;
use crate::vault::paper::Document;
use crate::vault::qr::Qr;
use crate::vault::sealed::SealedKey;
use crate::words;
use std::fmt::Write as _;

/// Picks the codes of one file out of everything that was scanned, in order: a page gives its codes in any order, and one
/// that was scanned twice gives them twice.
const PART: &str = r#"part() {
    awk -v file="$1" '
        /^countersign-paper/ { split($4, n, "/"); on = ($2 == file && !seen[$4]++); next }
        on && NF { print n[1] "\t" $0 }' all.txt | sort -sn | cut -f2-
}"#;

/// Puts shares together with Python's standard library alone; printed on the sheets of a split key.
const COMBINE: &str = include_str!("paper/combine.py");

const STYLE: &str = "
@page { size: A4; margin: 14mm }
body { font: 10pt/1.35 sans-serif; color: #000; background: #fff; max-width: 182mm; margin: 0 auto }
h1 { font-size: 15pt; margin: 0 0 2mm } h2 { font-size: 11.5pt; margin: 5mm 0 1.5mm }
code, pre, .mono { font-family: monospace; font-size: 8.5pt }
pre { border: .2mm solid #999; padding: 2mm; margin: 1mm 0; white-space: pre-wrap; overflow-wrap: anywhere; break-inside: avoid }
table { border-collapse: collapse; width: 100% } td, th { border: .2mm solid #666; padding: 1.2mm 2mm; text-align: left; vertical-align: top }
th { width: 34mm; font-weight: 600 } .blank td { height: 8mm } .blank th { width: auto }
figure { display: inline-block; margin: 0 3mm 3mm 0; width: 78mm; break-inside: avoid }
figure svg { width: 78mm; height: 78mm; display: block } figcaption { font-size: 8.5pt; text-align: center }
.page { break-before: page; orphans: 1; widows: 1 } .note { border: .5mm solid #000; padding: 2mm 3mm; margin: 3mm 0 }
";

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

/// Text within HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
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
        let title = escaped(&self.title);
        let mut out = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\n\
             <style>{STYLE}{}</style></head>\n<body>\n<main>\n<h1>{title}</h1>\n",
            self.margins()
        );
        // Writing to a string cannot fail, here and below.
        let _ = write!(out, "{}{}{}{}", self.facts(), PLACES, self.purpose(), self.recipe());
        out.push_str("<div class=\"page\"><h2>The codes</h2>\n");
        for Code { document, part, of, qr, .. } in codes {
            let caption = format!("{} {part}/{of}", escaped(document));
            let _ = writeln!(out, "<figure>{}<figcaption>{caption}</figcaption></figure>", qr.svg());
        }
        out.push_str("</div>\n");
        out.push_str("<div class=\"page\"><h2>The same as text, should the codes not be readable</h2>\n");
        for Code { text, .. } in codes {
            let _ = writeln!(out, "<pre>{}</pre>", escaped(text));
        }
        out.push_str("</div>\n</main>\n</body></html>\n");
        out
    }

    /// What stands at the foot of every printed page: a page that lies alone says what it belongs to. Names of Factories and
    /// officers are plain.
    fn margins(&self) -> String {
        let key = self.key.keyid.get(..12).unwrap_or(&self.key.keyid);
        let whose =
            self.officer.map_or("the key's own sheet".to_owned(), |name| format!("the sheet of {name}"));
        format!(
            "@page {{ @bottom-left {{ content: \"{}, key {key}, {whose}\"; font: 8pt sans-serif }}\n\
             @bottom-right {{ content: \"page \" counter(page) \" of \" counter(pages); font: 8pt sans-serif }} }}\n",
            self.factory
        )
    }

    fn facts(&self) -> String {
        let key = self.key;
        let words = hex::decode(&key.keyid).map(|bytes| words::of(&bytes)).unwrap_or_default();
        let holders = key.opens_with();
        let mut rows = vec![
            ("Factory", escaped(self.factory)),
            ("Key id", format!("<span class=\"mono\">{}</span>", grouped(&key.keyid))),
            ("… in words", escaped(&words)),
            ("Key type", escaped(&key.keytype)),
            ("Opens with", escaped(&holders)),
        ];
        if let Some(set) = &key.set {
            rows.push(("Set of shares", format!("<span class=\"mono\">{}</span>", escaped(set))));
        }
        rows.push(("Printed", escaped(&self.made)));
        let rows: String =
            rows.iter().map(|(name, value)| format!("<tr><th>{name}</th><td>{value}</td></tr>\n")).collect();
        format!("<table>\n{rows}</table>\n")
    }

    fn purpose(&self) -> String {
        let text = match (self.officer, self.key.quorum) {
            (None, _) => {
                "This sheet holds the <b>sealed</b> key. Alone it opens nothing: it takes the officers named above, \
                 with their own sheets and passphrases. Keep it apart from theirs."
                    .to_owned()
            }
            (Some(name), 1) => format!(
                "This sheet holds the identity of <b>{name}</b>, under her passphrase. With the passphrase and the \
                 key's sheet it opens the key. Keep it in a numbered tamper-evident bag, apart from the key's sheet."
            ),
            (Some(name), quorum) => format!(
                "This sheet holds the identity of <b>{name}</b>, under her passphrase, and her share of the key, \
                 sealed to that identity. The key opens with the key's sheet and {quorum} such sheets with their \
                 passphrases. Keep it in a numbered tamper-evident bag, apart from all the others."
            ),
        };
        format!("<p class=\"note\">{text} <b>Never write a passphrase on a sheet.</b></p>\n")
    }

    /// How to get the key back.
    fn recipe(&self) -> String {
        let keyid = &self.key.keyid;
        let short = keyid.get(..12).unwrap_or(keyid);
        let name = self.officer.unwrap_or("NAME");
        let mut out = format!(
            "<h2>To get the key back on a station</h2>\n\
             <p>Scan the pages with the codes of the key's sheet and of the officers' sheets into one folder, then restore \
             and prove that it opens:</p>\n\
             <pre>zbarimg -q --raw -Sdisable -Sqrcode.enable scans/*.png &gt; scans/all.txt\ncountersign key restore scans/\n\
             countersign key drill {short} --officer NAME …</pre>\n\
             <h2>To get the key back without countersign</h2>\n\
             <p>On a machine without a network, with Debian's packages <code>age</code> and <code>zbar-tools</code>, in \
             <code>/dev/shm</code>, with the same scans:</p>\n\
             <pre>zbarimg -q --raw -Sdisable -Sqrcode.enable *.png &gt; all.txt\nKEY={keyid}\n{}\npart keys/$KEY/sealed.age &gt; sealed.age</pre>\n",
            escaped(PART)
        );
        if self.key.quorum == 1 {
            let _ = write!(
                out,
                "<p>Then, with the officer's passphrase:</p>\n\
                 <pre>part officers/{name}.age &gt; {name}.age\n\
                 age -d -i {name}.age sealed.age &gt; fioctl-targets-$KEY.sec</pre>\n"
            );
        } else {
            let _ = write!(
                out,
                "<p>Then for each of {} officers, with her name and her passphrase:</p>\n\
                 <pre>part officers/{name}.age &gt; {name}.age\n\
                 part keys/$KEY/shares/{name}.age &gt; {name}.share.age\n\
                 age -d -i {name}.age {name}.share.age &gt; {name}.share</pre>\n\
                 <p>And with the program below as combine.py:</p>\n\
                 <pre>python3 combine.py {name}.share OTHER.share … &gt; identity.txt\n\
                 age -d -i identity.txt sealed.age &gt; fioctl-targets-$KEY.sec</pre>\n<pre>{}</pre>\n",
                self.key.quorum,
                escaped(COMBINE)
            );
        }
        out.push_str(
            "<p>The .sec file is the private key as fioctl reads it, unprotected: keep it in \
             <code>/dev/shm</code>, and wipe it when done.</p>\n",
        );
        out
    }
}

/// Blanks to fill in by hand.
const PLACES: &str = "<h2>By hand</h2>\n<table class=\"blank\">\n\
<tr><th>Printed by</th><th>Witness</th><th>Bag number</th><th>Kept where</th><th>Date</th></tr>\n\
<tr><td></td><td></td><td></td><td></td><td></td></tr>\n\
<tr><td></td><td></td><td></td><td></td><td></td></tr>\n\
<tr><td></td><td></td><td></td><td></td><td></td></tr>\n</table>\n";
