//! A board as everything it was told and has not forgotten, to be set up again elsewhere.
//!
//! What was told is kept, never what follows from it: a board that is set up again works that out by
//! today's rules, so there is no second form of the state that could disagree with the first.

use serde::{Deserialize, Serialize};

use super::{
    Anomalies, Board, Midnights, SettledVisit, TrackedCall,
    book::{BookSnapshot, QueueBook},
    people::{People, PeopleSnapshot},
};
use crate::{
    call::Call,
    fact::{Fact, What},
    id::CallId,
    time::Timestamp,
};

/// Everything a [`Board`] goes by, from [`Board::snapshot`] to [`Board::restore`].
#[derive(Debug, Serialize, Deserialize)]
pub struct BoardSnapshot {
    now: Timestamp,
    book: BookSnapshot,
    midnights: Midnights,
    people: PeopleSnapshot,
    calls: Vec<CallSnapshot>,
    settled: Vec<(CallId, Timestamp)>,
    settled_visits: Vec<SettledVisit>,
    deaf_until: Option<Timestamp>,
    anomalies: Anomalies,
}

/// A call that is not settled.
#[derive(Debug, Serialize, Deserialize)]
struct CallSnapshot {
    call_id: CallId,
    heard_at: Timestamp,
    doubted_since: Option<Timestamp>,
    facts: Vec<(Timestamp, Box<What>)>,
}

impl Board {
    /// What this board goes by. What it does not show is not in it: which calls changed for the history.
    pub fn snapshot(&self) -> BoardSnapshot {
        let call = |tracked: &TrackedCall| CallSnapshot {
            call_id: tracked.id.clone(),
            heard_at: tracked.heard_at,
            doubted_since: tracked.call.doubted_since(),
            facts: tracked.call.facts().map(|fact| (fact.at, fact.what.clone())).collect(),
        };
        let mut calls: Vec<CallSnapshot> = self.calls.iter().map(call).collect();
        calls.sort_by(|a, b| a.call_id.cmp(&b.call_id));
        let mut settled: Vec<_> = self.settled.iter().map(|(id, at)| (id.clone(), *at)).collect();
        settled.sort();
        BoardSnapshot {
            now: self.now,
            book: self.book.snapshot(),
            midnights: self.midnights.clone(),
            people: self.people.snapshot(),
            calls,
            settled,
            settled_visits: self.settled_visits.clone(),
            deaf_until: self.deaf_until,
            anomalies: self.anomalies,
        }
    }

    /// The board of a snapshot. All its queues and agents count as changed.
    pub fn restore(snapshot: BoardSnapshot) -> Self {
        let BoardSnapshot {
            now,
            book,
            midnights,
            people,
            calls,
            settled,
            settled_visits,
            deaf_until,
            anomalies,
        } = snapshot;
        let directory = book.directory();
        let mut board = Self {
            book: QueueBook::restore(book),
            people: People::restore(people),
            settled: settled.into_iter().collect(),
            midnights,
            settled_visits,
            now,
            deaf_until,
            anomalies,
            ..Self::default()
        };
        board.people.read(&directory, now);
        for visit in board.settled_visits.iter().filter(|visit| visit.is_named) {
            board.book.mention(&visit.mention);
        }
        for CallSnapshot { call_id, heard_at, doubted_since, facts } in calls {
            let mut tracked = TrackedCall::new(call_id.clone(), heard_at);
            let facts = facts.into_iter().map(|(at, what)| Fact { call_id: call_id.clone(), at, what });
            tracked.call = Call::of(facts);
            if let Some(since) = doubted_since {
                tracked.call.doubt(since);
            }
            board.calls.insert(tracked);
        }
        board.derive_all(now);
        board.changed.extend(board.queue_ids());
        board
    }
}
