//! A run: so many days of one account, compared second by second.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
};

use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};
use domain::{
    board::{Board, Input, Midnights},
    directory::{Directory, DirectoryQueue, Member},
    history::{CallHistory, newest, pair},
    id::{CallId, QueueId},
    quality::Quality,
    queue::BETWEEN_RINGS,
    reconciliation::{Class, Reconciliation},
    service_level::ServiceLevelPolicy,
    time::Timestamp,
    trust::{FeedLink, Gap, Trust},
};
use server::zoom::{record::path_event, wire::Reader};
use zoom_sim::{Outcome, QueueVisit, World, WorldConfig};

use crate::{
    line::{Counts, Faults, Line},
    score::Score,
    written,
};

/// Whose calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// Two queues and five people, day and night.
    Small,
    /// An office on its business days and weekends.
    Office,
}

/// What to run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Whose calls.
    pub account: Account,
    /// Days from midnight to midnight.
    pub days: u32,
    /// Of the account's story and of the line's faults.
    pub seed: u64,
    /// What the line does.
    pub faults: Faults,
    /// Every call is reconciled with the record a while after it is written.
    pub reconciled: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// One per metric.
    pub scores: Vec<Score>,
    /// What the line did.
    pub line: Counts,
    /// Changes with every board of the run.
    pub fingerprint: u64,
    /// What the days come to when what the board said is held against the record, as the page
    /// `/reconciliation` does it; `None` when no record was read.
    pub reconciliation: Option<Reconciliation>,
    /// Stays by which record and history differ though both are complete.
    pub lost_stays: u64,
    /// Visits of calls whose record was read, each held against the truth.
    pub visits_compared: u64,
    /// In which of these the record was read otherwise than it happened, in words.
    pub differences: Vec<String>,
}

impl Report {
    /// Looks at which a figure was wrong, and visits that the record was read to tell otherwise than they
    /// were.
    pub fn wrong(&self) -> u64 {
        self.scores.iter().map(|score| score.wrong).sum::<u64>() + self.differences.len() as u64
    }

    /// Differences between what the board said live and the record that no call explains; `None` when no
    /// record was read.
    pub fn unexplained(&self) -> Option<u64> {
        self.reconciliation.map(|sum| u64::from(sum.unexplained) + self.lost_stays)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { sent, lost, lost_in_outages, repeated, delayed, outages } = self.line;
        writeln!(
            f,
            "{sent} events; {lost} lost, {lost_in_outages} more lost in {outages} outages, {repeated} came twice, {delayed} late"
        )?;
        writeln!(
            f,
            "{:<22} {:>12} {:>12} {:>8} {:>12} {:>8} {:>6}",
            "metric", "looks", "exact", "%", "within bound", "wrong", "worst"
        )?;
        // Of a day either the one or the other is looked at.
        for score in self.scores.iter().filter(|score| score.looks() > 0) {
            writeln!(f, "{score}")?;
        }
        for score in &self.scores {
            if let Some(first) = &score.first_wrong {
                writeln!(f, "first wrong {}: {first}", score.metric)?;
            }
        }
        if let (Some(sum), Some(unexplained)) = (self.reconciliation, self.unexplained()) {
            let Reconciliation { live, record, corrected, corrected_times, awaited, .. } = sum;
            writeln!(
                f,
                "board said live / record: offered {} / {}, answered {} / {}, abandoned {} / {}",
                live.offered,
                record.offered,
                live.answered,
                record.answered,
                live.abandoned + live.short_abandoned,
                record.abandoned + record.short_abandoned
            )?;
            writeln!(
                f,
                "corrected: {corrected} stays, and the times of {corrected_times}; not written down yet: {}",
                awaited.offered
            )?;
            writeln!(f, "unexplained differences: {unexplained}")?;
            let (compared, off) = (self.visits_compared, self.differences.len());
            writeln!(f, "visits by the record: {compared}, of these otherwise than they were: {off}")?;
            for difference in self.differences.iter().take(SHOWN) {
                writeln!(f, "{difference}")?;
            }
        }
        write!(f, "fingerprint {:016x}", self.fingerprint)
    }
}

