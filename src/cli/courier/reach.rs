//! Which files and which ports a command of the courier may reach: what its arguments and its configuration name, and what
//! a look-up of names and certificates needs. The kernel refuses the rest (`host::confine`).

use super::{Desk, Verb, variable};
use crate::cli::reach::Given;
use crate::courier::make_folder;
use crate::host::Reach;
use std::path::PathBuf;

/// Names, addresses, and whom this machine trusts. `/etc` is here as a whole: a network that comes and goes replaces the
/// files in it.
const NETWORK: &[&str] = &[
    "/etc",
    "/run/systemd/resolve",
    "/run/NetworkManager",
    "/run/resolvconf",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/usr/lib/ssl",
    "/var/lib/ca-certificates",
];
/// Names are asked for over TCP where an answer is long.
const NAMES: u16 = 53;

/// What this command may reach; without ports, no network.
pub(super) fn of(given: &Given<'_>, verb: &Verb, ports: Vec<u16>, desk: &Desk<'_>) -> Reach {
    let named = given.named(Reach::terminal().machine());
    if ports.is_empty() {
        return named;
    }
    let service = &desk.service;
    let given_files = [&service.token_file, &service.config, &service.ca].into_iter().cloned();
    let from_environment = ["FIOCTL_CONFIG", "CACERT", "SSL_CERT_FILE", "SSL_CERT_DIR"].map(variable);
    let usual = [variable("HOME").map(|home| home.join(".config/fioctl.yaml")), desk.usual_witnesses()];
    let network = NETWORK.iter().map(|path| Some(PathBuf::from(path)));
    let read = given_files.chain(from_environment).chain(usual).chain(network).flatten();
    let reach = read.fold(named, |reach, path| reach.read(&path));
    let reach = ports.into_iter().chain([NAMES]).fold(reach, Reach::connect);
    match verb {
        // Downloads that nobody asked to keep lie there while the request is composed.
        Verb::Request(_) => with_heads(reach.write(&std::env::temp_dir()), desk),
        Verb::Submit(_) | Verb::Witness(_) => with_heads(reach, desk),
        _ => reach,
    }
}

/// And the heads of stations' logs. Their folder is made first: all of the one above it would be granted else.
fn with_heads(reach: Reach, desk: &Desk<'_>) -> Reach {
    let Some(folder) = desk.heads() else { return reach };
    // Where it cannot be made, what wants to write into it says so.
    let _ = make_folder(&*desk.context.host.disk, &folder);
    reach.write(&folder)
}

#[cfg(test)]
mod tests {
    use super::super::{Arguments, command};
    use super::*;
    use crate::cli::Context;
    use crate::cli::context::Global;
    use crate::host::Host;
    use clap::FromArgMatches as _;

    fn reach(arguments: &[&str], ports: Vec<u16>) -> Reach {
        let command = command();
        let all = ["countersign-courier"].iter().chain(arguments);
        let matches = command.clone().try_get_matches_from(all).expect("arguments");
        let Arguments { service, verb } = Arguments::from_arg_matches(&matches).expect("arguments");
        let host = Host::real();
        let global = Global { station: None, json: false, color: service.color };
        let desk = Desk { context: Context::new(&host, global), service, settings: None.into() };
        of(&Given::find(&command, &matches), &verb, ports, &desk)
    }

    #[test]
    fn only_the_ports_that_are_configured_and_those_of_names_are_reached() {
        assert_eq!(reach(&["wave", "list"], vec![443, 8443]).ports(), [443, 8443, NAMES]);
    }

    #[test]
    fn a_token_a_list_of_devices_and_a_bundle_are_read_and_downloads_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for name in ["token", "devices"] {
            std::fs::write(at(name), "x").expect("written");
        }
        std::fs::create_dir(at("bundle")).expect("made");
        let text = |path: PathBuf| path.to_str().expect("text").to_owned();
        let (token, list) = (text(at("token")), format!("@{}", text(at("devices"))));
        let (state, bundle) = (text(at("state")), text(at("bundle")));
        let rollout = reach(&["--token-file", &token, "wave", "rollout", "v1", "--uuids", &list], vec![443]);
        let submit = reach(&["--state", &state, "submit", &bundle], vec![443]);
        let fetch = reach(&["fetch", "--out", &text(at("out/downloads"))], vec![443]);
        for (reach, expected) in [
            (&rollout, Reach::default().read(&at("token"))),
            (&rollout, Reach::default().read(&at("devices"))),
            (&submit, Reach::default().read(&at("bundle"))),
            (&submit, Reach::default().write(&at("state"))),
            (&fetch, Reach::default().write(folder.path())),
        ] {
            assert!(expected.rules().iter().all(|rule| reach.rules().contains(rule)), "{expected:?}");
        }
        assert!(
            at("state").is_dir()
                && !submit.rules().contains(&Reach::default().read(folder.path()).rules()[0])
        );
    }
}
