//! The limits as a whole, with time passed in.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use trolleybus_protocol::codes::{Close, Refusal};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn ip(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

fn limits(set: impl FnOnce(&mut LimitsConfig)) -> (Limits, Instant) {
    let mut config = LimitsConfig::none();
    set(&mut config);
    config.validate().unwrap();
    (Limits::new(&config), Instant::now())
}

/// How many of `tries` messages pass at `now`, paused or not.
fn passing(connection: &Admitted, tries: usize, now: Instant) -> usize {
    let passes = |_: &usize| {
        let admission = connection.admit_message(10, || now);
        matches!(admission, Admission::Pass | Admission::PassThenPause(_))
    };
    (0..tries).filter(passes).count()
}

#[test]
fn without_limits_the_clock_is_not_even_read() {
    let (none, now) = (Limits::none(), Instant::now());
    let connection = none.admit_connection(ip("192.0.2.1"), now).unwrap();
    let clock = || -> Instant { panic!("the clock was read") };
    assert_eq!(connection.admit_message(1 << 30, clock), Admission::Pass);
    assert_eq!(connection.admit_to("a", clock), Ok(()));
    assert!(none.admit_tcp("192.0.2.1".parse().unwrap(), now).is_some());
}

#[test]
fn sockets_of_one_address_are_bounded_and_their_places_free_again() {
    let (limits, now) = limits(|config| config.ip.connections = 2);
    let first = limits.admit_connection(ip("192.0.2.1"), now).unwrap();
    let _second = limits.admit_connection(ip("192.0.2.1"), now).unwrap();
    let _other = limits.admit_connection(ip("192.0.2.2"), now).unwrap();
    let third = limits.admit_connection(ip("::ffff:192.0.2.1"), now);
    assert_eq!(third.err(), Some(Close::TOO_MANY_CONNECTIONS));
    drop(first);
    assert!(limits.admit_connection(ip("192.0.2.1"), now).is_ok());
}

#[test]
fn tcp_connections_count_apart_from_sockets() {
    let (limits, now) = limits(|config| config.ip.tcp_connections = 1);
    let address = "2001:db8::1".parse().unwrap();
    let place = limits.admit_tcp(address, now).unwrap();
    assert!(limits.admit_tcp("2001:db8::2".parse().unwrap(), now).is_none());
    assert!(limits.admit_connection(Some(address), now).is_ok());
    drop(place);
    assert!(limits.admit_tcp(address, now).is_some());
}

#[test]
fn sockets_that_are_only_told_to_go_are_bounded_too() {
    let (limits, now) = limits(|config| config.ip.connections = 1);
    let handshake = || limits.admit_handshake(ip("192.0.2.1"), now);
    let places = [handshake().unwrap(), handshake().unwrap()];
    assert!(handshake().is_none() && limits.admit_handshake(ip("192.0.2.2"), now).is_some());
    drop(places);
    assert!(handshake().is_some() && limits.admit_handshake(None, now).is_some());
}

#[test]
fn a_fast_connection_is_paused_and_nothing_of_it_refused() {
    let (limits, now) = limits(|config| {
        config.connection.messages_per_second = 10;
        config.connection.message_burst = 10;
    });
    let connection = limits.admit_connection(ip("192.0.2.1"), now).unwrap();
    for _ in 0..10 {
        assert_eq!(connection.admit_message(1, || now), Admission::Pass);
    }
    let Admission::PassThenPause(pause) = connection.admit_message(1, || now) else { panic!() };
    assert_eq!(pause, SECOND / 10);
    assert_eq!(passing(&connection, 1, now + SECOND), 1);
}

#[test]
fn bytes_are_paced_like_messages() {
    let (limits, now) = limits(|config| {
        config.connection.bytes_per_second = 1000;
        config.connection.byte_burst = 1000;
    });
    let connection = limits.admit_connection(ip("192.0.2.1"), now).unwrap();
    assert_eq!(connection.admit_message(1000, || now), Admission::Pass);
    let paused = connection.admit_message(5000, || now);
    assert_eq!(paused, Admission::PassThenPause(5 * SECOND));
}

