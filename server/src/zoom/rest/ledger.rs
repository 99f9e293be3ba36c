//! How many requests went out today, by product and weight, and whether there is room for more.
//!
//! A day is a UTC day: Zoom's page does not say when its days begin, and those of its limits for which
//! it does begin then. The database has the counts ahead of the requests, a block at a time, so that a
//! crash makes them too high and never too low.

use domain::time::Timestamp;

use super::budget::Priority;
use crate::{
    clock,
    store::RequestCount,
    zoom::rate_limit::{Category, Lane, Plan, Share},
};

/// Requests that are written down before the first of them goes out.
const fn block(category: Category) -> u32 {
    match category {
        Category::Light | Category::Medium => 50,
        Category::Heavy | Category::Intensive => 10,
    }
}

/// The counts of one day.
#[derive(Debug)]
pub(super) struct Ledger {
    plan: Plan,
    share: Share,
    day: i64,
    counts: [Count; Lane::COUNT],
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    used: u32,
    /// What the database knows.
    written: u32,
    /// Requests that Zoom refused because of a limit, since the start.
    refused: u32,
    /// Zoom said that there are no more until then.
    used_up_until: Option<Timestamp>,
}

/// Today's requests of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetLine {
    /// The kind.
    pub lane: Lane,
    /// Requests since the day began; after a restart up to 50 too many.
    pub used: u32,
    /// Requests a day that this server may use of this kind and those it shares its day with; `None`
    /// where Zoom has no such limit.
    pub share_of_day: Option<u32>,
    /// What is left of it.
    pub left: Option<u32>,
    /// Requests that Zoom refused because of a limit, since this server started or the day began.
    pub refused: u32,
    /// Zoom said that all apps of the account have used up the day until then.
    pub used_up_until: Option<Timestamp>,
}

impl Ledger {
    pub(super) fn new(plan: Plan, share: Share) -> Self {
        Self { plan, share, day: i64::MIN, counts: [Count::default(); Lane::COUNT] }
    }

    /// Goes on from what the database knows.
    pub(super) fn resume(&mut self, rows: &[RequestCount], now: Timestamp) {
        self.turn_page(now);
        for row in rows {
            let is_it =
                |lane: &Lane| lane.product.word() == row.product && lane.category.word() == row.category;
            let Some(lane) = Lane::all().find(is_it) else { continue };
            let count = &mut self.counts[lane.index()];
            if row.day == self.day {
                (count.used, count.written) = (row.used, row.used);
            }
            count.used_up_until = count.used_up_until.max(row.used_up_until.filter(|until| *until > now));
        }
    }

    /// Begins a new day. A clock that is set back does not bring the old one again.
    fn turn_page(&mut self, now: Timestamp) {
        let day = clock::utc_day(now);
        if day <= self.day {
            return;
        }
        self.day = day;
        for count in &mut self.counts {
            let used_up_until = count.used_up_until.filter(|until| *until > now);
            *count = Count { used_up_until, ..Count::default() };
        }
    }

    /// Whether a request may go out; an error names when there is room again.
    pub(super) fn room(&mut self, lane: Lane, priority: Priority, now: Timestamp) -> Result<(), Timestamp> {
        self.turn_page(now);
        if let Some(until) = self.used_up_until(lane, now) {
            return Err(until);
        }
        match self.share_of_day(lane) {
            Some(share) if self.used_with(lane) >= priority.part_of(share) => Err(clock::next_utc_day(now)),
            _ => Ok(()),
        }
    }

    /// Counts a request that is about to go out; what has to be written before, if anything.
    pub(super) fn claim(
        &mut self,
        lane: Lane,
        priority: Priority,
        now: Timestamp,
    ) -> Result<Option<RequestCount>, Timestamp> {
        self.room(lane, priority, now)?;
        let count = &mut self.counts[lane.index()];
        count.used += 1;
        if count.used <= count.written {
            return Ok(None);
        }
        count.written = count.used + block(lane.category) - 1;
        Ok(Some(self.row(lane)))
    }

    /// Zoom refused a request because of a momentary limit.
    pub(super) fn refused(&mut self, lane: Lane) {
        self.counts[lane.index()].refused += 1;
    }

    /// Zoom says that there are no more until then; what has to be written.
    pub(super) fn use_up(&mut self, lane: Lane, until: Timestamp) -> Vec<RequestCount> {
        self.refused(lane);
        let sharing: Vec<Lane> = Lane::all().filter(|other| lane.shares_its_day_with(*other)).collect();
        for lane in &sharing {
            self.counts[lane.index()].used_up_until = Some(until);
        }
        sharing.into_iter().map(|lane| self.row(lane)).collect()
    }

    /// Today so far.
    pub(super) fn lines(&mut self, now: Timestamp) -> Vec<BudgetLine> {
        self.turn_page(now);
        let line = |lane: Lane| {
            let share_of_day = self.share_of_day(lane);
            let count = &self.counts[lane.index()];
            BudgetLine {
                lane,
                used: count.used,
                share_of_day,
                left: share_of_day.map(|share| share.saturating_sub(self.used_with(lane))),
                refused: count.refused,
                used_up_until: self.used_up_until(lane, now),
            }
        };
        Lane::all().map(line).collect()
    }

