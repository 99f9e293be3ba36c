//! The report of queues over any time: as a page, as JSON and as a file.

mod asked;
mod chart;
mod file;

use std::{collections::BTreeMap, time::Duration};

use app::{
    components::{
        figures_table::FiguresRow,
        form_fields::{Choice, FormTime},
        times::TimeLink,
    },
    document::PageLink,
    pages::{
        definitions::definitions_page,
        problem::ProblemPage,
        reports::{ReportForm, ReportsPage, reports_page},
    },
};
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse as _, Redirect, Response},
};
use chrono_tz::Tz;
use domain::{
    calendar::{Interval, Stretch},
    id::QueueId,
    outcome::OverflowReason,
    report::{Callers, Sums},
    service_level::{Definition, ServiceLevel},
    time::Timestamp,
};
use leptos::prelude::IntoAny as _;
use serde::Serialize;
use serde_json::{Map, Value, json};

use self::asked::{Address, AskedTime, MOST_QUEUES, Range};
use super::{
    calls::{name_of, names},
    error::ApiError,
    pages::{problem_page_of, read_query},
    rendered::RenderedPage,
    router::AppState,
    span::{form_time, interval_label, local_time, stretch_words},
};
use crate::{
    clock::{self, format_rfc3339},
    store::{DEADLINE, ReportQuestion, SeekError},
    telemetry,
};

/// Where the page is.
const PAGE: &str = "/reports";