/// So many differences from the truth are shown in words.
const SHOWN: usize = 200;
/// How often the record is read in a reconciled run.
const RECONCILED_EVERY: TimeDelta = TimeDelta::minutes(10);
/// Harm lasts no longer.
const REMEMBERED: TimeDelta = TimeDelta::hours(8);
/// Nobody waits for longer.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(2);
const SECOND: TimeDelta = TimeDelta::seconds(1);
/// Without a call and without news, boards are compared this often.
const QUIET: TimeDelta = TimeDelta::seconds(30);
/// Wednesday.
const FIRST_DAY: (i32, u32, u32) = (2026, 11, 18);

/// Places of the metrics in [`Report::scores`].
const METRICS: [&str; 10] = [
    "waiting",
    "ringing",
    "with an agent",
    "oldest wait (s)",
    "offered of a day",
    "answered of a day",
    "lost of a day",
    "offered, record",
    "answered, record",
    "lost, record",
];

/// Runs `plan` to its end.
///
/// # Panics
///
/// When the pretend Zoom emits an event that cannot be read: the run has no meaning then.
pub fn run(plan: Plan) -> Report {
    let (year, month, day) = FIRST_DAY;
    let start = Utc.with_ymd_and_hms(year, month, day, 0, 0, 0).single().expect("a day of the calendar");
    let mut run = Run::new(plan, start);
    for day in 0..plan.days {
        let midnight = start + TimeDelta::days(day.into());
        run.begin_day(midnight);
        while run.now < midnight + TimeDelta::days(1) {
            run.step();
        }
        if plan.reconciled {
            run.read_records();
            run.compare_with_record(midnight);
            run.reconcile(midnight);
        } else {
            run.compare_day(midnight);
        }
    }
    let reconciliation = plan.reconciled.then_some(run.reconciliation);
    Report {
        scores: run.scores,
        line: run.line.counts,
        fingerprint: run.fingerprint.finish(),
        reconciliation,
        lost_stays: run.lost_stays,
        visits_compared: run.visits_compared,
        differences: run.differences,
    }
}

struct Run {
    world: World,
    line: Line,
    reader: Reader,
    board: Board,
    queues: Vec<(String, QueueId)>,
    now: DateTime<Utc>,
    gap: Option<Gap>,
    scores: Vec<Score>,
    fingerprint: DefaultHasher,
    harm: Harm,
    reconciled: bool,
    /// Calls whose record the board has.
    records_read: HashSet<String>,
    records_due_at: DateTime<Utc>,
    /// The newest history of each call, of two days.
    histories: HashMap<CallId, CallHistory>,
    reconciliation: Reconciliation,
    lost_stays: u64,
    /// Calls whose record was read and not yet held against the truth.
    to_compare: Vec<String>,
    visits_compared: u64,
    differences: Vec<String>,
}

impl Run {
    fn new(plan: Plan, start: DateTime<Utc>) -> Self {
        let config = match plan.account {
            Account::Small => WorldConfig::small(start),
            Account::Office => WorldConfig::office(start),
        };
        let mut config = config.without_latency();
        config.memory_hours = 30;
        let world = World::new(config, plan.seed);
        let queues = world
            .directory()
            .queues
            .iter()
            .map(|queue| (queue.id.clone(), QueueId::from(queue.id.as_str())))
            .collect();
        let mut board = Board::new();
        if plan.reconciled {
            board = board.with_history();
        }
        board.apply(timestamp(start), Input::Directory(directory_of(&world)));
        Self {
            world,
            line: Line::new(plan.faults, plan.seed ^ 0x5eed, start),
            reader: Reader::new(None),
            board,
            queues,
            now: start,
            gap: None,
            scores: METRICS.map(Score::new).to_vec(),
            fingerprint: DefaultHasher::new(),
            harm: Harm::default(),
            reconciled: plan.reconciled,
            records_read: HashSet::new(),
            records_due_at: start,
            histories: HashMap::new(),
            reconciliation: Reconciliation::default(),
            lost_stays: 0,
            to_compare: Vec::new(),
            visits_compared: 0,
            differences: Vec::new(),
        }
    }

