//! What is known of the account, as last read over REST: one row of text for each thing.

use sqlx::{FromRow, SqliteConnection};

use super::{Store, StoreError};

/// A thing of the account.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct DirectoryEntry {
    /// What it is.
    pub kind: String,
    /// Which of its kind.
    #[sqlx(rename = "entry_id")]
    pub id: String,
    /// What is known of it, as its reader wrote it.
    #[sqlx(rename = "entry")]
    pub text: String,
}

/// What to write of things of one kind: their new texts; without one a thing is forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryChange {
    /// What they are.
    pub kind: &'static str,
    /// By id.
    pub texts: Vec<(String, Option<String>)>,
}

pub(super) const ALL: &str = "select kind, entry_id, entry from directory_entry";

pub(super) const WRITE: &str = "
    insert into directory_entry (kind, entry_id, entry) values (?1, ?2, ?3)
    on conflict (kind, entry_id) do update set entry = excluded.entry";

pub(super) const FORGET: &str = "delete from directory_entry where kind = ?1 and entry_id = ?2";

impl Store {
    /// Everything that is known of the account.
    pub async fn directory(&self) -> Result<Vec<DirectoryEntry>, StoreError> {
        sqlx::query_as(ALL).fetch_all(&self.readers).await.map_err(StoreError::read("the directory"))
    }
}

/// Writes what has changed.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    DirectoryChange { kind, texts }: DirectoryChange,
) -> Result<(), sqlx::Error> {
    for (id, text) in texts {
        let query = match text {
            Some(text) => sqlx::query(WRITE).bind(kind).bind(id).bind(text),
            None => sqlx::query(FORGET).bind(kind).bind(id),
        };
        query.execute(&mut *connection).await?;
    }
    Ok(())
}