#[test]
fn connections_of_one_address_share_a_rate_that_refuses() {
    let (limits, now) = limits(|config| {
        config.ip.messages_per_second = 10;
        config.ip.message_burst = 20;
    });
    let connections = [1, 2].map(|_| limits.admit_connection(ip("192.0.2.1"), now).unwrap());
    let other = limits.admit_connection(ip("192.0.2.2"), now).unwrap();
    assert_eq!(passing(&connections[0], 15, now), 15);
    assert_eq!(passing(&connections[1], 15, now), 5);
    assert_eq!(connections[1].admit_message(1, || now), Admission::Refuse);
    assert_eq!(passing(&other, 15, now), 15);
    assert_eq!(passing(&connections[1], 15, now + SECOND), 10);
}

#[test]
fn a_new_connection_inherits_the_debts_of_its_address() {
    let (limits, now) = limits(|config| {
        config.ip.messages_per_second = 10;
        config.ip.message_burst = 20;
    });
    let connect = || limits.admit_connection(ip("192.0.2.1"), now).unwrap();
    assert_eq!(passing(&connect(), 100, now), 20);
    assert_eq!(passing(&connect(), 100, now), 0);
}

#[test]
fn a_user_is_one_wherever_it_comes_from() {
    let (limits, now) = limits(|config| {
        config.user.connections = 2;
        config.user.messages_per_second = 10;
        config.user.message_burst = 10;
    });
    let connect = |last: u8| {
        let connection = limits.admit_connection(ip(&format!("192.0.2.{last}")), now).unwrap();
        connection.set_user(Some("ada"), now).map(|()| connection)
    };
    let (first, second) = (connect(1).unwrap(), connect(2).unwrap());
    assert_eq!(connect(3).err(), Some(Close::TOO_MANY_CONNECTIONS));
    assert_eq!((passing(&first, 7, now), passing(&second, 7, now)), (7, 3));
    // The same user again, as with a fresh token, takes no second place.
    first.set_user(Some("ada"), now).unwrap();
    second.set_user(None, now).unwrap();
    assert!(connect(4).is_ok());
}

#[test]
fn registrations_are_bounded_by_address_network_and_user() {
    let (limits, now) = limits(|config| {
        config.address.registrations = 1;
        config.ip.registrations = 3;
        config.user.registrations = 2;
    });
    let connection = limits.admit_connection(ip("192.0.2.1"), now).unwrap();
    let held: Vec<_> =
        ["a", "b", "c"].map(|a| connection.admit_registration(a, now).unwrap()).into();
    let refused = Some(Refusal::TooManyRegistrations);
    assert_eq!(connection.admit_registration("d", now).err(), refused);
    let elsewhere = limits.admit_connection(ip("192.0.2.2"), now).unwrap();
    assert_eq!(elsewhere.admit_registration("a", now).err(), refused);
    // What was refused holds no place.
    let d = elsewhere.admit_registration("d", now).unwrap();
    assert_eq!(connection.set_user(Some("ada"), now).err(), Some(Close::TOO_MANY_CONNECTIONS));
    drop(held);
    drop(d);
    elsewhere.set_user(Some("ada"), now).unwrap();
    let _two = ["a", "b"].map(|a| elsewhere.admit_registration(a, now).unwrap());
    assert_eq!(elsewhere.admit_registration("c", now).err(), refused);
    assert!(connection.admit_registration("c", now).is_ok());
}

#[test]
fn one_address_of_the_bus_takes_so_much_from_everybody() {
    let (limits, now) = limits(|config| {
        config.address.messages_per_second = 5;
        config.address.message_burst = 5;
    });
    let first = limits.admit_connection(ip("192.0.2.1"), now).unwrap();
    let second = limits.admit_connection(None, now).unwrap();
    assert!((0..5).all(|_| first.admit_to("hot", || now).is_ok()));
    assert_eq!(second.admit_to("hot", || now), Err(Refusal::RateLimited));
    assert_eq!(second.admit_to("cold", || now), Ok(()));
    assert_eq!(second.admit_to("hot", || now + SECOND), Ok(()));
}