    fn begin_day(&mut self, midnight: DateTime<Utc>) {
        let midnights = Midnights { home: timestamp(midnight), zones: BTreeMap::new() };
        self.board.apply(timestamp(midnight), Input::Midnights(midnights));
        self.line.heal(midnight);
        self.harm.today.clear();
    }

    fn step(&mut self) {
        let is_quiet =
            self.world.live_calls() == 0 && !self.line.is_busy() && self.board.live_calls().is_empty();
        self.now += if is_quiet { QUIET } else { SECOND };
        for event in self.world.step_until(self.now) {
            self.line.send(&event);
        }
        self.note_outage();
        for arrival in self.line.receive(self.now) {
            let at = timestamp(arrival.at);
            let parsed = self.reader.read(&arrival.json, at).expect("the pretend Zoom emits readable events");
            if let Some(fact) = parsed.fact {
                self.board.apply(at, Input::Facts(vec![fact]));
            }
        }
        // Quiet time passes in larger steps, which need not meet any round minute.
        if self.reconciled && self.now >= self.records_due_at {
            self.records_due_at = self.now + RECONCILED_EVERY;
            self.read_records();
        }
        self.board.apply(timestamp(self.now), Input::Tick);
        self.compare();
    }

    /// Gives the board the paths of calls that were written down since the last time.
    fn read_records(&mut self) {
        let now = timestamp(self.now);
        let written: Vec<(String, String)> = self
            .world
            .history()
            .visible_at(self.now)
            .filter(|record| !self.records_read.contains(&record.uuid))
            .map(|record| (record.uuid.clone(), record.call_id.clone()))
            .collect();
        for (uuid, call_id) in written {
            let path = self.world.call_path(&uuid).expect("the record was listed");
            let text = path_event(&path.to_string());
            let parsed = self.reader.read(&text, now).expect("a path is readable");
            self.board.apply(now, Input::Facts(parsed.fact.into_iter().collect()));
            self.records_read.insert(uuid);
            self.to_compare.push(call_id);
        }
    }

    /// The counts of a day beside what the record says of it, at its last instant.
    fn compare_with_record(&mut self, midnight: DateTime<Utc>) {
        let (now, trust) = (timestamp(self.now), self.trust());
        for (id, queue_id) in &self.queues {
            let figures =
                self.board.queue_view(queue_id, now, &trust).expect("a queue of the directory").figures;
            let (offered, answered, lost) = self.recorded(id, midnight);
            // Calls that go on, or are not written down yet, are known from live messages only.
            let written = written_calls(&self.world, self.now);
            let visits = || self.world.truth().visits_of(id).filter(|visit| visit.entered >= midnight);
            let unwritten =
                |_| visits().filter(|visit| !written.contains(visit.call_id.as_str())).count() as u64;
            let what = || format!("{id} on {}", midnight.date_naive());
            self.scores[7].note(figures.offered_today.into(), offered, unwritten, what);
            self.scores[8].note(figures.answered_today.into(), answered, unwritten, what);
            let left = u64::from(figures.abandoned_today + figures.short_abandoned_today);
            self.scores[9].note(left, lost, unwritten, what);
        }
    }

    /// What Zoom's record has to tell of a queue's day: visits, of these answered, of these left by the
    /// caller. By the truth about the calls that are written down, not by what is written of them.
    fn recorded(&self, id: &str, midnight: DateTime<Utc>) -> (u64, u64, u64) {
        let written = written_calls(&self.world, self.now);
        let visits = self.world.truth().visits_of(id).filter(|visit| {
            visit.entered >= midnight && written::told(visit) && written.contains(visit.call_id.as_str())
        });
        visits.fold((0, 0, 0), |(offered, answered, lost), visit| {
            let is = |outcomes: &[Outcome]| {
                u64::from(visit.outcome.is_some_and(|outcome| outcomes.contains(&outcome)))
            };
            (
                offered + 1,
                answered + is(&[Outcome::Answered]),
                lost + is(&[Outcome::Abandoned, Outcome::ShortAbandoned]),
            )
        })
    }

