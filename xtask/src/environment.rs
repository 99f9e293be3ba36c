//! The environment variables that steer xtask, read in this one place.

use std::{ffi::OsString, path::PathBuf};

/// The value of `name`, if it is set and not empty.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask has no configuration module; this is its door to the environment"
)]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Where `program` lies on the search path.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = variable("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
