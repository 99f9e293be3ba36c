//! What each figure of a report is and how it is counted.

use domain::service_level::Definition as Level;
use leptos::prelude::*;

use super::reports::{RULE, level_words};
use crate::{
    document::{Bar, Document, Liveness, Site},
    metric::{Metric, QUALITY, SOURCE},
    settings::Theme,
};

/// The whole page.
pub fn definitions_page(site: Site) -> impl IntoView {
    let sheet = site.assets.analytics;
    // Percentiles share one definition.
    let mut metrics: Vec<Metric> = Metric::ALL.to_vec();
    metrics.dedup_by_key(|metric| metric.anchor());
    let index = metrics.clone().into_iter().map(|metric| {
        view! { <li><a href=format!("#{}", metric.anchor())>{metric.name()}</a></li> }
    });
    let index = index.collect_view();
    let parts = metrics.into_iter().map(part).collect_view();
    view! {
        <Document
            site=site.clone()
            title="Definitions".to_owned()
            body="desk".to_owned()
            theme=Theme::Auto
            liveness=Liveness::Still
            sheet
        >
            <Bar site current="/definitions" />
            <main id="main">
                <div class="head">
                    <h1>"Definitions"</h1>
                </div>
                <p>
                    "How the figures of "<a href="/reports">"reports"</a>
                    " are counted. Those of boards are about now and today; what each of them is stands below its board."
                </p>
                <nav class="times" aria-label="Figures">
                    <ul>{index}</ul>
                </nav>
                {parts}
                <section class="part meaning" aria-labelledby="rule">
                    <h2 id="rule">"Where a visit counts"</h2>
                    <p>{RULE}</p>
                </section>
            </main>
        </Document>
    }
}

fn part(metric: Metric) -> impl IntoView {
    let definition = metric.definition();
    let levels = (metric == Metric::ServiceLevel).then(|| {
        let levels = Level::ALL.map(|level| {
            let (name, formula) = level_words(level);
            view! { <li>{format!("{name}: {formula}")}</li> }
        });
        view! {
            <dt>"Other definitions"</dt>
            <dd><ul>{levels.collect_view()}</ul></dd>
        }
    });
    view! {
        <section class="part meaning" id=metric.anchor()>
            <h2>{metric.name()}</h2>
            <dl>
                <dt>"What it is"</dt>
                <dd>{definition.what}</dd>
                <dt>"Formula"</dt>
                <dd class="formula">{definition.formula}</dd>
                {levels}
                <dt>"What counts"</dt>
                <dd>{definition.counts}</dd>
                <dt>"When it is credited"</dt>
                <dd>{definition.credited}</dd>
                <dt>"Where it comes from"</dt>
                <dd>{SOURCE}</dd>
                <dt>"Quality"</dt>
                <dd>{QUALITY}</dd>
            </dl>
        </section>
    }
}
