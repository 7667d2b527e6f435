//! What every event bus promises, whoever implements the trait: one suite for all of them.
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use trolleybus_tests::support;

/// Runs the named tests of a group against a kind of bus.
macro_rules! run {
    ($subject:ty, $group:ident: $($test:ident)*) => {
        mod $group {
            $(
                #[tokio::test]
                async fn $test() {
                    let subject = <$subject as crate::subject::Subject>::start().await;
                    crate::$group::$test(&subject).await;
                }
            )*
        }
    };
}

#[macro_use]
mod consumers;
#[macro_use]
mod delivery;
#[macro_use]
mod interceptors;
#[macro_use]
mod patterns;
#[macro_use]
mod producers;
#[macro_use]
mod requests;
mod subject;

mod server_bus {
    consumers!(crate::subject::OneProcess);
    delivery!(crate::subject::OneProcess);
    interceptors!(crate::subject::OneProcess);
    patterns!(crate::subject::OneProcess);
    producers!(crate::subject::OneProcess);
    requests!(crate::subject::OneProcess);
}

/// What a client promises that cannot await its registrations yet. To hold it to everything, name
/// the groups as above, with `OverBridge`.
mod client_bus {
    run!(crate::subject::OverBridge, delivery:
        nobody_there_is_no_error
        addresses_are_plain_text
        messages_that_want_no_reply_take_replies_in_silence
        typed_bodies_say_what_does_not_fit
        messages_bound_to_a_side_reach_its_own_consumers
    );
    run!(crate::subject::OverBridge, requests:
        only_the_first_reply_counts
        nobody_there_fails_at_once
        giving_an_answer_up_harms_nobody
    );
}
