//! Signals while the terminal is not as it was found: without echo, or in a pager's hands. Whatever ends or stops the
//! program then puts the terminal right first; at all other times signals do what they always do.

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::flag;
use signal_hook::low_level::emulate_default_handler;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// Ctrl-C, Ctrl-\, Ctrl-Z, a closed terminal, and `kill`.
const SIGNALS: [i32; 5] = [SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP];
/// How soon after a signal the terminal is put right.
const POLL: Duration = Duration::from_millis(20);

/// What is about to happen to the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Moment {
    /// It ends.
    End,
    /// It stops, until somebody lets it go on.
    Stop,
    /// It goes on.
    GoOn,
}

/// What is done at such a moment; false: the program neither ends nor stops.
type Action = Box<dyn Fn(Moment) -> bool + Send>;

struct Watch {
    seen: [Arc<AtomicBool>; SIGNALS.len()],
    /// While nothing is guarded, a signal does at once what it does by default.
    calm: Arc<AtomicBool>,
    guarded: Mutex<Vec<(u64, Action)>>,
}

static WATCH: OnceLock<Option<Watch>> = OnceLock::new();

/// The handlers, made once: a program that took a signal over cannot give it back. `None` where the system has none.
fn watch() -> Option<&'static Watch> {
    WATCH
        .get_or_init(|| {
            let calm = Arc::new(AtomicBool::new(true));
            let seen: [Arc<AtomicBool>; SIGNALS.len()] = Default::default();
            for (signal, seen) in SIGNALS.iter().zip(&seen) {
                flag::register_conditional_default(*signal, calm.clone()).ok()?;
                flag::register(*signal, seen.clone()).ok()?;
            }
            Some(Watch { seen, calm, guarded: Mutex::default() })
        })
        .as_ref()
}

impl Watch {
    fn guarded(&self) -> MutexGuard<'_, Vec<(u64, Action)>> {
        self.guarded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what is to be done for the signals that came.
    fn deliver(&self, guarded: &[(u64, Action)]) {
        for (signal, seen) in SIGNALS.iter().zip(&self.seen) {
            if !seen.swap(false, Ordering::SeqCst) {
                continue;
            }
            let moment = if *signal == SIGTSTP { Moment::Stop } else { Moment::End };
            let each = |moment| guarded.iter().rev().fold(true, |go, (_, action)| action(moment) && go);
            if each(moment) {
                // Ends the program, or stops it and comes back when it goes on.
                let _ = emulate_default_handler(*signal);
                each(Moment::GoOn);
            }
        }
    }

    /// Looks for signals until nothing is guarded any more.
    fn run(&self) {
        loop {
            let guarded = self.guarded();
            if guarded.is_empty() {
                return;
            }
            self.deliver(&guarded);
            drop(guarded);
            std::thread::sleep(POLL);
        }
    }
}

/// While this lives, a signal does first what was given here.
pub(super) struct Guard(u64);

impl Guard {
    /// Begins. Where the system takes no handler, signals do what they always do.
    pub(super) fn new(action: impl Fn(Moment) -> bool + Send + 'static) -> Guard {
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        if let Some(watch) = watch() {
            let mut guarded = watch.guarded();
            watch.calm.store(false, Ordering::SeqCst);
            if guarded.is_empty() {
                watch.seen.iter().for_each(|seen| seen.store(false, Ordering::SeqCst));
                std::thread::spawn(|| watch.run());
            }
            guarded.push((number, Box::new(action)));
        }
        Guard(number)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(watch) = watch() else { return };
        let mut guarded = watch.guarded();
        // What came a moment ago.
        watch.deliver(&guarded);
        guarded.retain(|(number, _)| *number != self.0);
        if guarded.is_empty() {
            watch.calm.store(true, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signal_hook::low_level::raise;

    #[test]
    fn what_is_guarded_hears_of_a_signal_and_may_say_that_nothing_happens() {
        let heard: Arc<Mutex<Vec<Moment>>> = Arc::default();
        let notes = heard.clone();
        let guard = Guard::new(move |moment| {
            notes.lock().expect("lock").push(moment);
            false
        });
        for signal in [SIGTSTP, SIGHUP] {
            raise(signal).expect("raised");
        }
        drop(guard);
        let mut heard = heard.lock().expect("lock").clone();
        heard.sort_by_key(|moment| *moment == Moment::Stop);
        assert_eq!(heard, [Moment::End, Moment::Stop]);
    }
}
