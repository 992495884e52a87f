//! Calls to the service, one at a time: bounded in size and time, no redirects, and the token to the configured host only.

use super::answer::{Trouble, message};
use super::credentials::Credentials;
use super::settings::Server;
use super::{CourierError, SMALL, Settings, download};
use crate::host::Host;
use crate::host::clock::Time;
use crate::json::{Document, Limits};
use crate::text::shown;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;
use std::time::Duration;
use ureq::http::{HeaderName, HeaderValue, Method, Request, Response, header};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};

/// How often something that changes nothing is asked for.
const TRIES: u32 = 3;
/// The longest wait that the service may ask for before the next try.
const LONGEST_WAIT: u64 = 60;
/// How many times the wait for a sign of life a whole body may take.
const BODY_WAITS: u32 = 30;
/// The most bytes of an error's body that are read.
const MAX_ERROR_BYTES: u64 = 64 << 10;
/// What stays as it is in a place of a path: RFC 3986's unreserved characters.
const PLACE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An answer of the service: 200, 201, 202 or 204.
pub(super) struct Answer {
    pub body: Vec<u8>,
}

/// Whatever a server answered.
pub(super) struct Said {
    pub status: u16,
    /// `Content-Type`.
    pub kind: String,
    pub body: Vec<u8>,
}

/// The service, for one Factory.
pub(crate) struct Client<'h> {
    wire: Wire<'h>,
    server: Server,
    factory: String,
    credentials: Credentials,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What carries calls: one agent, and the host's clock and terminal.
pub(super) struct Wire<'h> {
    agent: ureq::Agent,
    host: &'h Host,
}

/// A path's place: a name that was given or read, percent-encoded.
///
/// # Errors
/// The name is `.` or `..`, which would lead to another place.
pub(super) fn place(name: &str) -> Result<String, CourierError> {
    if matches!(name, "" | "." | "..") {
        return Err(CourierError::Settings(format!("\"{name}\" cannot be a name")));
    }
    Ok(utf8_percent_encode(name, PLACE).to_string())
}

impl<'h> Client<'h> {
    /// A client. Nothing is sent yet.
    pub(crate) fn new(settings: Settings, host: &'h Host) -> Result<Client<'h>, CourierError> {
        let odd =
            |name: &str| CourierError::Settings(format!("the header \"{}\" cannot be sent", shown(name)));
        let headers = settings.headers.iter().map(|(name, value)| {
            let mut value = HeaderValue::from_str(value).map_err(|_| odd(name))?;
            value.set_sensitive(true);
            Ok((HeaderName::try_from(name).map_err(|_| odd(name))?, value))
        });
        let headers = headers.collect::<Result<_, CourierError>>()?;
        let wire = Wire { agent: agent(&settings.server, settings.ca.as_deref(), settings.wait)?, host };
        let Settings { server, factory, credentials, .. } = settings;
        Ok(Client { wire, server, factory, credentials, headers })
    }

    /// The Factory's name.
    pub(crate) fn factory(&self) -> &str {
        &self.factory
    }

    /// The machine.
    pub(super) fn host(&self) -> &'h Host {
        self.wire.host
    }

    /// A path below the Factory's own: `/ota/factories/F/…`.
    pub(super) fn factory_path(&self, rest: &str) -> Result<String, CourierError> {
        Ok(format!("/ota/factories/{}/{rest}", place(&self.factory)?))
    }

    /// A path in the Factory's repository of metadata.
    pub(super) fn repository_path(&self, rest: &str) -> Result<String, CourierError> {
        Ok(format!("/ota/repo/{}/api/v1/user_repo/{rest}", place(&self.factory)?))
    }

