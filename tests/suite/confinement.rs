//! Each forbidden act is tried, in a thread that has confined itself: the confinement binds a thread, and the test
//! program goes on.

use countersign::testing::host::machine::RealMachine;
use countersign::testing::host::{Confinement, Machine as _, Reach};
use std::fs;
use std::io::{self, ErrorKind};

/// Runs `acts` in a thread that may reach `reach`; `None`, and says so, where this kernel cannot confine.
fn confined<T: Send>(reach: &Reach, acts: impl FnOnce() -> T + Send) -> Option<T> {
    let machine = RealMachine::default();
    let run = || {
        machine.confine(reach);
        match machine.confined() {
            Confinement::Fully => Some(acts()),
            short => {
                eprintln!("SKIPPED: this kernel does not confine fully: {short}");
                None
            }
        }
    };
    std::thread::scope(|scope| scope.spawn(run).join().expect("the thread ends"))
}

#[track_caller]
fn is_denied<T>(act: io::Result<T>) {
    assert_eq!(act.err().map(|e| e.kind()), Some(ErrorKind::PermissionDenied));
}

struct Folders {
    all: tempfile::TempDir,
}

impl Folders {
    fn new() -> Folders {
        let all = tempfile::tempdir().expect("a folder");
        for name in ["stick", "station", "elsewhere"] {
            fs::create_dir(all.path().join(name)).expect("made");
            fs::write(all.path().join(name).join("file"), name).expect("written");
        }
        Folders { all }
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.all.path().join(name)
    }
}

#[test]
fn a_file_that_was_not_named_is_neither_read_nor_written_nor_removed() {
    let folders = Folders::new();
    let reach = Reach::terminal().read(&folders.at("stick")).write(&folders.at("station"));
    confined(&reach, || {
        assert_eq!(fs::read_to_string(folders.at("stick/file")).expect("named"), "stick");
        fs::write(folders.at("station/new"), "x").expect("the station is written");
        fs::rename(folders.at("station/new"), folders.at("station/file")).expect("and replaced");

        let elsewhere = folders.at("elsewhere/file");
        is_denied(fs::read(&elsewhere));
        is_denied(fs::read_dir(folders.at("elsewhere")));
        is_denied(fs::OpenOptions::new().append(true).open(&elsewhere));
        is_denied(fs::File::create(&elsewhere));
        is_denied(fs::remove_file(&elsewhere));
        is_denied(fs::write(folders.at("elsewhere/new"), "x"));
        is_denied(fs::create_dir(folders.at("elsewhere/folder")));
        is_denied(fs::rename(&elsewhere, folders.at("station/taken")));
        is_denied(fs::read("/etc/passwd"));
    });
    assert_eq!(fs::read_to_string(folders.at("elsewhere/file")).expect("there"), "elsewhere");
}

#[test]
fn the_stick_is_not_written_and_nothing_becomes_a_program_a_link_or_a_pipe() {
    let folders = Folders::new();
    let reach = Reach::terminal().read(&folders.at("stick")).write(&folders.at("station"));
    confined(&reach, || {
        is_denied(fs::write(folders.at("stick/new"), "x"));
        is_denied(fs::write(folders.at("stick/file"), "x"));
        is_denied(fs::remove_file(folders.at("stick/file")));
        is_denied(std::os::unix::fs::symlink("/etc", folders.at("station/link")));
        let pipe = rustix::fs::FileType::Fifo;
        let made = rustix::fs::mknodat(rustix::fs::CWD, folders.at("station/pipe"), pipe, 0o600.into(), 0);
        is_denied(made.map_err(io::Error::from));
    });
}

#[test]
fn where_names_may_be_listed_and_files_put_nothing_is_read() {
    let folders = Folders::new();
    let reach = Reach::terminal().list(&folders.at("stick")).put(&folders.at("station"));
    confined(&reach, || {
        assert_eq!(fs::read_dir(folders.at("stick")).expect("listed").count(), 1);
        is_denied(fs::read(folders.at("stick/file")));
        is_denied(fs::read(folders.at("station/file")));
        fs::write(folders.at("station/file"), "replaced").expect("put");
    });
}

