//! Lists of finished calls and of their stays in queues, by whatever people ask.
//!
//! What is asked has any shape, so it has a deadline and connections of its own: pages and boards never
//! wait for it. The statements are put together here, out of fixed pieces; values are always bound.

use std::time::Duration;

use domain::{
    history::Difference,
    id::{CallId, QueueId},
    outcome::{Outcome, OverflowReason},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection, pool::PoolConnection};
use tokio::time::{Instant, timeout};

use super::{Store, StoreError};

/// How long people wait for an answer to a question of any shape.
pub const DEADLINE: Duration = Duration::from_secs(1);
/// More rows than this are not counted.
pub(super) const MOST_COUNTED: u32 = 100_000;
/// Records of two days are read every night: what is older and has none will have none.
const UNREAD_MS: i64 = 2 * 86_400_000;
/// Steps of SQLite's machine between two looks at the clock: some tens of microseconds.
const STEPS: i32 = 1_000;

/// Which calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallQuestion {
    /// Visits of these queues; of all where there are none.
    pub queues: Vec<QueueId>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
    /// Which instant of a visit lies in that time.
    pub credit: Option<Credit>,
    /// Visits that ended like this; in any way where there are none.
    pub outcomes: Vec<Outcome>,
    /// Answered after what the queue promised, or within it.
    pub late: Option<bool>,
    /// Where the call came from.
    pub direction: Option<Direction>,
    /// Visits of at least so many seconds.
    pub wait_min: Option<u32>,
    /// Visits of less than so many seconds.
    pub wait_max: Option<u32>,
    /// Digits that the caller's number has in a row.
    pub number: Option<String>,
    /// How the whole call ended, by the record.
    pub result: Option<String>,
    /// In which order.
    pub sort: Sort,
}

/// Which instant of a visit counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Credit {
    /// When the caller entered.
    #[default]
    Entered,
    /// When the outcome came about.
    Left,
}

/// Where a call came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Somebody called in.
    Inbound,
    /// Somebody was called.
    Outbound,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// The latest first.
    #[default]
    Newest,
    /// The earliest first.
    Oldest,
    /// The longest wait first.
    LongestWait,
    /// The shortest wait first.
    ShortestWait,
}

/// The place of a row in its list: what it is sorted by, and what tells it from others of the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPlace {
    pub(crate) value: i64,
    pub(crate) call_id: String,
    pub(crate) ordinal: i64,
}

/// How many rows there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowCount {
    /// Just so many.
    Exactly(u32),
    /// More than are counted.
    MoreThan(u32),
    /// The deadline passed while they were counted.
    Uncounted,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCalls {
    /// The rows.
    pub rows: Vec<FoundCall>,
    /// After which row the list goes on.
    pub next: Option<ListPlace>,
    /// Rows of the whole list.
    pub count: RowCount,
}

/// One row: a visit, or a call with its first visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCall {
    /// The call.
    pub call_id: CallId,
    /// When the visit is credited, or when the call began.
    pub at: Timestamp,
    /// The visit; of a list of calls, its first.
    pub visit: Option<FoundVisit>,
    /// Visits of the call.
    pub visits: u32,
    /// `inbound` or `outbound`, where it is known.
    pub direction: Option<String>,
    /// Who called.
    pub caller_name: Option<String>,
    /// From which number.
    pub caller_number: Option<String>,
    /// How the whole call ended, by the record.
    pub result: Option<String>,
    /// When the call began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// A visit in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundVisit {
    /// The queue.
    pub queue_id: QueueId,
    /// When the caller entered.
    pub entered_at: Timestamp,
    /// When the outcome came about.
    pub left_at: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it overflowed.
    pub overflow: Option<OverflowReason>,
    /// Within how many seconds the queue promised an answer.
    pub threshold_seconds: u32,
    /// The call's record was read.
    pub is_recorded: bool,
    /// What was said live was otherwise.
    pub difference: Option<Difference>,
}

impl FoundVisit {
    /// How long the caller waited.
    pub fn wait(&self) -> Duration {
        self.left_at.since(self.entered_at)
    }