    /// Is this address the configured service's? Returns its path and query.
    pub(super) fn path_of<'a>(&self, address: &'a str) -> Option<&'a str> {
        let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
        let Some(rest) = rest else { return address.starts_with('/').then_some(address) };
        let (authority, _) = rest.split_once('/')?;
        let path = &rest[authority.len()..];
        // A configured path before the API's own is the server's, and stands in our address already.
        let prefix = self.server.base.split_once("://")?.1.strip_prefix(&self.server.authority)?;
        authority.eq_ignore_ascii_case(&self.server.authority).then(|| path.strip_prefix(prefix))?
    }

    /// Reads JSON; what changes nothing may be asked for again. `None` is 404, which by itself proves no absence.
    ///
    /// # Errors
    /// The service refuses, or no whole answer comes that is JSON of at most `cap` bytes.
    pub(super) fn read(&self, what: &str, path: &str, cap: u64) -> Result<Option<Vec<u8>>, CourierError> {
        self.repeated(what, &|| self.once(Method::GET, path, None, cap, what))
    }

    /// Posts what changes nothing, and may be sent again.
    pub(super) fn try_out(
        &self,
        what: &str,
        path: &str,
        body: &[u8],
    ) -> Result<Option<Vec<u8>>, CourierError> {
        self.repeated(what, &|| self.once(Method::POST, path, Some(body), SMALL, what))
    }

    /// Sends something once. What became of it is for the caller to find out: see [`super::acts`].
    pub(super) fn send(&self, method: Method, path: &str, body: Option<&[u8]>) -> Result<Answer, Trouble> {
        self.once(method, path, body, SMALL, "the answer")
    }

    fn repeated(
        &self,
        what: &str,
        call: &dyn Fn() -> Result<Answer, Trouble>,
    ) -> Result<Option<Vec<u8>>, CourierError> {
        let doing = format!("read {what}");
        let mut tried = 0;
        let mut renewed = false;
        loop {
            tried += 1;
            let trouble = match call().and_then(|answer| is_json(what, answer)) {
                Ok(answer) => return Ok(Some(answer.body)),
                Err(Trouble::Refused { status: 404, .. }) => return Ok(None),
                Err(Trouble::Refused { status: 401, .. }) if !renewed && self.credentials.forget() => {
                    renewed = true;
                    continue;
                }
                Err(trouble) => trouble,
            };
            let wait = match &trouble {
                Trouble::Refused { retry_after, .. } => retry_after.unwrap_or(5),
                _ => u64::from(2 * tried - 1),
            };
            if tried == TRIES || !trouble.may_pass() || wait > LONGEST_WAIT {
                let sentence = trouble.sentence(&self.factory);
                return Err(CourierError::refused(
                    &doing,
                    match trouble {
                        Trouble::Lost(_) => {
                            format!("{sentence}. It was asked {TRIES} times: try again later")
                        }
                        _ => sentence,
                    },
                ));
            }
            self.host().terminal.err(&format!(
                "Cannot {doing} yet: {}. Trying again in {wait} s\n",
                trouble.sentence(&self.factory)
            ));
            self.host().clock.sleep(wait * 1000);
        }
    }

    fn once(
        &self,
        method: Method,
        path: &str,
        body: Option<&[u8]>,
        cap: u64,
        what: &str,
    ) -> Result<Answer, Trouble> {
        let own = |e: CourierError| Trouble::NotSent(e.to_string());
        let (name, value) = self.credentials.header(&self.wire).map_err(own)?;
        let mut request =
            Request::builder().method(method).uri(format!("{}{path}", self.server.base)).header(name, value);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        self.wire.call(request, body, cap, what)
    }
}

impl<'h> Wire<'h> {
    /// A wire to a server that is sent no token.
    pub(super) fn new(
        server: &Server,
        ca: Option<&[u8]>,
        wait: Duration,
        host: &'h Host,
    ) -> Result<Wire<'h>, CourierError> {
        Ok(Wire { agent: agent(server, ca, wait)?, host })
    }

    pub(super) fn now(&self) -> Time {
        self.host.clock.now()
    }

    pub(super) fn ask_for_token(&self, server: &Server, form: &str) -> Result<Vec<u8>, CourierError> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}/token/", server.base))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = self.call(request, Some(form.as_bytes()), SMALL, "the token server's answer");
        let answer = answer.and_then(|answer| is_json("the token server's answer", answer));
        let why = |trouble| match trouble {
            Trouble::Refused { status, message, .. } => format!(
                "the token server {} answered {status}: {message}. Check the client's id and secret, or log in with \
                 fioctl again",
                shown(&server.authority)
            ),
            other => other.sentence(""),
        };
        answer.map(|answer| answer.body).map_err(|trouble| CourierError::refused("log in", why(trouble)))
    }

    /// Posts text, and hands over whatever comes back: a witness says much by its status.
    pub(super) fn post_text(&self, address: &str, text: &str, cap: u64) -> Result<Said, Trouble> {
        let request = Request::builder().method(Method::POST).uri(address);
        let request = request.header(header::CONTENT_TYPE, "text/plain; charset=utf-8");
        let mut response = self.open(request, Some(text.as_bytes()))?;
        judge_head(&response)?;
        let kind = text_of(&response, &header::CONTENT_TYPE).unwrap_or_default().to_owned();
        let status = response.status().as_u16();
        let body = download::body(response.body_mut(), cap, "the witness's answer", &*self.host.terminal)?;
        Ok(Said { status, kind, body })
    }

    fn open(
        &self,
        request: ureq::http::request::Builder,
        body: Option<&[u8]>,
    ) -> Result<Response<ureq::Body>, Trouble> {
        let odd = |e: ureq::http::Error| {
            Trouble::NotSent(format!("the call cannot be made: {}", shown(&e.to_string())))
        };
        let response = match body {
            Some(body) => self.agent.run(request.body(body).map_err(odd)?),
            None => self.agent.run(request.body(()).map_err(odd)?),
        };
        response.map_err(|e| download::trouble(&e))
    }

    fn call(
        &self,
        request: ureq::http::request::Builder,
        body: Option<&[u8]>,
        cap: u64,
        what: &str,
    ) -> Result<Answer, Trouble> {
        let mut response = self.open(request, body)?;
        judge_head(&response)?;
        let status = response.status().as_u16();
        let retry_after = text_of(&response, &header::RETRY_AFTER).and_then(|text| text.trim().parse().ok());
        match status {
            200 | 201 | 202 | 204 => {
                if text_of(&response, &header::CONTENT_TYPE).is_some_and(|kind| kind.contains("html")) {
                    return Err(Trouble::Elsewhere(format!(
                        "a web page came instead of {what}: a network that wants you to sign in, or a wrong --server"
                    )));
                }
                let body = download::body(response.body_mut(), cap, what, &*self.host.terminal)?;
                Ok(Answer { body })
            }
            400..=499 => {
                // What the refusal says is worth having; that it cannot be read changes nothing.
                let body =
                    download::body(response.body_mut(), MAX_ERROR_BYTES, "the refusal", &*self.host.terminal);
                let message = body.map(|body| message(&body)).unwrap_or_default();
                Err(Trouble::Refused { status, message, retry_after })
            }
            _ => Err(Trouble::Lost(format!(
                "the answer was {status}: {}",
                if status < 500 {
                    "the service never answers so"
                } else {
                    "the service, or something in front of it, is not well"
                }
            ))),
        }
    }
}

