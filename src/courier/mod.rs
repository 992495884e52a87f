//! The connected side: the Factory's API. The only room that opens sockets, and only behind the feature `courier`.
//!
//! Everything that the service answers is foreign: it is read up to a cap, refused where it is not what was asked for,
//! and shown escaped. What a call came to is read back, never believed: see [`acts`].

pub(crate) mod acts;
mod answer;
mod baseline;
mod client;
mod credentials;
mod deltas;
mod download;
mod error;
pub(crate) mod fetch;
mod held;
mod list;
mod offline;
pub(crate) mod rollout;
mod root_update;
mod settings;
mod shelf;
mod status;
pub(crate) mod submit;
mod wave;
pub(crate) mod witness;

pub use answer::message as error_message;
pub(crate) use client::Client;
pub(crate) use deltas::{New, deltas_of};
pub(crate) use error::CourierError;
pub(crate) use list::{Page, page};
pub(crate) use settings::{Options, Settings, secret_line};
pub(crate) use shelf::{Shelf, make_folder};
pub(crate) use status::{GroupStatus, TargetCount, WaveStatus};
pub(crate) use wave::{Rollout, Wave, typed};

/// The largest answer that is read where no file of metadata is asked for, in bytes.
const SMALL: u64 = 4 << 20;