    /// Holds the visits of every call whose record was read since the last time against the truth.
    fn compare_visits(&mut self) {
        let mut visits: HashMap<&str, Vec<&QueueVisit>> = HashMap::new();
        for visit in self.world.truth().visits() {
            visits.entry(&visit.call_id).or_default().push(visit);
        }
        for call_id in std::mem::take(&mut self.to_compare) {
            let visits = visits.get(&*call_id).map_or(&[][..], Vec::as_slice);
            let history = self.histories.get(&CallId::new(call_id));
            let stays = history.map(|known| pair(known.live.as_deref().unwrap_or_default(), &known.records));
            self.visits_compared += visits.iter().filter(|visit| written::told(visit)).count() as u64;
            self.differences.extend(written::differences(&stays.unwrap_or_default(), visits));
        }
    }

    /// Holds what the board said of a day against the record, the way the server's page does.
    fn reconcile(&mut self, midnight: DateTime<Utc>) {
        for history in self.board.take_history(timestamp(self.now), usize::MAX) {
            match self.histories.get_mut(&history.call_id) {
                Some(known) => {
                    known.live = history.live.or(known.live.take());
                    known.records = newest(std::mem::take(&mut known.records), &history.records);
                }
                None => {
                    self.histories.insert(history.call_id.clone(), history);
                }
            }
        }
        self.compare_visits();
        let (from, to) = (timestamp(midnight), timestamp(self.now));
        let mut days: BTreeMap<QueueId, Reconciliation> = BTreeMap::new();
        for history in self.histories.values() {
            let is_recorded = !history.records.is_empty();
            for stay in pair(history.live.as_deref().unwrap_or_default(), &history.records) {
                if let Some(class) = Class::of(&stay, is_recorded, from, to) {
                    // The last calls of a day are written down after it.
                    days.entry(stay.queue_id.clone()).or_default().add(&class, 1, false);
                }
            }
        }
        for (id, queue_id) in &self.queues {
            let day = days.remove(queue_id).unwrap_or_default();
            // Counted by the pretend Zoom's truth, not from what is written of it.
            let (offered, answered, lost) = self.recorded(id, midnight);
            let off = [
                (u64::from(day.record.offered), offered),
                (u64::from(day.record.answered), answered),
                (u64::from(day.record.abandoned + day.record.short_abandoned), lost),
            ];
            self.lost_stays += off.iter().map(|(told, counted)| told.abs_diff(*counted)).max().unwrap_or(0);
            self.reconciliation = self.reconciliation.plus(day);
        }
        self.lost_stays +=
            days.values().map(|day| u64::from(day.live.offered.max(day.record.offered))).sum::<u64>();
        let kept = from - REMEMBERED.to_std().unwrap_or_default();
        self.histories.retain(|_, history| {
            let newest = pair(history.live.as_deref().unwrap_or_default(), &history.records);
            newest.iter().filter_map(|stay| stay.counts()).any(|told| told.left_at >= kept)
        });
    }

    fn note_outage(&mut self) {
        match (self.line.outage(self.now), self.gap) {
            (Some((from, _)), None | Some(Gap { to: Some(_), .. })) => {
                self.gap = Some(Gap { from: timestamp(from), to: None });
            }
            (None, Some(Gap { from, to: None })) => {
                self.gap = Some(Gap { from, to: Some(timestamp(self.now)) })
            }
            _ => {}
        }
    }

    fn trust(&self) -> Trust {
        let now = timestamp(self.now);
        let is_down = self.gap.is_some_and(|gap| gap.to.is_none());
        let heard_at = self.gap.filter(|gap| gap.to.is_none()).map_or(now, |gap| gap.from);
        Trust {
            feed: if is_down { FeedLink::Down } else { FeedLink::Live },
            feed_since: heard_at,
            feed_heard_at: Some(heard_at),
            feed_problem: None,
            journal_outage: None,
            newest_fact_at: None,
            counting_since: None,
            gap: self.gap,
            deaf_until: self.gap.and_then(|gap| gap.to),
            demo: false,
        }
    }

