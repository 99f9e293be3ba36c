//! What an address asks of the list of calls, and addresses that ask for something else.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono_tz::Tz;
use domain::{id::QueueId, outcome::Outcome};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::super::span::Span;
use crate::store::{CallQuestion, Credit, Direction, ListPlace, Sort};

/// More queues than this in one question are all of them.
const MOST_QUEUES: usize = 100;
/// No wait is longer: a week.
const LONGEST_WAIT: u32 = 7 * 86_400;
/// No telephone number has more digits.
const MOST_DIGITS: usize = 15;
/// Fewer digits are in every number.
const FEWEST_DIGITS: usize = 3;
/// The words of the record are shorter.
const LONGEST_RESULT: usize = 40;
/// Bytes of the proof in a cursor.
const PROOF: usize = 8;

/// Everything that can be asked for.
const NAMES: &str = "queue, from, to, zone, credit, outcome, late, direction, wait_min, wait_max, number, result, \
                     sort and cursor";

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct AskedCalls {
    /// Which calls; `from` and `to` are in the span.
    question: CallQuestion,
    /// Which time.
    pub(super) span: Span,
}

/// An address that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) asked: AskedCalls,
    /// After which row.
    pub(super) after: Option<ListPlace>,
    /// It says what it asks for in the words in which everybody does.
    pub(super) is_plain: bool,
}

impl Address {
    /// Reads the pairs of a query, or tells everything that is wrong with them. `key` is of this installation.
    pub(super) fn parse(pairs: Vec<(&str, &str)>, home: Tz, key: &str) -> Result<Self, Vec<String>> {
        let written = pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect::<Vec<_>>();
        let mut rest = pairs;
        let mut problems = Vec::new();
        let span = Span::take(&mut rest, home).unwrap_or_else(|told| {
            problems.extend(told);
            Span::default()
        });
        let mut asked = AskedCalls { span, ..AskedCalls::default() };
        let (mut cursor, mut seen) = (None, Vec::new());
        for (name, value) in rest {
            // Ids are whatever they are, white space and all.
            let value = if name == "queue" { value } else { value.trim() };
            // Forms send what was left empty.
            if value.is_empty() {
                continue;
            }
            if !matches!(name, "queue" | "outcome") {
                if seen.contains(&name) {
                    problems.push(format!("{name} can be asked for once."));
                    continue;
                }
                seen.push(name);
            }
            if name == "cursor" {
                cursor = Some(value);
            } else if let Err(problem) = asked.take(name, value) {
                problems.push(problem);
            }
        }
        if let (Some(least), Some(most)) = (asked.question.wait_min, asked.question.wait_max)
            && least >= most
        {
            problems.push("wait_min has to be less than wait_max, which is not included.".to_owned());
        }
        if asked.question.late.is_some()
            && !asked.question.outcomes.is_empty()
            && !asked.question.outcomes.contains(&Outcome::Answered)
        {
            problems
                .push("late is about answered visits: leave it out, or ask for outcome=answered.".to_owned());
        }
        // Which list a cursor is of is known only when the list is.
        let after = cursor.filter(|_| problems.is_empty()).and_then(|cursor| {
            let after = asked.place(cursor, key);
            if after.is_none() {
                problems.push(
                    "cursor is of another list, or not one of ours: leave it out to begin at the top of this one."
                        .to_owned(),
                );
            }
            after
        });
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut plain = asked.pairs();
        plain.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
        let is_plain = written.iter().all(|pair| plain.contains(pair));
        Ok(Self { asked, after, is_plain })
    }
}

