//! What we build: the npm package, the UI, the site that carries both, and the servers.

pub(crate) mod gzip;
mod sdk_package;
pub(crate) mod server;
mod shrink;
pub(crate) mod site;
pub(crate) mod size;
mod ui_bundle;
