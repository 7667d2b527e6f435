//! Many come and go, and nothing stays. `examples/abuse.rs churn` does it ten thousand times and
//! measures memory as well.

use serde_json::json;
use tokio::runtime::Handle;

use crate::support::soon;
use crate::victim::{Victim, say, settle, sockjs};

#[tokio::test]
async fn cycles_leave_registrations_and_tasks_where_they_were() {
    let mut victim = Victim::start().await;
    victim.serves().await;
    let before = Handle::current().metrics().num_alive_tasks();
    for number in 0..300 {
        let mut client = sockjs(victim.addr, &format!("churn{number}")).await;
        say(&mut client, &json!({"type": "register", "address": "churn"})).await;
        say(&mut client, &json!({"type": "publish", "address": "churn", "body": number})).await;
        let heard = settle(&mut client).await;
        assert!(heard.iter().any(|envelope| envelope["body"] == number), "{heard:?}");
    }
    victim.is_left_alone().await;
    soon(async {
        while Handle::current().metrics().num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    })
    .await;
    victim.serves().await;
}
