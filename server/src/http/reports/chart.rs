//! Charts of a report: lines and bars by `plotters`, as SVG in which every colour is one of the page's own.

use std::io;

use app::components::chart::{Chart, ChartPart};
use domain::report::Sums;
use plotters::{
    backend::SVGBackend,
    chart::{ChartBuilder, ChartContext},
    coord::{Shift, cartesian::Cartesian2d, types::RangedCoordf64},
    drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea as _},
    element::{Circle, Rectangle},
    series::LineSeries,
    style::{Color as _, IntoFont as _, RGBColor},
};

/// Drawn at this size and shown at any.
const WIDTH: u32 = 1_000;
/// Of volumes.
const HEIGHT: u32 = 260;
/// Of service levels.
const LOW: u32 = 170;

/// Stand-ins for colours of the page: plotters knows numbers only, pages have two sets of them.
const COLOURS: [(RGBColor, &str, &str); 6] = [
    (LINE, "#010101", "var(--line)"),
    (TEXT, "#020202", "var(--muted)"),
    (ANSWERED, "#030303", "var(--accent)"),
    (ABANDONED, "#040404", "var(--act)"),
    (FLOWED_OUT, "#050505", "var(--watch)"),
    (LEVEL, "#060606", "var(--text)"),
];
const LINE: RGBColor = RGBColor(1, 1, 1);
const TEXT: RGBColor = RGBColor(2, 2, 2);
const ANSWERED: RGBColor = RGBColor(3, 3, 3);
const ABANDONED: RGBColor = RGBColor(4, 4, 4);
const FLOWED_OUT: RGBColor = RGBColor(5, 5, 5);
const LEVEL: RGBColor = RGBColor(6, 6, 6);

type Problem = DrawingAreaErrorKind<io::Error>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Plane<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// An interval and what it is called.
pub(super) type Point<'a> = (String, &'a Sums);

