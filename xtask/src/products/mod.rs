//! What we build: the npm package, the UI, the site that carries both, the servers, and
//! the examples in Rust.

mod guide;
pub(crate) mod gzip;
mod reference;
pub(crate) mod rust_examples;
pub(crate) mod sdk_package;
pub(crate) mod server;
mod shrink;
pub(crate) mod site;
pub(crate) mod size;
mod ui_bundle;
