//! The one place where rooms meet: a configuration becomes a running server.
//!
//! | File | Holds |
//! |---|---|
//! | `config` | [`Config`] and its parts, plain values |
//! | `load` | file, environment and flags into a [`Config`], with errors that say where |
//! | `site` | the static site |
//! | `http` | the accept loop over hyper |
//! | `run` | build, run, drain |

mod config;
mod http;
mod load;
mod run;
mod site;

pub use config::{Config, GatewayConfig, ServerConfig, SockJsConfig};
pub use load::{ENVIRONMENT_PREFIX, EXAMPLE, LoadError, load};
pub use run::{App, bind};