/// A report that was read.
struct Report {
    address: Address,
    /// When.
    now: Timestamp,
    /// In which zone times are told.
    zone: Tz,
    names: BTreeMap<QueueId, String>,
    /// All of the queues together.
    total: Sums,
    /// Each queue with anything, in the order of their names.
    queues: Vec<(QueueId, Sums)>,
    /// Each interval that has begun.
    intervals: Vec<(Stretch, Sums)>,
    /// The times before.
    before: Vec<(&'static str, Stretch, Sums)>,
}

fn parse(state: &AppState, uri: &Uri, now: Timestamp) -> Result<Address, Vec<String>> {
    read_query(uri, |pairs| Address::parse(pairs, state.home, now))
}

async fn read(state: &AppState, address: Address, now: Timestamp) -> Result<Report, SeekError> {
    let parts: Vec<Stretch> = address.parts.iter().copied().filter(|part| part.from <= now).collect();
    let before: Vec<Stretch> = address.before.iter().map(|(_, before)| *before).collect();
    let question = ReportQuestion { queues: &address.asked.queues, intervals: &parts, others: &before };
    let sums = state.store.report(question, DEADLINE).await?;
    let names = names(state).await;
    let total = sums.total();
    let mut queues = sums.queues;
    queues.sort_by_cached_key(|(id, _)| (name_of(&names, id), id.clone()));
    let before = address.before.iter().zip(sums.others);
    let before = before.map(|((name, stretch), sums)| (*name, *stretch, sums)).collect();
    let intervals = parts.into_iter().zip(sums.intervals).collect();
    let zone = address.asked.zone.unwrap_or(state.home);
    Ok(Report { address, now, zone, names, total, queues, intervals, before })
}

/// `GET /reports`
pub(super) async fn page(State(state): State<AppState>, request: Request) -> Response {
    let uri = request.uri().clone();
    let report = match Report::asked(&state, &uri, PAGE).await {
        Ok(report) => report,
        Err(refused) => return refused.answer(&request),
    };
    let page = report.page(&state);
    RenderedPage::of(|| reports_page(page).into_any()).respond(StatusCode::OK, request.headers())
}

/// `GET /reports.csv`
pub(super) async fn csv(State(state): State<AppState>, request: Request) -> Response {
    let uri = request.uri().clone();
    let report = match Report::asked(&state, &uri, "/reports.csv").await {
        Ok(report) => report,
        Err(refused) => return refused.answer(&request),
    };
    let file = format!("attachment; filename=\"callboard-report-{}.csv\"", report.file_name());
    let mut response = report.csv().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    if let Ok(file) = HeaderValue::from_str(&file) {
        headers.insert(header::CONTENT_DISPOSITION, file);
    }
    response
}

/// `GET /definitions`
pub(super) async fn definitions(State(state): State<AppState>, request: Request) -> Response {
    let site = state.site.site();
    RenderedPage::of(|| definitions_page(site).into_any()).respond(StatusCode::OK, request.headers())
}

/// Why an address of a page or file leads to none.
enum Refused {
    /// It is told in other words elsewhere.
    There(String),
    Problem(Box<ProblemPage>),
}

impl Refused {
    fn answer(self, request: &Request) -> Response {
        match self {
            Self::There(address) => Redirect::temporary(&address).into_response(),
            Self::Problem(page) => problem_page_of(request, *page),
        }
    }
}

impl Report {
    /// What an address of a page or file at `path` asks for.
    async fn asked(state: &AppState, uri: &Uri, path: &str) -> Result<Self, Refused> {
        let now = clock::now();
        let site = state.site.site();
        let today = |label| PageLink::new(label, "/reports");
        let address = parse(state, uri, now).map_err(|problems| {
            let next = today("The report of today");
            Refused::Problem(Box::new(ProblemPage::bad_address(site.clone(), problems, next)))
        })?;
        // One page, one address. A program that fetches a file wants the file.
        if !address.is_plain && path == PAGE {
            return Err(Refused::There(address.asked.href(PAGE)));
        }
        let asked = address.asked.clone();
        read(state, address, now).await.map_err(|error| match error {
            SeekError::TooLong => {
                let of_today = asked.of_time(AskedTime::Range(Range::Today)).href("/reports");
                Refused::Problem(Box::new(ProblemPage {
                    site,
                    status: 422,
                    title: "Summing up this report takes too long".to_owned(),
                    explanation: vec![
                        format!(
                            "A report has {} s to be summed up, so that boards never wait for it. Within that time this one was not.",
                            DEADLINE.as_secs()
                        ),
                        "Ask for a shorter time, or for fewer queues.".to_owned(),
                    ],
                    problems: Vec::new(),
                    next: vec![
                        PageLink::new("The same of today", of_today),
                        today("The report of today, all queues"),
                    ],
                    is_awaited: false,
                }))
            }
            SeekError::Busy => Refused::Problem(Box::new(ProblemPage::busy(site))),
            SeekError::Store(error) => {
                tracing::warn!(error = telemetry::chain(&error), "failed to read a report");
                Refused::Problem(Box::new(ProblemPage::not_ready(site)))
            }
        })
    }
}

impl Report {
    fn page(self, state: &AppState) -> ReportsPage {
        let Self { address, zone, names, total, .. } = &self;
        let asked = &address.asked;
        let subject = match &asked.queues[..] {
            [] => "All queues".to_owned(),
            [queue] => name_of(names, queue),
            queues => format!("{} queues", queues.len()),
        };
        let times = Range::ALL.map(|range| TimeLink {
            label: range.words(),
            href: asked.of_time(AskedTime::Range(range)).href("/reports"),
            is_shown: asked.time == AskedTime::Range(range),
        });
        let row = |name: String, href, calls: (&[QueueId], Stretch), sums: &Sums| FiguresRow {
            name,
            href,
            remark: None,
            calls: asked.calls(calls.0, calls.1),
            sums: sums.clone(),
            revised: sums.revised_at.map(|at| format!("last changed on {}", local_time(*zone, at))),
        };
        let whole = (&asked.queues[..], address.stretch);
        let queues = self.queues.iter().map(|(id, sums)| {
            let href = (asked.queues.len() != 1).then(|| asked.of_queue(id).href("/reports"));
            row(name_of(names, id), href, (std::slice::from_ref(id), address.stretch), sums)
        });
        let is_finest = address.interval == Interval::Quarter;
        let intervals = self.intervals.iter().map(|(part, sums)| {
            let href = (!is_finest).then(|| asked.of_time(AskedTime::Between(*part)).href("/reports"));
            let name = self.label(*part);
            let remark = (!self.is_whole(*part)).then(|| "in part".to_owned());
            FiguresRow { remark, ..row(name, href, (&asked.queues, *part), sums) }
        });
        let points: Vec<_> = self.intervals.iter().map(|(part, sums)| (self.label(*part), sums)).collect();
        let charts = chart::charts(&points, address.interval.words());
        let words = stretch_words(*zone, address.stretch);
        let this =
            FiguresRow { remark: Some(words.clone()), ..row("This time".to_owned(), None, whole, total) };
        let before = self.before.iter().map(|(name, stretch, sums)| FiguresRow {
            remark: Some(stretch_words(*zone, *stretch)),
            ..row(
                (*name).to_owned(),
                Some(asked.of_time(AskedTime::Between(*stretch)).href("/reports")),
                (&asked.queues, *stretch),
                sums,
            )
        });
        let files = vec![
            PageLink::new("All rows as CSV", asked.href("/reports.csv")),
            PageLink::new("The same as JSON", asked.href("/api/v1/reports/queues")),
        ];
        ReportsPage {
            site: state.site.site(),
            zone: zone.name().to_owned(),
            time: words,
            notes: self.notes(state),
            subject,
            times: times.into(),
            form: self.form(state),
            total: row("All together".to_owned(), None, whole, total),
            queues: queues.collect(),
            interval: address.interval.words(),
            intervals: intervals.collect(),
            charts,
            compared: [this].into_iter().chain(before).collect(),
            files,
        }
    }

