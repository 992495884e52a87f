//! Which service, which Factory, on whose behalf: fioctl's configuration as it is, and options that come before it.

use super::CourierError;
use super::credentials::{Client as OauthClient, Credentials};
use crate::host::Host;
use crate::text::{shown, shown_path};
use secrecy::SecretString;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::http::Uri;

/// The service when none is configured.
const DEFAULT_SERVER: &str = "https://api.foundries.io";
/// Where tokens are given out when fioctl's configuration does not say.
const DEFAULT_OAUTH: &str = "https://app.foundries.io/oauth";
/// The largest configuration, token or certificate file that is read.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// What is given on the command line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// fioctl's configuration.
    pub config: Option<PathBuf>,
    /// The service's address.
    pub server: Option<String>,
    /// The Factory's name.
    pub factory: Option<String>,
    /// A file with the token; `-` is standard input.
    pub token_file: Option<PathBuf>,
    /// Certificates (PEM) to trust beside the machine's.
    pub ca: Option<PathBuf>,
    /// How long is waited for an answer to go on.
    pub wait: Duration,
}

impl Options {
    /// The certificates (PEM) to trust beside the machine's.
    pub(super) fn certificates(
        &self,
        environment: &dyn Fn(&str) -> Option<String>,
        host: &Host,
    ) -> Result<Option<Vec<u8>>, CourierError> {
        let variable = || environment("CACERT").filter(|path| !path.is_empty()).map(PathBuf::from);
        match self.ca.clone().or_else(variable) {
            Some(path) => Ok(Some(host.disk.read(&path, MAX_FILE_BYTES)?)),
            None => Ok(None),
        }
    }
}

/// The address of a server that a secret may be sent to.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// Without a slash at its end.
    pub base: String,
    /// Host and port.
    pub authority: String,
    /// Its TCP port.
    pub port: u16,
    /// Is it this machine?
    pub is_loopback: bool,
}

impl Server {
    /// Reads an address: `https`, or `http` to this machine itself.
    pub(super) fn parse(text: &str) -> Result<Server, CourierError> {
        let fail = |why: &str| CourierError::Settings(format!("the server \"{}\" {why}", shown(text)));
        let base = text.trim_end_matches('/');
        let uri: Uri =
            base.parse().map_err(|_| fail("is not an address. An example: https://api.foundries.io"))?;
        let authority = uri.authority().ok_or_else(|| fail("has no host"))?.to_string();
        if authority.contains('@') || uri.query().is_some() {
            return Err(fail("holds more than a host and a path"));
        }
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let is_loopback = host.eq_ignore_ascii_case("localhost")
            || host.parse::<core::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        let usual = match uri.scheme_str() {
            Some("https") => 443,
            Some("http") if is_loopback => 80,
            _ => return Err(fail("is not reached over TLS: https is needed, but to this machine itself")),
        };
        let port = uri.port_u16().unwrap_or(usual);
        Ok(Server { base: base.to_owned(), authority, port, is_loopback })
    }
}

/// All that a client needs. It holds secrets: it has no `Debug`.
pub(crate) struct Settings {
    /// The service.
    pub server: Server,
    /// The Factory's name.
    pub factory: String,
    pub(super) credentials: Credentials,
    /// More headers that fioctl's configuration asks for.
    pub(super) headers: BTreeMap<String, String>,
    /// Certificates (PEM) to trust beside the machine's.
    pub(super) ca: Option<Vec<u8>>,
    pub(super) wait: Duration,
    /// What the person should hear about it.
    pub notes: Vec<String>,
}

