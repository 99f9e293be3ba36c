//! Seeded randomness with the few distributions that telephone traffic needs.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// A source of chance that gives the same throws for the same seed.
#[derive(Debug)]
pub(crate) struct Dice(StdRng);

const ID_LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Dice {
    /// A source for one purpose; different `purpose`s of one seed are independent, so that adding a
    /// throw in one place does not change the story told in another.
    pub(crate) fn new(seed: u64, purpose: u64) -> Self {
        Self(StdRng::seed_from_u64(seed ^ purpose.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
    }

    /// True with the given probability (0–1, clamped).
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Evenly spread in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0.random::<f64>()
    }

    /// Evenly spread in `[low, high]`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// An index below `count`; `count` must not be 0.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.0.random_range(0..count)
    }

    /// A whole number below `limit`; `limit` must not be 0.
    pub(crate) fn number(&mut self, limit: u64) -> u64 {
        self.0.random_range(0..limit)
    }

    /// Exponentially distributed with this mean: time between independent arrivals.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// Log-normal with this mean and shape: talk times and reaction times.
    pub(crate) fn lognormal(&mut self, mean: f64, shape: f64) -> f64 {
        let (a, b) = (1.0 - self.unit(), self.unit());
        let normal = (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos();
        (mean.ln() - shape * shape / 2.0 + shape * normal).exp()
    }

    /// One of the items; the slice must not be empty.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// An index, each as likely as its weight; the weights must not all be 0.
    pub(crate) fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return index;
            }
        }
        weights.len() - 1
    }

    /// 22 letters, the look of most of Zoom's ids.
    pub(crate) fn id(&mut self) -> String {
        (0..22).map(|_| char::from(ID_LETTERS[self.below(64)])).collect()
    }

    /// A version 4 UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let bits: u128 = self.0.random();
        let hex = format!("{bits:032x}");
        let variant = ["8", "9", "a", "b"][self.below(4)];
        format!("{}-{}-4{}-{variant}{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_throws() {
        let (mut one, mut two, mut other) = (Dice::new(7, 1), Dice::new(7, 1), Dice::new(7, 2));
        let throws = |dice: &mut Dice| (0..50).map(|_| dice.number(1000)).collect::<Vec<_>>();
        let first = throws(&mut one);
        assert_eq!(first, throws(&mut two));
        assert_ne!(first, throws(&mut other));
    }

    #[test]
    fn means_are_about_right() {
        let mut dice = Dice::new(1, 1);
        let mean =
            |mut throw: Box<dyn FnMut() -> f64 + '_>| (0..20_000).map(|_| throw()).sum::<f64>() / 20_000.0;
        let exponential = mean(Box::new(|| dice.exponential(90.0)));
        assert!((85.0..95.0).contains(&exponential), "{exponential}");
        let lognormal = mean(Box::new(|| dice.lognormal(90.0, 0.7)));
        assert!((85.0..95.0).contains(&lognormal), "{lognormal}");
    }

    #[test]
    fn ids_look_like_zooms() {
        let mut dice = Dice::new(1, 1);
        assert_eq!(dice.id().len(), 22);
        let uuid = dice.uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'4');
    }
}
