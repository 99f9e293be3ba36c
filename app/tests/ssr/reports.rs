//! The report of queues and the definitions of its figures.

use std::time::Duration;

use app::{
    components::{
        chart::{Chart, ChartPart},
        figures_table::FiguresRow,
        times::TimeLink,
    },
    document::PageLink,
    metric::Metric,
    pages::{
        definitions::definitions_page,
        reports::{ReportForm, ReportsPage, reports_page},
    },
};
use domain::{report::Sums, service_level::ServiceLevel};

use crate::{assert_reads, render, site};

fn row(name: &str, sums: Sums) -> FiguresRow {
    FiguresRow {
        name: name.to_owned(),
        calls: "/calls?queue=q%267".to_owned(),
        sums,
        ..FiguresRow::default()
    }
}

fn sums() -> Sums {
    Sums {
        offered: 1_200,
        answered: 900,
        answered_in_time: 700,
        abandoned: 200,
        short_abandoned: 60,
        overflowed: 40,
        overflowed_for: [30, 0, 0],
        promised: ServiceLevel { met: 700, decided: 1_140 },
        decided: 1_200,
        decided_answered: 900,
        answered_wait: Duration::from_secs(18_000),
        wait: Duration::from_secs(30_000),
        longest_wait: Duration::from_secs(600),
        measured: 1_200,
        ..Sums::default()
    }
}

fn page(sums: Sums) -> ReportsPage {
    let revised =
        FiguresRow { revised: Some("last changed on Monday".to_owned()), ..row("14:00", sums.clone()) };
    ReportsPage {
        site: site(),
        zone: "Europe/Berlin".to_owned(),
        time: "Sat 21 Nov 2026".to_owned(),
        notes: vec!["That time is not over.".to_owned()],
        subject: "<b>Billing</b>".to_owned(),
        times: vec![TimeLink { label: "Today", href: "/reports".to_owned(), is_shown: true }],
        form: ReportForm::default(),
        total: row("All together", sums.clone()),
        queues: vec![row("<script>alert(1)</script>", sums.clone())],
        interval: "hour",
        intervals: vec![revised],
        charts: vec![Chart {
            id: "chart-volume",
            title: "What became of visits, by hour".to_owned(),
            description: "Stacked bars, one for each hour.".to_owned(),
            height: 260,
            svg: "<rect fill=\"var(--accent)\"/>".to_owned(),
            parts: vec![ChartPart { mark: "answered", label: "answered (below)" }],
        }],
        compared: vec![row("This time", sums)],
        files: vec![PageLink::new("All rows as CSV", "/reports.csv")],
    }
}

#[test]
fn every_count_leads_to_its_calls_and_every_heading_to_its_definition() {
    let html = render(|| reports_page(page(sums())));
    assert_reads(
        &html,
        &[
            "times of Europe/Berlin",
            "1,200",
            "61 %",
            "17.5 %",
            "0:20",
            "10:00",
            "measured",
            "revised",
            "That time is not over.",
            "What became of visits, by hour as a table",
            "Stacked bars, one for each hour.",
            "Overflow by reason: 40",
            "longest wait reached 30",
            "not told by anything 10",
            "Short excluded A_T / (O − B_s)",
            "Offered counts where callers entered",
        ],
    );
    for metric in Metric::ALL {
        assert!(html.contains(&format!("href=\"/definitions#{}\"", metric.anchor())), "{metric:?}");
    }
    assert!(
        html.contains("href=\"/calls?queue=q%267&amp;credit=left&amp;outcome=answered&amp;late=1\""),
        "{html}"
    );
    let drawn = "role=\"img\" aria-labelledby=\"chart-volume-title\" aria-describedby=\"chart-volume-words\"";
    assert!(html.contains(drawn) && html.contains("fill=\"var(--accent)\""), "{html}");
    assert!(!html.contains("<script>alert") && !html.contains("<b>Billing"), "names are text");
    // Nobody went to a mailbox: there is nothing to lead to.
    assert!(!html.contains("outcome=voicemail"));
    assert!(html.contains("/assets/analytics.css") && !html.contains("<leptos-island"));
}

#[test]
fn a_report_of_nothing_says_why_and_what_to_do() {
    let html = render(|| reports_page(page(Sums::default())));
    assert_reads(
        &html,
        &["No visit to these queues came or ended in this time.", "Choose another time above"],
    );
    assert!(!html.contains("figures-table"));
}

#[test]
fn every_figure_is_defined() {
    let html = render(|| definitions_page(site()));
    for metric in Metric::ALL {
        assert!(html.contains(&format!("id=\"{}\"", metric.anchor())), "{metric:?}");
        assert_reads(&html, &[metric.name()]);
    }
    assert_eq!(html.matches("When it is credited").count(), Metric::ALL.len() - 3, "percentiles share one");
}
