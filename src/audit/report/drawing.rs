//! A year at a glance: what was signed, refused, remarked on and carried out, over time, as a drawing with a text alternative.

use crate::host::clock::Time;
use crate::text::counted;
use maud::{Markup, display, html};
use std::collections::BTreeMap;

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

    const fn class(self) -> &'static str {
        match self {
            Mark::Signature => "good",
            Mark::Refusal => "bad",
            Mark::Exception => "warn",
            Mark::Head => "left",
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
    pub(super) fn drawn(&self, first: Time, last: Time) -> Markup {
        let [begin, end] = [first, last].map(|time| time.unix().div_euclid(86_400));
        let whole = (end - begin).max(1);
        let of = |mark: Mark| self.days.iter().filter(move |((one, _), _)| *one == mark);
        let counts = Mark::ALL.map(|mark| mark.counted(of(mark).map(|(_, count)| count).sum())).join(", ");
        html! {
            svg.drawn viewBox="0 0 1000 96" role="img" {
                title { "From " (display(first)) " to " (display(last)) ": " (counts) }
                @for (row, mark) in Mark::ALL.into_iter().enumerate() {
                    @let y = 14 + row * 24;
                    text x="0" y=(y + 4) font-size="13" { (mark.title()) }
                    line x1="130" y1=(y) x2="990" y2=(y) {}
                    @for ((_, day), count) in of(mark) {
                        @let x = 130 + (day - begin).clamp(0, whole) * 860 / whole;
                        circle.(mark.class()) cx=(x) cy=(y) r=(3 + count.min(&6)) fill-opacity=".7" {}
                    }
                }
            }
            "\n"
            p { (display(first)) " to " (display(last)) ": " (counts) "." }
        }
    }
}

/// Heads by their sizes and times on a line from the first entry to the last, drawn thick as far as they reach.
pub(super) fn line(first: Time, last: Time, words: &str, heads: &[(u64, Time)]) -> Markup {
    let whole = (last.unix() - first.unix()).max(1);
    let at = |time: &Time| ((time.unix() - first.unix()) * 1000 / whole).clamp(0, 1000);
    let newest = heads.iter().map(|(_, time)| at(time)).max().unwrap_or(0);
    html! {
        svg.drawn viewBox="-6 0 1012 16" role="img" {
            title { (words) }
            line x1="0" y1="8" x2="1000" y2="8" stroke-width="2" {}
            line.good x1="0" y1="8" x2=(newest) y2="8" stroke-width="4" {}
            @for (size, time) in heads {
                circle.good cx=(at(time)) cy="8" r="5" { title { (size) " entries on " (display(time)) } }
            }
        }
        "\n"
        p { (display(first)) " to " (display(last)) }
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
        let out = drawing.drawn(at(0), at(365)).into_string();
        let words = "5 signatures, 1 refusal, 0 exceptions, 0 heads that left";
        assert_eq!(out.matches(words).count(), 2, "{out}");
        assert_eq!(out.matches("<circle").count(), 5, "a day is one mark: {out}");
        assert!(out.contains("cx=\"130\"") && out.contains("cx=\"990\""), "{out}");
    }
}
