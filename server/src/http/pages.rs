//! Pages: reads the address, takes the newest view, lets `app` render.

use std::sync::Arc;

use app::{
    components::past_band::PastView,
    document::{PageLink, Site},
    pages::{
        problem::{ProblemPage, problem_page},
        queue::{QueuePage, queue_page},
        queues::{QueuesPage, queues_page},
        style::style_page,
        wall::{WallPage, WallSubject, wall_page},
    },
    settings::{DeskSettings, WallSettings},
    zone::LocalZone,
};
use axum::{
    extract::{Path, Request, State, rejection::PathRejection},
    http::{StatusCode, Uri},
    response::Response,
};
use chrono::{DateTime, Duration, Offset, TimeZone};
use chrono_tz::Tz;
use domain::{id::QueueId, time::Timestamp, view::BoardView, volume::WaitTable};
use leptos::prelude::{AnyView, IntoAny as _};

use super::{
    past::{self, Asked, Rest},
    rendered::{RenderedPage, RenderedPages},
    router::AppState,
};
use crate::{
    clock,
    keeper::KeeperGone,
    past::{Past, PastError},
    publish::{BoardKey, Published},
    telemetry,
};

/// Longer queries than this are nobody's. As many queues as can be asked for fit, and so does the whole in the
/// 8 KiB that proxies take.
pub(super) const LONGEST_QUERY: usize = 8_000;

/// `GET /wall`
pub(super) async fn wall(State(state): State<AppState>, request: Request) -> Response {
    wall_of(&state, request, BoardKey::All).await
}

/// `GET /wall/{queue}`
pub(super) async fn wall_of_queue(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    // An address that is no UTF-8 names nothing.
    let Ok(Path(id)) = id else { return not_found(State(state), request).await };
    wall_of(&state, request, BoardKey::Queue(id.as_str().into())).await
}

async fn wall_of(state: &AppState, request: Request, key: BoardKey) -> Response {
    let uri = &request.uri().clone();
    let parse = |pairs: Vec<(&str, &str)>| WallSettings::parse(pairs);
    let moment = match Moment::asked(state, uri, parse, |past, at| past.board(at, &key)).await {
        Ok(moment) => moment,
        Err(elsewhere) => return elsewhere.answer(&request),
    };
    let (subject, stream) = match &key {
        BoardKey::All => (WallSubject::AllQueues, "/live/all".to_owned()),
        BoardKey::Queue(id) => {
            let id = percent_encoding::utf8_percent_encode(id.as_str(), percent_encoding::NON_ALPHANUMERIC);
            (WallSubject::OneQueue, format!("/live/{id}"))
        }
    };
    let page = |board: &Published, settings: WallSettings, past: Option<PastView>| {
        let title = match &key {
            BoardKey::All => "All queues",
            BoardKey::Queue(_) => board.rows.first().map_or("", |row| &row.view.name),
        };
        let zone = local_zone(state.home, board.as_of);
        let stream_url = stream_url(&stream, past.as_ref());
        WallPage {
            site: state.site.site(),
            title: title.to_owned(),
            stream_url,
            view: view_of(board, past.as_ref()),
            subject,
            settings,
            zone,
            past,
        }
    };
    let write = |page| wall_page(page).into_any();
    match moment {
        Moment::Now(settings) => match state.keeper.board(key.clone()).await {
            Ok(Some(board)) => {
                show(&state.pages, &request, board.revision, || Ok(page(&board, settings, None)), write)
            }
            Ok(None) => nothing_here(state, &request),
            Err(KeeperGone) => not_ready(state, &request),
        },
        Moment::Past(asked, rest, settings, board) => {
            let past = asked.view(state, uri, &rest, board.as_of).await;
            let page = page(&board, settings, Some(past));
            RenderedPage::of(|| write(page)).respond(StatusCode::OK, request.headers())
        }
    }
}

