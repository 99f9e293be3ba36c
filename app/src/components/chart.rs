//! A chart that was drawn elsewhere, with its title, its words, and a way to its numbers.

use leptos::prelude::*;

/// What is drawn, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// The word by which the page knows it.
    pub id: &'static str,
    /// What it shows.
    pub title: String,
    /// What can be seen in it, for whoever does not see it.
    pub description: String,
    /// Of a thousand units of width.
    pub height: u32,
    /// What is within the `svg`, of our own making: nothing that others wrote is in it.
    pub svg: String,
    /// What its colours mean.
    pub parts: Vec<ChartPart>,
}

/// A colour of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartPart {
    /// The word in style sheets.
    pub mark: &'static str,
    /// What it stands for, and where it is.
    pub label: &'static str,
}

/// The chart, whose numbers are in the table `twin`.
#[component]
pub fn ChartFigure(
    /// What is drawn.
    chart: Chart,
    /// Where the same is a table.
    twin: &'static str,
) -> impl IntoView {
    let Chart { id, title, description, height, svg, parts } = chart;
    let (title_id, words_id) = (format!("{id}-title"), format!("{id}-words"));
    let parts = parts.into_iter().map(|ChartPart { mark, label }| view! { <li data-part=mark>{label}</li> });
    let view_box = format!("0 0 1000 {height}");
    view! {
        <figure class="chart">
            <figcaption>
                <span id=title_id.clone()>{title}</span> " " <a href=format!("#{twin}")>"as a table"</a>
                <ul>{parts.collect_view()}</ul>
            </figcaption>
            <div class="scroller" tabindex="0" role="group" aria-labelledby=title_id.clone()>
                <svg viewBox=view_box role="img" aria-labelledby=title_id.clone() aria-describedby=words_id.clone() inner_html=svg></svg>
            </div>
            <p id=words_id class="unseen">{description}</p>
        </figure>
    }
}
