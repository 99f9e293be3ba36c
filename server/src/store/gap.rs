//! Reading when the server was deaf.

use domain::{time::Timestamp, trust::Gap};

use super::{Store, StoreError};

/// An interval in which events may have been missed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredGap {
    /// From when to when.
    pub gap: Gap,
    /// Why.
    pub cause: String,
}

pub(super) const GAPS_SINCE: &str = "
    select began_at, ended_at, cause from feed_gap where ended_at >= ?1
    union all
    select began_at, ended_at, cause from feed_gap where ended_at is null
    order by began_at";

pub(super) const PULSE: &str = "select heard_at from feed_pulse where feed_pulse_id = 1";

impl Store {
    /// Gaps that reach beyond `from`, oldest first.
    pub async fn gaps_since(&self, from: Timestamp) -> Result<Vec<StoredGap>, StoreError> {
        let rows: Vec<(i64, Option<i64>, String)> = sqlx::query_as(GAPS_SINCE)
            .bind(from.as_millis())
            .fetch_all(&self.readers)
            .await
            .map_err(StoreError::read("the gaps of the feed"))?;
        let instant = Timestamp::from_millis;
        Ok(rows
            .into_iter()
            .map(|(from, to, cause)| StoredGap {
                gap: Gap { from: instant(from), to: to.map(instant) },
                cause,
            })
            .collect())
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
