//! Work on large files, shared out between the cores: never more threads than there are long pieces of work.

use std::sync::Mutex;
use std::thread::ScopedJoinHandle;

/// From this many bytes on, a thread costs less than it saves.
pub const LONG: u64 = 1 << 20;

/// The most threads at a time. More than there are cores: they take turns, so that the last piece is not left to one.
const MOST: usize = 4;

/// Does the work for every item and returns the results in the order of the items. Where several items are long, the
/// longest are begun first, each on the next free thread.
pub(crate) fn each<T: Send, R: Send>(
    items: Vec<T>,
    bytes: impl Fn(&T) -> u64,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let long = items.iter().filter(|item| bytes(item) >= LONG).count();
    if long < 2 {
        return items.into_iter().map(work).collect();
    }
    let mut waiting: Vec<_> = items.into_iter().enumerate().collect();
    // The next is taken from the end.
    waiting.sort_by_key(|(_, item)| bytes(item));
    let waiting = Mutex::new(waiting);
    let next = || waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).pop();
    let take = || {
        let mut done = Vec::new();
        while let Some((place, item)) = next() {
            done.push((place, work(item)));
        }
        done
    };
    let mut done = std::thread::scope(|scope| {
        let others: Vec<_> = (1..long.min(MOST)).map(|_| scope.spawn(take)).collect();
        let mut done = take();
        others.into_iter().for_each(|other| done.extend(joined(other)));
        done
    });
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Does two pieces of work on so many bytes: at the same time, if they are long.
pub(crate) fn both<A: Send, B>(
    bytes: u64,
    there: impl FnOnce() -> A + Send,
    here: impl FnOnce() -> B,
) -> (A, B) {
    if bytes < LONG {
        return (there(), here());
    }
    std::thread::scope(|scope| {
        let there = scope.spawn(there);
        let here = here();
        (joined(there), here)
    })
}

/// Does three pieces of work on so many bytes: at the same time, if they are long.
pub(crate) fn three<A: Send, B: Send, C>(
    bytes: u64,
    one: impl FnOnce() -> A + Send,
    two: impl FnOnce() -> B + Send,
    here: impl FnOnce() -> C,
) -> (A, B, C) {
    let (one, (two, here)) = both(bytes, one, || both(bytes, two, here));
    (one, two, here)
}

/// What a thread worked out; if it came to grief, so does this one.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|grief| std::panic::resume_unwind(grief))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn results_come_in_the_order_of_the_items_however_long_they_are() {
        for sizes in [vec![1, 2, 3], vec![LONG, 1, 3 * LONG, 2 * LONG, 5, 9 * LONG, LONG], Vec::new()] {
            let calls = AtomicUsize::new(0);
            let twice = each(
                sizes.clone(),
                |size| *size,
                |size| {
                    calls.fetch_add(1, Ordering::Relaxed);
                    size * 2
                },
            );
            assert_eq!(twice, sizes.iter().map(|size| size * 2).collect::<Vec<_>>());
            assert_eq!(calls.into_inner(), sizes.len());
        }
    }

    #[test]
    fn short_work_stays_on_the_thread_that_asks() {
        let here = std::thread::current().id();
        let threads = each(vec![LONG, 1, 1], |size| *size, |_| std::thread::current().id());
        assert!(threads.iter().all(|thread| *thread == here));
    }

    #[test]
    fn grief_on_a_thread_is_grief_here() {
        let outcome = std::panic::catch_unwind(|| both(LONG, || panic!("grief"), || 1));
        assert!(outcome.is_err());
        assert_eq!(three(LONG, || 1, || 2, || 3), (1, 2, 3));
    }
}
