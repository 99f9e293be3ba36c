//! A report as a file: the figures of the page to the digit, one row for each queue and then for each interval.

use app::metric::Metric;
use domain::{calendar::Stretch, report::Sums};

use super::{Report, name_of};
use crate::clock::format_rfc3339;

/// Before the figures.
const HEADINGS: [&str; 6] = ["row", "queue_id", "queue", "from", "to", "zone"];

impl Report {
    /// As comma-separated values (RFC 4180). Rows say of what they are: `queue`, `total`, `interval` or `before`.
    pub(super) fn csv(&self) -> String {
        let mut text = String::new();
        let further = ["service_level_met", "service_level_decided", "measured", "revised_at"];
        let headings = HEADINGS.into_iter().chain(Metric::ALL.map(Metric::column)).chain(further);
        push_row(&mut text, headings.map(str::to_owned));
        let mut row = |kind: &str, queue_id: &str, queue: &str, stretch: Stretch, sums: &Sums| {
            let Stretch { from, to } = stretch;
            let of_row = [
                kind.to_owned(),
                safe_id(queue_id),
                safe(queue),
                format_rfc3339(from),
                format_rfc3339(to),
                self.zone.name().to_owned(),
            ];
            let figures = Metric::ALL.map(|metric| metric.plain(sums));
            let further = [
                sums.promised.met.to_string(),
                sums.promised.decided.to_string(),
                sums.measured.to_string(),
                sums.revised_at.map(format_rfc3339).unwrap_or_default(),
            ];
            push_row(&mut text, of_row.into_iter().chain(figures).chain(further));
        };
        for (id, sums) in &self.queues {
            row("queue", id.as_str(), &name_of(&self.names, id), self.address.stretch, sums);
        }
        row("total", "", "", self.address.stretch, &self.total);
        for (part, sums) in &self.intervals {
            row("interval", "", "", *part, sums);
        }
        for (_, stretch, sums) in &self.before {
            row("before", "", "", *stretch, sums);
        }
        text
    }
}

/// Text that others wrote, so that no program takes it for a formula.
fn safe(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// An id, to the letter where it is one of Zoom's: who joins files by it finds nothing by another. Of these
/// characters there is no formula that does anything.
fn safe_id(id: &str) -> String {
    let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if is_plain { id.to_owned() } else { safe(id) }
}

fn push_row(text: &mut String, cells: impl IntoIterator<Item = String>) {
    for (place, cell) in cells.into_iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        if cell.contains(['"', ',', '\r', '\n']) {
            text.push('"');
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(&cell);
        }
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_as_it_is() {
        for id in ["-dash_id", "_x", "aB3-_", ""] {
            assert_eq!(safe_id(id), id);
        }
        assert_eq!(["-1+1", "=cmd|'x'!A1", "-a b"].map(safe_id), ["'-1+1", "'=cmd|'x'!A1", "'-a b"]);
    }

    #[test]
    fn no_name_becomes_a_formula_or_a_cell_more() {
        let mut text = String::new();
        let names = ["=1+1", "+49", "-x", "@sum", "\tx", "a,b", "say \"no\"", "two\nlines", "Sales"];
        push_row(&mut text, names.map(safe));
        assert_eq!(text, "'=1+1,'+49,'-x,'@sum,'\tx,\"a,b\",\"say \"\"no\"\"\",\"two\nlines\",Sales\r\n");
    }
}
