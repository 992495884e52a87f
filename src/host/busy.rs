//! A sign of life on the terminal while something takes longer than a breath.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// Shows that work is going on until it is dropped; then the line is gone.
#[must_use = "the sign of life ends when this is dropped"]
pub struct Busy(Option<ProgressBar>);

impl Busy {
    /// No sign of life: there is nobody to see it.
    pub(crate) fn silent() -> Busy {
        Busy(None)
    }

    /// A moving sign and what is being done, on standard error. `what` must already be escaped.
    pub(super) fn moving(what: &str) -> Busy {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style.tick_chars("-\\|/ "));
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Busy(Some(bar))
    }

    /// Says what is waited for still, without how long it took. `what` must already be escaped.
    pub(crate) fn count_down(&self, what: &str) {
        if let (Some(bar), Ok(style)) = (&self.0, ProgressStyle::with_template("{msg}")) {
            bar.set_style(style);
            bar.set_message(what.to_owned());
        }
    }

    /// Says what is being done now. `what` must already be escaped.
    pub(crate) fn tell(&self, what: &str) {
        if let Some(bar) = &self.0 {
            bar.set_message(what.to_owned());
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
