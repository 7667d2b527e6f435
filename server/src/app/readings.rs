//! All counters of the rooms under the names of metrics. A new room adds its lines here.

use std::borrow::Cow;

use trolleybus_protocol::codes::CLOSES;
use trolleybus_protocol::sockjs::Transport;

use crate::access::limits::LimitStats;
use crate::admin::Samples;
use crate::bridge::{BridgeStats, OverflowStats};
use crate::bus::BusStats;
use crate::gateway::{HttpStats, TcpStats};
use crate::sockjs::{QueueStats, SocketStats, TransportStats};

/// The counters of the bus.
pub(super) fn bus(samples: &mut Samples, stats: &BusStats) {
    let help = "Messages given to the bus";
    samples.counter("bus_messages", help, vec![("operation", "publish".into())], stats.published);
    samples.counter("bus_messages", help, vec![("operation", "send".into())], stats.sent);
    let help = "Messages taken by consumers; one publish may count many times";
    samples.counter("bus_deliveries", help, vec![], stats.delivered);
    samples.gauge(
        "bus_registrations",
        "Registrations of clients and services",
        vec![],
        stats.registrations,
    );
    discarded(samples, "no_handlers", stats.undelivered);
    discarded(samples, "buffer_full", stats.buffer_full);
    discarded(samples, "unregistered", stats.unregistered);
    discarded(samples, "intercepted", stats.intercepted);
}

/// The counters of the bridge.
pub(super) fn bridge(samples: &mut Samples, stats: &BridgeStats) {
    for (word, count) in &stats.refusals {
        let help = "Envelopes refused, by the word that the client was told";
        samples.counter("refusals", help, vec![("word", (*word).into())], *count);
    }
    for (reason, count) in stats.discarded {
        discarded(samples, reason, count);
    }
    for (result, count) in stats.authentications {
        let help = "Tokens that clients showed, by what they were";
        samples.counter("authentications", help, vec![("result", result.into())], count);
    }
    for (outcome, count) in &stats.requests {
        let help = "Requests of clients that ended, by how";
        samples.counter("requests", help, vec![("outcome", outcome.as_str().into())], *count);
    }
    let help = "Requests of clients that wait for an answer";
    samples.gauge("requests_under_way", help, vec![], stats.requests_under_way);
    let help = "How long requests of clients took until their answer or failure";
    samples.latency("request_seconds", help, vec![], &stats.request_latency);
}

/// What became of messages that clients did not keep up with, by their own choice.
pub(super) fn overflow(samples: &mut Samples, stats: &OverflowStats) {
    discarded(samples, "drop_oldest", stats.dropped_oldest);
    discarded(samples, "latest", stats.replaced);
    let policies = [
        ("close", stats.closed),
        ("drop_oldest", stats.dropped_oldest),
        ("latest", stats.replaced),
    ];
    for (policy, count) in policies {
        let help =
            "Sockets closed (close) and messages dropped (others) because clients read slowly";
        samples.counter("overflow", help, vec![("policy", policy.into())], count);
    }
}

/// What the limits on clients did, at all doors.
pub(super) fn limits(samples: &mut Samples, stats: &LimitStats) {
    for (what, tier, count) in &stats.refused {
        let help = "What was refused for a limit, and whose limit it was";
        let labels = vec![("what", (*what).into()), ("tier", (*tier).into())];
        samples.counter("limit_refusals", help, labels, *count);
    }
    let help = "How often a connection was not read for a while, for its own rate";
    samples.counter("limit_pauses", help, vec![], stats.paused);
}

/// The counters of the bridge over TCP.
pub(super) fn tcp_gateway(samples: &mut Samples, stats: &TcpStats) {
    let help = "Connections of the TCP bridge open now";
    samples.gauge("tcp_connections_open", help, vec![], stats.open);
    let help = "Connections of the TCP bridge opened";
    samples.counter("tcp_connections_opened", help, vec![], stats.opened);
    let help = "Connections of the TCP bridge closed at once, because there were too many";
    samples.counter("tcp_connections_refused", help, vec![], stats.refused);
    let directions = [
        ("in", stats.received_frames, stats.received_bytes),
        ("out", stats.sent_frames, stats.sent_bytes),
    ];
    for (direction, frames, bytes) in directions {
        let labels = || vec![("direction", Cow::Borrowed(direction))];
        let help = "Frames of clients of the TCP bridge (in) and to them (out)";
        samples.counter("tcp_frames", help, labels(), frames);
        let help = "Bytes of frames of clients of the TCP bridge (in) and to them (out)";
        samples.counter("tcp_frame_bytes", help, labels(), bytes);
    }
    authentications(samples, "tcp", &stats.authentications);
}

