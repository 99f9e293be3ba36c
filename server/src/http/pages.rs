//! Pages: reads the address, takes the newest view, lets `app` render.

use std::borrow::Cow;

use app::{
    document::PageLink,
    pages::{
        problem::{ProblemPage, problem_page},
        queues::{QueuesPage, queues_page},
        style::style_page,
        wall::{WallPage, WallSubject, wall_page},
    },
    settings::{DeskSettings, WallSettings},
    zone::LocalZone,
};
use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::{StatusCode, Uri},
    response::Response,
};
use domain::{id::QueueId, view::BoardView};
use leptos::{nonce::Nonce, prelude::*};

use super::router::AppState;
use crate::clock;
use chrono::{DateTime, Duration, Offset, TimeZone};
use chrono_tz::Tz;
use domain::time::Timestamp;

/// Longer queries than this are nobody's who wants to see a board.
const LONGEST_QUERY: usize = 2_000;

/// `GET /wall`
pub(super) async fn wall(State(state): State<AppState>, request: Request) -> Response {
    let view = state.keeper.board().view();
    let title = "All queues".to_owned();
    show_wall(state, request, title, "/live/all".to_owned(), view, WallSubject::AllQueues).await
}

/// `GET /wall/{queue}`
pub(super) async fn wall_of_queue(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let id = QueueId::new(id);
    let board = match state.keeper.subscribe(crate::publish::BoardKey::Queue(id.clone())).await {
        Ok(Some(board)) => board.borrow().view(),
        Ok(None) => return not_found(State(state), request).await,
        Err(_) => return problem(request, ProblemPage::not_ready(state.site.site())).await,
    };
    let title = board.queues.first().map(|queue| queue.name.clone()).unwrap_or_default();
    let stream_url = format!(
        "/live/{}",
        percent_encoding::utf8_percent_encode(id.as_str(), percent_encoding::NON_ALPHANUMERIC)
    );
    show_wall(state, request, title, stream_url, board, WallSubject::OneQueue).await
}

async fn show_wall(
    state: AppState,
    request: Request,
    title: String,
    stream_url: String,
    view: BoardView,
    subject: WallSubject,
) -> Response {
    let settings = match read_query(request.uri(), |pairs| WallSettings::parse(pairs)) {
        Ok(settings) => settings,
        Err(problems) => {
            let next = PageLink::new("Open the wall without settings", request.uri().path());
            let page = ProblemPage::bad_address(state.site.site(), problems, next);
            return problem(request, page).await;
        }
    };
    let zone = zone_of(&state);
    let page = WallPage { site: state.site.site(), title, stream_url, view, subject, settings, zone };
    render(request, StatusCode::OK, move || wall_page(page.clone()).into_any()).await
}

/// `GET /queues`
pub(super) async fn queues(State(state): State<AppState>, request: Request) -> Response {
    let settings = match read_query(request.uri(), |pairs| DeskSettings::parse(pairs)) {
        Ok(settings) => settings,
        Err(problems) => {
            let next = PageLink::new("Open all queues", "/queues");
            let page = ProblemPage::bad_address(state.site.site(), problems, next);
            return problem(request, page).await;
        }
    };
    let page = QueuesPage {
        site: state.site.site(),
        stream_url: "/live/all".to_owned(),
        view: state.keeper.board().view(),
        settings,
        zone: zone_of(&state),
    };
    render(request, StatusCode::OK, move || queues_page(page.clone()).into_any()).await
}

/// `GET /style`, in the demo only.
pub(super) async fn style(State(state): State<AppState>, request: Request) -> Response {
    if !state.site.demo {
        return not_found(State(state), request).await;
    }
    let site = state.site.site();
    render(request, StatusCode::OK, move || style_page(site.clone()).into_any()).await
}

/// Any other address.
pub(super) async fn not_found(State(state): State<AppState>, request: Request) -> Response {
    let page = ProblemPage::not_found(state.site.site());
    problem(request, page).await
}

async fn problem(request: Request, page: ProblemPage) -> Response {
    let status = StatusCode::from_u16(page.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    render(request, status, move || problem_page(page.clone()).into_any()).await
}

async fn render(
    request: Request,
    status: StatusCode,
    page: impl Fn() -> AnyView + Clone + Send + Sync + 'static,
) -> Response {
    let nonce = request.extensions().get::<Nonce>().cloned();
    let context = move || {
        if let Some(nonce) = nonce.clone() {
            provide_context(nonce);
        }
    };
    let render = leptos_axum::render_app_async_with_context(context, page);
    let mut response: Response<Body> = render(request).await;
    *response.status_mut() = status;
    response
}

/// Reads the pairs of the query. Text that is no UTF-8 becomes a replacement character, which no
/// setting accepts.
fn read_query<T>(
    uri: &Uri,
    parse: impl FnOnce(Vec<(&str, &str)>) -> Result<T, Vec<String>>,
) -> Result<T, Vec<String>> {
    let query = uri.query().unwrap_or_default();
    if query.len() > LONGEST_QUERY {
        return Err(vec![format!("The address is longer than {LONGEST_QUERY} characters.")]);
    }
    let pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = url::form_urlencoded::parse(query.as_bytes()).collect();
    parse(pairs.iter().map(|(key, value)| (&**key, &**value)).collect())
}

fn zone_of(state: &AppState) -> LocalZone {
    local_zone(state.home, clock::now())
}

/// How far ahead the next change of a zone's offset is looked for; there are two a year at most.
const OFFSETS_AHEAD: i64 = 220;

/// A zone as pages need it: the offset now, and the next one, so that a clock that runs for months
/// is right over a change.
fn local_zone(zone: Tz, now: Timestamp) -> LocalZone {
    let start = DateTime::from_timestamp_millis(now.as_millis()).unwrap_or_default();
    let offset_at =
        |at: DateTime<chrono::Utc>| zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc();
    let offset_seconds = offset_at(start);
    let day_after = (1..=OFFSETS_AHEAD)
        .map(|days| start + Duration::days(days))
        .find(|at| offset_at(*at) != offset_seconds);
    let next_offset = day_after.map(|at| {
        let (mut before, mut after) = ((at - Duration::days(1)).timestamp(), at.timestamp());
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
