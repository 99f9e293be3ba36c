//! What tests do to a database behind the server's back: a second program that gets in its way.

use std::path::Path;

use sqlx::{Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};

/// Another program's connection to the database in a folder.
#[derive(Debug)]
pub(crate) struct Vandal(SqliteConnection);

impl Vandal {
    pub(crate) async fn at(folder: &Path) -> Self {
        let file = folder.join("callboard.sqlite");
        Self(SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file)).await.unwrap())
    }

    /// No event can be written any more, as on a full disk.
    pub(crate) async fn forbid_events(&mut self) {
        let forbid = "create trigger forbid before insert on event begin select raise(abort, 'full'); end";
        self.0.execute(forbid).await.unwrap();
    }

    pub(crate) async fn allow_events(&mut self) {
        self.0.execute("drop trigger forbid").await.unwrap();
    }

    /// No note can be written any more.
    pub(crate) async fn forbid_notes(&mut self) {
        let forbid = "create trigger mute before insert on board_note begin select raise(abort, 'full'); end";
        self.0.execute(forbid).await.unwrap();
    }

    pub(crate) async fn allow_notes(&mut self) {
        self.0.execute("drop trigger mute").await.unwrap();
    }

    /// As if something else had been published.
    pub(crate) async fn change_digests(&mut self) {
        self.0.execute("update board_note set digest = digest + 1").await.unwrap();
    }

    /// Nobody else can write.
    pub(crate) async fn lock(&mut self) {
        self.0.execute("begin immediate").await.unwrap();
    }

    pub(crate) async fn unlock(&mut self) {
        self.0.execute("rollback").await.unwrap();
    }

    /// Bytes kept and bytes there were of the message in quarantine, and why it is there.
    pub(crate) async fn quarantined(&mut self) -> (i64, i64, String) {
        let row = sqlx::query_as("select length(raw), byte_count, reason from quarantine");
        row.fetch_one(&mut self.0).await.unwrap()
    }

    /// Moves events after one of them to later places.
    pub(crate) async fn move_events(&mut self, after: i64, by: i64) {
        let moved = sqlx::query("update event set event_id = event_id + ?2 where event_id > ?1");
        moved.bind(after).bind(by).execute(&mut self.0).await.unwrap();
    }

    /// Takes a segment away.
    pub(crate) async fn lose_segment(&mut self, segment_id: i64) {
        let lost = sqlx::query("delete from segment where segment_id = ?1");
        let lost = lost.bind(segment_id).execute(&mut self.0).await.unwrap();
        assert_eq!(lost.rows_affected(), 1);
    }

    /// Puts other bytes into a segment.
    pub(crate) async fn damage_segment(&mut self, segment_id: i64) {
        let damaged = sqlx::query("update segment set body = x'00112233' where segment_id = ?1");
        damaged.bind(segment_id).execute(&mut self.0).await.unwrap();
    }

    /// The segments' ids with the place of their last event, and how many notes they hold.
    pub(crate) async fn segments(&mut self) -> Vec<(i64, i64, i64)> {
        let rows = sqlx::query_as("select segment_id, last_event_id, note_count from segment");
        rows.fetch_all(&mut self.0).await.unwrap()
    }

    /// Takes notes away up to one of them.
    pub(crate) async fn lose_notes(&mut self, until: i64) {
        let lost = sqlx::query("delete from board_note where note_id <= ?1");
        lost.bind(until).execute(&mut self.0).await.unwrap();
    }

    /// Takes snapshots away, so that they are to be taken anew.
    pub(crate) async fn lose_snapshots(&mut self) {
        self.0.execute("delete from board_snapshot").await.unwrap();
    }

    /// Makes all snapshots those of another version.
    pub(crate) async fn age_snapshots(&mut self) {
        self.0.execute("update board_snapshot set version = version - 1").await.unwrap();
    }

    /// Writes other words into the note that tells something, the nth of them that are loose.
    pub(crate) async fn reword_note(&mut self, nth: i64, told: &str) {
        let reworded = sqlx::query(
            "update board_note set told = ?2 where note_id =
                (select note_id from board_note where told is not null order by note_id limit 1 offset ?1)",
        );
        let reworded = reworded.bind(nth).bind(told).execute(&mut self.0).await.unwrap();
        assert_eq!(reworded.rows_affected(), 1);
    }
}