/// The counters of the HTTP gateway.
pub(super) fn http_gateway(samples: &mut Samples, stats: &HttpStats) {
    for (operation, class, count) in &stats.requests {
        let help = "Requests to the HTTP gateway, by what they asked and the class of their status";
        let labels = vec![("operation", (*operation).into()), ("status", (*class).into())];
        samples.counter("http_requests", help, labels, *count);
    }
    let help = "Streams of server-sent events open now";
    samples.gauge("sse_streams_open", help, vec![], stats.streams_open);
    let help = "Streams of server-sent events opened";
    samples.counter("sse_streams_opened", help, vec![], stats.streams_opened);
    let help = "Messages put into streams of server-sent events";
    samples.counter("sse_events", help, vec![], stats.events);
    discarded(samples, "slow_stream", stats.events_dropped);
    authentications(samples, "http", &stats.authentications);
}

fn authentications(samples: &mut Samples, gateway: &'static str, counts: &[(&'static str, u64)]) {
    for (result, count) in counts {
        let help = "Tokens that clients of gateways showed, by what they were";
        let labels = vec![("gateway", gateway.into()), ("result", (*result).into())];
        samples.counter("gateway_authentications", help, labels, *count);
    }
}

/// The counters of the sockets.
pub(super) fn sockets(samples: &mut Samples, stats: &SocketStats) {
    for line in &stats.transports {
        transport(samples, line);
    }
    let help = "Sockets closed, by the code that the client was told; `client` when it went itself";
    for (code, count) in &stats.closed_by_code {
        let code = if CLOSES.iter().any(|close| close.code == *code) {
            Cow::Owned(code.to_string())
        } else {
            Cow::Borrowed("other")
        };
        samples.counter("sockets_closed", help, vec![("code", code)], *count);
    }
    let by_client = vec![("code", "client".into())];
    samples.counter("sockets_closed", help, by_client, stats.closed_by_client);
    let help = "Sockets refused with 503 before they were open";
    samples.counter("sockets_refused", help, vec![], stats.refused);
    discarded(samples, "slow_consumer", stats.discarded_slow);
    discarded(samples, "socket_gone", stats.discarded_gone);
    queues(samples, &stats.queues);
}

fn transport(samples: &mut Samples, stats: &TransportStats) {
    let TransportStats { transport, open, opened, traffic } = stats;
    let labels = || vec![("transport", Cow::Borrowed(transport.as_str()))];
    samples.gauge("sockets_open", "Sockets open now", labels(), *open);
    samples.counter("sockets_opened", "Sockets opened", labels(), *opened);
    let directions = [
        ("in", traffic.received_messages, traffic.received_bytes),
        ("out", traffic.sent_messages, traffic.sent_bytes),
    ];
    for (direction, messages, bytes) in directions {
        let labels = || [labels(), vec![("direction", direction.into())]].concat();
        let help = "Messages of clients (in) and to clients (out)";
        samples.counter("socket_messages", help, labels(), messages);
        let help = "Bytes of messages of clients (in) and to clients (out), without framing";
        samples.counter("socket_message_bytes", help, labels(), bytes);
    }
    if matches!(transport, Transport::WebSocket | Transport::RawWebSocket) {
        let help = "Messages to clients that went compressed";
        samples.counter("socket_messages_compressed", help, labels(), traffic.compressed_messages);
        let help = "Bytes that compressing messages to clients has saved";
        samples.counter("socket_compression_saved_bytes", help, labels(), traffic.saved_bytes);
    }
}

fn queues(samples: &mut Samples, stats: &QueueStats) {
    let help = "Messages that wait for clients, over all sockets";
    samples.gauge("outbox_messages", help, vec![], stats.outbox_messages);
    let help = "Bytes that wait for clients, over all sockets";
    samples.gauge("outbox_bytes", help, vec![], stats.outbox_bytes);
    let help = "Bytes that wait for the client that is furthest behind";
    samples.gauge("outbox_fullest_bytes", help, vec![], stats.fullest_outbox_bytes);
    let help = "Messages of clients that wait to be carried out";
    samples.gauge("inbox_messages", help, vec![], stats.inbox_messages);
    let help = "Bytes of clients that wait to be carried out";
    samples.gauge("inbox_bytes", help, vec![], stats.inbox_bytes);
}

fn discarded(samples: &mut Samples, reason: &'static str, count: u64) {
    let help = "Messages that reached nobody or not everybody, by reason";
    samples.counter("messages_discarded", help, vec![("reason", reason.into())], count);
}
