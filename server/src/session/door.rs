//! The port to whoever knows how many sockets a peer may ask for.

use std::any::Any;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

/// Held as long as the socket is.
pub(crate) type Place = Box<dyn Any + Send + Sync>;

type Admit = dyn Fn(Option<SocketAddr>) -> Option<Place> + Send + Sync;

/// Asked before there is a socket whether its peer may have one, 503 otherwise.
#[derive(Clone)]
pub struct Door(Arc<Admit>);

impl Door {
    /// A door that gives each peer a place, to be held as long as the socket is, or none.
    pub fn new<P: Send + Sync + 'static>(
        admit: impl Fn(Option<SocketAddr>) -> Option<P> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move |peer| admit(peer).map(|place| Box::new(place) as Place)))
    }

    pub(crate) fn admit(&self, peer: Option<SocketAddr>) -> Option<Place> {
        (self.0)(peer)
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").finish_non_exhaustive()
    }
}
