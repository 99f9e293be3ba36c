//! Where things lie in this checkout.

use crate::environment;
use std::path::{Path, PathBuf};

/// The folder of the workspace's `Cargo.toml`.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies one folder below the root")
}

/// Where cargo puts what it builds for this machine.
pub(crate) fn target() -> PathBuf {
    match environment::variable("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// The finished browser side; `server/build.rs` looks for it at this place.
pub(crate) fn site() -> PathBuf {
    root().join("target").join("site")
}

/// The built server of a cargo profile's folder, `debug` or `release`.
pub(crate) fn server_binary(profile_folder: &str) -> PathBuf {
    target().join(profile_folder).join(format!("callboard{}", std::env::consts::EXE_SUFFIX))
}
