//! `cargo xtask demo`: from a fresh checkout to a moving board in the browser, with one command.

use crate::{browser, bundle, environment, process, stopwatch::Stopwatch, workspace};
use anyhow::{Context as _, bail};
use clap::Args;
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// Where the server listens when `CALLBOARD_LISTEN` says nothing else.
const DEFAULT_LISTEN: &str = "127.0.0.1:8080";
const DEFAULT_PORT: u16 = 8080;

/// How often the running server is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long the server may take to close its database after Ctrl-C.
const FAREWELL: Duration = Duration::from_secs(15);

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Build the server with optimisation: some minutes more the first time, and as fast as the real thing.
    #[arg(long)]
    release: bool,
    /// Build the browser side without optimisation: seconds instead of half a minute after an edit.
    #[arg(long, conflicts_with = "release")]
    quick: bool,
    /// Do not open the browser.
    #[arg(long)]
    no_open: bool,
    /// Seed of the made-up calls; the same seed makes the same day.
    #[arg(long)]
    seed: Option<u64>,
}

impl Arguments {
    /// What `callboard demo` is told; it knows its own defaults.
    fn of_server(&self) -> Vec<String> {
        self.seed.map(|seed| format!("--seed={seed}")).into_iter().collect()
    }
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    // Before minutes are spent on building.
    refuse_busy_port()?;
    let profile_folder = if arguments.release { "release" } else { "debug" };
    if !workspace::server_binary(profile_folder).is_file() {
        println!("==> First run here: building everything takes some minutes, the next start is quick");
    }
    // Optimised by default: from nothing it takes as long, `cargo xtask test` uses the same, and the first
    // look at the product is at the real thing.
    if let Err(error) = bundle::build(bundle::Arguments { release: !arguments.quick }) {
        println!("==> No live updates in the browser: {error:#}");
        println!("    The pages work without them and refresh by themselves");
    }
    println!("==> Building the server");
    let clock = Stopwatch::start();
    let mut build = process::cargo("build");
    // Without `--package`: naming one would choose other features than a plain `cargo build` and build twice.
    build.args(["--bin", "callboard"]);
    if arguments.release {
        build.arg("--release");
    }
    process::run(&mut build)?;
    println!("    Built in {clock}");

    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    ctrlc::set_handler(move || stopped.store(true, Ordering::Relaxed))
        .context("failed to listen for Ctrl-C")?;

    println!("==> Starting Callboard; Ctrl-C ends it");
    let mut command = Command::new(workspace::server_binary(profile_folder));
    command.arg("demo").args(arguments.of_server()).stdin(Stdio::null());
    // In a group of its own the server hears of Ctrl-C once, from us, and not again from the terminal.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut server = command.spawn().context("failed to start the server")?;

    let mut waits_for_page = !arguments.no_open && browser::can_open();
    loop {
        if let Some(status) = server.try_wait()? {
            if status.success() {
                return Ok(());
            }
            bail!("the server ended with {status}");
        }
        if stop.load(Ordering::Relaxed) {
            println!("==> Stopping Callboard");
            return end(&mut server);
        }
        if waits_for_page && is_ready(address()) {
            waits_for_page = false;
            browser::open(&format!("http://{}/", shown_address()));
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Asks the server to end, and makes it end if it does not.
fn end(server: &mut Child) -> anyhow::Result<()> {
    process::answer(Command::new("kill").args(["-TERM", &server.id().to_string()]));
    let clock = Stopwatch::start();
    while clock.elapsed() < FAREWELL {
        if server.try_wait()?.is_some() {
            return Ok(());
        }
        thread::sleep(LOOK_EVERY);
    }
    server.kill()?;
    server.wait()?;
    bail!("the server did not end within {} s and was stopped", FAREWELL.as_secs())
}

fn shown_address() -> String {
    environment::variable("CALLBOARD_LISTEN")
        .and_then(|listen| listen.into_string().ok())
        .unwrap_or_else(|| DEFAULT_LISTEN.to_owned())
}

fn address() -> Option<SocketAddr> {
    shown_address().to_socket_addrs().ok()?.next()
}

/// Says who listens where the server would, when somebody does.
fn refuse_busy_port() -> anyhow::Result<()> {
    // What cannot be understood, the server itself will say better.
    let Some(address) = address() else { return Ok(()) };
    // Port 0 means any that is free.
    if address.port() == 0 || TcpListener::bind(address).is_ok() {
        return Ok(());
    }
    let there = shown_address();
    let other = SocketAddr::new(address.ip(), address.port().checked_add(1).unwrap_or(DEFAULT_PORT));
    // Only a demo shows all its components.
    let who = if answers(Some(address), "/style") {
        format!(
            "a Callboard demo runs there already: open http://{there}/, or end it with Ctrl-C in its terminal"
        )
    } else if answers(Some(address), "/healthz") {
        format!("another Callboard runs there already, at http://{there}/")
    } else {
        "another program listens there".to_owned()
    };
    bail!("{there} is taken: {who}. For a second one: CALLBOARD_LISTEN={other} cargo xtask demo")
}

/// Whether the server answers that it can be used.
fn is_ready(address: Option<SocketAddr>) -> bool {
    answers(address, "/readyz")
}

/// Whether a server has that page.
fn answers(address: Option<SocketAddr>, path: &str) -> bool {
    let ask = |address: SocketAddr| -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, LOOK_EVERY)?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok(head.ends_with(b" 200"))
    };
    address.is_some_and(|address| ask(address).unwrap_or(false))
}