impl AskedCalls {
    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        let question = &mut self.question;
        match name {
            "queue" => {
                let id = QueueId::new(value);
                if question.queues.len() >= MOST_QUEUES {
                    return Err(format!("Of more than {MOST_QUEUES} queues, leave queue out to see all."));
                }
                if !question.queues.contains(&id) {
                    question.queues.push(id);
                }
            }
            "outcome" => {
                let known = Outcome::parse(value).filter(|outcome| *outcome != Outcome::Waiting);
                let outcome = known.ok_or(
                    "outcome is one of answered, abandoned, short_abandoned, overflowed, voicemail, \
                     transferred_out.",
                )?;
                if !question.outcomes.contains(&outcome) {
                    question.outcomes.push(outcome);
                }
            }
            "credit" => {
                question.credit = Some(match value {
                    "entered" => Credit::Entered,
                    "left" => Credit::Left,
                    _ => return Err("credit is entered or left: which instant of a visit counts.".to_owned()),
                });
            }
            "late" => {
                question.late = Some(match value {
                    "1" => true,
                    "0" => false,
                    _ => {
                        return Err(
                            "late is 1 (answered after the promised time) or 0 (within it).".to_owned()
                        );
                    }
                });
            }
            "direction" => {
                let direction = Direction::parse(value).ok_or("direction is inbound or outbound.")?;
                question.direction = Some(direction);
            }
            "wait_min" => question.wait_min = Some(seconds(name, value)?),
            "wait_max" => question.wait_max = Some(seconds(name, value)?),
            "number" => {
                let is_written = |c: char| c.is_ascii_digit() || " +-()/.\u{a0}".contains(c);
                let digits: String = value.chars().filter(char::is_ascii_digit).collect();
                let is_number =
                    value.chars().all(is_written) && (FEWEST_DIGITS..=MOST_DIGITS).contains(&digits.len());
                if !is_number {
                    return Err(format!(
                        "number is {FEWEST_DIGITS} to {MOST_DIGITS} digits in a row of the caller’s number."
                    ));
                }
                question.number = Some(digits);
            }
            "result" => {
                let is_word = value.len() <= LONGEST_RESULT
                    && value
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
                if !is_word {
                    return Err("result is a word of the record such as answered or no_answer.".to_owned());
                }
                question.result = Some(value.to_owned());
            }
            "sort" => {
                let sort = ORDERS.into_iter().find(|(word, _)| *word == value);
                let (_, sort) = sort.ok_or("sort is one of -time, time, -wait, wait.")?;
                question.sort = sort;
            }
            _ => {
                let name: String = name.chars().take(40).collect();
                return Err(format!("“{name}” cannot be asked for here; {NAMES} can."));
            }
        }
        Ok(())
    }

    /// The question.
    pub(super) fn question(&self) -> CallQuestion {
        CallQuestion { from: self.span.from, to: self.span.to, ..self.question.clone() }
    }

    /// As pairs of an address: the same question always in the same words.
    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        let question = &self.question;
        let mut pairs: Vec<(&'static str, String)> = self.span.pairs().collect();
        let mut say = |name, value: Option<String>| pairs.extend(value.map(|value| (name, value)));
        for queue in &question.queues {
            say("queue", Some(queue.to_string()));
        }
        for outcome in &question.outcomes {
            say("outcome", Some(outcome.word().to_owned()));
        }
        say("credit", question.credit.map(|credit| credit_word(credit).to_owned()));
        say("late", question.late.map(|late| u8::from(late).to_string()));
        say("direction", question.direction.map(|direction| direction.word().to_owned()));
        say("wait_min", question.wait_min.map(|seconds| seconds.to_string()));
        say("wait_max", question.wait_max.map(|seconds| seconds.to_string()));
        say("number", question.number.clone());
        say("result", question.result.clone());
        say("sort", (question.sort != Sort::default()).then(|| sort_word(question.sort).to_owned()));
        pairs
    }

    /// The address of its list at `path`, from the row after a place on.
    pub(super) fn href(&self, path: &str, after: Option<String>) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.pairs());
        if let Some(after) = after {
            query.append_pair("cursor", &after);
        }
        let query = query.finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }

    /// The same in another order.
    pub(super) fn sorted(&self, sort: Sort) -> Self {
        let mut other = self.clone();
        other.question.sort = sort;
        other
    }

    /// The same of another time.
    pub(super) fn of_time(&self, span: Span) -> Self {
        Self { span, ..self.clone() }
    }

    /// The same without one thing that is asked for.
    pub(super) fn without(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        let question = &mut other.question;
        match name {
            "from" => other.span.from = None,
            "to" => other.span.to = None,
            "zone" => other.span.zone = None,
            "queue" => question.queues.retain(|known| known.as_str() != value),
            "outcome" => question.outcomes.retain(|known| known.word() != value),
            "credit" => question.credit = None,
            "late" => question.late = None,
            "direction" => question.direction = None,
            "wait_min" => question.wait_min = None,
            "wait_max" => question.wait_max = None,
            "number" => question.number = None,
            "result" => question.result = None,
            _ => question.sort = Sort::default(),
        }
        other
    }

    /// A place in this list as an address holds it, with a proof that it is one of ours and of this list.
    pub(super) fn cursor(&self, place: &ListPlace, key: &str) -> String {
        let place = postcard::to_stdvec(place).unwrap_or_default();
        let mut bytes = self.proof(&place, key);
        bytes.extend(place);
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads [`AskedCalls::cursor`].
    fn place(&self, cursor: &str, key: &str) -> Option<ListPlace> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (proof, place) = bytes.split_at_checked(PROOF)?;
        (self.proof(place, key) == proof).then(|| postcard::from_bytes(place).ok()).flatten()
    }

    fn proof(&self, place: &[u8], key: &str) -> Vec<u8> {
        let mut proof =
            Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any key is long enough for this");
        // The zone changes how a list is told, not what is in it.
        let list = Self { span: Span { zone: None, ..self.span }, ..self.clone() };
        proof.update(list.href("", None).as_bytes());
        proof.update(b"\n");
        proof.update(place);
        proof.finalize().into_bytes()[..PROOF].to_vec()
    }
}

