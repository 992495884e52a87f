//! `wave status --watch`: the fleet's progress, as bars that move, or as plain lines where there is no terminal.

use super::Desk;
use super::show;
use crate::cli::{Exit, Failure, Outcome};
use crate::courier::{Client, CourierError, WaveStatus};
use crate::text::counted;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;

/// Looks that may fail one after another before it is given up.
const FAILURES: u32 = 5;

/// Watches a wave until all devices that it was rolled out to are updated, or it ends otherwise.
pub(super) fn watch(
    desk: &Desk<'_>,
    client: &Client<'_>,
    first: WaveStatus,
    hours: u32,
    seconds: u64,
) -> Outcome {
    let context = &desk.context;
    let mut status = first;
    let mut bars = Bars::new(context.host.terminal.is_terminal() && !context.global.json);
    let mut said = String::new();
    let mut failed = 0;
    context.text(&show::heading(&status))?;
    loop {
        bars.draw(&status);
        let line = line(&status);
        if !bars.is_drawn() && line != said {
            context.text(&format!("{} {line}\n", context.host.clock.now()))?;
            said = line;
        }
        if let Some(why) = ended(&status) {
            bars.finish();
            context.text(&format!("{why}\n"))?;
            context.json(&status)?;
            return Ok(Exit::Done);
        }
        context.host.clock.sleep(seconds * 1000);
        match bars.suspended(|| WaveStatus::read(client, Some(&status.name), hours)) {
            Ok(now) => (status, failed) = (now, 0),
            Err(e @ CourierError::Refused { .. }) if failed + 1 < FAILURES => {
                failed += 1;
                bars.say(&format!("{e}. Looking again in {seconds} s"), desk);
            }
            Err(e) => return Err(Failure::from(e)),
        }
    }
}

/// Why there is nothing more to wait for.
fn ended(status: &WaveStatus) -> Option<String> {
    let updated = counted(status.updated_devices, "device");
    if status.is_canceled() {
        return Some("The wave is canceled: nothing more is updated by it".to_owned());
    }
    if status.is_active() && !status.is_rolled_out() {
        return Some("It was not rolled out to anybody yet".to_owned());
    }
    (status.waiting() == 0).then(|| format!("All are updated: {updated}"))
}

/// One line of numbers.
fn line(status: &WaveStatus) -> String {
    let groups = status.rollout_groups.iter();
    let groups = groups
        .map(|group| format!(", {} {}/{}", show::group_name(group), group.updated(), group.rolled_out_to()));
    format!(
        "updated {} of {}, waiting for {}{}",
        status.updated_devices,
        status.updated_devices + status.waiting(),
        status.waiting(),
        groups.collect::<String>()
    )
}

/// A bar for each group, and one for all.
struct Bars {
    all: Option<MultiProgress>,
    bars: BTreeMap<String, ProgressBar>,
}

impl Bars {
    fn new(is_terminal: bool) -> Bars {
        let all = is_terminal.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stdout()));
        Bars { all, bars: BTreeMap::new() }
    }

    fn is_drawn(&self) -> bool {
        self.all.is_some()
    }

    fn draw(&mut self, status: &WaveStatus) {
        for group in &status.rollout_groups {
            let said = format!("{} of {} online", group.devices_online, group.devices_total);
            self.set(&show::group_name(group), group.updated(), group.rolled_out_to(), &said);
        }
        let all = status.updated_devices + status.waiting();
        self.set(
            "all rolled out to",
            status.updated_devices,
            all,
            &format!("{} on the tag", status.total_devices),
        );
    }

    fn set(&mut self, name: &str, updated: u64, total: u64, said: &str) {
        let Some(all) = &self.all else { return };
        let bar = self.bars.entry(name.to_owned()).or_insert_with(|| {
            let bar = all.add(ProgressBar::new(total));
            if let Ok(style) = ProgressStyle::with_template("{prefix:>20} [{bar:30}] {pos}/{len} {msg}") {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_prefix(name.chars().take(20).collect::<String>());
            bar
        });
        bar.set_length(total);
        bar.set_position(updated.min(total));
        bar.set_message(said.to_owned());
    }

    /// Takes the bars away while something is done that may print lines of its own.
    fn suspended<T>(&self, act: impl FnOnce() -> T) -> T {
        match &self.all {
            Some(all) => all.suspend(act),
            None => act(),
        }
    }

    fn say(&self, text: &str, desk: &Desk<'_>) {
        match &self.all {
            // Where it cannot be printed between the bars, there is no terminal to print it on.
            Some(all) => drop(all.println(text)),
            None => desk.context.note(&format!("{text}\n")),
        }
    }

    fn finish(&self) {
        self.bars.values().for_each(ProgressBar::abandon);
    }
}
