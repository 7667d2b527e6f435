//! What all sockets of a bridge share.

use std::time::Duration;

use super::authentication::Authentication;
use super::config::BridgeOptions;
use super::hooks::HookPort;
use super::sockets::Sockets;
use super::stats::Counters;
use crate::access::LivePolicy;
use crate::bus::Bus;

/// What all sockets of a bridge share.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) bus: Bus,
    pub(super) policy: LivePolicy,
    pub(super) options: BridgeOptions,
    pub(super) authentication: Option<Authentication>,
    pub(super) hook: Option<HookPort>,
    /// How long a hook or the authenticator may take over one answer.
    pub(super) patience: Duration,
    pub(super) sockets: Sockets,
    pub(super) counters: Counters,
}
