//! Where a run took place: without it no number can be compared with another.

use std::{fs, process::Command};

use serde::Serialize;

/// What does not change during a run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    /// Revision of the sources; `+` when they were changed since.
    pub(crate) git_rev: String,
    pub(crate) kernel: String,
    pub(crate) cpu: String,
    pub(crate) cpus: usize,
}

impl Machine {
    pub(crate) fn look() -> Self {
        let cpu_info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu_info.lines().find_map(|line| line.strip_prefix("model name"));
        let cpu = model.and_then(|model| model.split_once(':')).map_or("unknown", |(_, name)| name.trim());
        let uname = rustix::system::uname();
        Self {
            git_rev: git_rev().unwrap_or_else(|| "unknown".to_owned()),
            kernel: uname.release().to_string_lossy().into_owned(),
            cpu: cpu.to_owned(),
            cpus: cores(),
        }
    }
}

/// Cores of the machine, whatever this process is pinned to.
pub(crate) fn cores() -> usize {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    stat.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu ")).count().max(1)
}

/// The load average of the last minute.
pub(crate) fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

fn git_rev() -> Option<String> {
    let git = |arguments: &[&str]| -> Option<String> {
        let output = Command::new("git").args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let rev = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed =
        git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|list| !list.is_empty());
    Some(if changed { format!("{rev}+") } else { rev })
}