    /// Answered after what was promised; `None` where it was not answered.
    pub fn is_late(&self) -> Option<bool> {
        let promised = Duration::from_secs(u64::from(self.threshold_seconds));
        (self.outcome == Outcome::Answered).then(|| self.wait() > promised)
    }
}

/// Why a list cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum SeekError {
    /// It would take longer than people wait.
    #[error("find calls within the time there is for it")]
    TooLong,
    /// All connections for questions like these were taken for as long as people wait.
    #[error("get one of the connections there are for it")]
    Busy,
    /// The database does not answer.
    #[error(transparent)]
    Store(StoreError),
}

impl From<sqlx::Error> for SeekError {
    fn from(error: sqlx::Error) -> Self {
        let is_interrupted =
            error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "9");
        if is_interrupted { Self::TooLong } else { Self::Store(StoreError::read("a list of calls")(error)) }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    call_id: String,
    ordinal: i64,
    value: i64,
    credited_at: i64,
    queue_id: Option<String>,
    entered_at: Option<i64>,
    left_at: Option<i64>,
    outcome: Option<String>,
    overflow_reason: Option<String>,
    threshold_seconds: Option<u32>,
    is_recorded: Option<bool>,
    difference: Option<String>,
    visits: u32,
    direction: Option<String>,
    caller_name: Option<String>,
    caller_number: Option<String>,
    result: Option<String>,
    started_at: Option<i64>,
    ended_at: Option<i64>,
}

/// A value of a statement.
#[derive(Debug, Clone)]
enum Value {
    Number(i64),
    Text(String),
}

/// A statement under construction.
#[derive(Debug, Default)]
pub(super) struct Statement {
    text: String,
    values: Vec<Value>,
}

impl Statement {
    fn new(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// A piece without values.
    fn say(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// A piece with a value for each of its question marks.
    fn say_with(&mut self, text: &str, values: impl IntoIterator<Item = Value>) {
        self.text.push_str(text);
        self.values.extend(values);
    }

    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

macro_rules! bound {
    ($query:expr, $values:expr) => {
        $values.into_iter().fold($query, |query, value| match value {
            Value::Number(number) => query.bind(number),
            Value::Text(text) => query.bind(text),
        })
    };
}

/// The first record of a call, as its id; `{}` is the call's id.
const FIRST_RECORD: &str = "(select f.record_id from call_record as f where f.call_id = {}
    order by coalesce(f.started_at, f.read_at), f.record_id limit 1)";
/// The first step of a call, as its id.
const FIRST_ELEMENT: &str = "(select f.element_id from call_element as f where f.call_id = {}
    order by coalesce(f.started_at, f.read_at), f.element_id limit 1)";

/// What the first record says of a call, else its first step.
fn told(of_record: &str, of_element: &str, call_id: &str) -> String {
    let record = FIRST_RECORD.replace("{}", call_id);
    let element = FIRST_ELEMENT.replace("{}", call_id);
    format!(
        "coalesce((select {of_record} from call_record as r where r.record_id = {record}),
        (select {of_element} from call_element as e where e.element_id = {element}))"
    )
}

impl CallQuestion {
    /// It is about visits: a row is one of them, and a call may have several. Else a row is a call.
    pub fn is_about_visits(&self) -> bool {
        !self.queues.is_empty()
            || !self.outcomes.is_empty()
            || self.credit.is_some()
            || self.late.is_some()
            || self.wait_min.is_some()
            || self.wait_max.is_some()
            || matches!(self.sort, Sort::LongestWait | Sort::ShortestWait)
    }

    /// The rows, as `call_id`, `ordinal` and what they are sorted by.
    fn rows(&self, after: Option<&ListPlace>) -> Statement {
        let mut statement = Statement::default();
        if self.is_about_visits() {
            self.say_visits(&mut statement, after);
        } else {
            self.say_calls(&mut statement, after);
        }
        statement
    }

