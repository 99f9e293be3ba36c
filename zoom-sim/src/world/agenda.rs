//! What will happen next: a time-ordered list of steps.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use chrono::{DateTime, Utc};

/// Future things in order of their instant; equal instants keep the order of insertion, so that a
/// story never depends on the heap's inner order.
#[derive(Debug)]
pub(crate) struct Agenda<T> {
    heap: BinaryHeap<Reverse<Entry<T>>>,
    next_number: u64,
}

#[derive(Debug)]
struct Entry<T> {
    at: DateTime<Utc>,
    number: u64,
    item: T,
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}
impl<T> Eq for Entry<T> {}
impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl<T> Agenda<T> {
    pub(crate) fn new() -> Self {
        Self { heap: BinaryHeap::new(), next_number: 0 }
    }

    pub(crate) fn add(&mut self, at: DateTime<Utc>, item: T) {
        self.next_number += 1;
        self.heap.push(Reverse(Entry { at, number: self.next_number, item }));
    }

    /// The next thing that is due at or before `limit`.
    pub(crate) fn pop_due(&mut self, limit: DateTime<Utc>) -> Option<(DateTime<Utc>, T)> {
        if self.next_at()? > limit {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.item))
    }

    pub(crate) fn next_at(&self) -> Option<DateTime<Utc>> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }
}
