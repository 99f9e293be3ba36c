//! The calls a board keeps: asked for by their id from outside, by their place within.
//!
//! Whatever refers to a call while it is kept does so by its place, which is a number: ids are long
//! texts, and an event would compare dozens of them. Places are given to other calls afterwards, so
//! they say nothing of order and never leave the board.

use std::ops::{Index, IndexMut};

use slab::Slab;

use super::TrackedCall;
use crate::id::{CallId, IdMap};

/// Where a call is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place(usize);

/// All calls that are not settled.
#[derive(Debug, Default)]
pub(super) struct Calls {
    places: IdMap<CallId, Place>,
    /// In boxes: the row grows, and they are large.
    kept: Slab<Box<TrackedCall>>,
}

impl Calls {
    pub(super) fn place(&self, call_id: &CallId) -> Option<Place> {
        self.places.get(call_id).copied()
    }

    /// Keeps a call that was not kept.
    pub(super) fn insert(&mut self, call: TrackedCall) -> Place {
        let call_id = call.id.clone();
        let place = Place(self.kept.insert(Box::new(call)));
        self.places.insert(call_id, place);
        place
    }

    pub(super) fn remove(&mut self, place: Place) -> Box<TrackedCall> {
        let call = self.kept.remove(place.0);
        self.places.remove(&call.id);
        call
    }

    pub(super) fn find(&self, call_id: &CallId) -> Option<&TrackedCall> {
        self.place(call_id).map(|place| &self[place])
    }

    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        self.kept.iter().map(|(place, _)| Place(place))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &TrackedCall> {
        self.kept.iter().map(|(_, call)| &**call)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (Place, &mut TrackedCall)> {
        self.kept.iter_mut().map(|(place, call)| (Place(place), &mut **call))
    }
}

impl Index<Place> for Calls {
    type Output = TrackedCall;

    fn index(&self, place: Place) -> &TrackedCall {
        &self.kept[place.0]
    }
}

impl IndexMut<Place> for Calls {
    fn index_mut(&mut self, place: Place) -> &mut TrackedCall {
        &mut self.kept[place.0]
    }
}
