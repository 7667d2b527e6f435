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

mod client_bus {
    consumers!(crate::subject::OverBridge);
    delivery!(crate::subject::OverBridge);
    interceptors!(crate::subject::OverBridge);
    patterns!(crate::subject::OverBridge);
    producers!(crate::subject::OverBridge);
    requests!(crate::subject::OverBridge);
}
