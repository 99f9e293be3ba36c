//! Reading the journal: what was received, in the order it was written.

use domain::time::Timestamp;

use super::{Store, StoreError};

/// By which way a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The event WebSocket.
    Socket,
    /// A webhook.
    Webhook,
    /// Read over REST: a record, or what a person's client says.
    Rest,
}

impl Source {
    /// True for what comes by itself. What was asked for says nothing about the feed, and is asked for again when
    /// it gets lost.
    pub(crate) const fn is_news(self) -> bool {
        match self {
            Self::Socket | Self::Webhook => true,
            Self::Rest => false,
        }
    }

    /// Reads [`Source::word`]; the check of the table leaves nothing else.
    pub(super) fn from_word(word: &str) -> Self {
        match word {
            "webhook" => Self::Webhook,
            "rest" => Self::Rest,
            _ => Self::Socket,
        }
    }

    /// The word in the database.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Socket => "socket",
            Self::Webhook => "webhook",
            Self::Rest => "rest",
        }
    }
}

/// One row of the journal.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredEvent {
    /// Place in the journal.
    pub event_id: i64,
    #[sqlx(rename = "received_at")]
    received_at_ms: i64,
    /// The event's own text.
    pub raw: String,
}

impl StoredEvent {
    /// An event that was in a segment.
    pub(crate) fn new(event_id: i64, received_at: Timestamp, raw: String) -> Self {
        Self { event_id, received_at_ms: received_at.as_millis(), raw }
    }

    /// When it arrived.
    pub fn received_at(&self) -> Timestamp {
        Timestamp::from_millis(self.received_at_ms)
    }
}

pub(super) const PAGE: &str =
    "select event_id, received_at, raw from event where event_id > ?1 order by event_id limit ?2";

/// The first by place, not by time: a clock that was set back makes them disagree. The index holds both;
/// without being told, SQLite would rather look at every event from the first on.
pub(super) const FIRST_SINCE: &str = "
    select min(event_id) from event indexed by event_by_received_at where received_at >= ?1";

/// The place right before the first segment that reaches beyond an instant; null when none does.
pub(super) const PACKED_BEFORE: &str = "
    select coalesce((select max(last_event_id) from segment where segment_id < first.segment_id), 0)
    from (select min(segment_id) as segment_id from segment where ended_at >= ?1) as first
    where first.segment_id is not null";

pub(super) const LAST: &str = "
    select max(coalesce((select max(event_id) from event), 0), coalesce((select max(last_event_id) from segment), 0))";

pub(super) const COUNT_QUARANTINED: &str = "select count(*) from quarantine";

impl Store {
    /// At most `limit` events after `event_id` that are in no segment, oldest first.
    pub async fn events_after(&self, event_id: i64, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        sqlx::query_as(PAGE)
            .bind(event_id)
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(StoreError::read("a page of the journal"))
    }

    /// The place right before the first event that was received at `from` or later.
    pub async fn place_before(&self, from: Timestamp) -> Result<i64, StoreError> {
        let packed: Option<i64> = sqlx::query_scalar(PACKED_BEFORE)
            .bind(from.as_millis())
            .fetch_optional(&self.readers)
            .await
            .map_err(StoreError::read("the segment of an instant"))?;
        if let Some(place) = packed {
            return Ok(place);
        }
        let first: Option<i64> = sqlx::query_scalar(FIRST_SINCE)
            .bind(from.as_millis())
            .fetch_one(&self.readers)
            .await
            .map_err(StoreError::read("the journal's place of an instant"))?;
        match first {
            Some(event_id) => Ok(event_id - 1),
            None => self.last_event_id().await,
        }
    }

    /// The newest place, 0 when the journal is empty.
    pub async fn last_event_id(&self) -> Result<i64, StoreError> {
        let last: Option<i64> = sqlx::query_scalar(LAST)
            .fetch_one(&self.readers)
            .await
            .map_err(StoreError::read("the journal's last place"))?;
        Ok(last.unwrap_or(0))
    }

    /// How many messages are in quarantine.
    pub async fn quarantined(&self) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar(COUNT_QUARANTINED)
            .fetch_one(&self.readers)
            .await
            .map_err(StoreError::read("the size of the quarantine"))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}