/// `GET /queues`
pub(super) async fn queues(State(state): State<AppState>, request: Request) -> Response {
    let uri = &request.uri().clone();
    let parse = |pairs: Vec<(&str, &str)>| DeskSettings::parse(pairs);
    let moment = match Moment::asked(&state, uri, parse, |past, at| past.board(at, &BoardKey::All)).await {
        Ok(moment) => moment,
        Err(elsewhere) => return elsewhere.answer(&request),
    };
    let page = |board: &Published, settings: DeskSettings, past: Option<PastView>| {
        let (site, zone) = (state.site.site(), local_zone(state.home, board.as_of));
        let stream_url = stream_url("/live/all", past.as_ref());
        QueuesPage { site, stream_url, view: view_of(board, past.as_ref()), settings, zone, past }
    };
    let write = |page| queues_page(page).into_any();
    match moment {
        Moment::Now(settings) => match state.keeper.board(BoardKey::All).await {
            Ok(Some(board)) => {
                show(&state.pages, &request, board.revision, || Ok(page(&board, settings, None)), write)
            }
            _ => not_ready(&state, &request),
        },
        Moment::Past(asked, rest, settings, board) => {
            let past = asked.view(&state, uri, &rest, board.as_of).await;
            let page = page(&board, settings, Some(past));
            RenderedPage::of(|| write(page)).respond(StatusCode::OK, request.headers())
        }
    }
}

/// `GET /queues/{queue}`: what stands behind its numbers.
pub(super) async fn queue(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let id = QueueId::new(id);
    let uri = &request.uri().clone();
    let moment = match Moment::asked(&state, uri, |_| Ok(()), |past, at| past.queue(at, &id)).await {
        Ok(moment) => moment,
        Err(elsewhere) => return elsewhere.answer(&request),
    };
    let (board, detail, waits, past) = match moment {
        Moment::Now(()) => {
            match (state.keeper.board(BoardKey::All).await, state.keeper.queue_detail(id.clone()).await) {
                (Ok(Some(board)), Ok(Some(detail))) => (board, detail, todays_waits(&state, &id).await, None),
                (Ok(Some(_)), Ok(None)) => return nothing_here(&state, &request),
                _ => return not_ready(&state, &request),
            }
        }
        Moment::Past(asked, rest, (), (board, detail)) => {
            let past = asked.view(&state, uri, &rest, board.as_of).await;
            // This page has no stream to run by.
            (board, detail, None, Some(PastView { speed: None, speeds: Vec::new(), ..past }))
        }
    };
    let Some(queue) = board.row(&id) else { return nothing_here(&state, &request) };
    let page = QueuePage {
        site: state.site.site(),
        zone: local_zone(state.home, board.as_of),
        as_of: past.as_ref().map_or(board.as_of, PastView::clock),
        trust: board.trust.clone(),
        queue: queue.clone(),
        detail,
        waits,
        past,
    };
    RenderedPage::of(|| queue_page(page).into_any()).respond(StatusCode::OK, request.headers())
}

/// The waits of a queue since its own midnight; `None` when they cannot be read.
async fn todays_waits(state: &AppState, id: &QueueId) -> Option<WaitTable> {
    let zone = {
        let directory = state.queues.borrow();
        let queue = directory.queues.iter().find(|queue| queue.id == *id);
        let zone = queue.and_then(|queue| clock::zone(queue.zone.as_ref()?.as_str()));
        zone.map_or(state.home, |(zone, _)| zone)
    };
    let now = clock::now();
    let (from, to) = clock::day_of(zone, clock::date_of(zone, now));
    let visits = state.store.finished_visits(id, from, to).await;
    let visits = visits.inspect_err(|error| {
        tracing::warn!(error = telemetry::chain(error), "failed to read the waits of a queue");
    });
    Some(WaitTable::of(&visits.ok()?))
}

/// Now, or an instant of the past with what was shown then; and what else the address asks for, as pairs and
/// read.
enum Moment<'a, S, T> {
    Now(S),
    Past(Asked, Rest<'a>, S, T),
}

/// The address leads elsewhere, or to nothing.
enum Elsewhere {
    There(Response),
    Problem(Box<ProblemPage>),
}

impl Elsewhere {
    fn answer(self, request: &Request) -> Response {
        match self {
            Self::There(answer) => answer,
            Self::Problem(page) => problem_page_of(request, *page),
        }
    }
}

