//! Events of any kind, so that a test covers the whole table of records.

use countersign::testing::ledger::field::{Field, Shape};
use countersign::testing::ledger::{Entry, Event, Kind};

/// An event of a kind, each field filled as its form asks for: a list with one item.
pub fn filled(kind: Kind, actor: &str, text: &dyn Fn(&str) -> String, number: u64) -> Event {
    let line = format!(
        r#"{{"v":1,"seq":0,"prev":"{}","time":"2027-01-15T08:00:00Z","boot":"","uptime_ms":0,"type":"{kind}","actor":"","#,
        "0".repeat(64)
    );
    let line = line + &members(kind.fields(), text, number) + "}";
    Entry::read(line.as_bytes()).expect("a line").record().by(actor)
}

fn members(fields: &[Field], text: &dyn Fn(&str) -> String, number: u64) -> String {
    let member = |(name, shape): &Field| format!("\"{name}\":{}", value(name, shape, text, number));
    fields.iter().map(member).collect::<Vec<_>>().join(",")
}

fn value(name: &str, shape: &Shape, text: &dyn Fn(&str) -> String, number: u64) -> String {
    match shape {
        Shape::Int => number.to_string(),
        Shape::Flag => "true".to_owned(),
        Shape::List(item) => format!("[{}]", value(name, item, text, number)),
        Shape::Members(fields) => format!("{{{}}}", members(fields, text, number)),
        Shape::Later(shape) => value(name, shape, text, number),
        _ => format!("{:?}", text(name)),
    }
}