    fn compare(&mut self) {
        let (now, trust) = (timestamp(self.now), self.trust());
        for (id, queue_id) in &self.queues {
            let view = self.board.queue_view(queue_id, now, &trust).expect("a queue of the directory");
            let truth = self.world.truth().queue_at(id, self.now);
            let (at, line, world) = (self.now, &self.line, &self.world);
            let harm = RefCell::new(&mut self.harm);
            let figures = view.figures;
            (figures.waiting, figures.ringing, figures.talking, figures.on_hold).hash(&mut self.fingerprint);
            let what = || format!("{id} at {at}");
            let harmed = |off| harm.borrow_mut().of_queue(line, world, id, at, off);
            // What is called measured has to be exact.
            let bound = |quality: Quality, bound: u64| if quality == Quality::Measured { 0 } else { bound };
            let waiting_bound = |off| bound(view.quality.waiting, harmed(off) + untold_waits(world, id, at));
            self.scores[0].note(figures.waiting.into(), truth.visible_waiting as u64, waiting_bound, what);
            self.scores[1].note(
                figures.ringing.into(),
                truth.ringing as u64,
                |off| bound(view.quality.calls, harmed(off)),
                what,
            );
            let with_an_agent = truth.talking + truth.on_hold + truth.parked + truth.elsewhere;
            self.scores[2].note(
                (figures.talking + figures.on_hold).into(),
                with_an_agent as u64,
                |off| bound(view.quality.calls, harmed(off) + (truth.elsewhere + truth.parked) as u64),
                what,
            );
            if let (Some(shown), Some(really)) = (figures.oldest_waiting_since, truth.oldest_first_ring) {
                // Zoom's clock has whole seconds.
                let age = |at: Timestamp| {
                    (now.as_millis().div_euclid(1000) - at.as_millis().div_euclid(1000)).unsigned_abs()
                };
                let bound = |_| {
                    let is_certain = view.quality.waiting == Quality::Measured;
                    let in_doubt = harmed(1) + untold_waits(world, id, at) > 0 && !is_certain;
                    if in_doubt { u64::MAX } else { 0 }
                };
                self.scores[3].note(age(shown), age(timestamp(really)), bound, what);
            }
        }
        if self.now.timestamp() % 60 == 0 {
            self.harm.note_day(&self.line, &self.world, self.now);
        }
    }

    /// The counts of a day, at its last instant.
    fn compare_day(&mut self, midnight: DateTime<Utc>) {
        let (now, trust, at) = (timestamp(self.now), self.trust(), self.now);
        for (id, queue_id) in &self.queues {
            let figures =
                self.board.queue_view(queue_id, now, &trust).expect("a queue of the directory").figures;
            let truth = self.world.truth().cohort(id, midnight, at);
            let visits = || self.world.truth().visits_of(id).filter(|visit| visit.entered >= midnight);
            let harmed = |_| self.harm.today.get(id.as_str()).map_or(0, |calls| calls.len() as u64);
            let what = || format!("{id} on {}", midnight.date_naive());
            // Nobody's phone rings for those who call outside hours or are gone before the first ring.
            let seen = visits().filter(|visit| visit.first_ring.is_some_and(|ring| ring < at)).count();
            self.scores[4].note(figures.offered_today.into(), seen as u64, harmed, what);
            self.scores[5].note(figures.answered_today.into(), truth.answered as u64, harmed, what);
            let left = truth.abandoned + truth.short_abandoned - truth.invisible;
            // Who reaches the mailbox and leaves no message is told by nobody.
            let to_mailbox =
                || visits().filter(|visit| visit.outcome == Some(Outcome::Voicemail)).count() as u64;
            self.scores[6].note(
                (figures.abandoned_today + figures.short_abandoned_today).into(),
                left as u64,
                |off| harmed(off) + to_mailbox(),
                what,
            );
        }
    }
}