impl<'a, S, T> Moment<'a, S, T> {
    /// Reads an address, and looks at the instant it asks for. Everything that is wrong with it is told at once.
    async fn asked<Looking>(
        state: &'a AppState,
        uri: &'a Uri,
        parse: impl FnOnce(Vec<(&str, &str)>) -> Result<S, Vec<String>>,
        look: impl FnOnce(&'a Past, Timestamp) -> Looking,
    ) -> Result<Self, Elsewhere>
    where
        Looking: Future<Output = Result<Option<T>, PastError>>,
    {
        let bad_address = |problems| {
            let next = past::way_on(state.past.ends_at().is_some(), uri.path());
            Elsewhere::Problem(Box::new(ProblemPage::bad_address(state.site.site(), problems, next)))
        };
        let mut rest = pairs(uri).map_err(bad_address)?;
        let asked = Asked::take(&mut rest, state.home, past::latest(state));
        let (asked, settings) = both_or_all_problems(asked, read_pairs(&rest, parse)).map_err(bad_address)?;
        let Some(asked) = asked else {
            return match past::beginning(state, uri.path(), &rest).await {
                Some(there) => Err(Elsewhere::There(there)),
                None => Ok(Self::Now(settings)),
            };
        };
        if let Some(there) = asked.plain_address(state, uri.path(), &rest).await {
            return Err(Elsewhere::There(there));
        }
        let problem = match look(&state.past, asked.at).await {
            Ok(Some(shown)) => return Ok(Self::Past(asked, rest, settings, shown)),
            Ok(None) => ProblemPage::not_found(state.site.site()),
            Err(error) => past::problem(state, uri, &error).await,
        };
        Err(Elsewhere::Problem(Box::new(problem)))
    }
}

/// Both, or the problems of both.
pub(super) fn both_or_all_problems<A, B>(
    one: Result<A, Vec<String>>,
    other: Result<B, Vec<String>>,
) -> Result<(A, B), Vec<String>> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (one, other) => Err([one.err(), other.err()].into_iter().flatten().flatten().collect()),
    }
}

/// A board as a page shows it, by one clock with the instant that is asked for.
fn view_of(board: &Published, past: Option<&PastView>) -> BoardView {
    let view = board.view();
    BoardView { as_of: past.map_or(view.as_of, PastView::clock), ..view }
}

/// The stream that a page follows.
fn stream_url(live: &str, past: Option<&PastView>) -> String {
    past.map_or_else(|| live.to_owned(), |past| past.stream_url(live))
}

/// `GET /style`, in the demo only.
pub(super) async fn style(State(state): State<AppState>, request: Request) -> Response {
    if !state.site.demo {
        return not_found(State(state), request).await;
    }
    let site = state.site.site();
    RenderedPage::of(|| style_page(site).into_any()).respond(StatusCode::OK, request.headers())
}

/// Any other address.
pub(super) async fn not_found(State(state): State<AppState>, request: Request) -> Response {
    nothing_here(&state, &request)
}

/// A page that a recording has nothing for.
pub(super) async fn not_recorded(State(state): State<AppState>, request: Request) -> Response {
    let next = PageLink::new("Play the recording", "/queues");
    let why = "It holds the events of calls: queues and walls can be shown of it.".to_owned();
    let title = "This is not in the recording";
    problem_page_of(&request, ProblemPage::past(state.site.site(), 404, title, why, next))
}

fn nothing_here(state: &AppState, request: &Request) -> Response {
    problem_page_of(request, ProblemPage::not_found(state.site.site()))
}

pub(super) fn not_ready(state: &AppState, request: &Request) -> Response {
    problem_page_of(request, ProblemPage::not_ready(state.site.site()))
}

/// The request names another host. Links would lead there as well, so there are none.
pub(super) fn foreign_host(state: &AppState, request: &Request) -> Response {
    let site = Site { links: Vec::new(), ..state.site.site() };
    problem_page_of(request, ProblemPage::foreign_host(site))
}

pub(super) fn problem_page_of(request: &Request, page: ProblemPage) -> Response {
    let status = StatusCode::from_u16(page.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    RenderedPage::of(|| problem_page(page).into_any()).respond(status, request.headers())
}

/// A page of the board at that revision, written only where nobody asked for it before.
pub(super) fn show<Page>(
    pages: &RenderedPages,
    request: &Request,
    revision: u64,
    prepare: impl FnOnce() -> Result<Page, Box<ProblemPage>>,
    write: impl FnOnce(Page) -> AnyView,
) -> Response {
    let address = request.uri().path_and_query().map_or("/", |address| address.as_str());
    if let Some(page) = pages.get(revision, address) {
        return page.respond(StatusCode::OK, request.headers());
    }
    match prepare() {
        Ok(page) => {
            let page = Arc::new(RenderedPage::of(|| write(page)));
            pages.keep(revision, address, &page);
            page.respond(StatusCode::OK, request.headers())
        }
        Err(page) => problem_page_of(request, *page),
    }
}

/// The pairs of the query. Text that is no UTF-8 becomes a replacement character, which no
/// setting accepts.
pub(super) fn pairs(uri: &Uri) -> Result<Rest<'_>, Vec<String>> {
    let query = uri.query().unwrap_or_default();
    if query.len() > LONGEST_QUERY {
        return Err(vec![format!("The address is longer than {LONGEST_QUERY} characters.")]);
    }
    Ok(url::form_urlencoded::parse(query.as_bytes()).collect())
}

