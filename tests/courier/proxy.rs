//! A proxy on the way: it carries what it cannot read, and never sees a token.

use super::harness::{Place, Ran, Service};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the stand-in is called on the other side of the proxy. Nothing resolves it.
const NAME: &str = "factory.invalid";

/// A proxy that lets every `CONNECT` through to one address, or none, and keeps all that it was sent.
struct Proxy {
    port: u16,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Proxy {
    fn start(to: Option<String>) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let port = listener.local_addr().expect("an address").port();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let kept = sent.clone();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, to, kept) = (client.expect("a client"), to.clone(), kept.clone());
                std::thread::spawn(move || carry(client, to.as_deref(), &kept));
            }
        });
        Proxy { port, sent }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// All bytes that clients sent.
    fn sent(&self) -> String {
        String::from_utf8_lossy(&self.sent.lock().expect("held by nobody")).into_owned()
    }
}

fn carry(mut client: TcpStream, to: Option<&str>, kept: &Mutex<Vec<u8>>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|count| count == 1) {
        head.push(byte[0]);
    }
    kept.lock().expect("held by nobody").extend_from_slice(&head);
    let Some(to) = to else {
        // It may be gone already.
        let _ = client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
        return;
    };
    let mut server = TcpStream::connect(to).expect("the stand-in is there");
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").expect("answered");
    let (mut up, mut down) = (server.try_clone().expect("cloned"), client.try_clone().expect("cloned"));
    std::thread::spawn(move || {
        // Either side may end the connection at any time.
        let _ = std::io::copy(&mut server, &mut down);
        let _ = down.shutdown(std::net::Shutdown::Write);
    });
    let mut piece = [0; 4096];
    while let Ok(count) = client.read(&mut piece) {
        kept.lock().expect("held by nobody").extend_from_slice(&piece[..count]);
        if count == 0 || up.write_all(&piece[..count]).is_err() {
            break;
        }
    }
    let _ = up.shutdown(std::net::Shutdown::Write);
}

const TOKEN: &str = "s3cr3t-token-of-nobody";

/// A service over TLS under a name of its own, and the way to run the courier against it.
fn service(place: &Place) -> Service {
    place.certificates(&format!("DNS:{NAME}"));
    std::fs::write(place.path("full"), TOKEN).expect("written");
    let (cert, key) = (place.text("tls.pem"), place.text("tls.key"));
    let token = format!("{TOKEN}=targets:read,devices:read");
    Service::start(&place.path("state"), &["--cert", &cert, "--key", &key, "--token", &token])
}

fn list(place: &Place, server: &str, environment: &[(&str, &str)]) -> Ran {
    let mut command = place.courier_command();
    command.args(["--server", server, "--factory", "acme", "--token-file", &place.text("full")]);
    command.args(["--ca", &place.text("ca.pem"), "--timeout", "3", "wave", "list"]);
    command.envs(environment.iter().copied());
    place.run(command)
}

#[test]
fn a_proxy_carries_the_calls_and_sees_no_token() {
    let place = Place::new();
    let service = service(&place);
    let to = service.url.trim_start_matches("https://").to_owned();
    let server = format!("https://{NAME}");
    for variable in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY"] {
        let proxy = Proxy::start(Some(to.clone()));
        list(&place, &server, &[(variable, &proxy.url())]).done();
        let sent = proxy.sent();
        assert!(sent.starts_with(&format!("CONNECT {NAME}:443 HTTP/1.1\r\n")), "{variable}: {sent:?}");
        assert!(!sent.contains(TOKEN) && !sent.to_lowercase().contains("osf-token"), "{variable}: {sent:?}");
    }
}

#[test]
fn what_no_proxy_names_and_this_machine_itself_are_asked_without_one() {
    let place = Place::new();
    let service = service(&place);
    let proxy = Proxy::start(None);
    let server = format!("https://{NAME}");
    list(
        &place,
        &server,
        &[("HTTPS_PROXY", &proxy.url()), ("NO_PROXY", "elsewhere.example,factory.invalid")],
    )
    .ended(20)
    .says("name is not known here");
    let plain = Service::start(&place.path("plain"), &["--token", &format!("{TOKEN}=targets:read")]);
    list(&place, &plain.url, &[("HTTPS_PROXY", &proxy.url()), ("HTTP_PROXY", &proxy.url())]).done();
    assert_eq!(proxy.sent(), "");
    drop(service);
}

#[test]
fn a_proxy_that_refuses_or_is_not_there_is_told_and_its_password_is_not() {
    let place = Place::new();
    let proxy = Proxy::start(None);
    place.certificates(&format!("DNS:{NAME}"));
    std::fs::write(place.path("full"), TOKEN).expect("written");
    let server = format!("https://{NAME}");
    let with_password = format!("http://me:s3cr3t-password@127.0.0.1:{}", proxy.port);
    let refused = list(&place, &server, &[("HTTPS_PROXY", &with_password)]).ended(20).says("the proxy");
    assert!(!format!("{refused:?}").contains("s3cr3t"), "{refused:?}");
    assert!(!proxy.sent().contains(TOKEN), "{}", proxy.sent());
    list(&place, &server, &[("HTTPS_PROXY", "http://127.0.0.1:1")]).ended(20).says("proxy");
}
