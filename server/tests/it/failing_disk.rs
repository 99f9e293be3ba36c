//! A database that does not answer: what is not known is not told as if there were none of it.

use sqlx::{Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::support::Rig;

#[tokio::test]
async fn gaps_that_cannot_be_read_are_not_told_as_none() {
    let rig = Rig::start().await;
    let file = rig.data().join("callboard.sqlite");
    let mut vandal =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file)).await.unwrap();
    vandal.execute("drop table feed_gap").await.unwrap();

    let answer = rig.get("/api/v1/feed").await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let page = rig.get("/feed").await;
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("Not known: the database cannot be read."), "{page}");
    rig.stop().await;
}