/// Calls about which the line has not told everything, by the queues they really were in.
#[derive(Debug, Default)]
struct Harm {
    /// As it was then.
    at: Option<DateTime<Utc>>,
    by_queue: BTreeMap<String, u64>,
    /// Every call that was harmed on this day.
    today: BTreeMap<String, BTreeSet<String>>,
}

impl Harm {
    /// How many calls of a queue are harmed. Worked out when somebody asks: once a minute, and again
    /// when what is known does not explain a difference of `off`.
    fn of_queue(&mut self, line: &Line, world: &World, queue: &str, now: DateTime<Utc>, off: u64) -> u64 {
        let known = self.by_queue.get(queue).copied().unwrap_or(0);
        let is_fresh = self.at.is_some_and(|at| now - at < TimeDelta::minutes(1));
        if !is_fresh || known < off && self.at != Some(now) {
            self.at = Some(now);
            self.by_queue.clear();
            for (queue, _) in harmed(line, world, now) {
                *self.by_queue.entry(queue).or_default() += 1;
            }
        }
        self.by_queue.get(queue).copied().unwrap_or(0)
    }

    fn note_day(&mut self, line: &Line, world: &World, now: DateTime<Utc>) {
        for (queue, call_id) in harmed(line, world, now) {
            self.today.entry(queue).or_default().insert(call_id);
        }
    }
}

/// Queues and the harmed calls that really were in them, each pair once.
fn harmed(line: &Line, world: &World, now: DateTime<Utc>) -> BTreeSet<(String, String)> {
    let calls: HashSet<&str> = line.harmed(now).collect();
    let visits = world.truth().visits().rev();
    visits
        .take_while(|visit| now - visit.entered < REMEMBERED)
        .filter(|visit| calls.contains(visit.call_id.as_str()))
        .map(|visit| (visit.queue_id.clone(), visit.call_id.clone()))
        .collect()
}

/// The calls that are written down by now.
fn written_calls(world: &World, now: DateTime<Utc>) -> HashSet<&str> {
    world.history().visible_at(now).map(|record| record.call_id.as_str()).collect()
}

/// Callers who wait while no phone rings, and those who left in such a pause less than the rules' grace
/// ago: Zoom tells of neither.
fn untold_waits(world: &World, queue: &str, now: DateTime<Utc>) -> u64 {
    let grace = TimeDelta::seconds(BETWEEN_RINGS.as_secs().cast_signed() + 2);
    let is_untold = |visit: &&QueueVisit| {
        let rings = visit.ringing.iter().any(|(from, to)| *from <= now && to.is_none_or(|to| now < to));
        match visit.left {
            None => !rings,
            Some(left) => visit.answered.is_none() && now - left < grace,
        }
    };
    let visits = world.truth().visits_of(queue).rev();
    visits.take_while(|visit| now - visit.entered < LONGEST_WAIT).filter(is_untold).count() as u64
}

fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp::from_millis(at.timestamp_millis())
}

/// The directory of an account, as reading it over REST gives it.
pub fn directory_of(world: &World) -> Directory {
    let told = world.directory();
    let queues = told.queues.iter().map(|queue| DirectoryQueue {
        id: QueueId::new(queue.id.as_str()),
        extension_id: Some(queue.extension_id.as_str().into()),
        name: queue.name.clone(),
        extension_number: Some(queue.extension_number.to_string()),
        zone: None,
        members: Some(
            queue
                .members
                .iter()
                .map(|member| {
                    let seat = &told.seats[member.seat];
                    Member {
                        id: seat.id.as_str().into(),
                        extension_id: Some(seat.extension_id.as_str().into()),
                        name: seat.name.clone(),
                        receives_calls: member.receive_call,
                    }
                })
                .collect(),
        ),
        policy: ServiceLevelPolicy::default(),
        wrap_up: None,
        max_wait: None,
    });
    Directory { queues: queues.collect() }
}
