//! The client on the pretend Zoom: what Zoom does when it is asked too much, or is not well.

use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use zoom_sim::{LimitKind, RateLimits, RetryAfter, Sim, SimConfig};

use super::{pretend::client_of_sim, *};
use crate::{Purpose, journal::Journal, store::Store, zoom::wire::Reader};

async fn sim(change: impl FnOnce(&mut SimConfig)) -> Sim {
    let mut config = SimConfig::quiet();
    change(&mut config);
    Sim::start(config).await.unwrap()
}

/// All that the plan allows: the pretend Zoom may count in other seconds than we do.
fn whole() -> Budget {
    Budget::new(Plan::Pro, Share::percent(100).unwrap())
}

const QUEUES: Request<'static> =
    Request { what: "the queues", path: &["phone", "call_queues"], category: Category::Medium };
const HISTORY: Request<'static> =
    Request { what: "the calls", path: &["phone", "call_history"], category: Category::Heavy };

async fn read(rest: &RestClient, request: Request<'_>) -> Result<Value, RestError> {
    rest.read(request, &[]).await
}

#[derive(Deserialize)]
struct Users {
    users: Vec<User>,
    next_page_token: String,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

impl Page for Users {
    type Row = User;

    fn into_parts(self) -> (Vec<User>, Option<String>) {
        (self.users, Some(self.next_page_token))
    }

