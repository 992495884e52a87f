//! The connected side: the Factory's API. The only room that opens sockets, and only behind the feature `courier`.
//!
//! Everything that the service answers is foreign: it is read up to a cap, refused where it is not what was asked for,
//! and shown escaped. What a call came to is read back, never believed: see [`acts`].

pub mod acts;
mod answer;
mod baseline;
mod client;
mod credentials;
mod deltas;
mod download;
mod error;
pub mod fetch;
mod held;
mod list;
mod offline;
pub mod rollout;
mod root_update;
mod settings;
mod shelf;
mod status;
pub mod submit;
mod wave;
pub mod witness;

pub use client::Client;
pub use deltas::{New, deltas_of};
pub use error::CourierError;
pub use list::{Page, page};
pub use settings::{Options, Settings, secret_line};
pub use shelf::{Shelf, make_folder};
pub use status::{GroupStatus, TargetCount, WaveStatus};
pub use wave::{Rollout, Wave};

/// The largest answer that is read where no file of metadata is asked for, in bytes.
const SMALL: u64 = 4 << 20;
