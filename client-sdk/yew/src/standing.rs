//! How a registration stands, kept up to date over reconnects.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use futures_util::StreamExt as _;
use trolleybus_client::{
    Address, Client, ConsumerOptions, Error, ErrorKind, Message, Registration, State, States,
};
use yew::prelude::*;

use crate::provider::{NO_PROVIDER, use_provided};
use crate::state::use_latest;
use crate::task::Task;

/// How a registration stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Standing {
    /// The server has not answered yet, or there is no connection.
    #[default]
    Pending,
    /// Messages come. A server without receipts, such as Vert.x, counts as one that agreed when it
    /// has said nothing for 10 s.
    Registered,
    /// No messages come: it was refused, or the bus is closed. A refused registration is tried
    /// again on the next connection.
    Failed(Error),
}

impl Standing {
    /// True when messages come.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        matches!(self, Self::Registered)
    }

    /// Why no messages come.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        match self {
            Self::Failed(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Result<(), Error>> for Standing {
    fn from(result: Result<(), Error>) -> Self {
        match result {
            Err(error) if error.kind() != ErrorKind::Timeout => Self::Failed(error),
            _ => Self::Registered,
        }
    }
}

/// What makes a registration another one.
#[derive(Debug, Clone, PartialEq)]
struct Key {
    client: Client,
    address: Address,
    options: ConsumerOptions,
}

/// Registers for as long as the component is there and the key stays.
#[hook]
pub(crate) fn use_registration(
    address: Address,
    options: ConsumerOptions,
    on_message: Rc<dyn Fn(Message)>,
) -> Standing {
    let (client, is_provided) = use_provided();
    let key = Key { client, address, options };
    let latest = use_latest(on_message);
    let standing = use_memo(key.clone(), |_| RefCell::new(Standing::Pending));
    let drawing = use_force_update();
    use_effect_with(key, {
        let standing = standing.clone();
        move |key| {
            let on_message = move |message| {
                let latest = latest.borrow().clone();
                latest(message);
            };
            let registration = Rc::new(register(key, on_message));
            let tell = move |now: Standing| {
                if standing.replace(now.clone()) != now {
                    drawing.force_update();
                }
            };
            let (states, weak) = (key.client.states(), Rc::downgrade(&registration));
            let task = Task::spawn(follow(states, weak, key.options.local_only, tell));
            move || drop((task, registration))
        }
    });
    let standing = standing.borrow().clone();
    match standing {
        Standing::Failed(_) if !is_provided => {
            Standing::Failed(Error::new(ErrorKind::Closed, NO_PROVIDER))
        }
        standing => standing,
    }
}

#[cfg(target_arch = "wasm32")]
fn register(key: &Key, on_message: impl Fn(Message) + 'static) -> Registration {
    key.client.consumer_fn_with(key.address.clone(), &key.options, on_message)
}

/// No effect runs outside of a browser, so this is never called; there callbacks would have to be
/// `Send`, and those of components are not.
#[cfg(not(target_arch = "wasm32"))]
fn register(key: &Key, on_message: impl Fn(Message) + 'static) -> Registration {
    drop(on_message);
    key.client.consumer_fn_with(key.address.clone(), &key.options, drop)
}

/// Tells how the registration stands, anew after each connect. It holds no handle of it: who drops
/// the registration ends it at once.
async fn follow(
    mut states: States,
    registration: Weak<Registration>,
    is_local: bool,
    tell: impl Fn(Standing),
) {
    loop {
        let Some(completion) = registration.upgrade().map(|it| it.completion()) else { return };
        tell(completion.await.into());
        // The first state may be the one that was just told of; asking twice costs nothing.
        loop {
            match states.next().await {
                Some(State::Open { .. } | State::Closed { .. }) => break,
                Some(_) if is_local => {}
                Some(_) => tell(Standing::Pending),
                None => return,
            }
        }
    }
}
