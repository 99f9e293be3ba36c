//! A compiler for the browser side: found, or installed by the first way that works.
//!
//! The ways, in order: a toolchain that has the wasm target already; `rustup target add`; Debian's own Rust,
//! whose wasm standard library is built once into `target/wasm-sysroot`. Where the two sides need different
//! toolchains, these live side by side, each with a target folder of its own.

use crate::{apt, environment, process, stopwatch::Stopwatch, workspace};
use anyhow::{Context as _, bail};
use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// A download of 20 MB on a slow line; without a connection rustup gives up by itself in seconds.
const RUSTUP_LIMIT: Duration = Duration::from_secs(120);

/// Their versions must match each other, so they are installed in one call.
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-19"];

/// The oldest Rust the workspace builds with.
const OLDEST: &str = env!("CARGO_PKG_RUST_VERSION");

const LINKERS: [&str; 3] = ["wasm-ld", "wasm-ld-22", "wasm-ld-19"];

/// A cargo and a rustc that can build for the browser.
#[derive(Debug)]
pub(crate) struct WasmToolchain {
    /// The folder of the real binaries, not of rustup's stand-ins.
    binaries: PathBuf,
    /// Where the standard library for wasm lies, when the compiler has none itself.
    private_sysroot: Option<PathBuf>,
    /// Named only when the compiler brings no linker for wasm.
    linker: Option<&'static str>,
}

impl WasmToolchain {
    /// Finds a toolchain, or installs one and says each step before taking it.
    pub(crate) fn find_or_install() -> anyhow::Result<Self> {
        if let Some(toolchain) = Self::find() {
            return Ok(toolchain);
        }
        println!("==> No Rust here can build for the browser yet ({TARGET})");
        if environment::program("rustup").is_some() {
            println!("    Asking rustup for it");
            match process::run_within(
                Command::new("rustup")
                    .args(["target", "add", TARGET])
                    // A stack of its functions would bury the line that says what is wrong.
                    .env("RUST_BACKTRACE", "0")
                    .current_dir(workspace::root()),
                RUSTUP_LIMIT,
            ) {
                Ok(()) => {
                    if let Some(toolchain) = Self::find() {
                        return Ok(toolchain);
                    }
                    println!("    rustup said yes, but the target is not there");
                }
                Err(error) => println!("    rustup could not provide it: {error}"),
            }
        }
        if apt::usable() {
            println!("    Asking Debian for its own Rust, beside the one in use");
            match install_from_debian() {
                Ok(()) => {
                    if let Some(toolchain) = Self::find() {
                        return Ok(toolchain);
                    }
                    println!("    Debian's Rust is installed, but cannot build for the browser");
                }
                Err(error) => println!("    Debian could not provide it: {error:#}"),
            }
        }
        bail!(
            "nothing on this machine can build for {TARGET}; install it with `rustup target add {TARGET}` \
             (https://rustup.rs) and run this again"
        )
    }

    /// A toolchain that is ready to use, without installing anything.
    fn find() -> Option<Self> {
        Self::of_current_rustc().or_else(|| Self::of_system(Path::new("/usr")))
    }

    fn of_current_rustc() -> Option<Self> {
        let sysroot = process::answer(
            Command::new("rustc").args(["--print", "sysroot"]).current_dir(workspace::root()),
        )?;
        Self::of_system(Path::new(&sysroot))
    }

    fn of_system(prefix: &Path) -> Option<Self> {
        let binaries = prefix.join("bin");
        let rustc = binaries.join("rustc");
        if !is_recent(&rustc) || !binaries.join("cargo").is_file() {
            return None;
        }
        let own =
            process::answer(Command::new(&rustc).args(["--print", "target-libdir", "--target", TARGET]))?;
        let private_sysroot = if has_core(Path::new(&own)) { None } else { Some(finished_sysroot(&rustc)?) };
        let host = version_field(&rustc, "host: ")?;
        let brings_linker = prefix.join("lib/rustlib").join(host).join("bin/rust-lld").is_file();
        let linker = if brings_linker { None } else { Some(linker_on_path()?) };
        Some(Self { binaries, private_sysroot, linker })
    }

