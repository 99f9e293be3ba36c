//! Workload `page`: `/queues` with twenty queues.
//!
//! Asked for as screens do: one address, again and again, so that the server writes the page once per
//! revision of the board. And asked for under an address that nobody used before, so that it has to write
//! the page for every request. Beside both the same bytes from two hand-written axum handlers, each a process of its own: one writes
//! the page from its values for every request, the other holds it ready. Clients keep their connections
//! and ask as fast as they are answered, so the measure is processor time, not the rate of a machine that
//! is busy with the clients, too.

use std::{net::SocketAddr, thread, time::Duration};

use anyhow::{Context as _, ensure};

use crate::{
    account::Account,
    callboard::{Callboard, Places},
    clock,
    pinning::Cores,
    report::{Finding, Goal, Report},
    requests::Connection,
    rival::Rival,
    spread::{Latencies, Spread},
    usage::{Opening, Window},
};

const QUEUES: usize = 20;
const PEOPLE: usize = 200;
const EVENTS_PER_SECOND: f64 = 36.0;
const PATH: &str = "/queues";
/// There are two to the power of this many addresses of the page; far more than the server keeps of one
/// revision.
const ADDRESS_BITS: usize = 11;
/// Kept connections that ask at the same time.
const CLIENTS: usize = 4;

/// Which addresses are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Addresses {
    /// One.
    Same,
    /// Each time another.
    Fresh,
}

impl Addresses {
    fn nth(self, number: usize) -> String {
        match self {
            Self::Same => PATH.to_owned(),
            // White space is trimmed, so every queue is found.
            Self::Fresh => {
                let white = (0..ADDRESS_BITS).map(|bit| if number >> bit & 1 == 1 { "+" } else { "%09" });
                format!("{PATH}?find={}", white.collect::<String>())
            }
        }
    }
}

struct Round {
    window: Window,
    pages: usize,
    latencies: Latencies,
}

impl Round {
    fn micros_each(&self) -> f64 {
        self.window.cpu.as_secs_f64() * 1e6 / self.pages.max(1) as f64
    }

    fn per_second(&self) -> f64 {
        self.pages as f64 / self.window.length.as_secs_f64()
    }

    /// Pages from one core that does nothing else.
    fn per_cpu_second(&self) -> f64 {
        1e6 / self.micros_each()
    }
}

pub(crate) fn run(report: &mut Report, places: &Places, cores: Cores, quick: bool) -> anyhow::Result<()> {
    let (pairs, warm_up, window) = if quick {
        (1, Duration::from_secs(1), Duration::from_secs(3))
    } else {
        (3, Duration::from_secs(2), Duration::from_secs(5))
    };
    eprintln!("page: {PATH} with {QUEUES} queues");
    let account = Account::busy(QUEUES, PEOPLE, EVENTS_PER_SECOND, 0)?;
    let mut server = Callboard::start(places, cores, &account.sim)?;
    let give_up = clock::now() + Duration::from_secs(30);
    while server.feed()?.directory.read_at.is_none() || account.sim.totals().rest <= QUEUES as u64 {
        ensure!(clock::now() < give_up, "the server did not read the queues");
        thread::sleep(Duration::from_millis(100));
    }
    // Some calls, so that rows differ.
    thread::sleep(warm_up * 2);

    let page = Connection::open(server.address)?.get(PATH, "accept-encoding: br, gzip\r\n")?;
    ensure!(page.status == 200, "the page was answered {}", page.status);
    let encoding = page.header("content-encoding").map(str::to_owned);
    let html = match encoding {
        None => page.body.clone(),
        Some(_) => Connection::open(server.address)?.get(PATH, "")?.body,
    };
    let folder = tempfile::tempdir_in(&places.scratch)?;
    let file = folder.path().join("page.html");
    std::fs::write(&file, &html)?;
    let written = Rival::start(cores, ["hand-written-page".as_ref(), file.as_os_str(), "written".as_ref()])?;
    let ready = Rival::start(cores, ["hand-written-page".as_ref(), file.as_os_str(), "ready".as_ref()])?;
    for rival in [&written, &ready] {
        let same = Connection::open(rival.address)?.get(PATH, "")?.body == html;
        ensure!(same, "a hand-written page differs from the server's");
    }

    let (mut ours, mut anew, mut of_written, mut of_ready) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for pair in 1..=pairs {
        let (of_server, length) = ((server.address, server.pid()), (warm_up, window));
        ours.push(measure(of_server, Addresses::Same, length)?);
        anew.push(measure(of_server, Addresses::Fresh, length)?);
        of_written.push(measure((written.address, written.pid()), Addresses::Same, length)?);
        of_ready.push(measure((ready.address, ready.pid()), Addresses::Same, length)?);
        eprintln!(
            "page: round {pair}: {:.0} µs a page, written anew {:.0} µs, written by hand {:.0} µs, held ready {:.0} µs",
            ours[pair - 1].micros_each(),
            anew[pair - 1].micros_each(),
            of_written[pair - 1].micros_each(),
            of_ready[pair - 1].micros_each(),
        );
    }
    tell(report, &html, [&ours, &anew, &of_written, &of_ready]);
    sizes(report, server.address, &html, encoding.as_deref(), page.body.len())?;
    server.stop()?;
    Ok(())
}

fn measure(
    (server, pid): (SocketAddr, u32),
    addresses: Addresses,
    (warm_up, length): (Duration, Duration),
) -> anyhow::Result<Round> {
    load(server, addresses, warm_up)?;
    let opening = Opening::of(pid)?;
    let latencies = load(server, addresses, length)?;
    let window = opening.close()?;
    Ok(Round { window, pages: latencies.len(), latencies: Latencies::of(latencies) })
}

