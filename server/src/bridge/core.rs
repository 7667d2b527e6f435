//! What all sockets of a bridge share.

use std::sync::Arc;
use std::time::Duration;

use super::authentication::Authentication;
use super::config::BridgeOptions;
use super::hooks::HookPort;
use super::overflow;
use super::sockets::Sockets;
use super::stats::Counters;
use crate::access::LivePolicy;
use crate::access::limits::Limits;
use crate::bus::Bus;

/// What all sockets of a bridge share.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) bus: Bus,
    pub(super) policy: LivePolicy,
    pub(super) options: BridgeOptions,
    pub(super) authentication: Option<Authentication>,
    pub(super) limits: Limits,
    /// How often clients did not keep up.
    pub(super) overflow: Arc<overflow::Counters>,
    pub(super) hook: Option<HookPort>,
    /// How long a hook or the authenticator may take over one answer.
    pub(super) patience: Duration,
    pub(super) sockets: Sockets,
    pub(super) counters: Counters,
}
