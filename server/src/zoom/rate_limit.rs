//! What Zoom lets all apps of an account ask together: its table by product, weight and plan.
//!
//! Values of Zoom's page on rate limits. They may change and there is no way to ask for them; the plan
//! is configuration.

use std::time::Duration;

/// How much an operation weighs: the rate limit label of Zoom's reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Category {
    /// Details of one thing.
    Light,
    /// Most lists.
    Medium,
    /// Call history.
    Heavy,
    /// Reports over much data.
    Intensive,
}

impl Category {
    /// All of them, lightest first.
    pub const ALL: [Self; 4] = [Self::Light, Self::Medium, Self::Heavy, Self::Intensive];

    /// The word in the database and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Medium => "medium",
            Self::Heavy => "heavy",
            Self::Intensive => "intensive",
        }
    }
}

/// The part of Zoom's API that a limit is counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Product {
    /// Zoom Phone.
    Phone,
    /// Everything that belongs to the account as a whole, such as users and their presence.
    Account,
}

impl Product {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Phone, Self::Account];

    /// The word in the database and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Account => "account",
        }
    }
}

/// What a limit is counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lane {
    /// The part of the API.
    pub product: Product,
    /// The weight.
    pub category: Category,
}

impl Lane {
    /// How many there are.
    pub(super) const COUNT: usize = Product::ALL.len() * Category::ALL.len();

    /// The lane of an operation, by its path below the API's address.
    pub(super) fn of(path: &[&str], category: Category) -> Self {
        let product = if path.first() == Some(&"phone") { Product::Phone } else { Product::Account };
        Self { product, category }
    }

    /// All of them: the phone's first, lightest first.
    pub fn all() -> impl Iterator<Item = Self> {
        let of = |product| Category::ALL.into_iter().map(move |category| Self { product, category });
        Product::ALL.into_iter().flat_map(of)
    }

    /// Heavy and intensive requests have one daily limit together.
    pub(super) fn shares_its_day_with(self, other: Self) -> bool {
        let weighs = |lane: Self| matches!(lane.category, Category::Heavy | Category::Intensive);
        self.product == other.product && (self.category == other.category || (weighs(self) && weighs(other)))
    }

    /// Place in an array of all lanes.
    pub(super) const fn index(self) -> usize {
        self.product as usize * Category::ALL.len() + self.category as usize
    }
}

/// What the account pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Plan {
    /// The smaller one.
    #[default]
    Pro,
    /// Business and above.
    Business,
}

impl Plan {
    /// The plan of that name, as written in `ZOOM_PLAN`.
    pub fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "pro" => Some(Self::Pro),
            "business" => Some(Self::Business),
            _ => None,
        }
    }

    /// So many requests in any such time.
    pub(super) const fn rate(self, lane: Lane) -> (u32, Duration) {
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        let (pro, business, within) = match (lane.product, lane.category) {
            (Product::Phone, Category::Light) => (20, 40, second),
            (Product::Phone, Category::Medium) => (10, 20, second),
            (Product::Phone, Category::Heavy) => (5, 10, second),
            (Product::Phone, Category::Intensive) => (5, 10, minute),
            (Product::Account, Category::Light) => (30, 80, second),
            (Product::Account, Category::Medium) => (20, 60, second),
            (Product::Account, Category::Heavy) => (10, 40, second),
            (Product::Account, Category::Intensive) => (10, 20, minute),
        };
        let requests = match self {
            Self::Pro => pro,
            Self::Business => business,
        };
        (requests, within)
    }

    /// Requests in a day, heavy and intensive ones together; `None` where there is no such limit.
    pub(super) const fn per_day(self, lane: Lane) -> Option<u32> {
        let pro = match (lane.product, lane.category) {
            (_, Category::Light | Category::Medium) => return None,
            (Product::Phone, _) => 15_000,
            (Product::Account, _) => 30_000,
        };
        Some(match self {
            Self::Pro => pro,
            Self::Business => 2 * pro,
        })
    }
}

/// The part of the account's quota that this server may use, in percent; the account's other apps have
/// the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(u8);

impl Share {
    /// A share of 1 to 100 percent.
    pub const fn percent(percent: u8) -> Option<Self> {
        if percent >= 1 && percent <= 100 { Some(Self(percent)) } else { None }
    }

    /// 1 to 100.
    pub const fn in_percent(self) -> u8 {
        self.0
    }

    /// That part of a number, rounded down.
    pub(super) const fn of(self, number: u32) -> u32 {
        (number as u64 * self.0 as u64 / 100) as u32
    }

    /// So many requests in any such time, given what the account may: at least one, in a time that is
    /// longer instead.
    pub(super) fn of_rate(self, (requests, within): (u32, Duration)) -> (u32, Duration) {
        match self.of(requests) {
            0 => (1, within.mul_f64(100.0 / (f64::from(requests) * f64::from(self.0)))),
            whole => (whole, within),
        }
    }
}

impl Default for Share {
    /// Half.
    fn default() -> Self {
        Self(50)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(product: Product, category: Category) -> Lane {
        Lane { product, category }
    }

    #[test]
    fn the_path_tells_the_product() {
        let product = |path: &[&str]| Lane::of(path, Category::Light).product;
        assert_eq!(product(&["phone", "call_queues"]), Product::Phone);
        assert_eq!(product(&["users", "phone", "presence_status"]), Product::Account);
        assert_eq!(product(&[]), Product::Account);
    }

    #[test]
    fn every_lane_has_a_place_of_its_own() {
        let places: Vec<_> = Lane::all().map(Lane::index).collect();
        assert_eq!(places, (0..Lane::COUNT).collect::<Vec<_>>());
    }

    #[test]
    fn only_heavy_and_intensive_requests_of_a_product_share_their_day() {
        let heavy = lane(Product::Phone, Category::Heavy);
        let sharing: Vec<_> = Lane::all().filter(|other| heavy.shares_its_day_with(*other)).collect();
        assert_eq!(sharing, [heavy, lane(Product::Phone, Category::Intensive)]);
        let light = lane(Product::Account, Category::Light);
        assert_eq!(Lane::all().filter(|other| light.shares_its_day_with(*other)).count(), 1);
    }

    #[test]
    fn a_share_never_exceeds_itself() {
        let second = Duration::from_secs(1);
        let half = Share::default();
        assert_eq!(half.of_rate((20, second)), (10, second));
        assert_eq!(half.of_rate((5, second)), (2, second));
        assert_eq!(half.of(15_000), 7_500);
        // A tenth of five a second is one in two seconds.
        let tenth = Share::percent(10).expect("a share");
        assert_eq!(tenth.of_rate((5, second)), (1, 2 * second));
        assert_eq!((Share::percent(0), Share::percent(101)), (None, None));
        for percent in 1..=100 {
            let share = Share::percent(percent).expect("a share");
            for lane in Lane::all() {
                let (most, most_within) = Plan::Pro.rate(lane);
                let (requests, within) = share.of_rate((most, most_within));
                let ours = f64::from(requests) / within.as_secs_f64();
                let allowed = f64::from(most) / most_within.as_secs_f64() * f64::from(percent) / 100.0;
                assert!(requests > 0 && ours <= allowed * 1.000_001, "{percent} % of {lane:?}: {ours}");
            }
        }
    }
}