/// Asks on all connections for so long; the time of each answer.
fn load(server: SocketAddr, addresses: Addresses, length: Duration) -> anyhow::Result<Vec<Duration>> {
    let end = clock::now() + length;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            thread::spawn(move || -> anyhow::Result<Vec<Duration>> {
                let mut connection = Connection::open(server)?;
                let mut latencies = Vec::new();
                loop {
                    let path = addresses.nth(client * (1 << ADDRESS_BITS) / CLIENTS + latencies.len());
                    let began = clock::now();
                    if began >= end {
                        return Ok(latencies);
                    }
                    let answer = connection.get(&path, "")?;
                    ensure!(answer.status == 200, "a page was answered {}", answer.status);
                    latencies.push(clock::now() - began);
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for client in clients {
        all.extend(client.join().map_err(|_| anyhow::anyhow!("a client broke"))??);
    }
    Ok(all)
}

fn tell(report: &mut Report, html: &[u8], [ours, anew, written, ready]: [&[Round]; 4]) {
    let of = |rounds: &[Round], value: fn(&Round) -> f64| Spread::of(rounds.iter().map(value));
    let foreign = of(ours, |round| round.window.foreign * 100.0);
    let rate = Finding::new("page: pages per second of a core", "/s", of(ours, Round::per_cpu_second));
    report.add(
        rate.clone()
            .beside("axum handler that writes the same bytes", of(written, Round::per_cpu_second))
            .goal(Goal::RatioAtLeast(0.25))
            .note(format!(
                "{PATH}, {QUEUES} queues, {:.1} kB of HTML, {CLIENTS} kept connections, the page written once per \
                 revision of the board; others used {:.0} % of the machine; {:.0} pages/s while the clients had the \
                 other core",
                html.len() as f64 / 1000.0,
                foreign.median,
                of(ours, Round::per_second).median,
            )),
    );
    report.add(
        Finding::new("page: the same, each written anew", "/s", of(anew, Round::per_cpu_second))
            .beside("axum handler that writes the same bytes", of(written, Round::per_cpu_second))
            .note("under addresses that nobody asked for before: the price of writing a page"),
    );
    report.add(
        Finding { metric: "page: the same, held ready".to_owned(), ..rate }
            .beside("axum handler that holds the bytes", of(ready, Round::per_cpu_second))
            .note("a page that nobody renders: the price of HTTP alone"),
    );
    report.add(
        Finding::new("page: CPU per page", "µs", of(ours, Round::micros_each))
            .beside("axum handler that writes the same bytes", of(written, Round::micros_each)),
    );
    report.add(
        Finding::new("page: answer, p99", "ms", of(ours, |round| round.latencies.quantile(0.99)))
            .beside(
                "axum handler that writes the same bytes",
                of(written, |round| round.latencies.quantile(0.99)),
            )
            .note("closed loop, saturated: a rate, not a promise"),
    );
}

/// What a first visit downloads.
fn sizes(
    report: &mut Report,
    server: SocketAddr,
    html: &[u8],
    encoding: Option<&str>,
    on_the_wire: usize,
) -> anyhow::Result<()> {
    let text = String::from_utf8_lossy(html);
    let mut of_kind: Vec<(&str, f64)> = vec![("html", brotli_size(html)? as f64 / 1000.0)];
    let mut connection = Connection::open(server)?;
    let mut names: Vec<&str> = text
        .split("\"/assets/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|name| !name.ends_with(".svg"))
        .collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let answer = connection.get(&format!("/assets/{name}"), "accept-encoding: br\r\n")?;
        ensure!(answer.status == 200, "{name} was answered {}", answer.status);
        let kind = name.rsplit('.').next().context("an asset without a kind")?;
        of_kind.push((kind, answer.body.len() as f64 / 1000.0));
    }
    let sum = |kinds: &[&str]| -> f64 {
        of_kind.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, size)| size).sum()
    };
    let parts = format!(
        "HTML {:.1}, CSS {:.1}, JavaScript {:.1}, wasm {:.1} kB with brotli",
        sum(&["html"]),
        sum(&["css"]),
        sum(&["js"]),
        sum(&["wasm"])
    );
    let wire = match encoding {
        Some(encoding) => {
            format!("the server sends the HTML as {encoding}, {:.1} kB", on_the_wire as f64 / 1000.0)
        }
        None => format!(
            "the HTML was compressed here for this number: the server sends {:.1} kB uncompressed",
            on_the_wire as f64 / 1000.0
        ),
    };
    report.add(
        Finding::new("page: readable (HTML, CSS)", "kB", Spread::of([sum(&["html", "css"])]))
            .goal(Goal::AtMost(30.0))
            .note(wire),
    );
    report.add(
        Finding::new(
            "page: all (HTML, CSS, JavaScript, wasm)",
            "kB",
            Spread::of([sum(&["html", "css", "js", "wasm"])]),
        )
        .goal(Goal::AtMost(120.0))
        .note(parts),
    );
    Ok(())
}

fn brotli_size(bytes: &[u8]) -> anyhow::Result<usize> {
    let mut compressed = Vec::new();
    // The effort of a server that compresses while it answers.
    let parameters = brotli::enc::BrotliEncoderParams { quality: 5, ..Default::default() };
    brotli::BrotliCompress(&mut &*bytes, &mut compressed, &parameters)?;
    Ok(compressed.len())
}