    /// A command for this toolchain's cargo, building into its own target folder.
    pub(crate) fn cargo(&self, subcommand: &str) -> Command {
        let mut command = Command::new(self.binaries.join("cargo"));
        command.arg(subcommand);
        self.settle(&mut command);
        command
    }

    /// This toolchain's clippy, if it has one.
    pub(crate) fn clippy(&self) -> Option<Command> {
        // `cargo clippy` would look into cargo's home first and find rustup's stand-in of another toolchain.
        let clippy = self.binaries.join("cargo-clippy");
        clippy.is_file().then(|| {
            let mut command = Command::new(clippy);
            command.arg("clippy").env("CARGO", self.binaries.join("cargo"));
            self.settle(&mut command);
            command
        })
    }

    /// Whether this is Debian's Rust, whose parts come as packages.
    pub(crate) fn is_debian(&self) -> bool {
        self.binaries == Path::new("/usr/bin")
    }

    /// One line for the person who wants to know what builds the browser side.
    pub(crate) fn description(&self) -> String {
        let version = process::answer(Command::new(self.binaries.join("rustc")).arg("--version"));
        let library = if self.private_sysroot.is_some() { ", standard library built here" } else { "" };
        format!("{} for {TARGET}{library}", version.unwrap_or_default())
    }

    fn settle(&self, command: &mut Command) {
        command.current_dir(workspace::root());
        // Set for the toolchain that runs xtask, and wrong for this one.
        for name in [
            "RUSTUP_TOOLCHAIN",
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "LD_LIBRARY_PATH",
        ] {
            command.env_remove(name);
        }
        if command.get_envs().all(|(name, _)| name != "CARGO") {
            command.env_remove("CARGO");
        }
        command.env("RUSTC", self.binaries.join("rustc"));
        if let Some(sysroot) = &self.private_sysroot {
            let mut flag = OsStr::new("--sysroot=").to_owned();
            flag.push(sysroot);
            // The encoded form is not cut at spaces; with `--target` it spares build scripts and macros.
            command.env("CARGO_ENCODED_RUSTFLAGS", flag);
        }
        if let Some(linker) = self.linker {
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        command.args(["--target", TARGET, "--target-dir"]).arg(target_folder());
    }
}

/// Apart from the native builds: the two may use different compilers.
pub(crate) fn target_folder() -> PathBuf {
    workspace::target().join("wasm")
}

fn install_from_debian() -> anyhow::Result<()> {
    let rustc = Path::new("/usr/bin/rustc");
    if !is_recent(rustc) {
        let offered = apt::candidate("rustc-web").context("apt has no package `rustc-web`")?;
        if !is_at_least(&offered, OLDEST) {
            bail!("its `rustc-web` is {offered}, and {OLDEST} is needed");
        }
    }
    apt::install(&DEBIAN_PACKAGES)?;
    if finished_sysroot(rustc).is_none() {
        build_sysroot(rustc)?;
    }
    Ok(())
}

/// Builds the standard library for wasm from Debian's sources.
fn build_sysroot(rustc: &Path) -> anyhow::Result<()> {
    println!("    Building its standard library for the browser, once (about a minute)");
    let clock = Stopwatch::start();
    let sysroot = sysroot_folder();
    let work = sysroot.join("build");
    if sysroot.exists() {
        fs::remove_dir_all(&sysroot)?;
    }
    fs::create_dir_all(work.join("src"))?;
    // `[workspace]` keeps cargo from looking for one in the folders above.
    fs::write(
        work.join("Cargo.toml"),
        "[package]\nname = \"reason-to-build-std\"\nedition = \"2024\"\n\n\
         [profile.release]\npanic = \"abort\"\n\n[workspace]\n",
    )?;
    fs::write(work.join("src/lib.rs"), "")?;
    let mut command = Command::new("/usr/bin/cargo");
    command
        .args(["build", "--quiet", "--release", "--lib", "--target", TARGET, "-Zbuild-std=std,panic_abort"])
        .arg("--target-dir")
        .arg(work.join("target"))
        .current_dir(&work)
        .env("RUSTC", rustc)
        // Building std is not stable; this is the only step that needs the permission.
        .env("RUSTC_BOOTSTRAP", "1")
        // Without bitcode the release build of the app could not be optimised across crates.
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "-Cembed-bitcode=yes");
    for name in ["RUSTUP_TOOLCHAIN", "CARGO", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "LD_LIBRARY_PATH"] {
        command.env_remove(name);
    }
    process::run(&mut command)?;