/// Volume and service level over time. None of a single interval: there is nothing to compare.
pub(super) fn charts(points: &[Point<'_>], interval: &str) -> Vec<Chart> {
    if points.len() < 2 {
        return Vec::new();
    }
    [volume(points, interval), level(points, interval)].into_iter().flatten().collect()
}

fn finished_parts(sums: &Sums) -> [u32; 3] {
    [
        sums.answered,
        sums.abandoned + sums.short_abandoned,
        sums.overflowed + sums.voicemail + sums.transferred_out,
    ]
}

fn volume(points: &[Point<'_>], interval: &str) -> Option<Chart> {
    let (busiest, most) =
        points.iter().map(|(name, sums)| (name, sums.finished())).max_by_key(|(_, most)| *most)?;
    let sum = |part: usize| points.iter().map(|(_, sums)| finished_parts(sums)[part]).sum::<u32>();
    let svg = drawn(HEIGHT, |area| {
        let mut plane = plane(area, points, f64::from(most.max(4)) * 1.05)?;
        mesh(&mut plane, points, &|count| format!("{count:.0}"))?;
        for (part, colour) in [ANSWERED, ABANDONED, FLOWED_OUT].into_iter().enumerate() {
            let bars = (0_u32..).zip(points).filter_map(|(place, (_, sums))| {
                let parts = finished_parts(sums);
                let below: u32 = parts[..part].iter().sum();
                let (left, right) = (f64::from(place) + 0.12, f64::from(place) + 0.88);
                let corners = [(left, f64::from(below)), (right, f64::from(below + parts[part]))];
                (parts[part] > 0).then(|| Rectangle::new(corners, colour.filled()))
            });
            plane.draw_series(bars)?;
        }
        Ok(())
    })?;
    let description = format!(
        "Stacked bars, one for each {interval}: {} answered, {} abandoned, {} sent on. Most visits ended in {busiest}: {most}.",
        sum(0),
        sum(1),
        sum(2)
    );
    Some(Chart {
        id: "chart-volume",
        title: format!("What became of visits, by {interval}"),
        description,
        height: HEIGHT,
        svg,
        parts: vec![
            ChartPart { mark: "answered", label: "answered (below)" },
            ChartPart { mark: "abandoned", label: "abandoned, short ones included (between)" },
            ChartPart { mark: "flow-out", label: "overflow, voicemail, transferred (above)" },
        ],
    })
}

fn level(points: &[Point<'_>], interval: &str) -> Option<Chart> {
    let percents = (0_u32..).zip(points).filter_map(|(place, (name, sums))| {
        let permille = sums.promised.permille()?;
        Some((f64::from(place) + 0.5, f64::from(permille) / 10.0, name))
    });
    let percents: Vec<(f64, f64, &String)> = percents.collect();
    let lowest = percents.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let svg = drawn(LOW, |area| {
        let mut plane = plane(area, points, 102.0)?;
        mesh(&mut plane, points, &|percent| format!("{percent:.0} %"))?;
        let dots = || percents.iter().map(|(x, y, _)| (*x, *y));
        // A line over an interval without visits would tell of a level that nobody had.
        for run in percents.chunk_by(|a, b| b.0 - a.0 < 1.5) {
            let line = run.iter().map(|(x, y, _)| (*x, *y));
            plane.draw_series(LineSeries::new(line, LEVEL.stroke_width(2)))?;
        }
        plane.draw_series(dots().map(|dot| Circle::new(dot, 3, LEVEL.filled())))?;
        Ok(())
    })?;
    let description = format!(
        "A line from 0 to 100 %, a dot for each {interval} in which visits were decided. Lowest in {}: {:.0} %.",
        lowest.2,
        lowest.1.floor()
    );
    let title = format!("Service level, by {interval}");
    Some(Chart { id: "chart-level", title, description, height: LOW, svg, parts: Vec::new() })
}

/// What is drawn, without the element around it; `None` where nothing can be.
fn drawn(height: u32, draw: impl FnOnce(&Area<'_>) -> Result<(), Problem>) -> Option<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        draw(&area).ok()?;
        area.present().ok()?;
    }
    let inner = svg.split_once('>')?.1.rsplit_once("</svg>")?.0;
    let mut inner = inner.to_owned();
    for (_, number, name) in COLOURS {
        inner = inner.replace(number, name);
    }
    Some(inner)
}

fn plane<'a, 'b>(area: &'a Area<'b>, points: &[Point<'_>], most: f64) -> Result<Plane<'a, 'b>, Problem> {
    let count = u32::try_from(points.len()).map_or(f64::from(u32::MAX), f64::from);
    ChartBuilder::on(area)
        .margin(6)
        .x_label_area_size(28)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..count, 0.0..most)
}

fn mesh(
    plane: &mut Plane<'_, '_>,
    points: &[Point<'_>],
    label: &dyn Fn(f64) -> String,
) -> Result<(), Problem> {
    // An interval is named where it begins.
    let name = |place: &f64| {
        let is_one = place.fract().abs() < 1e-9 && *place >= 0.0;
        points.get(*place as usize).filter(|_| is_one).map(|(name, _)| short(name)).unwrap_or_default()
    };
    plane
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(LINE.mix(0.0))
        .bold_line_style(LINE)
        .axis_style(LINE)
        .label_style(("sans-serif", 15).into_font().color(&TEXT))
        .x_labels((points.len() + 1).min(13))
        .y_labels(5)
        .x_label_formatter(&name)
        .y_label_formatter(&|value| label(*value))
        .draw()
}

/// Without what takes room and says little: `Sat 28 Nov, 14:00` as `14:00`, `Sat 28 Nov 2026` as `28 Nov`.
fn short(name: &str) -> String {
    if let Some((_, hour)) = name.split_once(", ") {
        return hour.to_owned();
    }
    let name = name.trim_start_matches("Week of ");
    let words: Vec<&str> = name.split(' ').collect();
    match words[..] {
        [_, day, month, _] => format!("{day} {month}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use domain::service_level::ServiceLevel;

    use super::*;

    #[test]
    fn a_chart_has_the_pages_colours_and_says_what_it_shows() {
        let sums = |answered, abandoned, met| Sums {
            answered,
            abandoned,
            promised: ServiceLevel { met, decided: answered + abandoned },
            ..Sums::default()
        };
        let (quiet, busy, none) = (sums(3, 0, 3), sums(40, 20, 30), Sums::default());
        let points = [
            ("Sat 28 Nov, 13:00".to_owned(), &quiet),
            ("Sat 28 Nov, 14:00".to_owned(), &busy),
            ("Sat 28 Nov, 15:00".to_owned(), &none),
        ];
        let charts = charts(&points, "hour");
        assert_eq!(charts.len(), 2);
        for chart in &charts {
            assert!(!chart.svg.contains('#') && !chart.svg.contains("style="), "{}", chart.svg);
            assert!(chart.svg.contains("14:00") && chart.description.contains("14:00"), "{chart:?}");
        }
        assert!(charts[0].svg.contains("var(--accent)") && charts[0].svg.contains("var(--act)"));
        assert!(!charts[0].svg.contains("var(--watch)"), "nobody was sent on");
        assert!(charts[0].description.contains("43 answered, 20 abandoned, 0 sent on"));
        assert!(
            charts[1].description.contains("Lowest in Sat 28 Nov, 14:00: 50 %"),
            "{}",
            charts[1].description
        );
        assert_eq!(charts[1].svg.matches("<circle").count(), 2, "none where nothing was decided");
        assert!(super::charts(&points[..1], "hour").is_empty());
    }

    #[test]
    fn labels_are_short() {
        for (name, expected) in [
            ("Sat 28 Nov, 14:00", "14:00"),
            ("Sun 25 Oct, 02:00 (+01:00)", "02:00 (+01:00)"),
            ("Sat 28 Nov 2026", "28 Nov"),
            ("Week of Mon 23 Nov 2026", "23 Nov"),
            ("November 2026", "November 2026"),
        ] {
            assert_eq!(short(name), expected);
        }
    }
}
