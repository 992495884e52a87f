//! Tokens: where they come from, where they go, and that nobody else sees them.

use super::harness::{Place, Service, text};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("set");
}

#[test]
fn a_token_that_others_may_read_is_not_taken_and_standard_input_is() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &[]);
    mode(&place.path("full"), 0o644);
    place.courier(&service, &["wave", "list"]).ended(2).says("chmod 600");
    let mut command = place.courier_command();
    command.args(["--server", &service.url, "--factory", "acme", "--token-file", "-", "wave", "list"]);
    command.stdin(std::fs::File::open(place.path("full")).expect("opened"));
    place.run(command).done();
    let mut command = place.courier_command();
    command
        .args(["--server", &service.url, "--factory", "acme", "wave", "list"])
        .env("COUNTERSIGN_TOKEN", "full");
    place.run(command).done();
    let mut command = place.courier_command();
    command.args(["--server", &service.url, "--factory", "acme", "wave", "list"]);
    place.run(command).ended(2).says("there is no token");
}

#[test]
fn fioctls_configuration_is_read_as_it_is() {
    let place = Place::new();
    let service = Service::start(&place.path("state"), &[]);
    std::fs::create_dir(place.path(".config")).expect("made");
    let file = place.path(".config/fioctl.yaml");
    let yaml = format!(
        "clientcredentials:\n  access_token: \"\"\n  client_id: \"\"\n  created: \"\"\n  expires_in: 0\n  url: \"\"\n\
         extraheaders:\n  x-team: release\nfactory: acme\nno-such-member: [1, {{a: b}}]\nserver:\n  \
         insecure_skip_verify: true\n  url: {}\ntoken: full\n",
        service.url
    );
    std::fs::write(&file, yaml).expect("written");
    mode(&file, 0o644);
    let run = |arguments: &[&str]| {
        let mut command = place.courier_command();
        command.args(arguments);
        place.run(command)
    };
    run(&["wave", "list"]).done().says("others on this machine may read it").says("--ca");
    // Options come before it.
    run(&["--factory", "nobody", "wave", "list"]).ended(20);
    let mut command = place.courier_command();
    command.args(["wave", "list"]).env("FIOCTL_CONFIG", place.path("elsewhere.yaml"));
    place.run(command).ended(1).says("elsewhere.yaml");
    // What is wrong in it is told by its place, never quoted.
    std::fs::write(&file, "token: [secret-in-the-file\n").expect("written");
    let ran = run(&["wave", "list"]).ended(2);
    assert!(!format!("{ran:?}").contains("secret-in-the-file"), "{ran:?}");
}

#[test]
fn a_token_goes_over_tls_or_to_this_machine_only() {
    let place = Place::new();
    for server in
        ["http://api.example", "http://127.0.0.1.example:80", "ftp://127.0.0.1", "https://a@b", "nowhere"]
    {
        let mut command = place.courier_command();
        command.args([
            "--server",
            server,
            "--factory",
            "acme",
            "--token-file",
            &place.text("full"),
            "wave",
            "list",
        ]);
        place.run(command).ended(2);
    }
}

#[test]
fn no_token_is_ever_printed() {
    let place = Place::new();
    let token = "s3cr3t-token-of-nobody";
    std::fs::write(place.path("full"), token).expect("written");
    let service = Service::start(&place.path("state"), &["--token", &format!("{token}=targets:read")]);
    for fault in ["", "401", "403", "redirect", "redirect-same", "html", "500", "garbage", "drop", "oversize"]
    {
        if !fault.is_empty() {
            service.fault(&format!("{fault}:.:0"));
        }
        for arguments in [&["wave", "list"][..], &["--json", "wave", "status", "v1"]] {
            let ran = place.courier(&service, arguments);
            assert!(!format!("{ran:?}").contains(token), "{fault}: {ran:?}");
        }
        service.no_more_faults();
    }
    service.nothing_leaked();
}

#[test]
fn oauth_over_tls_with_a_private_authority() {
    let place = Place::new();
    place.certificates("IP:127.0.0.1");
    let (cert, key) = (place.text("tls.pem"), place.text("tls.key"));
    let client = "id-1:s3cr3t/client=targets:read,devices:read";
    let service =
        Service::start(&place.path("state"), &["--cert", &cert, "--key", &key, "--oauth-client", client]);
    let file = place.path("fioctl.yaml");
    let configuration = |more: &str| {
        std::fs::write(
            &file,
            format!(
                "factory: acme\nserver:\n  url: {0}\nclientcredentials:\n  url: {0}/oauth\n  client_id: id-1\n  \
                 client_secret: s3cr3t/client\n{more}",
                service.url
            ),
        )
        .expect("written");
        mode(&file, 0o600);
    };
    let run = |more: &[&str]| {
        let mut command = place.courier_command();
        command.args(["--config", text(&file)]).args(more).args(["wave", "list"]);
        place.run(command)
    };
    configuration("");
    run(&[]).ended(20).says("--ca");
    run(&["--ca", &place.text("ca.pem")]).done();
    run(&["--ca", &place.text("full")]).ended(2).says("no certificate");
    // One that has ended is renewed by the refresh token; one that is not known any more, by the client itself.
    configuration(
        "  access_token: old\n  refresh_token: gone\n  expires_in: 60\n  created: 2020-01-01T00:00:00Z\n",
    );
    run(&["--ca", &place.text("ca.pem")]).done();
    configuration("  access_token: never-known\n");
    run(&["--ca", &place.text("ca.pem")]).done();
    // A client that is not known: a sentence, and no secret in it.
    std::fs::write(&file, std::fs::read_to_string(&file).expect("read").replace("id-1", "id-2"))
        .expect("written");
    let ran = run(&["--ca", &place.text("ca.pem")]).ended(20).says("client's id and secret");
    assert!(!format!("{ran:?}").contains("s3cr3t"), "{ran:?}");
}
