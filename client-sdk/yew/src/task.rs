//! Tasks in the browser that end with their owner.

use std::future::Future;
use std::pin::Pin;

use futures_util::future::{AbortHandle, abortable};
use trolleybus_client::Client;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

/// Runs a task of your own on the bus for as long as the component is mounted: a loop over a
/// consumer's stream, for instance. With another bus or other `deps` it is stopped and another
/// started; it is stopped where it waits, so it must be one that can be dropped there, as
/// everything of the client can be (see its cancel safety).
///
/// ```
/// use futures_util::StreamExt;
/// use trolleybus_yew::{BusMessage, EventBus, use_bus_task};
/// use yew::prelude::*;
///
/// #[derive(PartialEq, Properties)]
/// struct Props {
///     desk: AttrValue,
/// }
///
/// #[component]
/// fn Clerk(props: &Props) -> Html {
///     use_bus_task(props.desk.clone(), |bus, desk| {
///         let mut orders = bus.consumer(desk.as_str());
///         async move {
///             while let Some(order) = orders.next().await {
///                 // Fails when who ordered is gone.
///                 let _ = order.reply("done");
///             }
///         }
///     });
///     Html::default()
/// }
/// # let _ = html! { <Clerk desk="orders" /> };
/// ```
#[hook]
pub fn use_bus_task<D, F, T>(deps: D, task: F)
where
    D: PartialEq + 'static,
    F: FnOnce(Client, &D) -> T + 'static,
    T: Future<Output = ()> + 'static,
{
    let bus = crate::use_bus();
    use_effect_with((bus, deps), move |(bus, deps)| {
        let task = Task::spawn(task(bus.clone(), deps));
        move || drop(task)
    });
}

/// Stops the task when it is dropped.
#[derive(Debug)]
pub(crate) struct Task(AbortHandle);

impl Task {
    pub(crate) fn spawn(task: impl Future<Output = ()> + 'static) -> Self {
        // Boxed, so that what runs tasks is there once and not for each kind of task.
        Self::spawn_boxed(Box::pin(task))
    }

    fn spawn_boxed(task: Pin<Box<dyn Future<Output = ()>>>) -> Self {
        let (task, handle) = abortable(task);
        spawn_local(async move {
            // Ended or stopped, it is over.
            let _ = task.await;
        });
        Self(handle)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