    fn id(row: &User) -> &str {
        &row.id
    }
}

/// How many people are in the list, read in pages of that size, and whether they are all.
async fn people(rest: &RestClient, page_size: u16) -> Result<(usize, bool), RestError> {
    let request = Request { what: "the users", path: &["phone", "users"], category: Category::Medium };
    let (rows, is_whole) = rest.list::<Users>(request, Some(page_size)).await?.into_parts();
    Ok((rows.len(), is_whole))
}

fn people_of(sim: &Sim) -> usize {
    sim.directory().seats.iter().filter(|seat| seat.is_person()).count()
}

#[tokio::test]
async fn a_storm_of_momentary_limits_is_waited_out_and_holds_up_no_other_kind() {
    let sim = sim(|_| {}).await;
    let rest = client_of_sim(&sim, whole());
    for said in [RetryAfter::HttpDate, RetryAfter::Iso, RetryAfter::Absent] {
        sim.faults().limit_rest_saying(1, LimitKind::PerSecond, said);
        let began = Instant::now();
        assert!(read(&rest, QUEUES).await.is_ok(), "{said:?}");
        // Dates are told in whole seconds.
        let waited = began.elapsed().as_secs_f64();
        assert!(waited < 5.0 && (waited >= 1.0 || matches!(said, RetryAfter::HttpDate | RetryAfter::Iso)));
    }
    // Refused for longer than anybody waits: its kind is told so, the others are served.
    sim.faults().limit_rest_saying(1, LimitKind::PerSecond, RetryAfter::Garbage);
    let error = read(&rest, QUEUES).await.unwrap_err();
    assert!(matches!(error, RestError::TooMany { .. }), "{error}");
    let before = sim.totals().rest;
    assert!(read(&rest, QUEUES).await.is_err());
    assert_eq!(sim.totals().rest, before, "nothing is sent during the pause");
    assert!(read(&rest, HISTORY).await.is_ok());
    let refused: u32 = rest.shared.budget.today().await.iter().map(|line| line.refused).sum();
    assert_eq!(refused, 4);
    sim.stop().await;
}

#[tokio::test]
async fn many_at_once_keep_within_the_share_and_are_never_refused() {
    let limits = RateLimits { medium_per_second: 10, ..RateLimits::PRO };
    let sim = sim(|sim| sim.rate_limits = Some(limits)).await;
    let rest = client_of_sim(&sim, Budget::new(Plan::Pro, Share::default()));
    let began = Instant::now();
    let pages: Vec<_> = (1..=12_u16)
        .map(|size| {
            let rest = &rest;
            async move { rest.read::<Value>(QUEUES, &[("page_size", size.to_string())]).await }
        })
        .collect();
    for answer in futures_util::future::join_all(pages).await {
        assert!(answer.is_ok(), "{answer:?}");
    }
    assert!(began.elapsed() >= Duration::from_secs(2), "5 a second of 10");
    assert!(rest.shared.budget.today().await.iter().all(|line| line.refused == 0));
    sim.stop().await;
}

#[tokio::test]
async fn a_day_that_is_used_up_is_remembered_over_a_restart() {
    let sim = sim(|sim| sim.rate_limits = Some(RateLimits { heavy_per_day: 2, ..RateLimits::PRO })).await;
    let folder = TempDir::new().unwrap();
    for run in 0..2 {
        let (store, writer) = Store::open(folder.path(), Purpose::Work, clock::now()).await.unwrap();
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let (facts, _seen) = mpsc::channel(1);
        let journal = Journal::start(writer, Reader::new(None), facts, clock::now(), &tracker, stop.clone())
            .await
            .unwrap();
        let rest = client_of_sim(&sim, Budget::resume(Plan::Pro, Share::default(), &store, journal).await);
        if run == 0 {
            assert!(read(&rest, HISTORY).await.is_ok());
            assert!(read(&rest, HISTORY).await.is_ok());
        }
        let before = sim.totals().rest;
        for _ in 0..3 {
            let error = read(&rest.at(Priority::Repair), HISTORY).await.unwrap_err();
            let RestError::UsedUp { until, .. } = error else { panic!("{error}") };
            assert_eq!(until, clock::next_utc_day(clock::now()));
        }
        // The other app's requests of the day are told by one refusal, and never asked for again.
        assert_eq!(sim.totals().rest - before, if run == 0 { 1 } else { 0 });
        assert!(read(&rest, QUEUES).await.is_ok(), "lists have no daily limit");
        let heavy = Lane::of(&["phone"], Category::Heavy);
        let today = rest.shared.budget.today().await;
        let line = today.iter().find(|line| line.lane == heavy).unwrap();
        assert!((3..=10).contains(&line.used) && line.used_up_until.is_some(), "{line:?}");
        stop.cancel();
        store.close().await;
        tracker.close();
        tracker.wait().await;
    }
    sim.stop().await;
}

#[tokio::test]
async fn our_share_of_a_day_ends_before_zoom_says_so() {
    let sim = sim(|_| {}).await;
    // One percent of 15,000, of which look-ups may have nine tenths. Sending them would take an hour.
    let budget = Budget::new(Plan::Pro, Share::percent(1).unwrap());
    let heavy = Lane::of(&["phone"], Category::Heavy);
    budget.count_as_sent(heavy, 134).await;
    let rest = client_of_sim(&sim, budget);
    assert!(read(&rest, HISTORY).await.is_ok());
    let error = read(&rest, HISTORY).await.unwrap_err();
    assert!(matches!(error, RestError::UsedUp { .. }), "{error}");
    assert_eq!(sim.totals().rest, 1);
    let today = rest.shared.budget.today().await;
    assert_eq!(today[heavy.index()].left, Some(15), "for repairs");
    sim.stop().await;
}

#[tokio::test]
async fn tokens_that_end_pages_that_expire_and_circles_cost_no_row() {
    let sim = sim(|_| {}).await;
    let rest = client_of_sim(&sim, whole());
    let everybody = people_of(&sim);
    assert!(everybody > 4);
    let tokens = sim.totals().tokens;
    sim.faults().end_tokens_after(1);
    assert_eq!(people(&rest, 2).await.unwrap(), (everybody, true), "401 in the midst of paging");
    assert!(sim.totals().tokens > tokens);
    sim.faults().change(|plan| plan.circular_pages = true);
    assert_eq!(people(&rest, 2).await.unwrap(), (everybody, false), "a circle");
    sim.stop().await;

    let forgetful = self::sim(|sim| sim.page_token_lifetime = Duration::ZERO).await;
    let rest = client_of_sim(&forgetful, whole());
    let error = people(&rest, 2).await.unwrap_err();
    assert!(matches!(error, RestError::Unanswered { code: Some(300), .. }), "not for ever: {error}");
    assert_eq!(people(&rest, 100).await.unwrap(), (everybody, true));
    forgetful.stop().await;
}

#[tokio::test]
async fn html_instead_of_json_is_an_error_and_a_series_of_it_a_rest() {
    let sim = sim(|_| {}).await;
    let rest = client_of_sim(&sim, whole());
    sim.faults().fail_rest(4, 502);
    for _ in 0..4 {
        assert!(matches!(read(&rest, QUEUES).await, Err(RestError::Unavailable { status: 502, .. })));
    }
    assert!(read(&rest, QUEUES).await.is_ok(), "one answer makes good");
    sim.faults().fail_rest(5, 502);
    for _ in 0..5 {
        assert!(read(&rest, QUEUES).await.is_err());
    }
    let before = sim.totals().rest;
    assert!(matches!(read(&rest, HISTORY).await, Err(RestError::Resting { .. })));
    assert_eq!(sim.totals().rest, before);
    sim.stop().await;
}
