//! How many REST requests went out, by day and kind.

use domain::time::Timestamp;
use sqlx::{FromRow, Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{Store, StoreError};

/// Days of which the counts are kept.
const KEPT_DAYS: i64 = 62;

/// The requests of one kind and one UTC day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestCount {
    /// Days since 1970.
    pub day: i64,
    /// Part of the API.
    pub product: String,
    /// Weight.
    pub category: String,
    /// How many went out at most.
    pub used: u32,
    /// When Zoom said that there are new ones, after it had said that there are no more.
    pub used_up_until: Option<Timestamp>,
}

impl FromRow<'_, SqliteRow> for RequestCount {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let used_up_until: Option<i64> = row.try_get("used_up_until")?;
        Ok(Self {
            day: row.try_get("day")?,
            product: row.try_get("product")?,
            category: row.try_get("category")?,
            used: row.try_get("used")?,
            used_up_until: used_up_until.map(Timestamp::from_millis),
        })
    }
}

pub(super) const SINCE: &str = "
    select day, product, category, used, used_up_until from request_count where day >= ?1";

/// A count never falls: orders of a day may only be overtaken by higher ones.
pub(super) const WRITE: &str = "
    insert into request_count (day, product, category, used, used_up_until) values (?1, ?2, ?3, ?4, ?5)
    on conflict (day, product, category) do update
    set used = max(used, excluded.used), used_up_until = coalesce(excluded.used_up_until, used_up_until)";

pub(super) const FORGET: &str = "delete from request_count where day < ?1";

impl Store {
    /// The counts of that UTC day and the days after it.
    pub async fn requests_since(&self, day: i64) -> Result<Vec<RequestCount>, StoreError> {
        sqlx::query_as(SINCE)
            .bind(day)
            .fetch_all(&self.readers)
            .await
            .map_err(StoreError::read("the counts of requests"))
    }
}

/// Writes counts and forgets those of long ago.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    counts: Vec<RequestCount>,
) -> Result<(), sqlx::Error> {
    for RequestCount { day, product, category, used, used_up_until } in counts {
        sqlx::query(WRITE)
            .bind(day)
            .bind(product)
            .bind(category)
            .bind(used)
            .bind(used_up_until.map(Timestamp::as_millis))
            .execute(&mut *connection)
            .await?;
        sqlx::query(FORGET).bind(day - KEPT_DAYS).execute(&mut *connection).await?;
    }
    Ok(())
}
