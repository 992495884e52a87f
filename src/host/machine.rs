//! Facts about the machine that `preflight` looks at, behind a trait so that a test can make up a bad machine.

use super::confine::{self, Confinement, Reach};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The SHA-256 of the image that this machine was booted from: written by the `init` of `image/build` before a user is there,
/// on a file system that is not writable afterwards.
pub(crate) const BOOTED_IMAGE: &str = "/run/countersign/image";

/// What can be learnt about the machine.
pub trait Machine: Send + Sync {
    /// A small file under `/proc`, `/sys` or `/etc`, at most 1 MiB; `None` when it cannot be read.
    fn read(&self, path: &str) -> Option<String>;
    /// The names in a folder under `/proc` or `/sys`, sorted; empty when it cannot be read.
    fn list(&self, path: &str) -> Vec<String>;
    /// Where a symbolic link points, such as `/etc/localtime`; `None` when it is none.
    fn link(&self, path: &str) -> Option<PathBuf>;
    /// What a variable of the environment holds; `None` when it is not set.
    fn variable(&self, name: &str) -> Option<PathBuf>;
    /// Where the running program's file is.
    fn program(&self) -> Option<PathBuf>;
    /// Free bytes on the file system that holds a path.
    fn free_bytes(&self, path: &Path) -> Option<u64>;
    /// Permission bits (`0o7777`) and owner of a path, without following a link.
    fn mode(&self, path: &Path) -> Option<(u32, u32)>;
    /// The user id of this process.
    fn user(&self) -> u32;
    /// Can this process be dumped or traced (`PR_GET_DUMPABLE`)?
    fn dumpable(&self) -> bool;
    /// The largest core file that this process may write, in bytes; `None` for no limit.
    fn core_limit(&self) -> Option<u64>;
    /// Makes the process not dumpable and its core size 0.
    fn harden(&self) -> std::io::Result<()>;
    /// Gives up everything but `reach`, for good; before any other thread is begun.
    fn confine(&self, reach: &Reach);
    /// How far this process is confined.
    fn confined(&self) -> Confinement;
}

/// This machine.
#[derive(Default)]
pub struct RealMachine {
    confined: OnceLock<Confinement>,
}

impl Machine for RealMachine {
    fn read(&self, path: &str) -> Option<String> {
        use std::io::Read;
        let mut text = String::new();
        std::fs::File::open(path).ok()?.take(1 << 20).read_to_string(&mut text).ok()?;
        Some(text)
    }

    fn list(&self, path: &str) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(path)
            .map(|entries| entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect())
            .unwrap_or_default();
        names.sort();
        names
    }

    fn link(&self, path: &str) -> Option<PathBuf> {
        std::fs::read_link(path).ok()
    }

    fn variable(&self, name: &str) -> Option<PathBuf> {
        std::env::var_os(name).map(PathBuf::from)
    }

    fn program(&self) -> Option<PathBuf> {
        std::env::current_exe().ok()
    }

    fn free_bytes(&self, path: &Path) -> Option<u64> {
        let facts = rustix::fs::statvfs(path).ok()?;
        Some(facts.f_bavail.saturating_mul(facts.f_frsize))
    }

    fn mode(&self, path: &Path) -> Option<(u32, u32)> {
        use std::os::unix::fs::MetadataExt;
        let facts = std::fs::symlink_metadata(path).ok()?;
        Some((facts.mode() & 0o7777, facts.uid()))
    }

    fn user(&self) -> u32 {
        rustix::process::geteuid().as_raw()
    }

    fn dumpable(&self) -> bool {
        !matches!(rustix::process::dumpable_behavior(), Ok(rustix::process::DumpableBehavior::NotDumpable))
    }

    fn core_limit(&self) -> Option<u64> {
        rustix::process::getrlimit(rustix::process::Resource::Core).current
    }

    fn harden(&self) -> std::io::Result<()> {
        use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
        setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
        Ok(())
    }

    fn confine(&self, reach: &Reach) {
        if reach.opens_secrets() {
            lock_memory();
        }
        self.confined.get_or_init(|| confine::confine(reach));
    }

    fn confined(&self) -> Confinement {
        self.confined.get().cloned().unwrap_or_else(Confinement::never_asked)
    }
}

/// Keeps all memory of this process out of swap, where there is no limit to it; `preflight` says whether. With a limit
/// the system would refuse memory in the middle of a ceremony.
fn lock_memory() {
    use rustix::mm::{MlockAllFlags, mlockall};
    use rustix::process::{Resource, getrlimit};
    let may_lock_all = rustix::thread::capabilities(None)
        .is_ok_and(|may| may.effective.contains(rustix::thread::CapabilitySet::IPC_LOCK));
    if may_lock_all || getrlimit(Resource::Memlock).current.is_none() {
        // Only pages that are used, so that a large file takes no more memory than without.
        let _ = mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT);
    }
}
