//! How a registration, its end, or a write went.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use trolleybus_protocol::{Address, Error, ErrorKind};

use super::hub::Hub;
use super::response::Response;
use super::shared::Shared;
use super::watch::Watch;

/// Resolves when the server has acknowledged a registration, the end of one, or a write. It
/// resolves in any case: with `Timeout` when the server does not answer, as one without receipts
/// does not, such as Vert.x; the registration may stand, and the message may have been taken, all
/// the same.
///
/// - Of a registration it waits for the connection, and for the answer on the present one.
/// - The end of a registration needs no answer where the connection goes before.
///
/// # Cancel safety
/// Dropping it changes nothing but that nobody hears the answer.
#[derive(Debug)]
#[must_use = "a future does nothing unless awaited"]
pub struct Completion(Kind);

#[derive(Debug)]
enum Kind {
    Known(Option<Result<(), Error>>),
    Registration { watch: Watch, address: Address, is_pattern: bool },
    End(Response),
    Write(Response),
}

impl Completion {
    pub(super) fn known(result: Result<(), Error>) -> Self {
        Self(Kind::Known(Some(result)))
    }

    pub(super) fn of_registration(hub: Shared<Hub>, address: &Address, is_pattern: bool) -> Self {
        let watch = Watch::new(hub, None);
        Self(Kind::Registration { watch, address: address.clone(), is_pattern })
    }

    pub(super) fn of_end(response: Response) -> Self {
        Self(Kind::End(response))
    }

    pub(super) fn of_write(response: Response) -> Self {
        Self(Kind::Write(response))
    }
}

impl Future for Completion {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Kind::Known(result) => result.take().map_or(Poll::Pending, Poll::Ready),
            Kind::Registration { watch, address, is_pattern } => {
                watch.poll(context, |hub, _| hub.core.registration(address.as_str(), *is_pattern))
            }
            Kind::End(response) => Pin::new(response).poll(context).map(|answer| match answer {
                Err(error) if is_end_enough(&error) => Ok(()),
                answer => answer.map(drop),
            }),
            Kind::Write(response) => {
                Pin::new(response).poll(context).map(|answer| answer.map(drop))
            }
        }
    }
}

/// Without a connection no message can come either.
fn is_end_enough(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionLost | ErrorKind::Closed)
}
