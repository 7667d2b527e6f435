//! Whole bridges: bytes become operations of a few sockets on one bridge, in process and in stopped
//! time, and what every client can rely on is checked against a model.
//!
//! - Every request, and every envelope with a receipt, is answered exactly once.
//! - Nothing arrives from an address that the rules do not permit, whatever was registered.
//! - Nothing arrives that is meant for another user than the one who showed a token last.
//! - When all sockets have gone, so have registrations, sockets and tasks.

mod client;
mod tokens;
mod world;

use std::time::Duration;

use tokio::runtime::Builder;

use crate::reader::Reader;
use tokens::TOKENS;
use world::World;

const ADDRESSES: [&str; 13] = [
    "a",
    "b",
    "out.x",
    "out.y.z",
    "m",
    "svc",
    "silent",
    "secret",
    "out.*",
    "#",
    "user.ada.inbox",
    "user.bob.inbox",
    "user.*.inbox",
];
const KINDS: [&str; 4] = ["send", "publish", "register", "unregister"];
const EXTRAS: [&str; 6] = [
    "\"pattern\":true",
    "\"overflow\":\"latest\"",
    "\"overflow\":\"drop_oldest\"",
    "\"overflow\":\"drop_oldest\",\"pattern\":true",
    "\"overflow\":\"nonsense\"",
    "\"pattern\":1",
];
const BODIES: [&str; 6] = ["null", "1", "\"t\"", "{\"k\":\"v\"}", "[{}]", "{\"k\":{\"v\":1e99}}"];
const MOST_OPERATIONS: usize = 150;
/// Longer than all operations together, in stopped time.
const LONGEST: Duration = Duration::from_secs(3600);

pub(crate) fn bridge(data: &[u8]) {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    let all = async {
        let mut world = World::new();
        let mut reader = Reader(data);
        for _ in 0..MOST_OPERATIONS {
            if reader.is_empty() {
                break;
            }
            operate(&mut world, &mut reader).await;
        }
        world.end().await;
    };
    // Stopped time runs on by itself when nothing else can happen.
    let ended = runtime.block_on(async { tokio::time::timeout(LONGEST, all).await });
    assert!(ended.is_ok(), "something waits for ever");
}

async fn operate(world: &mut World, reader: &mut Reader<'_>) {
    let operation = reader.below(20);
    let who = reader.below(world.clients.len());
    if !world.clients[who].is_open() {
        world.open(who).await;
    }
    let (address, body) = (reader.pick(&ADDRESSES), reader.pick(&BODIES));
    let rest = format!("\"address\":\"{address}\",\"body\":{body}");
    match operation {
        0 | 1 => world.say(who, format!("{{\"type\":\"register\",{rest}}}")).await,
        2 => {
            let extra = reader.pick(&EXTRAS);
            world.with_receipt(who, "register", &format!("{extra},{rest}")).await;
        }
        3 => world.say(who, format!("{{\"type\":\"unregister\",{rest}}}")).await,
        4 => world.say(who, format!("{{\"type\":\"publish\",{rest}}}")).await,
        5 => world.say(who, format!("{{\"type\":\"send\",{rest}}}")).await,
        6 | 7 => world.request(who, &rest).await,
        8 => world.answer(who, who, body, false).await,
        9 => world.answer(who, who, body, true).await,
        10 => world.fail(who).await,
        11 => world.answer(who, reader.below(world.clients.len()), body, false).await,
        12 => world.pass(Duration::from_millis(250 * reader.below(40) as u64)).await,
        13 => world.leave(who).await,
        14 => world.say_anything(who, reader.text(200)).await,
        15 => world.with_receipt(who, reader.pick(&KINDS), &rest).await,
        16 => world.log_in(who, reader.pick(&TOKENS)).await,
        17 => world.flood(address, 8 * reader.below(16)),
        18 => world.unregister_pattern(who, address).await,
        _ => world.publish_from_within(address, body),
    }
    world.listen().await;
}
