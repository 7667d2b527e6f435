//! What operators see and do: health, metrics, and a small HTTP API.
//!
//! | File | Holds |
//! |---|---|
//! | `config` | [`AdminConfig`], plain and serializable; [`Secret`], a text that is never shown |
//! | `handle` | [`Admin`], the routers that `app` mounts |
//! | `guard` | who may ask: the token, and no web pages |
//! | `health` | [`Health`], `/healthz`, `/readyz` |
//! | `samples` | [`Samples`], what was measured, as Prometheus text and as JSON |
//! | `process` | what the system says of this process |
//! | `ports` | what this room asks of the others: [`Ports`] |
//! | `rates` | messages per second out of counters |
//! | `answer` | JSON answers, pages and refusals |
//! | `api` | one file for each thing that can be looked at |
//!
//! Nothing is counted here. Counters live in the rooms that do the work, and are read when
//! somebody asks.

mod answer;
mod api;
mod config;
mod guard;
mod handle;
mod health;
mod ports;
mod process;
mod rates;
mod samples;

pub use config::{AdminConfig, Secret};
pub use handle::Admin;
pub use health::{Health, Phase};
pub use ports::{
    AddressView, Addresses, Messages, Ports, Readings, RegistrationView, ReloadError, Settings,
    SocketView, Sockets,
};
pub use samples::Samples;