    fn say_visits(&self, statement: &mut Statement, after: Option<&ListPlace>) {
        let credited = match self.credit.unwrap_or_default() {
            Credit::Entered => "v.entered_at",
            Credit::Left => "v.left_at",
        };
        let value = match self.sort {
            Sort::Newest | Sort::Oldest => credited,
            Sort::LongestWait | Sort::ShortestWait => "v.left_at - v.entered_at",
        };
        statement.say(&format!(
            "select v.call_id as call_id, v.ordinal as ordinal, {value} as value from queue_visit as v where true"
        ));
        self.say_range(statement, credited);
        match &self.queues[..] {
            [] => {}
            [queue] => {
                statement.say_with(" and v.queue_id = ?", [Value::Text(queue.to_string())]);
            }
            queues => {
                let ids: Vec<&str> = queues.iter().map(QueueId::as_str).collect();
                // With the plus the order of time is kept: several queues' would have to be sorted.
                statement.say_with(
                    " and +v.queue_id in (select value from json_each(?))",
                    [Value::Text(json!(ids).to_string())],
                );
            }
        }
        if !self.outcomes.is_empty() {
            let words: Vec<&str> = self.outcomes.iter().map(|outcome| outcome.word()).collect();
            statement.say_with(
                " and v.outcome in (select value from json_each(?))",
                [Value::Text(json!(words).to_string())],
            );
        }
        match self.late {
            None => {}
            Some(true) => statement
                .say(" and v.outcome = 'answered' and v.left_at - v.entered_at > v.threshold_seconds * 1000"),
            Some(false) => statement.say(
                " and v.outcome = 'answered' and v.left_at - v.entered_at <= v.threshold_seconds * 1000",
            ),
        }
        let millis = |seconds: u32| Value::Number(i64::from(seconds) * 1000);
        if let Some(least) = self.wait_min {
            statement.say_with(" and v.left_at - v.entered_at >= ?", [millis(least)]);
        }
        if let Some(most) = self.wait_max {
            statement.say_with(" and v.left_at - v.entered_at < ?", [millis(most)]);
        }
        self.say_of_call(statement, "v.call_id");
        self.say_after(statement, value, "v.ordinal", "v.call_id", after);
    }

