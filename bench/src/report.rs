//! What was found: a table for people, and the same as one JSON object per line.

use serde::Serialize;

use crate::{clock, machine, machine::Machine, spread::Spread};

/// What a number must be to meet its goal.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    /// Our own number, at most.
    AtMost(f64),
    /// Our own number, at least.
    AtLeast(f64),
    /// Ours divided by the rival's, at most.
    RatioAtMost(f64),
    /// Ours divided by the rival's, at least.
    RatioAtLeast(f64),
}

/// One line of the report.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    /// What was measured.
    pub(crate) metric: String,
    /// In which unit.
    pub(crate) unit: &'static str,
    pub(crate) ours: Spread,
    /// Who did the same in the same run, or which limit there is.
    pub(crate) rival: Option<(&'static str, Spread)>,
    pub(crate) goal: Option<Goal>,
    /// Conditions that are not in the name.
    pub(crate) note: String,
}

impl Finding {
    pub(crate) fn new(metric: impl Into<String>, unit: &'static str, ours: Spread) -> Self {
        Self { metric: metric.into(), unit, ours, rival: None, goal: None, note: String::new() }
    }

    pub(crate) fn beside(mut self, name: &'static str, rival: Spread) -> Self {
        self.rival = Some((name, rival));
        self
    }

    pub(crate) fn goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal);
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    fn ratio(&self) -> Option<f64> {
        let (_, rival) = self.rival?;
        (rival.median > 0.0).then(|| self.ours.median / rival.median)
    }

    fn met(&self) -> Option<bool> {
        let ratio = self.ratio();
        Some(match self.goal? {
            Goal::AtMost(limit) => self.ours.median <= limit,
            Goal::AtLeast(limit) => self.ours.median >= limit,
            Goal::RatioAtMost(limit) => ratio? <= limit,
            Goal::RatioAtLeast(limit) => ratio? >= limit,
        })
    }

    fn goal_words(&self) -> String {
        match self.goal {
            None => String::new(),
            Some(Goal::AtMost(limit)) => format!("≤ {}", number(limit)),
            Some(Goal::AtLeast(limit)) => format!("≥ {}", number(limit)),
            Some(Goal::RatioAtMost(limit)) => format!("≤ {}×", number(limit)),
            Some(Goal::RatioAtLeast(limit)) => format!("≥ {}×", number(limit)),
        }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    metric: &'a str,
    unit: &'static str,
    ours: f64,
    ours_min: f64,
    ours_max: f64,
    rival: Option<&'static str>,
    rival_value: Option<f64>,
    rival_min: Option<f64>,
    rival_max: Option<f64>,
    ratio: Option<f64>,
    goal: Option<String>,
    met: Option<bool>,
    note: &'a str,
    quick: bool,
    #[serde(flatten)]
    machine: &'a Machine,
    load_average: f64,
    unix_time: u64,
}

/// Collects findings.
#[derive(Debug)]
pub(crate) struct Report {
    machine: Machine,
    quick: bool,
    findings: Vec<(Finding, f64, u64)>,
}

impl Report {
    pub(crate) fn new(machine: Machine, quick: bool) -> Self {
        Self { machine, quick, findings: Vec::new() }
    }

    pub(crate) fn add(&mut self, finding: Finding) {
        self.findings.push((finding, machine::load_average(), clock::wall().as_secs()));
    }

    pub(crate) fn print(&self) {
        let Machine { git_rev, kernel, cpu, cpus } = &self.machine;
        println!("\nrevision {git_rev}, Linux {kernel}, {cpus} cores of {cpu}\n");
        let mut table = vec![["metric", "ours", "beside it", "", "ratio", "goal", "met"].map(str::to_owned)];
        for (finding, ..) in &self.findings {
            let unit = finding.unit;
            let (rival_name, rival) = match &finding.rival {
                None => (String::new(), String::new()),
                Some((name, rival)) => ((*name).to_owned(), spread(rival, unit)),
            };
            table.push([
                finding.metric.clone(),
                spread(&finding.ours, unit),
                rival_name,
                rival,
                finding.ratio().map(|ratio| format!("{ratio:.2}×")).unwrap_or_default(),
                finding.goal_words(),
                finding.met().map(|met| if met { "yes" } else { "no" }.to_owned()).unwrap_or_default(),
            ]);
        }
        let widths: [usize; 7] = std::array::from_fn(|column| {
            table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)
        });
        for row in &table {
            let cells: Vec<String> =
                row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            println!("{}", cells.join("  ").trim_end());
        }
        println!("\nThe middle of all rounds, least to most in brackets.");
        for (finding, ..) in &self.findings {
            if !finding.note.is_empty() {
                println!("· {}: {}", finding.metric, finding.note);
            }
        }
        println!();
        for line in self.lines() {
            println!("{line}");
        }
    }

    fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.findings.iter().map(|(finding, load_average, unix_time)| {
            let rival = finding.rival.map(|(_, spread)| spread);
            let line = Line {
                metric: &finding.metric,
                unit: finding.unit,
                ours: finding.ours.median,
                ours_min: finding.ours.least,
                ours_max: finding.ours.most,
                rival: finding.rival.map(|(name, _)| name),
                rival_value: rival.map(|rival| rival.median),
                rival_min: rival.map(|rival| rival.least),
                rival_max: rival.map(|rival| rival.most),
                ratio: finding.ratio(),
                goal: finding.goal.map(|_| finding.goal_words()),
                met: finding.met(),
                note: &finding.note,
                quick: self.quick,
                machine: &self.machine,
                load_average: *load_average,
                unix_time: *unix_time,
            };
            serde_json::to_string(&line).expect("texts and finite numbers always encode")
        })
    }
}

fn spread(spread: &Spread, unit: &str) -> String {
    let Spread { median, least, most } = *spread;
    if least == most {
        format!("{} {unit}", number(median))
    } else {
        format!("{} {unit} [{}–{}]", number(median), number(least), number(most))
    }
}

/// Three significant digits, thousands apart.
fn number(value: f64) -> String {
    let places = match value.abs() {
        0.0 => 0,
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.places$}");
    let (whole, rest) =
        text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) && digit.is_ascii_digit() {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match rest {
        Some(rest) if rest.bytes().any(|digit| digit != b'0') => format!("{grouped}.{rest}"),
        _ => grouped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shown = [0.0, 0.123, 9.0, 12.34, 1234.5, 1_234_567.0].map(number);
        assert_eq!(shown, ["0", "0.12", "9", "12.3", "1,234", "1,234,567"]);
    }

    #[test]
    fn goals_look_at_ours_or_at_the_ratio() {
        let finding = Finding::new("x", "ms", Spread::of([30.0])).beside("limit", Spread::of([10.0]));
        let met = |goal| finding.clone().goal(goal).met();
        assert_eq!(met(Goal::AtMost(30.0)), Some(true));
        assert_eq!(met(Goal::AtLeast(31.0)), Some(false));
        assert_eq!(met(Goal::RatioAtMost(2.0)), Some(false));
        assert_eq!(met(Goal::RatioAtLeast(2.0)), Some(true));
        assert_eq!(finding.met(), None);
    }
}
