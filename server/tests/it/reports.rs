//! Reports over real sockets: every count equals the list that it leads to, files equal the page, and whatever an
//! address asks is answered or refused in words.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use domain::{
    history::{CallHistory, LiveStay, Told},
    outcome::Outcome,
    service_level::Promise,
    time::Timestamp,
};
use serde_json::{Value, json};
use server::{
    Purpose,
    store::{Batch, HistoryBatch, Store},
};
use zoom_sim::{Sim, SimConfig};

use crate::support::{Process, client};

/// 2026-11-25T08:00:00Z.
const MORNING: i64 = 1_795_593_600_000;

/// Visits of two queues over a morning, of every outcome, some of them across the borders of hours.
async fn write_a_morning(folder: &Path) {
    let at = |seconds: i64| Timestamp::from_millis(MORNING + seconds * 1000);
    let (store, mut writer) = Store::open(folder, Purpose::Work, at(0)).await.unwrap();
    let calls = (0..240_i64).map(|number| {
        let outcome = Outcome::ALL[1 + usize::try_from(number % 6).unwrap()];
        let wait = match outcome {
            Outcome::ShortAbandoned => 3,
            _ => 6 + number * 7 % 60,
        };
        let entered = number * 61;
        let told = Told {
            entered_at: at(entered),
            left_at: at(entered + wait),
            outcome,
            presumed: number % 60 == 1,
        };
        let queue_id = if number % 4 == 0 { "=cmd|'x'!A1".into() } else { "q-801".into() };
        CallHistory {
            call_id: format!("71{number:05}").as_str().into(),
            live: Some(vec![LiveStay { queue_id, promise: Promise::default(), told }]),
            records: Vec::new(),
        }
    });
    let batch = HistoryBatch { calls: calls.collect(), place: None, told_at: at(20_000) };
    writer.commit(Batch { history: vec![Arc::new(batch)], ..Batch::default() }).await.unwrap();
    store.close().await;
    writer.close().await.unwrap();
}

async fn text(process: &Process, path: &str) -> (u16, String) {
    let answer = client().get(process.url(path)).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn value(process: &Process, path: &str) -> Value {
    client().get(process.url(path)).send().await.unwrap().json().await.unwrap()
}

/// Cells of a page that lead to calls: the column, where they lead, and what they say.
fn cells(page: &str) -> Vec<(&str, String, &str)> {
    let cells = page.split("data-column=\"").skip(1).filter_map(|cell| {
        let (column, rest) = cell.split_once('"')?;
        let cell = rest.split_once("</td>")?.0;
        let (_, link) = cell.split_once("href=\"")?;
        let (href, rest) = link.split_once('"')?;
        let said = rest.split_once('>')?.1.split_once('<')?.0;
        Some((column, href.replace("&amp;", "&"), said))
    });
    cells.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_count_leads_to_just_so_many_calls() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    write_a_morning(&data).await;
    let process = Process::start(&sim, &data).await;
    let mut columns: BTreeMap<String, usize> = BTreeMap::new();
    for path in [
        "/reports?day=2026-11-25",
        "/reports?from=2026-11-25T09:00:00Z&to=2026-11-25T10:00:00Z&zone=Asia/Kathmandu&queue=q-801",
    ] {
        let (status, page) = text(&process, path).await;
        assert_eq!(status, 200, "{page}");
        for (column, href, said) in cells(&page) {
            let list = value(&process, &format!("/api/v1{href}")).await;
            if column != "longest_wait_seconds" {
                assert_eq!(list["count"].to_string(), said.replace(',', ""), "{column} of {path}: {href}");
            }
            let (status, _) = text(&process, &href).await;
            assert_eq!(status, 200, "{href}");
            *columns.entry(column.to_owned()).or_default() += 1;
        }
    }
    assert_eq!(columns.len(), 9, "every column that counts leads somewhere: {columns:?}");
    sim.stop().await;
}

#[tokio::test]
async fn page_json_and_file_say_the_same() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    write_a_morning(&data).await;
    let process = Process::start(&sim, &data).await;
    let query = "day=2026-11-25&zone=Europe/Berlin&interval=hour";
    let told = value(&process, &format!("/api/v1/reports/queues?{query}")).await;
    assert_eq!(
        (&told["from"], &told["zone"], &told["interval"]),
        (&json!("2026-11-24T23:00:00Z"), &json!("Europe/Berlin"), &json!("hour"))
    );
    let total = &told["total"];
    assert_eq!(
        (&total["offered"], &total["answered"], &total["short_abandoned"]),
        (&json!(240), &json!(40), &json!(40))
    );
    // None was measured, and some ends were presumed.
    assert_eq!((&total["quality"], &total["measured"]), (&json!("inferred"), &json!(0)));
    let sum = |rows: &Value, name: &str| -> u64 {
        rows.as_array().unwrap().iter().map(|row| row[name].as_u64().unwrap()).sum()
    };
    for name in [
        "offered",
        "answered",
        "abandoned",
        "overflowed",
        "voicemail",
        "transferred_out",
        "service_level_decided",
    ] {
        assert_eq!(sum(&told["queues"], name), total[name].as_u64().unwrap(), "{name}");
        assert_eq!(sum(&told["intervals"], name), total[name].as_u64().unwrap(), "{name}");
    }
    for percent in ["p50", "p80", "p90", "p95"] {
        let seconds = total["wait_seconds"][percent].to_string();
        let digits = seconds.split_once('.').map_or(0, |(_, digits)| digits.len());
        assert!(digits <= 3, "to milliseconds: {seconds}");
    }
    let levels = &total["service_levels"];
    assert_eq!(levels["negative"]["decided"], json!(240));
    assert_eq!(levels["short_excluded"]["level"], total["service_level"]);

    let answer = client().get(process.url(&format!("/reports.csv?{query}"))).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8");
    let name = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert!(name.contains("callboard-report-2026-11-25-2026-11-25.csv"), "{name}");
    let file = answer.text().await.unwrap();
    let mut rows =
        file.split("\r\n").filter(|row| !row.is_empty()).map(|row| row.split(',').collect::<Vec<_>>());
    let headings = rows.next().unwrap();
    let rows: Vec<_> = rows.collect();
    assert!(rows.iter().all(|row| row.len() == headings.len()), "{file}");
    let cell =
        |row: &[&str], name: &str| row[headings.iter().position(|known| *known == name).unwrap()].to_owned();
    let of_kind = |kind: &str| rows.iter().filter(|row| row[0] == kind).cloned().collect::<Vec<_>>();
    assert_eq!(of_kind("queue").len(), 2);
    assert!(of_kind("queue").iter().any(|row| row[1].starts_with("'=cmd")), "no formula: {file}");
    assert_eq!(of_kind("interval").len(), told["intervals"].as_array().unwrap().len());
    let total_row = &of_kind("total")[0];
    assert_eq!(
        (cell(total_row, "offered"), cell(total_row, "zone")),
        ("240".to_owned(), "Europe/Berlin".to_owned())
    );
    let (_, page) = text(&process, &format!("/reports?{query}")).await;
    let shown = page.split_once("<tfoot>").unwrap().1.split_once("</tfoot>").unwrap().0;
    for name in [
        "average_wait_seconds",
        "p95_wait_seconds",
        "longest_wait_seconds",
        "average_speed_of_answer_seconds",
    ] {
        let (_, rest) = shown.split_once(&format!("data-column=\"{name}\"")).unwrap();
        let mut said = rest.split_once("</td>").unwrap().0;
        while let Some((_, after)) = said.split_once('>') {
            said = after;
            if !said.starts_with('<') {
                break;
            }
        }
        let said = said.split('<').next().unwrap();
        let seconds = said.split(':').fold(0, |all, part| all * 60 + part.parse::<u64>().unwrap());
        assert_eq!(seconds.to_string(), cell(total_row, name), "{name}");
    }
    sim.stop().await;
}