    let library = library_folder(&sysroot);
    fs::create_dir_all(&library)?;
    let built = work.join("target").join(TARGET).join("release/deps");
    for entry in fs::read_dir(&built)? {
        let file = entry?;
        let name = file.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("lib") && name.ends_with(".rlib") && !name.starts_with("libreason_to_build_std") {
            fs::copy(file.path(), library.join(&*name))?;
        }
    }
    if !has_core(&library) {
        bail!("the build left no standard library in {}", built.display());
    }
    fs::remove_dir_all(&work)?;
    // Written last: a sysroot without it is an interrupted one.
    let version =
        process::answer(Command::new(rustc).arg("-vV")).context("failed to ask rustc for its version")?;
    fs::write(version_file(&sysroot), version)?;
    println!("    Built in {clock}");
    Ok(())
}

fn sysroot_folder() -> PathBuf {
    workspace::target().join("wasm-sysroot")
}

fn library_folder(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib").join(TARGET).join("lib")
}

fn version_file(sysroot: &Path) -> PathBuf {
    sysroot.join("built-by.txt")
}

/// The private sysroot, if it is complete and was built by this very compiler.
fn finished_sysroot(rustc: &Path) -> Option<PathBuf> {
    let sysroot = sysroot_folder();
    let built_by = fs::read_to_string(version_file(&sysroot)).ok()?;
    let version = process::answer(Command::new(rustc).arg("-vV"))?;
    (built_by == version && has_core(&library_folder(&sysroot))).then_some(sysroot)
}

fn has_core(library: &Path) -> bool {
    let names = |entry: io::Result<fs::DirEntry>| entry.ok().map(|entry| entry.file_name());
    fs::read_dir(library).is_ok_and(|entries| {
        entries.filter_map(names).any(|name| name.to_string_lossy().starts_with("libcore-"))
    })
}

fn linker_on_path() -> Option<&'static str> {
    LINKERS.into_iter().find(|linker| process::answer(Command::new(linker).arg("--version")).is_some())
}

fn is_recent(rustc: &Path) -> bool {
    version_field(rustc, "release: ").is_some_and(|release| is_at_least(&release, OLDEST))
}

fn version_field(rustc: &Path, field: &str) -> Option<String> {
    let version = process::answer(Command::new(rustc).arg("-vV"))?;
    version.lines().find_map(|line| line.strip_prefix(field)).map(str::to_owned)
}

/// Compares only `major.minor`, the part that decides what compiles.
fn is_at_least(version: &str, oldest: &str) -> bool {
    fn numbers(text: &str) -> Option<(u32, u32)> {
        let mut parts = text.split(|character: char| !character.is_ascii_digit());
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }
    match (numbers(version), numbers(oldest)) {
        (Some(version), Some(oldest)) => version >= oldest,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_at_least;

    #[test]
    fn versions_compare_by_number() {
        for (version, oldest, expected) in [
            ("1.96.0", "1.95", true),
            ("1.95.0-nightly", "1.95", true),
            ("1.85.0+dfsg3-1~deb12u3", "1.95", false),
            ("1.100.0", "1.95", true),
            ("2.0.0", "1.95", true),
            ("", "1.95", false),
        ] {
            assert_eq!(is_at_least(version, oldest), expected, "{version}");
        }
    }
}
