//! Who the courier speaks for: a token, or OAuth2 client credentials as fioctl keeps them. Nothing here prints itself.

use super::CourierError;
use super::client::Wire;
use super::settings::Server;
use crate::host::clock::Time;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use ureq::http::{HeaderName, HeaderValue};
use zeroize::Zeroizing;

/// Seconds before its end at which an access token is renewed.
const MARGIN: i64 = 30;
/// How long an access token is taken to hold when nobody says.
const UNSAID: f64 = 600.0;

/// How a call says on whose behalf it is made.
pub(super) enum Credentials {
    /// An API token in a header of this name.
    Token(HeaderName, HeaderValue),
    /// OAuth2: an access token that is renewed when it ends.
    Oauth(Box<Mutex<Client>>),
}

/// An OAuth2 client, as `clientcredentials` of fioctl's configuration has it.
pub(super) struct Client {
    /// Where tokens are given out.
    pub server: Server,
    /// Its id and its secret.
    pub client: Option<(String, SecretString)>,
    /// The access token at hand.
    pub access: Option<SecretString>,
    /// What renews it.
    pub refresh: Option<SecretString>,
    /// When it ends, where that is known.
    pub valid_until: Option<Time>,
}

/// What a token server gives.
#[derive(Deserialize)]
struct Grant {
    access_token: String,
    refresh_token: Option<String>,
    expires_in: Option<f64>,
}

impl Credentials {
    pub(super) fn token(header: String, token: SecretString) -> Result<Credentials, CourierError> {
        let fail = |what: &str| {
            CourierError::Settings(format!("{what} cannot be sent in a header: look at the file"))
        };
        let name = HeaderName::try_from(header).map_err(|_| fail("the name in TOKEN_HEADER"))?;
        if token.expose_secret().is_empty() {
            return Err(CourierError::Settings("the token is empty".to_owned()));
        }
        Ok(Credentials::Token(name, secret_value(token.expose_secret()).ok_or_else(|| fail("the token"))?))
    }

    pub(super) fn oauth(client: Client) -> Result<Credentials, CourierError> {
        Ok(Credentials::Oauth(Box::new(Mutex::new(client))))
    }

    /// The header of a call; asks the token server first where that is needed.
    pub(super) fn header(&self, wire: &Wire<'_>) -> Result<(HeaderName, HeaderValue), CourierError> {
        match self {
            Credentials::Token(name, value) => Ok((name.clone(), value.clone())),
            Credentials::Oauth(client) => {
                let mut client = locked(client);
                let ended = client.valid_until.is_some_and(|end| end.plus_seconds(-MARGIN) <= wire.now());
                if client.access.is_none() || ended {
                    client.renew(wire)?;
                }
                let token = client.access.as_ref().map_or("", |token| token.expose_secret());
                // The service wants the access token in base64 once more (measured with fioctl).
                let text = Zeroizing::new(format!("Bearer {}", STANDARD.encode(token)));
                let value = secret_value(&text)
                    .ok_or_else(|| CourierError::refused("log in", "the access token is odd"))?;
                Ok((ureq::http::header::AUTHORIZATION, value))
            }
        }
    }

    /// What gives out tokens, where they are given out.
    pub(super) fn server(&self) -> Option<Server> {
        match self {
            Credentials::Token(..) => None,
            Credentials::Oauth(client) => Some(locked(client).server.clone()),
        }
    }

    /// Forgets an access token that the service does not take any more. Is there a way to another?
    pub(super) fn forget(&self) -> bool {
        match self {
            Credentials::Token(..) => false,
            Credentials::Oauth(client) => {
                let mut client = locked(client);
                client.access = None;
                client.client.is_some()
            }
        }
    }
}

fn locked(client: &Mutex<Client>) -> MutexGuard<'_, Client> {
    // Nobody who holds it panics.
    client.lock().unwrap_or_else(PoisonError::into_inner)
}

fn secret_value(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Client {
    /// Gets an access token: by the refresh token, as fioctl does, else by the client's id and secret.
    fn renew(&mut self, wire: &Wire<'_>) -> Result<(), CourierError> {
        let Some((id, secret)) = self.client.clone() else {
            return Err(CourierError::refused(
                "log in",
                "the access token has ended, and nothing is there to renew it with. Log in with fioctl again",
            ));
        };
        let form = |grant: &str, refresh: Option<&SecretString>| {
            let field = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let mut form = Zeroizing::new(format!(
                "grant_type={grant}&client_id={}&client_secret={}",
                field(&id),
                *Zeroizing::new(field(secret.expose_secret()))
            ));
            if let Some(token) = refresh {
                form.push_str("&refresh_token=");
                form.push_str(&Zeroizing::new(field(token.expose_secret())));
            }
            form
        };
        let refreshed = self
            .refresh
            .take()
            .map(|token| wire.ask_for_token(&self.server, &form("refresh_token", Some(&token))));
        let bytes = match refreshed {
            Some(Ok(bytes)) => bytes,
            _ => wire.ask_for_token(&self.server, &form("client_credentials", None))?,
        };
        let grant: Grant = serde_json::from_slice(&bytes).map_err(|_| {
            CourierError::refused("log in", "the token server's answer holds no access token")
        })?;
        let seconds = grant.expires_in.unwrap_or(UNSAID) as i64;
        self.access = Some(grant.access_token.into());
        self.refresh = grant.refresh_token.map(SecretString::from);
        self.valid_until = Some(wire.now().plus_seconds(seconds));
        Ok(())
    }
}
