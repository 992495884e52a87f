//! Which files a command may reach (Landlock, landlock(7)). What is not granted is refused by the kernel with "permission
//! denied", whatever the permissions of the file say. And to which TCP ports it may connect, where it may at all.

use crate::host::machine::BOOTED_IMAGE;
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, NetPort,
    PathBeneath, PathFd, RestrictionStatus, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    RulesetStatus, Scope, make_bitflags,
};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

/// The newest rules that are asked for: Linux 6.12. An older kernel has fewer, and this is said.
const ASKED: ABI = ABI::V6;

/// The oldest that are of use: before Linux 5.19 no file can be moved between folders at all.
const NEEDED: ABI = ABI::V2;

/// The files that a command may reach, and how.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reach {
    rules: Vec<(PathBuf, Right)>,
    ports: Vec<u16>,
    opens_secrets: bool,
}

/// How a file is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Right {
    /// The file, or everything in the folder.
    Read,
    /// The names in the folder and beneath it, and nothing of what the files hold.
    List,
    /// New files in the folder and beneath it, and others in their place; to read them is another right.
    Put,
    /// A terminal, and what is no file on a disk.
    Device,
}

impl Reach {
    /// What every command needs: the terminal, and nothing of the disk.
    pub fn terminal() -> Reach {
        let device = |path: &str| (PathBuf::from(path), Right::Device);
        Reach { rules: vec![device("/dev/tty"), device("/dev/null")], ..Reach::default() }
    }

    /// And what tells of the machine: what `preflight` looks at, and what each log entry says (boot, program).
    pub(crate) fn machine(self) -> Reach {
        const FACTS: [&str; 11] = [
            // Where a static program takes its random numbers.
            "/dev/urandom",
            "/dev/random",
            "/proc/self",
            "/proc/sys/kernel",
            "/proc/swaps",
            "/proc/cmdline",
            "/sys",
            "/etc/localtime",
            "/etc/adjtime",
            "/etc/timezone",
            BOOTED_IMAGE,
        ];
        let program = std::env::current_exe().ok();
        let facts = FACTS.into_iter().map(PathBuf::from).chain(program);
        facts.fold(self, |reach, fact| reach.with(fact, Right::Read))
    }

    /// And a file, or a folder with everything in it. Where there is nothing, nothing is granted.
    pub fn read(self, path: &Path) -> Reach {
        self.with(path.to_owned(), Right::Read)
    }

    /// And the names in a folder and beneath it.
    pub fn list(self, folder: &Path) -> Reach {
        self.with(folder.to_owned(), Right::List)
    }

    /// And new files in a folder and beneath it, without reading what is there.
    pub fn put(self, folder: &Path) -> Reach {
        self.with(folder.to_owned(), Right::Put)
    }

    /// And everything in a folder. A folder that is yet to be made: everything in the nearest one above it that is there.
    pub fn write(self, folder: &Path) -> Reach {
        let nearest = nearest_folder(folder);
        self.with(nearest.clone(), Right::Read).with(nearest, Right::Put)
    }

    /// And secrets are opened: memory is locked where that is allowed.
    pub(crate) fn with_secrets(self) -> Reach {
        Reach { opens_secrets: true, ..self }
    }

    /// And a network, with TCP to this port.
    pub fn connect(mut self, port: u16) -> Reach {
        self.ports.push(port);
        self
    }

    /// Is there a network at all?
    pub(super) fn connects(&self) -> bool {
        !self.ports.is_empty()
    }

    /// The TCP ports that are granted.
    #[cfg(all(test, feature = "courier"))]
    pub(crate) fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// What is granted, in the order in which it was.
    #[cfg(test)]
    pub(crate) fn rules(&self) -> &[(PathBuf, Right)] {
        &self.rules
    }

    pub(in crate::host) fn opens_secrets(&self) -> bool {
        self.opens_secrets
    }

    fn with(mut self, path: PathBuf, right: Right) -> Reach {
        self.rules.push((path, right));
        self
    }
}

/// The folder itself, or the nearest above it that is there.
fn nearest_folder(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/")).to_owned()
}

impl Right {
    fn bits(self) -> BitFlags<AccessFs> {
        match self {
            Right::Read => make_bitflags!(AccessFs::{ReadFile | ReadDir}),
            Right::List => AccessFs::ReadDir.into(),
            Right::Put => make_bitflags!(AccessFs::{
                ReadDir | WriteFile | Truncate | MakeReg | MakeDir | RemoveFile | RemoveDir | Refer
            }),
            Right::Device => make_bitflags!(AccessFs::{ReadFile | WriteFile | IoctlDev}),
        }
    }
}

/// Binds this thread to `reach`. `None` when by every rule that is asked for; else what the kernel lacks.
pub(super) fn confine(reach: &Reach) -> Result<Option<String>, String> {
    let status = restrict(reach).map_err(|e| e.to_string())?;
    let LandlockStatus::Available { effective_abi, .. } = status.landlock else {
        return Err("it has no Landlock".to_owned());
    };
    match status.ruleset {
        _ if !status.no_new_privs => Err("no_new_privs could not be set".to_owned()),
        RulesetStatus::FullyEnforced => Ok(None),
        RulesetStatus::PartiallyEnforced => Ok(Some(lacks(effective_abi))),
        RulesetStatus::NotEnforced => Err("Landlock did not take effect".to_owned()),
    }
}

fn restrict(reach: &Reach) -> Result<RestrictionStatus, RulesetError> {
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(NEEDED))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ASKED))?
        .handle_access(AccessNet::from_all(ASKED))?
        .scope(Scope::from_all(ASKED))?
        .create()?;
    for (path, right) in &reach.rules {
        // What is not there, or is a pipe to this process, can be granted to nobody.
        let (Ok(kind), Ok(file)) = (path.metadata().map(|facts| facts.file_type()), PathFd::new(path)) else {
            continue;
        };
        let bits = if kind.is_dir() { right.bits() } else { right.bits() & AccessFs::from_file(ASKED) };
        if !kind.is_fifo() && !kind.is_socket() && !bits.is_empty() {
            rules = rules.add_rule(PathBeneath::new(file, bits))?;
        }
    }
    for port in &reach.ports {
        rules = rules.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
    }
    rules.restrict_self()
}

/// What a kernel with these rules lacks, in words.
fn lacks(has: ABI) -> String {
    let missing: Vec<&str> = [
        (ABI::V3, "cutting files"),
        (ABI::V4, "TCP"),
        (ABI::V5, "devices"),
        (ABI::V6, "signals and abstract sockets"),
    ]
    .into_iter()
    .filter(|(since, _)| has < *since)
    .map(|(_, what)| what)
    .collect();
    format!("has no Landlock rules for {}", missing.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_lacks_is_said_and_never_left_out() {
        assert_eq!(
            lacks(ABI::V2),
            "has no Landlock rules for cutting files, TCP, devices, signals and abstract sockets"
        );
        assert_eq!(lacks(ABI::V5), "has no Landlock rules for signals and abstract sockets");
    }
}
