//! The keys of the last hours in memory, so that most duplicates never reach the database.

use std::{
    collections::{HashSet, VecDeque},
    hash::{BuildHasherDefault, Hasher},
    time::Duration,
};

use domain::time::Timestamp;

use crate::{
    store::{StoreError, Writer},
    zoom::key::EventKey,
};

/// Zoom repeats an undelivered webhook for 85 minutes.
const HORIZON: Duration = Duration::from_secs(3 * 3600);
/// About 30 MB. Beyond it the database's index still refuses duplicates.
const LIMIT: u32 = 500_000;

/// Takes the eight bytes of a key that already are a hash.
#[derive(Debug, Default)]
pub(super) struct TailHasher(u64);

impl Hasher for TailHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

pub(super) type KeySet = HashSet<EventKey, BuildHasherDefault<TailHasher>>;

/// Keys of events that are on disk.
#[derive(Debug, Default)]
pub(super) struct RecentKeys {
    known: KeySet,
    by_age: VecDeque<(Timestamp, EventKey)>,
}

impl RecentKeys {
    pub(super) async fn load(writer: &mut Writer, now: Timestamp) -> Result<Self, StoreError> {
        let mut recent = Self::default();
        for key in writer.recent_keys(now - HORIZON, LIMIT).await?.into_iter().rev() {
            // Their ages are not worth a column: they live one horizon longer than needed.
            recent.insert(EventKey::from_bytes(key), now);
        }
        Ok(recent)
    }

    pub(super) fn contains(&self, key: &EventKey) -> bool {
        self.known.contains(key)
    }

    pub(super) fn insert(&mut self, key: EventKey, received_at: Timestamp) {
        if !self.known.insert(key) {
            return;
        }
        self.by_age.push_back((received_at, key));
        let too_old = received_at - HORIZON;
        while let Some((age, oldest)) = self.by_age.front() {
            if *age >= too_old && self.by_age.len() <= LIMIT as usize {
                break;
            }
            self.known.remove(oldest);
            self.by_age.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spread over all bits, as the hash in a real key is.
    fn key(number: u64) -> EventKey {
        let mut bytes = [0; 16];
        bytes[8..].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_ne_bytes());
        EventKey::from_bytes(bytes)
    }

    #[test]
    fn keys_are_forgotten_by_age_and_by_number() {
        let start = Timestamp::from_millis(1_000_000_000);
        let mut recent = RecentKeys::default();
        recent.insert(key(1), start);
        recent.insert(key(2), start + HORIZON);
        assert!(recent.contains(&key(1)) && recent.contains(&key(2)));
        recent.insert(key(3), start + HORIZON + Duration::from_millis(1));
        assert!(!recent.contains(&key(1)) && recent.contains(&key(2)));

        for number in 10..10 + u64::from(LIMIT) {
            recent.insert(key(number), start + HORIZON);
        }
        assert_eq!((recent.known.len(), recent.by_age.len()), (LIMIT as usize, LIMIT as usize));
        assert!(!recent.contains(&key(3)) && recent.contains(&key(10)));
    }
}