#[tokio::test]
async fn whatever_an_address_asks_is_answered_or_refused_in_words() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(&sim, &folder.path().join("data")).await;
    let long = "9".repeat(9_000);
    for (query, status, said) in [
        (String::new(), 200, "No visit to these queues"),
        ("range=last_month&zone=Australia/Lord_Howe".to_owned(), 200, "Australia/Lord_Howe"),
        ("queue=%27%20or%201%3D1%3B--&queue=%3Cscript%3Ealert(1)%3C/script%3E".to_owned(), 200, "2 queues"),
        ("from=&to=&queue=&range=yesterday".to_owned(), 307, ""),
        (
            "from=2026-11-26T00:00:00Z&to=2026-11-25T00:00:00Z&zone=Mars/Olympus".to_owned(),
            400,
            "IANA time zone",
        ),
        ("from=0001-01-01&to=9999-12-31".to_owned(), 400, "longer than ten years"),
        ("from=2026-11-25T14:07&to=2026-11-25T15:00".to_owned(), 400, "whole ones"),
        ("interval=year&range=ever".to_owned(), 400, "interval is one of 15min"),
        ("day=%2B262142-12-31".to_owned(), 400, "day is a date"),
        ("day=0000-01-01&zone=Asia/Kolkata".to_owned(), 400, "outside the years"),
        ("from=0000-01-01&to=0000-01-02&zone=Asia/Kolkata".to_owned(), 400, "outside the years"),
        ("day=0000-01-02&zone=Asia/Kolkata".to_owned(), 200, ""),
        ("day=9999-12-31&zone=UTC".to_owned(), 400, "outside the years"),
        ("day=9999-12-30".to_owned(), 200, "That time has not begun"),
        ("range=this_month".to_owned(), 200, "That time is not over"),
        (format!("queue={long}"), 400, "longer than"),
    ] {
        for path in ["/reports", "/reports.csv", "/api/v1/reports/queues"] {
            let (answered, text) = text(&process, &format!("{path}?{query}")).await;
            // What a form sends leads to the plain address; programs are answered at once.
            let status = if status == 307 && path != "/reports" { 200 } else { status };
            assert_eq!(answered, status, "{path}?{query}");
            assert!(path.starts_with("/api") || !text.contains("<script>alert"), "{text}");
            if path == "/reports" || status == 400 {
                assert!(text.contains(said), "{path}?{query}: {text}");
            }
        }
    }
    let (status, definitions) = text(&process, "/definitions").await;
    assert_eq!(status, 200);
    for anchor in ["service-level", "percentiles", "abandon-rate", "quality"] {
        assert!(definitions.contains(&format!("id=\"{anchor}\"")), "{anchor}");
    }
    sim.stop().await;
}
