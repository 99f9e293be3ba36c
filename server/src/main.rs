//! The callboard binary: reads the command line and the configuration, binds the port, runs.

use std::{
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use server::{
    Opened, Purpose, clock,
    config::{self, Config},
    demo::Demo,
    recording::Recording,
    shutdown, telemetry,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Events and pages are made of many short texts, taken by one thread and given back by another: the
/// pattern in which the system's allocator spent a quarter of the time (`cargo xtask bench ingest`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A live operations board for Zoom Phone.
#[derive(Debug, Parser)]
#[command(name = "callboard", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the board of a Zoom account, configured by environment or file.
    Serve {
        /// TOML file with the same names as the environment variables, which win over it.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Show the board with made-up calls: no account, no configuration.
    Demo {
        /// Seed of the made-up people and calls. What a board shows also depends on when the demo begins.
        #[arg(long, default_value_t = 7)]
        seed: u64,
    },
    /// Show the events of a file as the boards they made: go through them, or let them run.
    Replay {
        /// Text with one event a line, as Zoom sends them to webhooks; also packed with gzip.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// The configuration is wrong (`EX_USAGE` of sysexits).
const USAGE: u8 = 64;
/// The server could not start or ended by itself.
const FAILURE: u8 = 1;

fn main() -> ExitCode {
    let code = start();
    telemetry::flush();
    code
}

fn start() -> ExitCode {
    // Before anything may want TLS.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        return fail(FAILURE, "failed to install the TLS provider: one is installed already");
    }
    let arguments = Arguments::parse();
    // Every screen holds a descriptor; the usual soft limit is a thousand.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        return fail(
            FAILURE,
            &format!("failed to raise the limit of open files: {}", telemetry::in_words(&error)),
        );
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return fail(FAILURE, &format!("failed to start the runtime: {}", telemetry::in_words(&error)));
        }
    };
    runtime.block_on(async {
        match arguments.command {
            Command::Serve { config: file } => match Config::from_process(file.as_deref()) {
                Ok(config) => {
                    telemetry::start(&config.log);
                    for name in config::unknown_in_process() {
                        tracing::warn!(
                            name,
                            "this variable is not known and was ignored; correct its spelling"
                        );
                    }
                    let stop = stop_on_signal();
                    serve(config, Purpose::Work, stop, None).await
                }
                Err(errors) => fail(USAGE, &format!("the configuration cannot be used:\n{errors}")),
            },
            Command::Replay { file } => {
                let stop = stop_on_signal();
                match stop.run_until_cancelled(Recording::read(&file)).await {
                    None => ExitCode::SUCCESS,
                    Some(Ok((recording, config))) => {
                        telemetry::start(&config.log);
                        replay(&recording, config, stop).await
                    }
                    Some(Err(error)) => {
                        fail(error.exit_code(), &format!("failed to {}", telemetry::chain(&error)))
                    }
                }
            }
            Command::Demo { seed } => {
                let stop = stop_on_signal();
                match Demo::start(seed).await {
                    Ok((demo, config)) => {
                        telemetry::start(&config.log);
                        let code = serve(config, Purpose::Demo, stop, None).await;
                        demo.stop().await;
                        code
                    }
                    Err(error) => fail(error.exit_code(), &format!("failed to {}", telemetry::chain(&error))),
                }
            }
        }
    })
}

fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    #[expect(clippy::disallowed_methods, reason = "lives as long as the process; nothing waits for it")]
    tokio::spawn(shutdown::on_signal(stop.clone()));
    stop
}

async fn replay(recording: &Recording, config: Config, stop: CancellationToken) -> ExitCode {
    let Recording { events, unreadable, out_of_order, span, .. } = recording;
    let [from, to] = [span.from, span.to].map(clock::format_rfc3339);
    let counted = |lines: &u64, what: &str| match lines {
        0 => String::new(),
        lines => format!("; {lines} lines {what}"),
    };
    let unreadable = counted(unreadable, "could not be read");
    let out_of_order = counted(out_of_order, "were out of order and were placed by the time they were sent");
    telemetry::tell(&format!("{events} events from {from} to {to}{unreadable}{out_of_order}."));
    let note = "It plays from its beginning and stays at its end.\n".to_owned();
    let pages = Pages { feed: None, note, ..Pages::of(Purpose::Work, &config.data_dir) };
    serve(config, Purpose::Work, stop, Some(pages)).await
}

async fn serve(config: Config, purpose: Purpose, stop: CancellationToken, pages: Option<Pages>) -> ExitCode {
    let listener = match TcpListener::bind(config.listen).await {
        Ok(listener) => listener,
        Err(error) => {
            let advice = format!(
                "failed to listen on {}: {}; set CALLBOARD_LISTEN to another address, such as 127.0.0.1:8081",
                config.listen,
                telemetry::in_words(&error)
            );
            return fail(FAILURE, &advice);
        }
    };
    let address = listener.local_addr().unwrap_or(config.listen);
    let opened = match Opened::open(&config, purpose).await {
        Ok(opened) => opened,
        Err(error) => return fail(FAILURE, &format!("failed to {}", telemetry::chain(&error))),
    };
    if opened.replaces_a_demo() {
        let folder = config.data_dir.display();
        telemetry::tell(&format!("The made-up calls of an earlier demo in {folder} are thrown away."));
    }
    // A demo and a replay throw away what they made.
    let is_kept = purpose == Purpose::Work && pages.is_none();
    announce(address, &pages.unwrap_or_else(|| Pages::of(purpose, config.data_dir.as_path())));
    #[expect(clippy::disallowed_methods, reason = "says one line and ends; nothing waits for it")]
    tokio::spawn(say_when_stopping(stop.clone()));
    match opened.serve(config, purpose, listener, stop).await {
        Ok(()) => {
            telemetry::tell(if is_kept { "Stopped; everything received is saved." } else { "Stopped." });
            ExitCode::SUCCESS
        }
        Err(error) => fail(FAILURE, &format!("failed to {}", telemetry::chain(&error))),
    }
}

/// Where to look, and what else there is to know.
struct Pages {
    wall: &'static str,
    queues: &'static str,
    feed: Option<&'static str>,
    note: String,
}

impl Pages {
    fn of(purpose: Purpose, data: &Path) -> Self {
        let note = match purpose {
            Purpose::Work => String::new(),
            Purpose::Demo => format!(
                "On the page of the feed a button cuts it for 90 s: see how the boards say so.\n\
                 This is a demo: its calls are made up, its data is in {}. Stop it with Ctrl-C.\n",
                data.display()
            ),
        };
        Self { wall: "/wall", queues: "/queues", feed: Some("/feed"), note }
    }
}

/// Standard output carries the address alone, for people and for scripts. Nobody has to listen.
fn announce(address: SocketAddr, pages: &Pages) {
    let Pages { wall, queues, feed, note } = pages;
    let feed = feed.map(|feed| format!("  the feed      http://{address}{feed}\n")).unwrap_or_default();
    let text = format!(
        "Callboard is at http://{address}/\n  the wall      http://{address}{wall}\n  all queues    \
         http://{address}{queues}\n{feed}{note}"
    );
    let mut out = io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Closing takes a moment in which a person wonders whether Ctrl-C was heard.
async fn say_when_stopping(stop: CancellationToken) {
    stop.cancelled().await;
    // The log may be off, and the person wants to know.
    telemetry::tell("Stopping…");
}

fn fail(code: u8, message: &str) -> ExitCode {
    // The logger may not be running yet, and the person has to know.
    telemetry::tell(&format!("callboard: {message}"));
    ExitCode::from(code)
}
