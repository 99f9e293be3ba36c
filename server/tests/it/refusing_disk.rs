//! A database that takes nothing: the board says so instead of standing still.

use sqlx::{Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::support::{Rig, Ring, now};

#[tokio::test]
async fn a_board_that_cannot_write_down_what_it_hears_is_stale_until_it_can() {
    let rig = Rig::start().await;
    let name = rig.sim.directory().queues[0].name.clone();
    rig.queue("it is heard", &name, |row| row["quality"]["waiting"] == "inferred").await;
    let file = rig.data().join("callboard.sqlite");
    let mut vandal =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file)).await.unwrap();
    let forbid = "create trigger forbid before insert on event begin select raise(abort, 'no'); end;
                  create trigger forbid_pulse before update on feed_pulse begin select raise(abort, 'no'); end";
    vandal.execute(forbid).await.unwrap();

    let ring = |call_id| Ring::new(&rig.sim, call_id, 0, 0, now()).ringing().to_string();
    assert_eq!(rig.post_webhook(&ring("7800000000000000001")).await.status(), 503);
    rig.queue("its numbers are not known", &name, |row| row["quality"]["waiting"] == "unknown").await;
    let page = rig.get("/wall").await.text().await.unwrap();
    assert!(page.contains("Callboard cannot write its database"), "{page}");

    vandal.execute("drop trigger forbid; drop trigger forbid_pulse").await.unwrap();
    assert_eq!(rig.post_webhook(&ring("7800000000000000002")).await.status(), 200);
    rig.queue("it is back", &name, |row| row["quality"]["waiting"] == "inferred").await;
    let is_gap = |feed: &serde_json::Value| feed["gaps"][0]["cause"] == "the disk refused events";
    rig.eventually("the refused event is a gap", is_gap, "/api/v1/feed").await;
    rig.stop().await;
}