    /// What one of its intervals is called: of a single day, without the date.
    fn label(&self, part: Stretch) -> String {
        let Stretch { from, to } = self.address.stretch;
        let is_one_day = clock::day_of(self.zone, clock::date_of(self.zone, from)).1 >= to;
        interval_label(self.zone, self.address.interval, part.from, !is_one_day)
    }

    /// What is to be known of its time.
    fn notes(&self, state: &AppState) -> Vec<String> {
        let stretch = self.address.stretch;
        let goes_on = (stretch.to > self.now).then(|| {
            if stretch.from > self.now {
                return "That time has not begun: there is nothing to count yet.".to_owned();
            }
            format!(
                "That time is not over: this is how it stands at {}. Times before are counted to the last whole quarter of an hour.",
                local_time(self.zone, self.now)
            )
        });
        let installed_at = state.store.installation().created_at;
        let is_before = (stretch.from < installed_at).then(|| {
            format!(
                "This server was installed on {}: of what was before, it has what Zoom’s record told since.",
                local_time(self.zone, installed_at)
            )
        });
        goes_on.into_iter().chain(is_before).collect()
    }

    /// A part that begins and ends where its interval does.
    fn is_whole(&self, part: Stretch) -> bool {
        let interval = self.address.interval;
        let offsets = clock::offsets(self.zone, part.from, part.to);
        interval.begins_at(&offsets, part.from) && interval.begins_at(&offsets, part.to)
    }

    fn form(&self, state: &AppState) -> ReportForm {
        let Self { address, zone, names, .. } = self;
        let asked = &address.asked;
        let time = |at: Timestamp| {
            let (value, is_local) = form_time(*zone, at);
            FormTime { value, is_instant: !is_local }
        };
        let unnamed = asked.queues.iter().filter(|id| !names.contains_key(id)).map(|id| (id, id.to_string()));
        let queues = names.iter().map(|(id, name)| (id, name.clone())).chain(unnamed);
        let queues = queues.map(|(id, label)| Choice {
            value: id.to_string(),
            label,
            is_chosen: asked.queues.contains(id),
        });
        let mut queues: Vec<Choice> = queues.collect();
        queues.sort_by(|a, b| a.label.cmp(&b.label));
        let suitable = Choice {
            value: String::new(),
            label: "what suits the time".to_owned(),
            is_chosen: asked.interval.is_none(),
        };
        let intervals = Interval::ALL.map(|interval| Choice {
            value: interval.word().to_owned(),
            label: interval.words().to_owned(),
            is_chosen: asked.interval == Some(interval),
        });
        ReportForm {
            from: time(address.stretch.from),
            to: time(address.stretch.to),
            zone: asked.zone.map(|zone| zone.name().to_owned()).unwrap_or_default(),
            home_zone: state.home.name().to_owned(),
            queues,
            most_queues: MOST_QUEUES,
            interval: [suitable].into_iter().chain(intervals).collect(),
        }
    }

