//! How often Zoom's REST API may be asked: half of what the plan allows, so that the account's
//! other apps keep the rest, and not at all in a category whose day is used up.

use std::{num::NonZeroU32, sync::Mutex, time::Duration};

use domain::time::Timestamp;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// Zoom's rate categories for Zoom Phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// Details of one thing.
    Light,
    /// Most lists.
    Medium,
    /// Call history.
    Heavy,
}

impl Category {
    const ALL: [Self; 3] = [Self::Light, Self::Medium, Self::Heavy];

    const fn index(self) -> usize {
        match self {
            Self::Light => 0,
            Self::Medium => 1,
            Self::Heavy => 2,
        }
    }
}

/// What the account pays for. There is no way to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Plan {
    /// The smaller one.
    #[default]
    Pro,
    /// Business and above.
    Business,
}

impl Plan {
    /// Requests per second that the plan allows all apps of the account together.
    const fn per_second(self, category: Category) -> u32 {
        let pro = match category {
            Category::Light => 20,
            Category::Medium => 10,
            Category::Heavy => 5,
        };
        match self {
            Self::Pro => pro,
            Self::Business => 2 * pro,
        }
    }
}

/// Lets requests through at half the plan's rate.
#[derive(Debug)]
pub(super) struct RateLimits {
    limiters: [DefaultDirectRateLimiter; 3],
    used_up: Mutex<[Option<Timestamp>; 3]>,
}

impl RateLimits {
    pub(super) fn half_of(plan: Plan) -> Self {
        let limiter = |category: Category| {
            let interval = Duration::from_secs(2) / plan.per_second(category);
            let quota = Quota::with_period(interval).expect("a plan allows more than nothing");
            // A burst of one second's worth.
            let burst = NonZeroU32::new(plan.per_second(category) / 2).unwrap_or(NonZeroU32::MIN);
            RateLimiter::direct(quota.allow_burst(burst))
        };
        Self { limiters: Category::ALL.map(limiter), used_up: Mutex::default() }
    }

    /// Waits for the category's turn; an error names when its day begins anew.
    pub(super) async fn turn(&self, category: Category, now: Timestamp) -> Result<(), Timestamp> {
        if let Some(until) = self.used_up(category).filter(|until| *until > now) {
            return Err(until);
        }
        self.limiters[category.index()].until_ready().await;
        Ok(())
    }

    /// The category's day is used up until then.
    pub(super) fn use_up(&self, category: Category, until: Timestamp) {
        let mut used_up = self.used_up.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        used_up[category.index()] = Some(until);
    }

    fn used_up(&self, category: Category) -> Option<Timestamp> {
        self.used_up.lock().unwrap_or_else(|poisoned| poisoned.into_inner())[category.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_category_whose_day_is_used_up_waits_for_the_next() {
        let limits = RateLimits::half_of(Plan::Pro);
        let (now, later) = (Timestamp::from_millis(1_000), Timestamp::from_millis(9_000));
        limits.use_up(Category::Medium, later);
        assert_eq!(limits.turn(Category::Medium, now).await, Err(later));
        assert_eq!(limits.turn(Category::Light, now).await, Ok(()));
        assert_eq!(limits.turn(Category::Medium, later).await, Ok(()));
    }

    #[test]
    fn half_the_rate_goes_through_at_once_and_then_no_more() {
        for (plan, category, at_once) in [
            (Plan::Pro, Category::Light, 10),
            (Plan::Pro, Category::Heavy, 2),
            (Plan::Business, Category::Medium, 10),
        ] {
            let limits = RateLimits::half_of(plan);
            let limiter = &limits.limiters[category.index()];
            let through = (0..100).filter(|_| limiter.check().is_ok()).count();
            // The test itself takes a moment, in which one more may have become free.
            assert!((at_once..=at_once + 1).contains(&through), "{through} of {plan:?} {category:?}");
        }
    }
}
