//! What sends: producers, interceptors on the way, room in the outbox.

use std::time::Duration;

use futures_util::StreamExt;
use trolleybus_client::{
    BusConsumer, BusMessage, BusProducer, Client, ConsumerOptions, DeliveryOptions, ErrorKind,
    EventBus, Interception, OutboxPolicy,
};

use super::server::{Server, quick, request, settled, shout, soon};

#[tokio::test]
async fn writes_tell_whether_anybody_is_there() {
    let server = Server::start();
    let client = server.open().await;
    let _served = server.bus.consumer("served");
    for producer in [client.sender("served"), client.publisher("served")] {
        soon(producer.write("hello")).await.unwrap();
    }
    for producer in [client.sender("nobody"), client.publisher("nobody")] {
        let error = soon(producer.write("hello")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoHandlers);
    }
}

#[tokio::test]
async fn interceptors_change_drop_and_fail() {
    let server = Server::start();
    let client = server.open().await;
    let _shout = shout(&client, "shout");
    settled(&client).await;
    let guard = client.add_outbound_interceptor(|context| match context.address().as_str() {
        "shout" => {
            context.set_body("changed").unwrap();
            Interception::Continue
        }
        "dropped" => Interception::Drop,
        "failed" => Interception::fail(7, "not today"),
        _ => Interception::Continue,
    });
    assert_eq!(request(&client, "shout").await.unwrap(), "CHANGED");
    assert_eq!(request(&client, "dropped").await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(request(&client, "failed").await.unwrap_err().code(), 7);
    soon(client.sender("dropped").write("x")).await.unwrap();
    drop(guard);
    assert_eq!(request(&client, "shout").await.unwrap(), "HELLO");
    let _guard = client.add_inbound_interceptor(|context| {
        if context.address().as_str() == "shout" {
            return Interception::fail(8, "not in");
        }
        Interception::Continue
    });
    assert_eq!(request(&client, "shout").await.unwrap_err().code(), 8);
}

#[tokio::test]
async fn who_waits_for_room_loses_nothing_and_keeps_its_order() {
    let server = Server::start();
    let options = quick().outbox_len(10).outbox_policy(OutboxPolicy::Wait);
    let client = Client::with_options(&server.url(), options);
    let mut numbers = client.consumer_with("numbers", ConsumerOptions::new().max_buffered(1000));
    soon(numbers.completion()).await.unwrap();
    for number in 0..1000_u32 {
        let options = DeliveryOptions::default();
        soon(client.publish_when_possible("numbers", &number, options)).await.unwrap();
    }
    for number in 0..1000_u32 {
        let message = soon(numbers.next()).await.unwrap();
        assert_eq!(message.body().parse::<u32>().unwrap(), number);
    }
}

#[tokio::test]
async fn waiting_for_room_can_be_given_up_and_ends_with_the_client() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/eventbus", listener.local_addr().unwrap());
    let client = Client::with_options(&url, quick().outbox_len(1));
    soon(client.room()).await.unwrap();
    client.publish("a", "first").unwrap();
    let given_up = client.send_when_possible("a", "second", DeliveryOptions::default());
    assert!(tokio::time::timeout(Duration::from_millis(20), given_up).await.is_err());
    let waiting = client.publish_when_possible("a", "third", DeliveryOptions::default());
    let (waiting, room, ()) =
        tokio::join!(soon(waiting), soon(client.room()), async { client.close() });
    assert_eq!(waiting.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(room.unwrap_err().kind(), ErrorKind::Closed);
    // The listener never answered, so nothing was sent.
    drop(listener);
}
