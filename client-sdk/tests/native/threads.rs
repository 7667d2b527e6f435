//! What applications hold, between threads.

use trolleybus_client::{
    Client, Completion, Consumer, Errors, EventBus, Message, Opened, Registration, Response,
    Sending, States,
};

#[test]
fn handles_streams_and_futures_go_between_threads() {
    fn is_send_and_sync<T: Send + Sync + 'static>() {}
    is_send_and_sync::<Client>();
    is_send_and_sync::<Message>();
    is_send_and_sync::<Consumer>();
    is_send_and_sync::<Registration>();
    is_send_and_sync::<Completion>();
    is_send_and_sync::<<Client as EventBus>::Producer>();
    is_send_and_sync::<Response>();
    is_send_and_sync::<Sending>();
    is_send_and_sync::<States>();
    is_send_and_sync::<Errors>();
    is_send_and_sync::<Opened>();
}
