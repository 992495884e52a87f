//! Can memory with an open key end up on a disk in the clear?

use super::{Line, mounts};
use crate::host::Machine;
use crate::text::shown;
use std::path::Path;

const NAME: &str = "swap";
/// How many devices deep a device may lie in others: partition, RAID, LVM, encryption.
const DEEPEST: usize = 8;

/// Every swap area is encrypted or in memory.
pub(super) fn line(machine: &dyn Machine) -> Line {
    let Some(table) = machine.read("/proc/swaps") else {
        return Line::fail(NAME, "whether swap is on cannot be seen: /proc/swaps cannot be read");
    };
    let areas: Vec<(&str, &str)> = table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut column = line.split_whitespace();
            Some((column.next()?, column.next()?))
        })
        .collect();
    let open: Vec<String> = areas
        .iter()
        .filter(|(area, kind)| !is_safe(machine, area, kind))
        .map(|(area, _)| shown(area))
        .collect();
    match (areas.is_empty(), open.is_empty()) {
        (true, _) => Line::pass(NAME, "off"),
        (_, true) => Line::pass(NAME, "on, and encrypted or in memory only"),
        _ => Line::fail(
            NAME,
            format!(
                "on and not encrypted: {}. What is in memory can end up on the disk; switch it off: swapoff -a",
                open.join(", ")
            ),
        ),
    }
}

fn is_safe(machine: &dyn Machine, area: &str, kind: &str) -> bool {
    if kind == "file" {
        return mounts::holding(machine, Path::new(area)).is_some_and(|mount| {
            is_encrypted(machine, &format!("/sys/dev/block/{}", mount.device), DEEPEST)
        });
    }
    let Some(device) = area.strip_prefix("/dev/") else { return false };
    device.starts_with("zram") || is_encrypted(machine, &format!("/sys/class/block/{device}"), DEEPEST)
}

/// Is a block device an encrypted one, or does it lie wholly on encrypted ones? dm-crypt's devices say so in their
/// device-mapper id.
fn is_encrypted(machine: &dyn Machine, device: &str, depth: usize) -> bool {
    if machine.read(&format!("{device}/dm/uuid")).is_some_and(|id| id.starts_with("CRYPT-")) {
        return true;
    }
    let below = machine.list(&format!("{device}/slaves"));
    depth > 0
        && !below.is_empty()
        && below.iter().all(|name| is_encrypted(machine, &format!("/sys/class/block/{name}"), depth - 1))
}
