//! Who may do what: a principal with its claims, and rules about addresses and bodies.
//!
//! | File | Holds |
//! |---|---|
//! | `config` | [`Permitted`], one rule as a configuration file holds it |
//! | `error` | [`ConfigError`], a value that makes no sense |
//! | `principal` | [`Principal`], who stands behind a connection |
//! | `credentials` | [`Credentials`], where a request carries its token |
//! | `authenticator` | [`Authenticator`], the port to whoever turns tokens into principals |
//! | `template` | addresses in rules that name claims, such as `user.${sub}.inbox` |
//! | `rules` | [`Rules`], compiled for one principal: the first that matches decides |
//! | `body_match` | whether a body has the fields that a rule asks for |
//! | [`limits`] | how much: connections, registrations, messages and bytes |
//! | `origins` | [`Origins`], which pages may use a service |
//! | `policy` | [`Policy`], all rules of a server; [`LivePolicy`], the one in force |
//!
//! ```text
//! Permitted --compile--> Policy --bind(principal)--> Bound { inbound, outbound }
//! ```
//!
//! Nothing here knows a socket, a request or the bus: whatever lets clients in asks here.

mod authenticator;
mod body_match;
mod config;
mod credentials;
mod error;
pub mod limits;
mod origins;
mod policy;
mod principal;
mod rules;
mod template;

pub use authenticator::{AuthFailure, Authenticating, Authenticator};
pub use config::Permitted;
pub use credentials::{Credentials, Token};
pub use error::ConfigError;
pub use origins::{OriginError, Origins};
pub use policy::{Bound, LivePolicy, Policy};
pub use principal::Principal;
pub use rules::{Rules, Verdict};
