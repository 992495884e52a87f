//! A year at a glance: what was signed, refused, remarked on and carried out, over time, as a drawing with a text alternative.

use crate::host::clock::Time;
use crate::text::counted;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What is drawn, each in a line of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    Signature,
    Refusal,
    Exception,
    Head,
}

impl Mark {
    const ALL: [Mark; 4] = [Mark::Signature, Mark::Refusal, Mark::Exception, Mark::Head];

    const fn title(self) -> &'static str {
        match self {
            Mark::Signature => "signatures",
            Mark::Refusal => "refusals",
            Mark::Exception => "exceptions",
            Mark::Head => "heads that left",
        }
    }

    /// So many of them.
    fn counted(self, count: u64) -> String {
        match self {
            Mark::Head => counted(count, "head") + " that left",
            Mark::Refusal => counted(count, "refusal"),
            Mark::Signature => counted(count, "signature"),
            Mark::Exception => counted(count, "exception"),
        }
    }

    const fn color(self) -> &'static str {
        match self {
            Mark::Signature => "#176f3d",
            Mark::Refusal => "#b00020",
            Mark::Exception => "#9a6700",
            Mark::Head => "#0b5394",
        }
    }
}

/// The most days of a mark that are kept; of more, the first.
const MOST_DAYS: usize = 20_000;

/// How many of each mark a day.
#[derive(Default)]
pub(super) struct Drawing {
    days: BTreeMap<(Mark, i64), u64>,
}

impl Drawing {
    pub(super) fn add(&mut self, mark: Mark, time: Time) {
        let day = (mark, time.unix().div_euclid(86_400));
        if self.days.len() < MOST_DAYS || self.days.contains_key(&day) {
            *self.days.entry(day).or_default() += 1;
        }
    }

    /// The drawing, from the first entry to the last.
    pub(super) fn write(&self, first: Time, last: Time, out: &mut String) {
        let [begin, end] = [first, last].map(|time| time.unix().div_euclid(86_400));
        let whole = (end - begin).max(1);
        let of = |mark: Mark| self.days.iter().filter(move |((one, _), _)| *one == mark);
        let counts = Mark::ALL.map(|mark| {
            let count: u64 = of(mark).map(|(_, count)| count).sum();
            mark.counted(count)
        });
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "<svg viewBox=\"0 0 1000 96\" role=\"img\"><title>From {first} to {last}: {}</title>",
            counts.join(", ")
        );
        for (row, mark) in Mark::ALL.into_iter().enumerate() {
            let y = 14 + row * 24;
            let _ = write!(
                out,
                "<text x=\"0\" y=\"{}\" font-size=\"13\">{}</text><line x1=\"130\" y1=\"{y}\" x2=\"990\" y2=\"{y}\" stroke=\"#bbb\"/>",
                y + 4,
                mark.title()
            );
            for ((_, day), count) in of(mark) {
                let x = 130 + (day - begin).clamp(0, whole) * 860 / whole;
                let radius = 3 + count.min(&6);
                let _ = write!(
                    out,
                    "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"{}\" fill-opacity=\".7\"/>",
                    mark.color()
                );
            }
        }
        let _ = writeln!(out, "</svg>\n<p>{first} to {last}: {}.</p>", counts.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drawing_says_in_words_what_it_shows_and_stays_within_its_frame() {
        let at = |day: i64| Time::from_unix(1_800_000_000 + day * 86_400);
        let mut drawing = Drawing::default();
        for day in [0, 0, 30, 365, 9_000] {
            drawing.add(Mark::Signature, at(day));
        }
        drawing.add(Mark::Refusal, at(-5));
        let mut out = String::new();
        drawing.write(at(0), at(365), &mut out);
        let words = "5 signatures, 1 refusal, 0 exceptions, 0 heads that left";
        assert_eq!(out.matches(words).count(), 2, "{out}");
        assert_eq!(out.matches("<circle").count(), 5, "a day is one mark: {out}");
        assert!(out.contains("cx=\"130\"") && out.contains("cx=\"990\""), "{out}");
    }
}
