//! One body from the wire: never more than its cap, never less than what was announced, and a sign of life meanwhile.

use super::answer::Trouble;
use crate::host::{Busy, Terminal};
use crate::text::shown;
use std::io::{ErrorKind, Read as _};

/// From so many bytes on, somebody who waits is told how far it is.
const LONG: usize = 512 << 10;

/// Reads a body.
pub(super) fn body(
    body: &mut ureq::Body,
    cap: u64,
    what: &str,
    terminal: &dyn Terminal,
) -> Result<Vec<u8>, Trouble> {
    let announced = body.content_length();
    let too_long = || {
        Trouble::Lost(format!(
            "more than {cap} bytes came for {what}, which is the most that is read (of metadata: --max-file-bytes)"
        ))
    };
    if announced.is_some_and(|length| length > cap) {
        return Err(too_long());
    }
    let mut reader = body.as_reader();
    let mut bytes = Vec::new();
    let mut piece = vec![0; 64 << 10];
    let mut busy: Option<Busy> = None;
    loop {
        let count = match reader.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(e) => {
                return Err(Trouble::Lost(format!(
                    "the answer broke off after {} bytes: {}",
                    bytes.len(),
                    said(&e)
                )));
            }
        };
        if (bytes.len() + count) as u64 > cap {
            return Err(too_long());
        }
        bytes.extend_from_slice(&piece[..count]);
        if bytes.len() >= LONG {
            let busy = busy.get_or_insert_with(|| terminal.busy(what));
            busy.tell(&format!("{what}: {}{}", mib(bytes.len() as u64), of(announced)));
        }
    }
    match announced {
        Some(length) if length != bytes.len() as u64 => {
            Err(Trouble::Lost(format!("the answer broke off: {} of {length} bytes came", bytes.len())))
        }
        _ => Ok(bytes),
    }
}

fn mib(bytes: u64) -> String {
    format!("{}.{} MiB", bytes >> 20, ((bytes % (1 << 20)) * 10) >> 20)
}

fn of(announced: Option<u64>) -> String {
    announced.map(|length| format!(" of {}", mib(length))).unwrap_or_default()
}

/// No address is known for the server's name.
const UNKNOWN_NAME: &str = "the server's name is not known here: check --server and the network";

/// What a failed call came to: was anything sent?
pub(super) fn trouble(e: &ureq::Error) -> Trouble {
    use ureq::Error;
    let not_sent = |why: &str| Trouble::NotSent(why.to_owned());
    match e {
        Error::HostNotFound => not_sent(UNKNOWN_NAME),
        Error::ConnectionFailed => {
            not_sent("there is no way to the server: check the network and HTTPS_PROXY")
        }
        Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
            not_sent("the server cannot be reached: it does not answer in time")
        }
        Error::Timeout(_) => Trouble::Lost("no answer came in time (--timeout)".to_owned()),
        Error::ConnectProxyFailed(why) => {
            Trouble::NotSent(format!("the proxy does not let it through: {}", shown(why)))
        }
        Error::Io(e) if e.kind() == ErrorKind::ConnectionRefused => not_sent(
            "nobody answers at the server's address, or at the proxy's: check --server and HTTPS_PROXY",
        ),
        Error::Io(e) if matches!(e.kind(), ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable) => {
            not_sent("there is no way to the server: check the network and HTTPS_PROXY")
        }
        // The system's resolver has no kind of its own for its failures.
        Error::Io(e) if e.to_string().starts_with("failed to lookup address") => not_sent(UNKNOWN_NAME),
        Error::Io(e) => match certificate(e) {
            Some(why) => untrusted(why),
            None => Trouble::Lost(format!("the connection broke: {}", said(e))),
        },
        Error::Rustls(rustls::Error::InvalidCertificate(why)) => untrusted(&format!("{why:?}")),
        Error::BadUri(_) | Error::Http(_) | Error::InvalidProxyUrl | Error::RequireHttpsOnly(_) => {
            Trouble::NotSent(format!("the call cannot be made: {}", shown(&e.to_string())))
        }
        other => Trouble::Lost(format!("the answer cannot be read: {}", shown(&other.to_string()))),
    }
}

fn untrusted(why: &str) -> Trouble {
    Trouble::NotSent(format!(
        "the server's certificate is not one that this machine trusts ({}). For a private service, give its \
         certificates with --ca FILE",
        shown(why)
    ))
}

/// What rustls holds against a certificate, where that is why a connection failed.
fn certificate(e: &std::io::Error) -> Option<&'static str> {
    let inner = e.get_ref()?.downcast_ref::<rustls::Error>()?;
    matches!(inner, rustls::Error::InvalidCertificate(_))
        .then_some("its signature, name or dates do not hold")
}

fn said(e: &std::io::Error) -> String {
    match e.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "nothing more came in time (--timeout)".to_owned(),
        _ => shown(&e.to_string()),
    }
}