#[test]
fn a_folder_that_is_yet_to_be_made_is_written_in_the_nearest_above_it() {
    let folders = Folders::new();
    let out = folders.at("station/a/b");
    confined(&Reach::terminal().write(&out), || {
        fs::create_dir_all(&out).expect("made");
        fs::write(out.join("file"), "x").expect("written");
        assert_eq!(fs::read(out.join("file")).expect("read back"), b"x");
        is_denied(fs::write(folders.at("elsewhere/new"), "x"));
    });
}

#[test]
fn no_socket_no_program_and_no_process_is_begun() {
    confined(&Reach::terminal(), || {
        is_denied(std::net::TcpStream::connect("127.0.0.1:9"));
        is_denied(std::net::UdpSocket::bind("127.0.0.1:0"));
        is_denied(std::os::unix::net::UnixStream::pair());
        is_denied(std::os::unix::net::UnixDatagram::unbound());
        is_denied(std::process::Command::new("/bin/true").spawn());
        is_denied(std::process::Command::new("/proc/self/exe").spawn());
    });
}

#[test]
fn a_command_that_asks_a_service_connects_to_its_port_and_no_other_and_is_not_connected_to() {
    use std::net::{TcpListener, TcpStream, UdpSocket};
    let listen = || TcpListener::bind("127.0.0.1:0").expect("bound");
    let (service, other) = (listen(), listen());
    let port = |listener: &TcpListener| listener.local_addr().expect("an address").port();
    confined(&Reach::terminal().connect(port(&service)), || {
        TcpStream::connect(("127.0.0.1", port(&service))).expect("the service");
        is_denied(TcpStream::connect(("127.0.0.1", port(&other))));
        is_denied(TcpListener::bind("127.0.0.1:0"));
        is_denied(UdpSocket::bind("127.0.0.1:0"));
        is_denied(std::process::Command::new("/bin/true").spawn());
    });
}

#[test]
fn no_other_process_is_looked_into_and_nothing_of_the_kernel_is_changed() {
    use rustix::process::{DumpableBehavior, Pid, Signal, kill_process, set_dumpable_behavior};
    confined(&Reach::terminal(), || {
        let denied = |act: rustix::io::Result<()>| is_denied(act.map_err(io::Error::from));
        denied(kill_process(Pid::from_raw(1).expect("a process"), Signal::URG));
        denied(set_dumpable_behavior(DumpableBehavior::Dumpable));
        denied(rustix::fs::memfd_create("code", rustix::fs::MemfdFlags::CLOEXEC).map(drop));
        is_denied(fs::read("/proc/1/environ"));
        is_denied(fs::read_dir("/proc"));
    });
}

#[test]
fn memory_that_can_be_run_is_not_to_be_had() {
    let file = tempfile::tempfile().expect("a file");
    file.set_len(4096).expect("set");
    confined(&Reach::terminal(), || {
        let room = memmap2::MmapMut::map_anon(4096).expect("memory");
        is_denied(room.make_exec());
        assert!(std::thread::spawn(|| true).join().expect("threads are begun as before"));
    });
}

#[test]
fn a_thread_that_is_begun_later_is_bound_too() {
    let folders = Folders::new();
    confined(&Reach::terminal(), || {
        let file = folders.at("elsewhere/file");
        std::thread::spawn(move || is_denied(fs::read(file))).join().expect("denied");
        std::thread::spawn(|| is_denied(std::net::UdpSocket::bind("127.0.0.1:0"))).join().expect("denied");
    });
}

#[test]
fn no_program_begun_from_here_on_gets_more_rights() {
    confined(&Reach::terminal(), || assert!(rustix::thread::no_new_privs().expect("asked")));
}

#[test]
fn a_process_that_was_not_asked_says_that_it_is_not_confined() {
    let machine = RealMachine::default();
    assert_eq!(machine.confined().to_string(), "not: the program did not confine itself");
}

#[test]
fn a_path_that_is_not_there_grants_nothing() {
    let folders = Folders::new();
    let reach = Reach::terminal().read(&folders.at("absent"));
    confined(&reach, || {
        assert_eq!(fs::read(folders.at("absent")).err().map(|e| e.kind()), Some(ErrorKind::NotFound));
        is_denied(fs::read(folders.at("stick/file")));
    });
}