#[test]
fn who_goes_on_after_many_refusals_is_closed() {
    let (limits, now) = limits(|config| {
        config.max_refusals = 30;
        config.ip.messages_per_second = 1;
        config.ip.message_burst = 1;
        config.address.messages_per_second = 1;
        config.address.message_burst = 1;
    });
    let connection = limits.admit_connection(ip("192.0.2.1"), now).unwrap();
    assert_eq!(connection.admit_message(1, || now), Admission::Pass);
    let refused = (0..100).take_while(|_| connection.admit_message(1, || now) == Admission::Refuse);
    assert_eq!(refused.count(), 30);
    assert_eq!(connection.admit_message(1, || now), Admission::Close);
    // Whoever is refused at an address only is closed as well.
    let local = limits.admit_connection(None, now).unwrap();
    assert_eq!((0..50).filter(|_| local.admit_to("a", || now).is_ok()).count(), 1);
    assert_eq!(local.admit_message(1, || now), Admission::Close);
}

#[test]
fn exempt_networks_have_no_limits_of_the_network() {
    let (limits, now) = limits(|config| {
        config.exempt_networks = vec!["127.0.0.0/8".parse().unwrap()];
        config.connection.messages_per_second = 1;
        config.connection.message_burst = 1;
        config.ip.connections = 1;
        config.ip.tcp_connections = 1;
    });
    let connections = [1, 2].map(|_| limits.admit_connection(ip("127.0.0.1"), now).unwrap());
    assert_eq!(connections[0].admit_message(1, || now), Admission::Pass);
    assert_eq!(connections[0].admit_message(1, || now), Admission::Pass);
    let places = [1, 2].map(|_| limits.admit_tcp("127.0.0.1".parse().unwrap(), now));
    assert!(places.iter().all(Option::is_some));
}

#[test]
fn messages_without_a_connection_share_the_rates_and_hear_how_long_to_wait() {
    let (limits, now) = limits(|config| {
        config.ip.messages_per_second = 10;
        config.ip.message_burst = 2;
        config.user.messages_per_second = 1;
        config.user.message_burst = 1;
        config.address.messages_per_second = 1;
        config.address.message_burst = 1;
    });
    let from = ip("192.0.2.1");
    let connection = limits.admit_connection(from, now).unwrap();
    assert_eq!(passing(&connection, 1, now), 1);
    assert_eq!(limits.admit_from(from, 0, now), Ok(()));
    assert_eq!(limits.admit_from(from, 0, now), Err(SECOND / 10));
    assert_eq!((limits.admit_from(None, 0, now), limits.admit_by("ada", 0, now)), (Ok(()), Ok(())));
    assert_eq!(limits.admit_by("ada", 0, now), Err(SECOND));
    assert_eq!(limits.admit_to("a", now), Ok(()));
    assert_eq!((limits.admit_to("a", now), limits.admit_to("b", now)), (Err(SECOND), Ok(())));
    let refused = limits.stats().refused;
    for tier in ["ip", "user", "address"] {
        assert!(refused.contains(&("message", tier, 1)), "{tier}: {refused:?}");
    }
}

#[test]
fn long_addresses_are_limited_each_and_not_kept() {
    let (limits, now) = limits(|config| {
        config.address.messages_per_second = 1;
        config.address.message_burst = 1;
    });
    let long = "a\u{e9}".repeat(100_000);
    for last in ["x", "y"] {
        let address = format!("{long}{last}");
        assert!(limits.admit_to(&address, now).is_ok());
        assert!(limits.admit_to(&address, now).is_err());
    }
    let longest = limits.longest_address();
    assert!(longest <= 300, "{longest}");
}