/// fioctl's file. Members that it does not have are not asked for; others are passed over.
#[derive(Default, Deserialize)]
#[serde(default)]
struct File {
    factory: Option<String>,
    token: Option<String>,
    server: FileServer,
    extraheaders: BTreeMap<String, String>,
    clientcredentials: FileClient,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FileServer {
    url: Option<String>,
    insecure_skip_verify: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FileClient {
    client_id: Option<String>,
    client_secret: Option<String>,
    access_token: Option<String>,
    refresh_token: Option<String>,
    expires_in: Option<f64>,
    created: Option<String>,
    url: Option<String>,
}

impl Settings {
    /// Puts options, environment and fioctl's configuration together, in this order.
    ///
    /// # Errors
    /// There is no Factory or no token, the address may not be sent a token, or a file cannot be read.
    pub(crate) fn read(
        options: &Options,
        environment: &dyn Fn(&str) -> Option<String>,
        host: &Host,
    ) -> Result<Settings, CourierError> {
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        let mut notes = Vec::new();
        let token = token(options, &variable, host)?;
        let file = file(options, &variable, host, &mut notes)?;
        let factory = options.factory.clone().filter(|name| !name.is_empty());
        let factory =
            factory.or_else(|| variable("FIOCTL_FACTORY")).or(filled(file.factory)).ok_or_else(|| {
                CourierError::Settings(
                    "which Factory? Give it with --factory, or in fioctl's configuration".to_owned(),
                )
            })?;
        if factory.starts_with('.') || factory.contains('/') {
            return Err(CourierError::Settings(format!(
                "\"{}\" cannot be a Factory's name",
                shown(&factory)
            )));
        }
        let address = options.server.clone().or(filled(file.server.url));
        let ca = options.certificates(environment, host)?;
        if file.server.insecure_skip_verify == Some(true) {
            notes.push(
                "fioctl's configuration turns the check of certificates off. Here it stays on: give the certificates \
                 of a private service with --ca FILE"
                    .to_owned(),
            );
        }
        let header = variable("TOKEN_HEADER").unwrap_or_else(|| "OSF-TOKEN".to_owned());
        let credentials = match token.or_else(|| filled(file.token).map(SecretString::from)) {
            Some(token) => Credentials::token(header, token)?,
            None => oauth(file.clientcredentials)?,
        };
        Ok(Settings {
            server: Server::parse(address.as_deref().unwrap_or(DEFAULT_SERVER))?,
            factory,
            credentials,
            headers: file.extraheaders,
            ca,
            wait: options.wait,
            notes,
        })
    }
}

impl Settings {
    /// The TCP ports of the service, of what gives out tokens, and of a proxy.
    pub(crate) fn ports(&self) -> Vec<u16> {
        let tokens = self.credentials.server().map(|server| server.port);
        let proxy = ureq::Proxy::try_from_env().map(|proxy| proxy.port());
        [Some(self.server.port), tokens, proxy].into_iter().flatten().collect()
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// The token of `--token-file`, or of the environment.
fn token(
    options: &Options,
    variable: &dyn Fn(&str) -> Option<String>,
    host: &Host,
) -> Result<Option<SecretString>, CourierError> {
    match options.token_file.as_deref() {
        Some(path) => secret_line(path, "the token", host).map(Some),
        None => {
            Ok(variable("COUNTERSIGN_TOKEN").or_else(|| variable("FIOCTL_TOKEN")).map(SecretString::from))
        }
    }
}

/// The first line of a file that nobody else may read; `-` is standard input.
pub(crate) fn secret_line(path: &Path, what: &str, host: &Host) -> Result<SecretString, CourierError> {
    if path == Path::new("-") {
        let line = host.terminal.stdin_line();
        return line
            .map_err(|e| CourierError::Settings(format!("standard input: {what} cannot be read: {e}")));
    }
    if is_open_to_others(path) {
        return Err(CourierError::Settings(format!(
            "others on this machine may read {what} in {}. Make it yours alone: chmod 600 {}",
            shown_path(path),
            shown_path(path)
        )));
    }
    let bytes = zeroize::Zeroizing::new(host.disk.read(path, MAX_FILE_BYTES)?);
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let text = std::str::from_utf8(line)
        .map_err(|_| CourierError::Settings(format!("{}: {what} in it is not text", shown_path(path))))?;
    Ok(SecretString::from(text.trim()))
}

fn is_open_to_others(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o077 != 0)
}

/// fioctl's configuration: where it says, else where fioctl has it, else nothing.
fn file(
    options: &Options,
    variable: &dyn Fn(&str) -> Option<String>,
    host: &Host,
    notes: &mut Vec<String>,
) -> Result<File, CourierError> {
    let named = options.config.clone().or_else(|| variable("FIOCTL_CONFIG").map(PathBuf::from));
    let is_named = named.is_some();
    let usual = || variable("HOME").map(|home| Path::new(&home).join(".config/fioctl.yaml"));
    let Some(path) = named.or_else(usual) else { return Ok(File::default()) };
    let bytes = match host.disk.read(&path, MAX_FILE_BYTES) {
        Err(e) if e.is_missing() && !is_named => return Ok(File::default()),
        read => zeroize::Zeroizing::new(read?),
    };
    if is_open_to_others(&path) {
        notes.push(format!(
            "{} holds secrets, and others on this machine may read it. Make it yours alone: chmod 600 {}",
            shown_path(&path),
            shown_path(&path)
        ));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(File::default());
    }
    // The reader's own words may quote the file, secrets with it: only the place is told.
    serde_saphyr::from_slice::<Option<File>>(&bytes).map(Option::unwrap_or_default).map_err(|e| {
        let place = e.location().map_or(String::new(), |at| format!(", line {}", at.line()));
        CourierError::Settings(format!(
            "{}{place}: this is not fioctl's configuration (YAML)",
            shown_path(&path)
        ))
    })
}

fn oauth(file: FileClient) -> Result<Credentials, CourierError> {
    let access = filled(file.access_token).map(SecretString::from);
    let client = filled(file.client_id).zip(filled(file.client_secret).map(SecretString::from));
    if access.is_none() && client.is_none() {
        return Err(CourierError::Settings(
            "there is no token. Give one with --token-file FILE (mode 0600; - is standard input), in \
             COUNTERSIGN_TOKEN, or log in with fioctl"
                .to_owned(),
        ));
    }
    let created = file.created.as_deref().and_then(crate::host::clock::Time::parse);
    let valid = created.zip(file.expires_in).map(|(at, seconds)| at.plus_seconds(seconds as i64));
    Credentials::oauth(OauthClient {
        server: Server::parse(&filled(file.url).unwrap_or_else(|| DEFAULT_OAUTH.to_owned()))?,
        client,
        access,
        refresh: filled(file.refresh_token).map(SecretString::from),
        valid_until: valid,
    })
}
