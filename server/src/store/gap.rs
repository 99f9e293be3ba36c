//! Reading when the server was deaf, and whether what it missed has been read since.

use domain::{time::Timestamp, trust::Gap};

use super::{Store, StoreError};

/// An interval in which events may have been missed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredGap {
    /// Which.
    pub gap_id: i64,
    /// From when to when.
    pub gap: Gap,
    /// Why.
    pub cause: String,
    /// When the records of that time had been read.
    pub repaired_at: Option<Timestamp>,
    /// When they had been read once more.
    pub read_again_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct GapRow {
    feed_gap_id: i64,
    began_at: i64,
    ended_at: Option<i64>,
    cause: String,
    repaired_at: Option<i64>,
    read_again_at: Option<i64>,
}

impl GapRow {
    fn stored(self) -> StoredGap {
        let instant = Timestamp::from_millis;
        StoredGap {
            gap_id: self.feed_gap_id,
            gap: Gap { from: instant(self.began_at), to: self.ended_at.map(instant) },
            cause: self.cause,
            repaired_at: self.repaired_at.map(instant),
            read_again_at: self.read_again_at.map(instant),
        }
    }
}

pub(super) const GAPS_SINCE: &str = "
    select feed_gap_id, began_at, ended_at, cause, repaired_at, read_again_at
    from feed_gap where ended_at >= ?1
    union all
    select feed_gap_id, began_at, ended_at, cause, repaired_at, read_again_at
    from feed_gap where ended_at is null
    order by began_at";

pub(super) const PULSE: &str = "select heard_at from feed_pulse where feed_pulse_id = 1";

impl Store {
    /// Gaps that reach beyond `from`, oldest first.
    pub async fn gaps_since(&self, from: Timestamp) -> Result<Vec<StoredGap>, StoreError> {
        let rows: Vec<GapRow> = sqlx::query_as(GAPS_SINCE)
            .bind(from.as_millis())
            .fetch_all(&self.readers)
            .await
            .map_err(StoreError::read("the gaps of the feed"))?;
        Ok(rows.into_iter().map(GapRow::stored).collect())
    }

    /// The last proof of life that was written down.
    pub async fn last_pulse(&self) -> Result<Option<Timestamp>, StoreError> {
        let heard_at: Option<i64> = sqlx::query_scalar(PULSE)
            .fetch_optional(&self.readers)
            .await
            .map_err(StoreError::read("the last proof of life of the feed"))?;
        Ok(heard_at.map(Timestamp::from_millis))
    }
}
