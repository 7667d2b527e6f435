//! References to what all handles share, counted apart for each thread.

use std::ops::Deref;
use std::sync::Arc;

use super::shared::Shared;

/// As an `Arc` of it, but its count is in memory of its own, of which a bus has one for each
/// thread: every request and every registration holds one, and a count for all would go from
/// processor to processor with each.
#[derive(Clone)]
pub(super) struct Near(Arc<Apart>);

/// In cache lines other than those of the count.
#[repr(align(128))]
struct Apart(Arc<Shared>);

impl Near {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self(Arc::new(Apart(Arc::clone(shared))))
    }
}

impl Deref for Near {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0.0
    }
}