    /// A call is there once, whoever tells of it: its first record, else its first visit, else its first step.
    fn say_calls(&self, statement: &mut Statement, after: Option<&ListPlace>) {
        const OF_RECORD: &str = "coalesce(c.started_at, c.read_at)";
        const OF_PARTS: &str = "call_element as c where
            not exists (select 1 from call_record as o where o.call_id = c.call_id)
            and not exists (select 1 from queue_visit as o where o.call_id = c.call_id)
            and not exists (select 1 from call_element as o where o.call_id = c.call_id
                and (coalesce(o.started_at, o.read_at), o.element_id)
                    < (coalesce(c.started_at, c.read_at), c.element_id))";
        const FIRST: &str = "(select min(coalesce(started_at, read_at)) from call_record)";
        const LAST: &str = "(select max(coalesce(started_at, read_at)) from call_record)";
        let arms = [
            (
                OF_RECORD,
                "call_record as c where not exists (select 1 from call_record as o where o.call_id = c.call_id
                and (coalesce(o.started_at, o.read_at), o.record_id)
                    < (coalesce(c.started_at, c.read_at), c.record_id))"
                    .to_owned(),
            ),
            (
                "c.entered_at",
                "queue_visit as c where c.ordinal = 0 and c.read_at is null
                and not exists (select 1 from call_record as o where o.call_id = c.call_id)"
                    .to_owned(),
            ),
            // Where records are read, a call without one is of the last days, or of before the first. Looking for
            // more of them among all others would take as long as history does.
            (OF_RECORD, format!("{OF_PARTS} and {OF_RECORD} < ifnull({FIRST}, 9223372036854775807)")),
            (
                OF_RECORD,
                format!("{OF_PARTS} and {OF_RECORD} >= {FIRST} and {OF_RECORD} >= {LAST} - {UNREAD_MS}"),
            ),
        ];
        for (number, (value, from)) in arms.into_iter().enumerate() {
            let all = if number == 0 { "" } else { " union all " };
            statement.say(&format!(
                "{all}select c.call_id as call_id, 0 as ordinal, {value} as value from {from}"
            ));
            self.say_range(statement, value);
            self.say_of_call(statement, "c.call_id");
            self.say_after(statement, value, "0", "c.call_id", after);
        }
    }

    fn say_range(&self, statement: &mut Statement, value: &str) {
        let from = self.from.map(|at| (">=", at));
        let to = self.to.map(|at| ("<", at));
        for (relation, at) in from.into_iter().chain(to) {
            statement.say_with(&format!(" and {value} {relation} ?"), [Value::Number(at.as_millis())]);
        }
    }

    /// What is asked of the whole call.
    fn say_of_call(&self, statement: &mut Statement, call_id: &str) {
        if let Some(direction) = self.direction {
            let told = told("r.direction", "e.direction", call_id);
            statement.say_with(&format!(" and {told} = ?"), [Value::Text(direction.word().to_owned())]);
        }
        if let Some(digits) = &self.number {
            let told = told(CALLER_OF_RECORD, CALLER_OF_ELEMENT, call_id);
            statement.say_with(
                &format!(" and instr(replace(replace({told}, ' ', ''), '-', ''), ?) > 0"),
                [Value::Text(digits.clone())],
            );
        }
        if let Some(result) = &self.result {
            let record = FIRST_RECORD.replace("{}", call_id);
            statement.say_with(
                &format!(" and (select r.result from call_record as r where r.record_id = {record}) = ?"),
                [Value::Text(result.clone())],
            );
        }
    }

    fn say_after(
        &self,
        statement: &mut Statement,
        value: &str,
        ordinal: &str,
        call_id: &str,
        after: Option<&ListPlace>,
    ) {
        let Some(after) = after else { return };
        let relation = if self.sort.is_falling() { "<" } else { ">" };
        statement.say_with(
            &format!(" and ({value}, {call_id}, {ordinal}) {relation} (?, ?, ?)"),
            [Value::Number(after.value), Value::Text(after.call_id.clone()), Value::Number(after.ordinal)],
        );
    }

    /// At most `limit` rows after a place, with everything that is shown of them.
    pub(super) fn page(&self, after: Option<&ListPlace>, limit: u32) -> Statement {
        let direction = if self.sort.is_falling() { "desc" } else { "asc" };
        let mut statement = Statement::new("with p as materialized (");
        let rows = self.rows(after);
        statement.say_with(&rows.text, rows.values);
        statement.say_with(
            &format!(" order by 3 {direction}, 1 {direction}, 2 {direction} limit ?)"),
            [Value::Number(i64::from(limit))],
        );
        let credited = match (self.is_about_visits(), self.credit.unwrap_or_default()) {
            (false, _) => "p.value",
            (true, Credit::Entered) => "v.entered_at",
            (true, Credit::Left) => "v.left_at",
        };
        let (record, element) =
            (FIRST_RECORD.replace("{}", "p.call_id"), FIRST_ELEMENT.replace("{}", "p.call_id"));
        statement.say(&format!(
            "
            select p.call_id as call_id, p.ordinal as ordinal, p.value as value, {credited} as credited_at,
                v.queue_id, v.entered_at, v.left_at, v.outcome, v.overflow_reason, v.threshold_seconds,
                v.read_at is not null as is_recorded, v.difference,
                (select count(*) from queue_visit as o where o.call_id = p.call_id) as visits,
                coalesce(r.direction, e.direction) as direction,
                coalesce(r.caller_name, e.caller_name) as caller_name,
                coalesce({CALLER_OF_RECORD}, {CALLER_OF_ELEMENT}) as caller_number,
                r.result as result, coalesce(r.started_at, e.started_at) as started_at,
                coalesce(r.ended_at,
                    (select max(o.ended_at) from call_element as o where o.call_id = p.call_id)) as ended_at
            from p
                left join queue_visit as v on v.call_id = p.call_id and v.ordinal = p.ordinal
                left join call_record as r on r.record_id = {record}
                left join call_element as e on e.element_id = {element}
            order by p.value {direction}, p.call_id {direction}, p.ordinal {direction}"
        ));
        statement
    }

    /// How many rows there are, one more than `most` at most.
    pub(super) fn count(&self, most: u32) -> Statement {
        let mut statement = Statement::new("select count(*) from (select 1 from (");
        let rows = self.rows(None);
        statement.say_with(&rows.text, rows.values);
        statement.say_with(") limit ?)", [Value::Number(i64::from(most) + 1)]);
        statement
    }
}

