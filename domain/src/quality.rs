//! How sure a number is. No number is shown without one.

use serde::{Deserialize, Serialize};

/// Where a number comes from, from most to least certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quality {
    /// From a final record or a direct reading.
    Measured,
    /// From events, and may still change.
    Live,
    /// Worked out from events that do not say it.
    Inferred,
    /// Cannot be known now.
    Unknown,
}

impl Quality {
    /// The word used in the API and on pages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Live => "live",
            Self::Inferred => "inferred",
            Self::Unknown => "unknown",
        }
    }
}