    fn file_name(&self) -> String {
        let date = |at| clock::date_of(self.zone, at).to_string();
        let last = Timestamp::from_millis(self.address.stretch.to.as_millis() - 1);
        format!("{}-{}", date(self.address.stretch.from), date(last))
    }
}

/// `GET /api/v1/reports/queues`
pub(super) async fn json(
    State(state): State<AppState>,
    request: Request,
) -> Result<Json<ReportJson>, ApiError> {
    let now = clock::now();
    let address = parse(&state, request.uri(), now)
        .map_err(|problems| ApiError::BadQuestion { problem: problems.join(" ") })?;
    Ok(Json(read(&state, address, now).await?.json()))
}

/// A report as programs get it.
#[derive(Debug, Serialize)]
pub(super) struct ReportJson {
    from: String,
    to: String,
    zone: &'static str,
    interval: &'static str,
    /// The queues that were asked for; of all where there are none.
    queue_ids: Vec<String>,
    total: Map<String, Value>,
    queues: Vec<Map<String, Value>>,
    intervals: Vec<Map<String, Value>>,
    /// The time before, and a week before where that is another.
    before: Vec<Map<String, Value>>,
}

impl Report {
    fn json(&self) -> ReportJson {
        let Self { address, zone, names, .. } = self;
        let with = |pairs: Value, sums: &Sums| {
            let mut all = figures_json(sums);
            if let Value::Object(pairs) = pairs {
                all.extend(pairs);
            }
            all
        };
        let of_time = |stretch: &Stretch| json!({ "from": format_rfc3339(stretch.from), "to": format_rfc3339(stretch.to) });
        let queues = self.queues.iter();
        ReportJson {
            from: format_rfc3339(address.stretch.from),
            to: format_rfc3339(address.stretch.to),
            zone: zone.name(),
            interval: address.interval.word(),
            queue_ids: address.asked.queues.iter().map(QueueId::to_string).collect(),
            total: figures_json(&self.total),
            queues: queues
                .map(|(id, sums)| with(json!({ "queue_id": id.as_str(), "queue": names.get(id) }), sums))
                .collect(),
            intervals: self.intervals.iter().map(|(part, sums)| with(of_time(part), sums)).collect(),
            before: self.before.iter().map(|(_, stretch, sums)| with(of_time(stretch), sums)).collect(),
        }
    }
}

/// A percentile to the nearest millisecond: bands end in between.
fn percentile(sums: &Sums, callers: Callers, percent: u8) -> Option<Duration> {
    let nearest = sums.percentile(callers, percent)? + Duration::from_micros(500);
    Some(Duration::from_millis(u64::try_from(nearest.as_millis()).unwrap_or(u64::MAX)))
}

/// The figures of one cell.
fn figures_json(sums: &Sums) -> Map<String, Value> {
    let seconds = |wait: Option<Duration>| wait.map(|wait| wait.as_secs_f64());
    let share = |part: u32, whole: u32| (whole > 0).then(|| f64::from(part) / f64::from(whole));
    let level = |level: ServiceLevel| share(level.met, level.decided);
    let levels = Definition::ALL.map(|definition| {
        let counts = sums.service_level(definition);
        let told = json!({ "met": counts.met, "decided": counts.decided, "level": level(counts) });
        (definition.word().to_owned(), told)
    });
    let reasons = OverflowReason::ALL.into_iter().zip(sums.overflowed_for);
    let reasons = reasons.map(|(reason, count)| (reason.word().to_owned(), json!(count)));
    let reasons = reasons.chain([("unknown".to_owned(), json!(sums.overflowed_for_unknown()))]);
    let percentiles = |callers| {
        let told = [50, 80, 90, 95]
            .map(|percent| (format!("p{percent}"), json!(seconds(percentile(sums, callers, percent)))));
        Value::Object(told.into_iter().collect())
    };
    let (abandoned, whole) = sums.abandon_rate();
    let pairs = [
        ("offered", json!(sums.offered)),
        ("answered", json!(sums.answered)),
        ("answered_late", json!(sums.answered_late())),
        ("abandoned", json!(sums.abandoned)),
        ("short_abandoned", json!(sums.short_abandoned)),
        ("abandon_rate", json!(share(abandoned, whole))),
        ("overflowed", json!(sums.overflowed)),
        ("overflow_reasons", Value::Object(reasons.collect())),
        ("voicemail", json!(sums.voicemail)),
        ("transferred_out", json!(sums.transferred_out)),
        ("service_level", json!(level(sums.promised))),
        ("service_level_met", json!(sums.promised.met)),
        ("service_level_decided", json!(sums.promised.decided)),
        ("service_levels", Value::Object(levels.into_iter().collect())),
        ("average_speed_of_answer_seconds", json!(seconds(sums.average_speed_of_answer()))),
        ("average_time_to_abandon_seconds", json!(seconds(sums.average_time_to_abandon()))),
        ("average_wait_seconds", json!(seconds(sums.average_wait()))),
        ("wait_seconds", percentiles(Callers::All)),
        ("answered_wait_seconds", percentiles(Callers::Answered)),
        ("longest_wait_seconds", json!(seconds(sums.longest_wait()))),
        ("quality", json!(sums.quality())),
        ("measured", json!(sums.measured)),
        ("revised_at", json!(sums.revised_at.map(format_rfc3339))),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
