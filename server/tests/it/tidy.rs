//! The architecture, as far as text can tell: names, layers, heads of files.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Names that say nothing: whatever would go there has a noun of its own.
const FORBIDDEN_NAMES: [&str; 14] = [
    "utils", "util", "helpers", "common", "shared", "misc", "types", "models", "manager", "service",
    "handlers", "prelude", "core", "base",
];

/// All the rules may depend on.
const DOMAIN_MAY_USE: [&str; 3] = ["foldhash", "serde", "slab"];

/// Names and fields of Zoom's events and records that a rule or a page must never see.
const ZOOM_WORDS: [&str; 12] = [
    "\"phone.",
    "handup_result",
    "forwarded_by",
    "ringing_start_time",
    "call_end_time",
    "next_page_token",
    "call_elements",
    "call_path",
    "call_history_uuid",
    "callee_ext_",
    "caller_ext_",
    "waiting_time",
];

/// A folder beside some checkouts. A test that reads it proves nothing elsewhere.
const ELSEWHERE: &str = concat!("../", "shared");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Rust files below the folders, with their path as people write it.
fn sources(folders: &[impl AsRef<Path>]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// Every folder of the workspace with Rust in it.
fn all() -> Vec<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = manifest.lines().find_map(|line| line.strip_prefix("members = [")).unwrap();
    let crates = members.trim_end_matches(']').split(',').map(|name| name.trim().trim_matches('"'));
    let folders = crates.flat_map(|name| ["src", "tests"].map(|part| format!("{name}/{part}")));
    let folders: Vec<String> = folders.filter(|folder| root().join(folder).is_dir()).collect();
    assert!(folders.len() > 10, "{folders:?}");
    folders
}

fn complain(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn files_are_nouns_of_the_product() {
    let is_forbidden = |name: &str| {
        name.trim_end_matches(".rs").split('/').any(|part| FORBIDDEN_NAMES.contains(&part) || part == "mod")
    };
    complain(sources(&all()).into_iter().map(|(name, _)| name).filter(|name| is_forbidden(name)).collect());
}

#[test]
fn every_file_says_what_it_owns() {
    complain(
        sources(&all())
            .into_iter()
            // Unit tests say what they own by lying beside it.
            .filter(|(name, text)| !name.ends_with("/tests.rs") && !text.starts_with("//! "))
            .map(|(name, _)| format!("{name} does not begin with a `//!` line"))
            .collect(),
    );
}

#[test]
fn the_rules_depend_on_nothing() {
    let manifest = fs::read_to_string(root().join("domain/Cargo.toml")).unwrap();
    let dependencies = manifest
        .split("[dependencies]")
        .nth(1)
        .and_then(|rest| rest.split("\n[").next())
        .unwrap()
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .filter_map(|line| line.split(['.', ' ', '=']).next());
    let unknown: Vec<String> = dependencies
        .filter(|name| !DOMAIN_MAY_USE.contains(name))
        .map(|name| format!("domain must not depend on {name}"))
        .collect();
    complain(unknown);
}

#[test]
fn the_rules_ask_nobody_for_the_time_and_do_no_io() {
    let forbidden = [
        "SystemTime",
        "Instant::now",
        "std::fs",
        "std::net",
        "std::env",
        "std::thread",
        "async fn",
        "println!",
    ];
    let mut problems = Vec::new();
    for (name, text) in sources(&["domain/src"]) {
        for word in forbidden.iter().filter(|word| text.contains(**word)) {
            problems.push(format!("{name} uses {word}"));
        }
    }
    complain(problems);
}

#[test]
fn sql_stops_at_the_store() {
    let outside = sources(&["domain/src", "app/src", "server/src"])
        .into_iter()
        .filter(|(name, _)| !name.starts_with("server/src/store") && !name.ends_with("/tests.rs"))
        .filter(|(_, text)| text.contains("sqlx"))
        .map(|(name, _)| format!("{name} speaks to the database"));
    complain(outside.collect());
}

#[test]
fn zooms_names_stop_at_the_translation() {
    let mut problems = Vec::new();
    for (name, text) in sources(&["domain/src", "app/src", "server/src"]) {
        if name.starts_with("server/src/zoom") {
            continue;
        }
        for word in ZOOM_WORDS.iter().filter(|word| text.contains(**word)) {
            problems.push(format!("{name} says {word}"));
        }
    }
    complain(problems);
}

#[test]
fn the_pretend_zoom_uses_nothing_of_ours() {
    let manifest = fs::read_to_string(root().join("zoom-sim/Cargo.toml")).unwrap();
    for ours in ["domain", "server", "app"] {
        assert!(
            !manifest
                .lines()
                .any(|line| line.starts_with(&format!("{ours}.")) || line.starts_with(&format!("{ours} ")))
        );
    }
}

#[test]
fn migrations_are_stamped_verbs_and_nouns() {
    let mut problems = Vec::new();
    for entry in fs::read_dir(root().join("migrations")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if name == "README.md" {
            continue;
        }
        let mut parts = name.trim_end_matches(".sql").splitn(3, '_');
        let stamp = parts.next().unwrap_or_default();
        let is_stamp = stamp.len() == 14 && stamp.bytes().all(|byte| byte.is_ascii_digit());
        if !is_stamp || parts.count() != 2 || !name.ends_with(".sql") {
            problems.push(format!("migrations/{name} is not <UTC stamp>_<verb>_<noun>.sql"));
        }
    }
    complain(problems);
}

#[test]
fn no_test_is_switched_off() {
    let ignored = sources(&all())
        .into_iter()
        .filter(|(_, text)| text.contains(concat!("#[", "ignore")))
        .map(|(name, _)| format!("{name} switches a test off"));
    complain(ignored.collect());
}

#[test]
fn no_test_depends_on_what_lies_outside_the_repository() {
    let outside = sources(&all())
        .into_iter()
        .filter(|(_, text)| text.contains(ELSEWHERE))
        .map(|(name, _)| format!("{name} reads from outside the repository"));
    complain(outside.collect());
}
