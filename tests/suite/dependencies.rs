//! The station's program holds no network code: no crate in its dependency tree opens sockets.

use std::process::Command;

/// Crates that open sockets, or exist to be used with ones that do.
const SOCKET_CRATES: &[&str] = &[
    "actix-rt",
    "async-io",
    "async-net",
    "async-std",
    "attohttpc",
    "curl",
    "curl-sys",
    "h2",
    "hickory-resolver",
    "hyper",
    "hyper-util",
    "isahc",
    "libcurl-sys",
    "mio",
    "native-tls",
    "nix",
    "openssl",
    "openssl-sys",
    "polling",
    "quinn",
    "reqwest",
    "rustls",
    "smol",
    "socket2",
    "ssh2",
    "surf",
    "tiny_http",
    "tokio",
    "tonic",
    "tungstenite",
    "ureq",
    "warp",
    "zmq",
];

/// The crates that a build links, by name.
fn linked_crates(features: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(features)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo tree runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
}

#[test]
fn no_crate_of_the_station_opens_sockets() {
    let linked = linked_crates(&[]);
    // The list is looked at at all: crates that are surely there are in it.
    for known in ["countersign", "age", "ed25519-dalek", "rustix"] {
        assert!(linked.iter().any(|name| name == known), "{known} is missing from {linked:?}");
    }
    let found: Vec<&String> = linked.iter().filter(|name| SOCKET_CRATES.contains(&name.as_str())).collect();
    assert!(found.is_empty(), "crates that open sockets: {found:?}");
}

#[test]
fn the_courier_has_one_client_one_tls_and_no_runtime() {
    let linked = linked_crates(&["--features", "courier"]);
    let mut found: Vec<&str> =
        linked.iter().map(String::as_str).filter(|name| SOCKET_CRATES.contains(name)).collect();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, ["rustls", "ureq"]);
    assert!(!linked.iter().any(|name| name == "ring"), "a second cryptography");
}

#[test]
fn the_auditor_s_program_links_nothing_that_seals_splits_or_prints_a_key() {
    let linked = linked_crates(&["--no-default-features"]);
    for known in ["countersign", "ed25519-dalek", "sha2"] {
        assert!(linked.iter().any(|name| name == known), "{known} is missing from {linked:?}");
    }
    let of_the_station =
        ["age", "blahaj", "tar", "flate2", "clap_mangen", "clap_complete", "qrcode", "png", "zxcvbn"];
    for name in of_the_station {
        assert!(!linked.iter().any(|linked| linked == name), "{name}");
        assert!(linked_crates(&[]).iter().any(|linked| linked == name), "{name} is not one of the station's");
    }
}

#[test]
fn what_opens_sockets_is_banned_in_deny_toml_too() {
    let deny = include_str!("../../deny.toml");
    for name in ["hyper", "mio", "native-tls", "openssl", "reqwest", "rustls", "socket2", "tokio", "ureq"] {
        assert!(deny.contains(&format!("{{ name = \"{name}\"")), "{name}");
        assert!(SOCKET_CRATES.contains(&name), "{name}");
    }
}

#[test]
fn no_source_file_of_ours_names_a_socket() {
    let mut folders = vec![std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                files += 1;
                let text = std::fs::read_to_string(&path).expect("a source file");
                for socket in ["std::net", "TcpStream", "UdpSocket", "UnixStream", "rustix::net"] {
                    assert!(!text.contains(socket), "{} names {socket}", path.display());
                }
            }
        }
    }
    assert!(files > 30, "only {files} source files were looked at");
}

/// All Rust source below some folders, as one text.
fn source(folders: &[&str]) -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open: Vec<_> = folders.iter().map(|folder| root.join(folder)).collect();
    let mut text = String::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).expect("listed").map(|entry| entry.expect("read").path()));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            text.push_str(&std::fs::read_to_string(&path).expect("read"));
        }
    }
    text
}

#[test]
fn each_crate_is_used_and_its_line_says_what_for() {
    let manifest = include_str!("../../Cargo.toml");
    let mut checked = 0;
    for (section, folders) in
        [("[dependencies]", &["src"][..]), ("[dev-dependencies]", &["src", "tests", "benches"])]
    {
        let source = source(folders);
        let lines = manifest.split_once(section).expect("a section").1.lines().skip(1);
        let mut before = "";
        for line in lines.take_while(|line| !line.starts_with('[')) {
            if let Some((name, _)) = line.split_once(" = ") {
                assert!(before.starts_with("# "), "{name}: no word of what it is for");
                let name = name.replace('-', "_");
                let used = [format!("{name}::"), format!("use {name};")];
                assert!(used.iter().any(|one| source.contains(one.as_str())), "{name} is used nowhere");
                checked += 1;
            }
            before = line;
        }
    }
    assert!(checked > 30, "{checked}");
}
