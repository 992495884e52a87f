//! Is there a way out of this machine?

use super::Line;
use crate::host::Machine;
use crate::text::shown;
use std::collections::BTreeSet;

/// The line's name; `init --networked` turns its failure into a warning.
pub(super) const NAME: &str = "network";

/// ARPHRD_LOOPBACK, linux/if_arp.h.
const LOOPBACK_TYPE: &str = "772";
/// IFF_UP, linux/if.h.
const IS_UP: u64 = 0x1;
/// RTF_UP, linux/route.h.
const ROUTE_IS_UP: u64 = 0x1;

/// No interface has a link, none is switched on, there is no default route, and no radio transmits.
pub(super) fn line(machine: &dyn Machine) -> Line {
    let interfaces = interfaces(machine);
    if interfaces.is_empty() {
        let message = "the network interfaces cannot be seen: neither /sys/class/net nor /proc/net/dev can be read. \
                       Run on a machine where they can";
        return Line::fail(NAME, message);
    }
    let (linked, idle): (Vec<_>, Vec<_>) =
        interfaces.iter().filter(|name| is_on(machine, name)).partition(|name| has_link(machine, name));
    let routes = default_routes(machine);
    if !linked.is_empty() {
        return Line::fail(
            NAME,
            format!(
                "{} up: {}. Pull the cable and switch the interface off: ip link set {} down",
                is_are(&linked),
                names(&linked),
                shown(linked[0])
            ),
        );
    }
    if !routes.is_empty() {
        let routes: Vec<&String> = routes.iter().collect();
        return Line::fail(
            NAME,
            format!("there is a default route through {}. Remove it: ip route flush default", names(&routes)),
        );
    }
    let radios = radios(machine);
    if !radios.is_empty() {
        let radios: Vec<&String> = radios.iter().collect();
        return Line::warn(
            NAME,
            format!("a radio is switched on: {}. Switch it off: rfkill block all", names(&radios)),
        );
    }
    if !idle.is_empty() {
        return Line::warn(
            NAME,
            format!(
                "{} switched on, without a link: {}. Switch it off: ip link set {} down",
                is_are(&idle),
                names(&idle),
                shown(idle[0])
            ),
        );
    }
    Line::pass(NAME, "no interface is up, and there is no default route")
}

/// All interfaces but the loopback, from both places that name them: either may be hidden from this process.
fn interfaces(machine: &dyn Machine) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = machine.list("/sys/class/net").into_iter().collect();
    let listed = machine.read("/proc/net/dev").unwrap_or_default();
    all.extend(listed.lines().skip(2).filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned())));
    // A file of the bonding driver, not an interface.
    all.remove("bonding_masters");
    all
}

fn fact(machine: &dyn Machine, interface: &str, name: &str) -> Option<String> {
    machine.read(&format!("/sys/class/net/{interface}/{name}")).map(|text| text.trim().to_owned())
}

/// Is the interface switched on? One that says nothing about itself is taken to be.
fn is_on(machine: &dyn Machine, interface: &str) -> bool {
    if interface == "lo" || fact(machine, interface, "type").as_deref() == Some(LOOPBACK_TYPE) {
        return false;
    }
    let flags = fact(machine, interface, "flags").and_then(|text| hexadecimal(text.trim_start_matches("0x")));
    flags.is_none_or(|flags| flags & IS_UP != 0)
}

/// Does the interface reach another machine? "unknown" is what tunnels and some drivers say; it counts as a link.
fn has_link(machine: &dyn Machine, interface: &str) -> bool {
    let state = fact(machine, interface, "operstate");
    !matches!(state.as_deref(), Some("down" | "notpresent" | "lowerlayerdown"))
}

fn hexadecimal(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}

/// Interfaces that a default route goes through, IPv4 and IPv6.
fn default_routes(machine: &dyn Machine) -> BTreeSet<String> {
    let four = machine.read("/proc/net/route").unwrap_or_default();
    let six = machine.read("/proc/net/ipv6_route").unwrap_or_default();
    let four = four.lines().skip(1).filter_map(|line| {
        let column: Vec<&str> = line.split_whitespace().collect();
        let up = hexadecimal(column.get(3)?)? & ROUTE_IS_UP != 0;
        (up && *column.get(1)? == "00000000" && *column.get(7)? == "00000000").then(|| column[0].to_owned())
    });
    let six = six.lines().filter_map(|line| {
        let column: Vec<&str> = line.split_whitespace().collect();
        let up = hexadecimal(column.get(8)?)? & ROUTE_IS_UP != 0;
        let everywhere = column[0].bytes().all(|digit| digit == b'0') && column[1] == "00";
        // The kernel keeps an unreachable default on the loopback.
        (up && everywhere && *column.get(9)? != "lo").then(|| column[9].to_owned())
    });
    four.chain(six).collect()
}

/// Radios that are not blocked, by soft switch or hard.
fn radios(machine: &dyn Machine) -> BTreeSet<String> {
    let mut radios = BTreeSet::new();
    for radio in machine.list("/sys/class/rfkill") {
        let read = |name: &str| machine.read(&format!("/sys/class/rfkill/{radio}/{name}"));
        let blocked = |name: &str| read(name).is_some_and(|text| text.trim() == "1");
        if !blocked("soft") && !blocked("hard") {
            radios.insert(read("type").map_or_else(|| radio.clone(), |kind| kind.trim().to_owned()));
        }
    }
    radios
}

fn names(of: &[&String]) -> String {
    of.iter().map(|name| shown(name)).collect::<Vec<_>>().join(", ")
}

fn is_are(of: &[&String]) -> &'static str {
    if of.len() == 1 { "an interface is" } else { "interfaces are" }
}