/// The orders by their words.
const ORDERS: [(&str, Sort); 4] = [
    ("-time", Sort::Newest),
    ("time", Sort::Oldest),
    ("-wait", Sort::LongestWait),
    ("wait", Sort::ShortestWait),
];

pub(super) fn sort_word(sort: Sort) -> &'static str {
    ORDERS.into_iter().find(|(_, known)| *known == sort).map_or("-time", |(word, _)| word)
}

pub(super) const fn credit_word(credit: Credit) -> &'static str {
    match credit {
        Credit::Entered => "entered",
        Credit::Left => "left",
    }
}

fn seconds(name: &str, value: &str) -> Result<u32, String> {
    let seconds = value.parse().ok().filter(|seconds| *seconds <= LONGEST_WAIT);
    seconds.ok_or_else(|| format!("{name} is a number of seconds, at most {LONGEST_WAIT}."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "installation";

    fn parse(pairs: &[(&str, &str)]) -> Result<Address, Vec<String>> {
        Address::parse(pairs.to_vec(), Tz::Europe__Berlin, KEY)
    }

    fn place() -> ListPlace {
        ListPlace { value: 1_795_000_000_000, call_id: "7000000000000000051".to_owned(), ordinal: 1 }
    }

    #[test]
    fn an_address_is_read_and_told_again_in_the_same_words() {
        let pairs = [
            ("from", "2026-11-25T13:00:00Z"),
            ("to", "2026-11-26T13:00:00Z"),
            ("zone", "America/New_York"),
            ("queue", "q 7"),
            ("queue", " q "),
            ("queue", "q-8"),
            ("outcome", "abandoned"),
            ("outcome", "answered"),
            ("credit", "left"),
            ("late", "1"),
            ("direction", "inbound"),
            ("wait_min", "5"),
            ("wait_max", "20"),
            ("number", "4930"),
            ("result", "no_answer"),
            ("sort", "-wait"),
        ];
        let read = parse(&pairs).unwrap();
        let told = read.asked.pairs();
        assert_eq!(told.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>(), pairs);
        assert!(read.is_plain && read.after.is_none());
        assert!(read.asked.href("/calls", None).contains("queue=q+7&queue=+q+&queue=q-8"));
        // As a form sends it.
        let sent = parse(&[("queue", ""), ("number", "+49 (30)"), ("from", "2026-11-25T14:00")]).unwrap();
        assert!(!sent.is_plain);
        assert_eq!(sent.asked.href("/calls", None), "/calls?from=2026-11-25T13%3A00%3A00Z&number=4930");
        assert_eq!(parse(&[]).unwrap().asked.href("/calls", None), "/calls");
    }

    #[test]
    fn all_that_is_wrong_with_an_address_is_told_at_once() {
        let long = "9".repeat(100_000);
        for (pairs, problems) in [
            (vec![("outcome", "waiting"), ("late", "2"), ("direction", "up"), ("sort", "name")], 4),
            (vec![("wait_min", "-1"), ("wait_max", "1e3"), ("number", "x"), ("result", "<b>")], 4),
            (vec![("wait_min", "20"), ("wait_max", "20")], 1),
            (vec![("from", "2026-11-26"), ("to", "2026-11-25"), ("zone", "Mars"), ("credit", "both")], 3),
            (vec![("late", "1"), ("late", "0")], 1),
            (vec![("late", "1"), ("outcome", "abandoned")], 1),
            (vec![("number", "49"), ("wait_min", "604801")], 2),
            (vec![("number", long.as_str()), ("result", long.as_str()), (long.as_str(), "1")], 3),
            (vec![("number", "1' or '1'='1"), ("result", "x'; drop table queue_visit; --")], 2),
            (vec![("cursor", "AAAA")], 1),
        ] {
            let told = parse(&pairs).unwrap_err();
            assert_eq!(told.len(), problems, "{told:?}");
            assert!(told.iter().all(|problem| problem.len() < 300), "{told:?}");
        }
    }

    #[test]
    fn a_cursor_is_of_its_list_and_of_this_installation() {
        let asked = parse(&[("outcome", "abandoned")]).unwrap().asked;
        let cursor = asked.cursor(&place(), KEY);
        let with = |pairs: &[(&str, &str)], cursor: &str| {
            let mut pairs = pairs.to_vec();
            pairs.push(("cursor", cursor));
            parse(&pairs).map(|address| address.after)
        };
        assert_eq!(with(&[("outcome", "abandoned")], &cursor), Ok(Some(place())));
        assert_eq!(with(&[("outcome", "abandoned"), ("zone", "UTC")], &cursor), Ok(Some(place())));
        assert!(with(&[("outcome", "answered")], &cursor).is_err(), "stale");
        assert!(with(&[("outcome", "abandoned")], &asked.cursor(&place(), "another")).is_err());
        for at in 0..cursor.len() {
            let mut forged = cursor.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert!(with(&[("outcome", "abandoned")], &forged).is_err(), "{forged}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_asked_is_read_or_refused_with_reasons(
            pairs in prop::collection::vec(
                (prop::sample::select(vec![
                    "queue", "from", "to", "zone", "credit", "outcome", "late", "direction", "wait_min",
                    "wait_max", "number", "result", "sort", "cursor", "x",
                ]), "[0-9a-z:TZ+'<;% -]{0,24}|\\PC{0,12}"),
                0..6,
            ),
        ) {
            let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
            match parse(&pairs) {
                Ok(read) => {
                    // What is told again is read as the same.
                    let told = read.asked.pairs();
                    let told: Vec<_> = told.iter().map(|(name, value)| (*name, value.as_str())).collect();
                    let again = parse(&told).unwrap();
                    prop_assert_eq!(again.asked, read.asked);
                    prop_assert!(again.is_plain);
                }
                Err(problems) => prop_assert!(!problems.is_empty()),
            }
        }
    }
}
