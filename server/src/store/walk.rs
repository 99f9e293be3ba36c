//! How far the walk through Zoom's record has come.

use std::collections::HashSet;

use domain::time::Timestamp;
use sqlx::SqliteConnection;

use super::{Store, StoreError};

/// A walk through the record, by the time at which calls ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordWalk {
    /// When it began.
    pub began_at: Timestamp,
    /// Where it ends.
    pub until: Timestamp,
    /// Everything that ended before this was read by this walk.
    pub done_until: Timestamp,
    /// Everything that ended before this was read by some walk, without exception.
    pub read_until: Timestamp,
}

impl RecordWalk {
    /// It has come to its end.
    pub fn is_done(&self) -> bool {
        self.done_until >= self.until
    }
}

/// What to write about a walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WalkOrder {
    /// A walk begins.
    Begin {
        /// When.
        at: Timestamp,
        /// Where it starts.
        from: Timestamp,
        /// Where it ends.
        until: Timestamp,
    },
    /// A call of the present slice was read.
    Read {
        /// Its record.
        record_id: String,
    },
    /// A slice is done.
    Reached {
        /// Its end.
        until: Timestamp,
        /// Nothing was left unread before this.
        read_until: Timestamp,
    },
}

pub(super) const WALK: &str =
    "select began_at, until_at, done_until, read_until from record_walk where record_walk_id = 1";

pub(super) const BEGIN_WALK: &str = "
    insert into record_walk (record_walk_id, began_at, until_at, done_until, read_until)
    values (1, ?1, ?3, ?2, ?2)
    on conflict (record_walk_id) do update set
        began_at = excluded.began_at, until_at = excluded.until_at, done_until = excluded.done_until";

pub(super) const REACH: &str = "
    update record_walk set done_until = max(done_until, ?1), read_until = max(read_until, ?2)
    where record_walk_id = 1";

pub(super) const READ_CALL: &str =
    "insert into record_walk_call (record_id) values (?1) on conflict do nothing";

pub(super) const FORGET_CALLS: &str = "delete from record_walk_call";

pub(super) const CALLS_READ: &str = "select record_id from record_walk_call";

/// When the first stay on record began.
pub(super) const FIRST_STAY: &str = "select min(entered_at) from queue_visit";

impl Store {
    /// The last walk; `None` when there never was one.
    pub async fn record_walk(&self) -> Result<Option<RecordWalk>, StoreError> {
        let walk: Option<(i64, i64, i64, i64)> = sqlx::query_as(WALK)
            .fetch_optional(&self.readers)
            .await
            .map_err(StoreError::read("the walk through the record"))?;
        let at = Timestamp::from_millis;
        Ok(walk.map(|(began_at, until, done_until, read_until)| RecordWalk {
            began_at: at(began_at),
            until: at(until),
            done_until: at(done_until),
            read_until: at(read_until),
        }))
    }

    /// The records of the present slice that were read already.
    pub async fn walked_calls(&self) -> Result<HashSet<String>, StoreError> {
        let ids: Vec<String> = sqlx::query_scalar(CALLS_READ)
            .fetch_all(&self.readers)
            .await
            .map_err(StoreError::read("the calls of the walk through the record"))?;
        Ok(ids.into_iter().collect())
    }

    /// When the first stay began that is on record.
    pub async fn first_stay(&self) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = sqlx::query_scalar(FIRST_STAY)
            .fetch_one(&self.readers)
            .await
            .map_err(StoreError::read("the first stay on record"))?;
        Ok(at.map(Timestamp::from_millis))
    }
}

/// Writes an order within the transaction of `connection`.
pub(super) async fn write_walk(
    connection: &mut SqliteConnection,
    order: WalkOrder,
) -> Result<(), sqlx::Error> {
    match order {
        WalkOrder::Begin { at, from, until } => {
            sqlx::query(BEGIN_WALK)
                .bind(at.as_millis())
                .bind(from.as_millis())
                .bind(until.as_millis())
                .execute(&mut *connection)
                .await?;
            sqlx::query(FORGET_CALLS).execute(connection).await?;
        }
        WalkOrder::Read { record_id } => {
            sqlx::query(READ_CALL).bind(record_id).execute(connection).await?;
        }
        WalkOrder::Reached { until, read_until } => {
            let places = sqlx::query(REACH).bind(until.as_millis()).bind(read_until.as_millis());
            places.execute(&mut *connection).await?;
            sqlx::query(FORGET_CALLS).execute(connection).await?;
        }
    }
    Ok(())
}
