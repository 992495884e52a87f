use super::selftest::self_test;
use super::*;
use crate::host::{Clock, Confinement, Machine, Reach, disk, random, terminal};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// A machine as a test describes it.
#[derive(Clone, Default)]
struct Made {
    files: BTreeMap<String, String>,
    links: BTreeMap<String, PathBuf>,
    variables: BTreeMap<&'static str, &'static str>,
    free: Option<u64>,
    mode: Option<u32>,
    owner: u32,
    dumpable: bool,
    core: Option<u64>,
    program: Option<PathBuf>,
    unconfined: Option<Confinement>,
}

impl Made {
    /// A laptop as it should be: an interface that is off, no swap, UTC.
    fn good() -> Made {
        let made =
            Made { free: Some(10 << 30), mode: Some(0o700), core: Some(0), owner: 1000, ..Made::default() };
        made.with("/sys/class/net/lo/type", "772\n")
            .with("/sys/class/net/lo/flags", "0x9\n")
            .with("/sys/class/net/lo/operstate", "unknown\n")
            .interface("eth0", "0x1002", "down")
            .with("/proc/net/dev", "Inter-| Receive\n face |bytes\n    lo: 0 0\n  eth0: 0 0\n")
            .with("/proc/net/route", "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n")
            .with("/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n")
            .with("/proc/self/mountinfo", "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n")
            .with("/proc/self/status", "Name:\tcountersign\nVmLck:\t  151340 kB\n")
            .with("/etc/timezone", "Etc/UTC\n")
    }

    fn with(mut self, path: &str, text: &str) -> Made {
        self.files.insert(path.to_owned(), text.to_owned());
        self
    }

    fn without(mut self, prefix: &str) -> Made {
        self.files.retain(|path, _| !path.starts_with(prefix));
        self
    }

    fn interface(self, name: &str, flags: &str, state: &str) -> Made {
        self.with(&format!("/sys/class/net/{name}/type"), "1\n")
            .with(&format!("/sys/class/net/{name}/flags"), flags)
            .with(&format!("/sys/class/net/{name}/operstate"), state)
    }

    fn swap(self, line: &str) -> Made {
        self.with("/proc/swaps", &format!("Filename\tType\tSize\tUsed\tPriority\n{line}\n"))
    }

    fn mount(mut self, line: &str) -> Made {
        let table = self.files.entry("/proc/self/mountinfo".to_owned()).or_default();
        table.push_str(line);
        table.push('\n');
        self
    }
}

impl Machine for Made {
    fn read(&self, path: &str) -> Option<String> {
        self.files.get(path).cloned()
    }

    fn list(&self, path: &str) -> Vec<String> {
        let prefix = format!("{path}/");
        let mut names: Vec<String> = self
            .files
            .keys()
            .filter_map(|file| Some(file.strip_prefix(&prefix)?.split('/').next()?.to_owned()))
            .collect();
        names.dedup();
        names
    }

    fn link(&self, path: &str) -> Option<PathBuf> {
        self.links.get(path).cloned()
    }

    fn variable(&self, name: &str) -> Option<PathBuf> {
        self.variables.get(name).map(PathBuf::from)
    }

    fn program(&self) -> Option<PathBuf> {
        self.program.clone()
    }

    fn free_bytes(&self, _: &Path) -> Option<u64> {
        self.free
    }

    fn mode(&self, _: &Path) -> Option<(u32, u32)> {
        self.mode.map(|mode| (mode, self.owner))
    }

    fn user(&self) -> u32 {
        1000
    }

    fn dumpable(&self) -> bool {
        self.dumpable
    }

    fn core_limit(&self) -> Option<u64> {
        self.core
    }

    fn harden(&self) -> std::io::Result<()> {
        Ok(())
    }

    fn confine(&self, _: &Reach) {}

    fn confined(&self) -> Confinement {
        self.unconfined.clone().unwrap_or(Confinement::Fully)
    }
}