    fn row(&self, lane: Lane) -> RequestCount {
        let count = &self.counts[lane.index()];
        RequestCount {
            day: self.day,
            product: lane.product.word().to_owned(),
            category: lane.category.word().to_owned(),
            used: count.written,
            used_up_until: count.used_up_until,
        }
    }

    fn used_up_until(&self, lane: Lane, now: Timestamp) -> Option<Timestamp> {
        self.counts[lane.index()].used_up_until.filter(|until| *until > now)
    }

    fn share_of_day(&self, lane: Lane) -> Option<u32> {
        self.plan.per_day(lane).map(|most| self.share.of(most))
    }

    /// Today's requests of this kind and those it shares its day with.
    fn used_with(&self, lane: Lane) -> u32 {
        let sharing = Lane::all().filter(|other| lane.shares_its_day_with(*other));
        sharing.map(|lane| self.counts[lane.index()].used).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::zoom::rate_limit::Product;

    const HEAVY: Lane = Lane { product: Product::Phone, category: Category::Heavy };
    const INTENSIVE: Lane = Lane { product: Product::Phone, category: Category::Intensive };
    const LIGHT: Lane = Lane { product: Product::Phone, category: Category::Light };

    fn at(text: &str) -> Timestamp {
        clock::parse_rfc3339(text).expect("a test instant")
    }

    fn fresh() -> Ledger {
        // 150 heavy requests a day.
        Ledger::new(Plan::Pro, Share::percent(1).expect("a share"))
    }

    fn used_up(ledger: &mut Ledger, lane: Lane, priority: Priority, now: Timestamp) -> u32 {
        let mut went = 0;
        while ledger.claim(lane, priority, now).is_ok() {
            went += 1;
        }
        went
    }

    #[test]
    fn a_day_holds_its_share_and_the_end_of_it_is_for_the_urgent() {
        let (mut ledger, now) = (fresh(), at("2026-08-19T10:00:00Z"));
        assert_eq!(used_up(&mut ledger, HEAVY, Priority::Periodic, now), 105, "70 %");
        assert_eq!(used_up(&mut ledger, HEAVY, Priority::LookUp, now), 30, "90 %");
        assert_eq!(used_up(&mut ledger, INTENSIVE, Priority::Repair, now), 15, "what is left of both");
        assert_eq!(ledger.room(HEAVY, Priority::Repair, now), Err(at("2026-08-20T00:00:00Z")));
        assert_eq!(ledger.room(LIGHT, Priority::Periodic, now), Ok(()), "has no daily limit");
        let line = ledger.lines(now)[HEAVY.index()];
        assert_eq!((line.used, line.share_of_day, line.left), (135, Some(150), Some(0)));
        let tomorrow = at("2026-08-20T00:00:00Z");
        assert_eq!(ledger.room(HEAVY, Priority::Periodic, tomorrow), Ok(()));
        assert_eq!(ledger.lines(tomorrow)[HEAVY.index()].left, Some(150));
        assert_eq!(ledger.room(HEAVY, Priority::Periodic, now), Ok(()), "a clock set back brings no old day");
    }

    #[test]
    fn what_was_written_is_never_less_than_what_went_out() {
        let (mut ledger, now) = (fresh(), at("2026-08-19T10:00:00Z"));
        let mut on_disk: Option<RequestCount> = None;
        for went in 1..=60 {
            if let Some(row) = ledger.claim(HEAVY, Priority::Repair, now).expect("room") {
                on_disk = Some(row);
            }
            let known = on_disk.as_ref().expect("the first is written").used;
            assert!((went..went + 10).contains(&known), "{known} on disk, {went} sent");
        }
        let mut after = fresh();
        after.resume(on_disk.as_slice(), now);
        assert_eq!(after.lines(now)[HEAVY.index()].used, 60);
        assert!(after.claim(HEAVY, Priority::Repair, now).expect("room").is_some(), "a new block");
        let mut next_day = fresh();
        next_day.resume(on_disk.as_slice(), now + Duration::from_secs(86_400));
        assert_eq!(next_day.lines(now)[HEAVY.index()].used, 0);
    }

    #[test]
    fn a_day_that_zoom_calls_used_up_stays_so_over_a_restart() {
        let (now, until) = (at("2026-08-19T10:00:00Z"), at("2026-08-20T03:00:00Z"));
        let mut before = fresh();
        before.claim(HEAVY, Priority::Repair, now).expect("room");
        let rows = before.use_up(HEAVY, until);
        let mut after = fresh();
        after.resume(&rows, now);
        for ledger in [&mut before, &mut after] {
            assert_eq!(ledger.room(HEAVY, Priority::Repair, now), Err(until));
            assert_eq!(ledger.room(INTENSIVE, Priority::Repair, now), Err(until));
            assert_eq!(ledger.room(LIGHT, Priority::Repair, now), Ok(()));
            let midnight = at("2026-08-20T00:00:00Z");
            assert_eq!(ledger.room(HEAVY, Priority::Repair, midnight), Err(until), "Zoom said when");
            assert_eq!(ledger.room(HEAVY, Priority::Repair, until), Ok(()));
        }
    }
}
