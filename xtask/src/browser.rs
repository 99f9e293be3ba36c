//! The browsers of this machine: one for the person, one for the tests.

use crate::{apt, environment};
use anyhow::{Context as _, bail};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Names under which a Chromium is known on the search path.
const CHROMIUMS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

const CHROME_ON_MAC: &str = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

/// Whether there is a screen and something that opens a page on it.
pub(crate) fn can_open() -> bool {
    opener().is_some()
}

/// Opens `url` for the person in front of the screen; a failure is theirs to see and no reason to stop.
pub(crate) fn open(url: &str) {
    let Some(opener) = opener() else { return };
    let opened = Command::new(opener)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !opened.is_ok_and(|status| status.success()) {
        println!("    Open {url} in a browser");
    }
}

fn opener() -> Option<PathBuf> {
    if cfg!(target_os = "macos") {
        return environment::program("open");
    }
    let display = environment::variable("DISPLAY").or_else(|| environment::variable("WAYLAND_DISPLAY"));
    display.and_then(|_| environment::program("xdg-open"))
}

/// A Chromium for the browser tests, installed if there is none; `CHROMIUM` names another one.
pub(crate) fn for_tests() -> anyhow::Result<PathBuf> {
    if let Some(chromium) = environment::variable("CHROMIUM") {
        return Ok(chromium.into());
    }
    if let Some(chromium) = installed() {
        return Ok(chromium);
    }
    println!("==> No Chromium found for the browser tests: asking apt for it");
    if !apt::usable() {
        bail!("the browser tests need Chromium; install it, or name it in the variable CHROMIUM");
    }
    apt::install(&["chromium"])?;
    installed().context("apt installed `chromium`, but there is no such program")
}

fn installed() -> Option<PathBuf> {
    let on_mac = Path::new(CHROME_ON_MAC);
    CHROMIUMS
        .into_iter()
        .find_map(environment::program)
        .or_else(|| on_mac.is_file().then(|| on_mac.to_path_buf()))
}
