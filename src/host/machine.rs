//! Facts about the machine that `preflight` looks at, behind a trait so that a test can make up a bad machine.

use std::path::{Path, PathBuf};

/// What can be learnt about the machine.
pub trait Machine: Send + Sync {
    /// A small file under `/proc`, `/sys` or `/etc`, at most 1 MiB; `None` when it cannot be read.
    fn read(&self, path: &str) -> Option<String>;
    /// The names in a folder under `/proc` or `/sys`, sorted; empty when it cannot be read.
    fn list(&self, path: &str) -> Vec<String>;
    /// Where a symbolic link points, such as `/etc/localtime`; `None` when it is none.
    fn link(&self, path: &str) -> Option<PathBuf>;
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
}

/// This machine.
pub struct RealMachine;

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
}