fn text_of<'r, B>(response: &'r Response<B>, name: &HeaderName) -> Option<&'r str> {
    response.headers().get(name)?.to_str().ok()
}

/// Refuses what the service never answers, before its body is read.
fn judge_head<B>(response: &Response<B>) -> Result<(), Trouble> {
    if response.status().is_redirection() {
        let to = text_of(response, &header::LOCATION).unwrap_or("nowhere");
        let to: String = to.chars().take(200).collect();
        return Err(Trouble::Elsewhere(format!("the answer leads elsewhere, to {}", shown(&to))));
    }
    let encoding = text_of(response, &header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(Trouble::Lost("the answer is compressed, which was not asked for".to_owned()));
    }
    Ok(())
}

/// Refuses a body that is not JSON to its end.
fn is_json(what: &str, answer: Answer) -> Result<Answer, Trouble> {
    let limits = Limits::of_bytes(answer.body.len() as u64);
    match Document::parse(what, &answer.body[..], limits) {
        Ok(_) => Ok(answer),
        Err(e) => Err(Trouble::Lost(format!("the answer is not whole JSON: {e}"))),
    }
}

/// One agent: no redirects, no compression, no second use of a connection that may have died.
fn agent(server: &Server, ca: Option<&[u8]>, wait: Duration) -> Result<ureq::Agent, CourierError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls =
        TlsConfig::builder().unversioned_rustls_crypto_provider(provider).root_certs(roots(ca)?).build();
    let mut config = ureq::Agent::config_builder()
        .user_agent(concat!("countersign-courier/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        .https_only(!server.is_loopback)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(0)
        .timeout_resolve(Some(wait))
        .timeout_connect(Some(wait))
        .timeout_per_read(Some(wait))
        .timeout_per_write(Some(wait))
        .timeout_recv_response(Some(wait))
        .timeout_recv_body(Some(wait * BODY_WAITS))
        .tls_config(tls);
    if server.is_loopback {
        config = config.proxy(None);
    }
    Ok(config.build().new_agent())
}

/// The certificates that this machine trusts, and those of `--ca`.
fn roots(ca: Option<&[u8]>) -> Result<RootCerts, CourierError> {
    let own = rustls_native_certs::load_native_certs().certs;
    let mut all: Vec<Certificate<'static>> =
        own.iter().map(|one| Certificate::from_der(one).to_owned()).collect();
    if let Some(pem) = ca {
        let before = all.len();
        for item in ureq::tls::parse_pem(pem) {
            if let Ok(PemItem::Certificate(one)) = item {
                all.push(one);
            }
        }
        if all.len() == before {
            return Err(CourierError::Settings(
                "--ca: there is no certificate (PEM) in this file".to_owned(),
            ));
        }
    }
    Ok(RootCerts::from(all))
}
