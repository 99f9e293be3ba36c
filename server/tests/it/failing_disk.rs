//! A database that does not answer: what is not known is not told as if there were none of it.

use server::{Purpose, run, telemetry};
use sqlx::{Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::{Rig, config_for};

/// Makes the record of gaps unreadable.
async fn destroy_gaps(rig: &Rig) {
    let file = rig.data().join("callboard.sqlite");
    let mut vandal =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file)).await.unwrap();
    vandal.execute("drop table feed_gap").await.unwrap();
}

#[tokio::test]
async fn gaps_that_cannot_be_read_are_not_told_as_none() {
    let rig = Rig::start().await;
    destroy_gaps(&rig).await;
    let answer = rig.get("/api/v1/feed").await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let page = rig.get("/feed").await;
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("Not known: the database cannot be read."), "{page}");
    rig.stop().await;
}

#[tokio::test]
async fn a_start_that_fails_lets_go_of_the_folder() {
    let rig = Rig::start().await;
    destroy_gaps(&rig).await;
    let (sim, data) = rig.halt().await;
    for _ in 0..2 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = config_for(&sim, data.path());
        let error = run(config, Purpose::Work, listener, CancellationToken::new()).await.unwrap_err();
        let told = telemetry::chain(&error);
        assert!(told.contains("feed_gap"), "{told}");
    }
    sim.stop().await;
}