const CALLER_OF_RECORD: &str = "r.caller_number";
const CALLER_OF_ELEMENT: &str = "coalesce(e.caller_number, e.caller_extension_number)";

impl Direction {
    /// The word in the database and the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }

    /// Reads [`Direction::word`].
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Inbound, Self::Outbound].into_iter().find(|known| known.word() == word)
    }
}

impl Sort {
    const fn is_falling(self) -> bool {
        matches!(self, Self::Newest | Self::LongestWait)
    }
}

impl Store {
    /// At most `limit` rows after a place of the list, and how many there are. Whatever is not found within
    /// `within` is not found.
    pub async fn find_calls(
        &self,
        question: &CallQuestion,
        after: Option<&ListPlace>,
        limit: u32,
        within: Duration,
    ) -> Result<FoundCalls, SeekError> {
        let mut connection = self.seek(within).await?.0;
        let page = question.page(after, limit + 1);
        let found: Vec<Row> =
            bound!(sqlx::query_as(AssertSqlSafe(page.text)), page.values).fetch_all(&mut *connection).await?;
        let has_more = found.len() > limit as usize;
        let rows = &found[..found.len().min(limit as usize)];
        let next = rows.last().filter(|_| has_more).map(Row::place);
        let count = match after {
            None if !has_more => RowCount::Exactly(u32::try_from(rows.len()).unwrap_or(u32::MAX)),
            _ => count(question, &mut connection).await?,
        };
        Ok(FoundCalls { next, count, rows: found.into_iter().take(limit as usize).map(Row::found).collect() })
    }

    /// A connection that does not go on after a deadline, and when that is: `within` from having it, so that who
    /// had to wait for others has no less. Each question sets its own: one that was given up leaves nothing behind
    /// that matters.
    pub(super) async fn seek(
        &self,
        within: Duration,
    ) -> Result<(PoolConnection<Sqlite>, Instant), SeekError> {
        let mut connection =
            timeout(DEADLINE, self.seekers.acquire()).await.map_err(|_| SeekError::Busy)??;
        let deadline = Instant::now() + within;
        let mut handle = connection.lock_handle().await?;
        handle.set_progress_handler(STEPS, move || Instant::now() < deadline);
        drop(handle);
        Ok((connection, deadline))
    }
}

async fn count(question: &CallQuestion, connection: &mut SqliteConnection) -> Result<RowCount, SeekError> {
    let statement = question.count(MOST_COUNTED);
    let query = sqlx::query_scalar::<Sqlite, u32>(AssertSqlSafe(statement.text));
    let counted = bound!(query, statement.values).fetch_one(connection).await.map_err(SeekError::from);
    match counted {
        Ok(count) if count > MOST_COUNTED => Ok(RowCount::MoreThan(MOST_COUNTED)),
        Ok(count) => Ok(RowCount::Exactly(count)),
        Err(SeekError::TooLong) => Ok(RowCount::Uncounted),
        Err(error) => Err(error),
    }
}

impl Row {
    fn place(&self) -> ListPlace {
        ListPlace { value: self.value, call_id: self.call_id.clone(), ordinal: self.ordinal }
    }

    fn found(self) -> FoundCall {
        let visit = self.visit();
        FoundCall {
            call_id: CallId::new(self.call_id),
            at: Timestamp::from_millis(self.credited_at),
            visit,
            visits: self.visits,
            direction: self.direction,
            caller_name: self.caller_name,
            caller_number: self.caller_number,
            result: self.result,
            started_at: self.started_at.map(Timestamp::from_millis),
            ended_at: self.ended_at.map(Timestamp::from_millis),
        }
    }

    fn visit(&self) -> Option<FoundVisit> {
        Some(FoundVisit {
            queue_id: QueueId::new(self.queue_id.as_deref()?),
            entered_at: Timestamp::from_millis(self.entered_at?),
            left_at: Timestamp::from_millis(self.left_at?),
            outcome: Outcome::parse(self.outcome.as_deref()?)?,
            overflow: self.overflow_reason.as_deref().and_then(OverflowReason::parse),
            threshold_seconds: self.threshold_seconds?,
            is_recorded: self.is_recorded.unwrap_or(false),
            difference: self.difference.as_deref().and_then(Difference::parse),
        })
    }
}