struct Stopped(Time);

impl Clock for Stopped {
    fn now(&self) -> Time {
        self.0
    }

    fn uptime_ms(&self) -> u64 {
        1_000_000
    }

    fn boot(&self) -> String {
        "boot-1".to_owned()
    }

    fn sleep(&self, _: u64) {}
}

const NOON: &str = "2027-02-03T12:00:00Z";

fn time(text: &str) -> Time {
    Time::parse(text).expect("a time")
}

/// A preflight of a made-up machine, with the station in a folder of its own.
fn preflight_with(machine: Made, change: impl FnOnce(&mut Known<'_>)) -> Report {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("program");
    let station = folder.path().join("station");
    std::fs::write(&program, b"abc").expect("written");
    std::fs::create_dir_all(station.join("keys")).expect("made");
    std::fs::write(station.join("keys/sealed.age"), b"x").expect("written");
    let host = Host {
        clock: Arc::new(Stopped(time(NOON))),
        random: Arc::new(random::SystemRandom),
        terminal: Arc::new(terminal::RealTerminal::new()),
        disk: Arc::new(disk::RealDisk),
        machine: Arc::new(Made { program: Some(program), ..machine }),
    };
    let policy = Policy::default();
    let mut known = Known {
        policy: &policy,
        networked: false,
        station: &station,
        medium: None,
        last_logged: None,
        newest_signed: None,
        program: None,
        log: Ok("12 entries".to_owned()),
    };
    change(&mut known);
    let mut report = run(&host, &known);
    for line in &mut report.lines {
        line.message = line.message.replace(&folder.path().display().to_string(), "/home/officer");
    }
    report
}

fn preflight(machine: Made) -> Report {
    preflight_with(machine, |_| {})
}

#[track_caller]
fn assert_line(report: &Report, name: &str, outcome: Outcome, said: &str) {
    let line = report.lines.iter().find(|line| line.name == name).expect("the line");
    assert_eq!(line.outcome, outcome, "{}", line.message);
    assert!(line.message.contains(said), "{:?} does not say {said:?}", line.message);
}

#[test]
fn a_machine_as_it_should_be_is_fit() {
    let report = preflight(Made::good());
    assert!(report.fit());
    insta::assert_snapshot!(report.text(100, false));
    insta::assert_json_snapshot!(report);
}

#[test]
fn a_machine_with_everything_wrong_is_not_fit_and_says_what_to_do() {
    let bad = Made { dumpable: true, core: None, mode: Some(0o755), free: Some(1 << 20), ..Made::good() }
        .interface("eth0", "0x1003", "up")
        .with("/etc/timezone", "Europe/Lisbon")
        .swap("/dev/sda2 partition 100 0 -2")
        .mount("40 22 8:17 / /media/stick rw,nosuid - vfat /dev/sdb1 rw");
    let report = preflight_with(bad, |known| {
        known.medium = Some(Path::new("/media/stick/request"));
        known.last_logged =
            Some(Stamp { time: time("2027-03-01T00:00:00Z"), boot: "boot-0".to_owned(), uptime_ms: 5 });
        known.log = Err("entry 7 was changed".to_owned());
    });
    assert!(!report.fit());
    assert_eq!(report.failures().count(), 6);
    insta::assert_snapshot!(report.text(100, false));
}

#[test]
fn an_interface_that_is_up_stops_a_signature_unless_the_station_is_networked() {
    let up = || Made::good().interface("eth0", "0x1003", "up");
    assert_line(&preflight(up()), "network", Outcome::Fail, "an interface is up: eth0");
    let networked = preflight_with(up(), |known| known.networked = true);
    assert_line(&networked, "network", Outcome::Warn, "an interface is up: eth0");
    assert!(networked.fit());
    assert!(networked.text(80, false).contains("This is a networked station"));
}

#[test]
fn a_network_is_found_wherever_it_shows() {
    for (machine, outcome, said) in [
        (Made::good().interface("wg0", "0x81", "unknown"), Outcome::Fail, "an interface is up: wg0"),
        (Made::good().interface("eth0", "0x1003", "down"), Outcome::Warn, "switched on, without a link: eth0"),
        (
            Made::good().with("/proc/net/dev", "a\nb\n    lo: 0\n  ppp0: 0\n"),
            Outcome::Fail,
            "an interface is up: ppp0",
        ),
        (
            Made::good().with("/proc/net/route", "head\neth1 00000000 010200C0 0003 0 0 0 00000000 0 0 0\n"),
            Outcome::Fail,
            "a default route through eth1",
        ),
        (
            Made::good().with(
                "/proc/net/ipv6_route",
                "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003 eth2\n",
            ),
            Outcome::Fail,
            "a default route through eth2",
        ),
        (
            Made::good()
                .with("/sys/class/rfkill/rfkill0/type", "bluetooth\n")
                .with("/sys/class/rfkill/rfkill0/soft", "0\n")
                .with("/sys/class/rfkill/rfkill0/hard", "0\n"),
            Outcome::Warn,
            "a radio is switched on: bluetooth",
        ),
        (Made::good().without("/sys/class/net").without("/proc/net"), Outcome::Fail, "cannot be seen"),
    ] {
        assert_line(&preflight(machine), "network", outcome, said);
    }
}

#[test]
fn the_loopback_an_unreachable_default_and_a_blocked_radio_are_no_network() {
    let machine = Made::good()
        .with(
            "/proc/net/ipv6_route",
            "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200 lo\n",
        )
        .with("/sys/class/rfkill/rfkill0/type", "wlan\n")
        .with("/sys/class/rfkill/rfkill0/soft", "1\n");
    assert_line(&preflight(machine), "network", Outcome::Pass, "no interface is up");
}

#[test]
fn an_interface_name_cannot_write_to_the_terminal() {
    let text = preflight(Made::good().interface("e\u{1b}[2J", "0x1003", "up")).text(80, false);
    assert!(text.contains("e\\u{1b}[2J"), "{text}");
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn a_clock_behind_what_is_known_to_have_passed_stops_a_signature() {
    let logged = |text: &str| Some(Stamp { time: time(text), boot: "boot-0".to_owned(), uptime_ms: 0 });
    let at = |change: fn(&mut Known<'_>)| preflight_with(Made::good(), change);
    let report = at(|known| known.newest_signed = Some(time("2027-02-04T00:00:00Z")));
    assert_line(&report, "clock", Outcome::Fail, "others signed was signed at 2027-02-04T00:00:00Z");
    let report = at(|known| known.newest_signed = Some(time("2027-02-03T12:05:00Z")));
    assert_line(&report, "clock", Outcome::Warn, "2027-02-03T12:05:00Z");
    let report = preflight_with(Made::good(), |known| known.last_logged = logged("2027-02-03T13:00:00Z"));
    assert_line(
        &report,
        "clock",
        Outcome::Fail,
        "the log's latest entry was written at 2027-02-03T13:00:00Z",
    );
    let report = preflight_with(Made::good(), |known| known.last_logged = logged("2025-02-03T13:00:00Z"));
    assert_line(&report, "clock", Outcome::Warn, "729 days after the log's last entry");
    let report = preflight_with(Made::good(), |known| known.last_logged = logged("2027-02-03T11:00:00Z"));
    assert_line(&report, "clock", Outcome::Pass, "the clock shows 2027-02-03T12:00:00Z");
}

#[test]
fn a_clock_before_the_program_can_have_existed_is_wrong() {
    let now = |text: &str| Stamp { time: time(text), boot: "boot-1".to_owned(), uptime_ms: 0 };
    let line = clock::line(&now("2026-04-13T00:00:00Z"), None, None);
    assert_eq!(line.outcome, Outcome::Fail);
    assert!(
        line.message.contains("the compiler of this program was made at 2026-04-14T00:00:00Z"),
        "{}",
        line.message
    );
    assert_eq!(clock::line(&now("2026-04-14T00:00:00Z"), None, None).outcome, Outcome::Pass);
}

#[test]
fn a_clock_that_was_set_since_the_last_entry_is_noticed() {
    let report = preflight_with(Made::good(), |known| {
        // 900 seconds ran since the entry, but the wall clock moved by an hour.
        known.last_logged =
            Some(Stamp { time: time("2027-02-03T11:00:00Z"), boot: "boot-1".to_owned(), uptime_ms: 100_000 });
    });
    assert_line(&report, "clock", Outcome::Warn, "it was set by 2700 seconds");
}

#[test]
fn a_time_zone_other_than_utc_is_said() {
    let mut machine = Made::good();
    machine.links.insert("/etc/localtime".to_owned(), PathBuf::from("/usr/share/zoneinfo/America/Lima"));
    assert_line(&preflight(machine), "time-zone", Outcome::Warn, "the time zone is America/Lima");
    let local = Made::good().with("/etc/adjtime", "0.0 0 0.0\n0\nLOCAL\n");
    assert_line(&preflight(local), "time-zone", Outcome::Warn, "the hardware clock keeps local time");
    assert_line(&preflight(Made::good().without("/etc/")), "time-zone", Outcome::Pass, "no time zone is set");
}

#[test]
fn swap_in_the_clear_is_found_and_encrypted_swap_is_fine() {
    let luks = "CRYPT-LUKS2-0123-swap\n";
    for (machine, outcome) in [
        (Made::good().swap("/dev/sda2 partition 100 0 -2"), Outcome::Warn),
        (Made::good().swap("/dev/zram0 partition 100 0 -2"), Outcome::Pass),
        (
            Made::good().swap("/dev/dm-1 partition 100 0 -2").with("/sys/class/block/dm-1/dm/uuid", luks),
            Outcome::Pass,
        ),
        (
            Made::good().swap("/dev/dm-1 partition 100 0 -2").with("/sys/class/block/dm-1/dm/uuid", "LVM-x"),
            Outcome::Warn,
        ),
        (
            // A logical volume on an encrypted disk.
            Made::good()
                .swap("/dev/dm-1 partition 100 0 -2")
                .with("/sys/class/block/dm-1/dm/uuid", "LVM-x")
                .with("/sys/class/block/dm-1/slaves/dm-0", "")
                .with("/sys/class/block/dm-0/dm/uuid", luks),
            Outcome::Pass,
        ),
        (
            // Half of it on a disk in the clear.
            Made::good()
                .swap("/dev/dm-1 partition 100 0 -2")
                .with("/sys/class/block/dm-1/slaves/dm-0", "")
                .with("/sys/class/block/dm-1/slaves/sda2", "")
                .with("/sys/class/block/dm-0/dm/uuid", luks),
            Outcome::Warn,
        ),
        (Made::good().swap("/swapfile file 100 0 -2"), Outcome::Warn),
        (
            Made::good().swap("/swapfile file 100 0 -2").with("/sys/dev/block/8:1/dm/uuid", luks),
            Outcome::Pass,
        ),
        (Made::good().without("/proc/swaps"), Outcome::Warn),
    ] {
        let report = preflight(machine);
        let line = report.lines.iter().find(|line| line.name == "swap").expect("the line");
        assert_eq!(line.outcome, outcome, "{}", line.message);
    }
}

#[test]
fn a_process_whose_memory_others_can_read_opens_no_key() {
    let traced = Made { dumpable: true, ..Made::good() };
    assert_line(&preflight(traced), "core-dumps", Outcome::Fail, "read this process's memory");
    for core in [None, Some(1)] {
        let report = preflight(Made { core, ..Made::good() });
        assert_line(&report, "core-dumps", Outcome::Fail, "ulimit -c 0");
    }
}

#[test]
fn a_station_that_others_can_read_or_own_is_found() {
    let open = Made { mode: Some(0o640), ..Made::good() };
    assert_line(
        &preflight(open),
        "permissions",
        Outcome::Fail,
        "the first: /home/officer/station. Close them",
    );
    let foreign = Made { owner: 0, ..Made::good() };
    assert_line(&preflight(foreign), "permissions", Outcome::Fail, "belong to another user");
    let gone = preflight_with(Made::good(), |known| known.station = Path::new("/nonexistent/station"));
    assert_line(&gone, "permissions", Outcome::Fail, "cannot be looked through");
}

#[test]
fn a_stick_that_could_carry_programs_is_said() {
    let stick = |options: &str| {
        let machine = Made::good()
            .mount(&format!("40 22 8:17 / /media/my\\040stick {options} shared:1 - vfat /dev/sdb1 rw"));
        preflight_with(machine, |known| known.medium = Some(Path::new("/media/my stick/request")))
    };
    assert_line(&stick("rw,nosuid"), "medium", Outcome::Warn, "without nodev,noexec");
    assert_line(&stick("rw,nosuid,nodev,noexec"), "medium", Outcome::Pass, "/media/my stick (vfat)");
    let home = preflight_with(Made::good(), |known| known.medium = Some(Path::new("/home/officer/request")));
    assert_line(&home, "medium", Outcome::Pass, "on this machine's own disk");
}

#[test]
fn too_little_space_stops_a_signature() {
    assert_line(
        &preflight(Made { free: Some(15 << 20), ..Made::good() }),
        "free-space",
        Outcome::Fail,
        "15 MiB",
    );
    assert_line(
        &preflight(Made { free: Some(99 << 20), ..Made::good() }),
        "free-space",
        Outcome::Warn,
        "little",
    );
    assert_line(
        &preflight(Made { free: None, ..Made::good() }),
        "free-space",
        Outcome::Warn,
        "cannot be seen",
    );
}

#[test]
fn a_log_that_does_not_verify_and_a_failed_self_test_cannot_be_tolerated() {
    let report = preflight_with(Made::good(), |known| known.log = Err("entry 7 was changed".to_owned()));
    assert_line(&report, "log", Outcome::Fail, "entry 7 was changed");
    struct Stuck;
    impl crate::host::Random for Stuck {
        fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
            bytes.fill(7);
            Ok(())
        }
    }
    assert_eq!(self_test(&Stuck), Err("random numbers"));
    assert_eq!(selftest::line(&Stuck).outcome, Outcome::Fail);
    assert!(Policy::default().preflight_blocks("log") && Policy::default().preflight_blocks("self-test"));
}

#[test]
fn the_known_answers_are_given() {
    assert_eq!(self_test(&random::SystemRandom), Ok(()));
}

#[test]
fn every_line_that_the_policy_can_set_is_a_line_of_the_report_and_the_other_way_round() {
    let names: Vec<&str> = preflight(Made::good()).lines.iter().map(|line| line.name).collect();
    let default = crate::station::policy::DEFAULT;
    for name in &names {
        let settable = default.contains(&format!("\n{name} = \""));
        let set_elsewhere = ["self-test", "log", "memory", "image", "history"];
        assert_eq!(settable, !set_elsewhere.contains(name), "{name}");
    }
    let table =
        default.split("[preflight]").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("the table");
    assert_eq!(table.lines().filter(|line| line.contains(" = ")).count() + 6, names.len());
}

#[test]
fn a_program_that_is_not_fully_confined_is_a_warning_or_stops_a_signature_as_the_policy_says() {
    let lacks = "Linux 6.1.0-28 has no Landlock rules for devices";
    let short = || Made { unconfined: Some(Confinement::InPart(lacks.to_owned())), ..Made::good() };
    let report = preflight(short());
    assert_line(&report, "confinement", Outcome::Warn, &format!("in part: {lacks}"));
    assert!(report.fit());
    assert!(report.summary().contains(&("confinement", &*format!("in part: {lacks}"))));
    let strict =
        crate::station::policy::DEFAULT.replace("confinement = \"warn\"", "confinement = \"require\"");
    let strict: &Policy = Box::leak(Box::new(Policy::read(strict.as_bytes()).expect("a policy")));
    let of = |machine| preflight_with(machine, |known| known.policy = strict);
    assert_line(&of(short()), "confinement", Outcome::Fail, "The policy requires all of it");
    assert!(!of(short()).fit());
    assert!(of(Made::good()).fit());
    assert!(of(Made::good()).summary().contains(&("confinement", "fully")));
}

#[test]
fn memory_that_could_be_moved_to_a_disk_is_a_warning() {
    assert_line(&preflight(Made::good()), "memory", Outcome::Pass, "locked");
    for status in ["VmLck:\t       0 kB\n", "Name:\tcountersign\n", "VmLck: odd\n", ""] {
        let report = preflight(Made::good().with("/proc/self/status", status));
        assert_line(&report, "memory", Outcome::Warn, "ulimit -l unlimited");
    }
}

#[test]
fn the_image_that_the_machine_was_booted_from_is_named_and_the_log_keeps_it() {
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let report = preflight(Made::good().with("/run/countersign/image", &format!("{abc}\n")));
    assert_line(&report, "image", Outcome::Pass, "shadow indigo backward");
    assert!(report.summary().contains(&("image", abc)));
    assert!(preflight(Made::good()).summary().contains(&("image", "none")));
    let odd = preflight(Made::good().with("/run/countersign/image", "\u{1b}[31mtrust me"));
    assert_line(&odd, "image", Outcome::Warn, "does not hold a SHA-256");
    assert!(odd.lines.iter().all(|line| line.message.is_ascii() && !line.message.contains('\u{1b}')));
}

#[test]
fn the_program_is_named_with_its_digest() {
    let report = preflight(Made::good());
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(report.program_sha256.as_deref(), Some(abc));
    let grouped = "ba7816bf8f01cfea 414140de5dae2223 b00361a396177a9c b410ff61f20015ad";
    assert_line(&report, "program", Outcome::Pass, grouped);
}

#[test]
fn this_machine_can_be_looked_at() {
    let folder = tempfile::tempdir().expect("a folder");
    let closed = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(folder.path(), closed).expect("closed");
    let host = Host::real();
    let policy = Policy::default();
    let known = Known {
        policy: &policy,
        networked: true,
        station: folder.path(),
        medium: Some(folder.path()),
        last_logged: None,
        newest_signed: None,
        program: None,
        log: Ok("0 entries".to_owned()),
    };
    let report = run(&host, &known);
    let line = |name: &str| report.lines.iter().find(|line| line.name == name).expect("the line");
    assert_eq!(line("self-test").outcome, Outcome::Pass);
    assert_eq!(line("program").outcome, Outcome::Pass);
    assert_eq!(line("permissions").outcome, Outcome::Pass, "{}", line("permissions").message);
}

#[test]
fn a_shell_that_keeps_what_is_typed_is_a_warning_that_says_where() {
    let line = |variables: &[(&'static str, &'static str)]| {
        let machine = Made { variables: variables.iter().copied().collect(), ..Made::good() };
        history::line(&machine)
    };
    let kept = line(&[("HISTFILE", "/home/officer/.history")]);
    assert_eq!(kept.outcome, Outcome::Warn);
    assert!(kept.message.contains("unset HISTFILE") && kept.message.contains("/home/officer/.history"));
    // This machine says of every path that it is there.
    let found = line(&[("HOME", "/home/officer")]);
    assert!(found.message.contains("/home/officer/.bash_history"), "{}", found.message);
    for off in [&[("HISTFILE", "")][..], &[("HISTFILE", "/dev/null")], &[]] {
        assert_eq!(line(off).outcome, Outcome::Pass);
    }
}