/// Reads settings out of pairs.
fn read_pairs<T>(
    pairs: &Rest<'_>,
    parse: impl FnOnce(Vec<(&str, &str)>) -> Result<T, Vec<String>>,
) -> Result<T, Vec<String>> {
    parse(pairs.iter().map(|(key, value)| (&**key, &**value)).collect())
}

/// Reads the pairs of the query.
pub(super) fn read_query<T>(
    uri: &Uri,
    parse: impl FnOnce(Vec<(&str, &str)>) -> Result<T, Vec<String>>,
) -> Result<T, Vec<String>> {
    read_pairs(&pairs(uri)?, parse)
}

/// How many weeks ahead the next change of a zone's offset is looked for. No zone changes twice within a
/// week, and most twice a year.
const WEEKS_AHEAD: i64 = 32;

/// A zone as pages need it: the offset now, and the next one, so that a clock that runs for months
/// is right over a change.
pub(super) fn local_zone(zone: Tz, now: Timestamp) -> LocalZone {
    let start = DateTime::from_timestamp_millis(now.as_millis()).unwrap_or_default();
    let offset_at =
        |at: DateTime<chrono::Utc>| zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc();
    let offset_seconds = offset_at(start);
    let week_after = (1..=WEEKS_AHEAD)
        .map_while(|weeks| start.checked_add_signed(Duration::weeks(weeks)))
        .find(|at| offset_at(*at) != offset_seconds);
    let next_offset = week_after.map(|at| {
        let (mut before, mut after) = ((at - Duration::weeks(1)).timestamp(), at.timestamp());
        while after - before > 1 {
            let middle = before + (after - before) / 2;
            let is_after =
                DateTime::from_timestamp(middle, 0).is_some_and(|at| offset_at(at) != offset_seconds);
            if is_after { after = middle } else { before = middle }
        }
        (Timestamp::from_millis(after * 1000), offset_at(at))
    });
    let name = zone.name();
    let label = name.rsplit('/').next().unwrap_or(name).replace('_', " ");
    LocalZone { name: name.to_owned(), label, offset_seconds, next_offset }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        clock::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn a_zone_knows_when_its_clock_changes_next() {
        let zone = local_zone(chrono_tz::Europe::Berlin, at("2026-11-21T14:02:11Z"));
        assert_eq!((zone.label.as_str(), zone.offset_seconds), ("Berlin", 3600));
        assert_eq!(zone.next_offset, Some((at("2027-03-28T01:00:00Z"), 7200)));
        let howe = local_zone(chrono_tz::Australia::Lord_Howe, at("2026-11-21T14:02:11Z"));
        assert_eq!(howe.next_offset.map(|(_, offset)| offset), Some(10 * 3600 + 1800));
        assert_eq!(local_zone(chrono_tz::UTC, at("2026-11-21T14:02:11Z")).next_offset, None);
    }

    #[test]
    fn a_query_is_read_or_refused_with_reasons() {
        let uri: Uri = "/wall?theme=light&page=2".parse().unwrap();
        assert!(read_query(&uri, |pairs| WallSettings::parse(pairs)).is_ok());
        let uri: Uri = "/wall?theme=pink&rows=-1&nonsense=%ff".parse().unwrap();
        let problems = read_query(&uri, |pairs| WallSettings::parse(pairs)).unwrap_err();
        assert_eq!(problems.len(), 3, "{problems:?}");
        let long: Uri = format!("/wall?{}", "a".repeat(LONGEST_QUERY + 1)).parse().unwrap();
        assert_eq!(read_query(&long, |pairs| WallSettings::parse(pairs)).unwrap_err().len(), 1);
    }
}
