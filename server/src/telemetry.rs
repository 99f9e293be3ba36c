//! Logging: to standard error, one line per event, no caller's number or name, no secret.
//!
//! Whoever logs hands the line over and goes on. One thread writes them; when nobody reads them, or they
//! cannot be written, they are dropped and counted. The log never stops the server.

use std::{
    io::{self, Write},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{self, SyncSender},
    },
    time::Duration,
};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// Lines that may wait to be written.
const WAITING: usize = 4_096;
/// How long the end of the process waits for lines to be written.
const LAST_WORDS: Duration = Duration::from_secs(1);

static LINES: LazyLock<Lines> = LazyLock::new(|| Lines::to(io::stderr()));

/// Installs the logger with a filter such as `info,server=debug`. A second call changes nothing.
pub fn start(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let is_terminal = io::IsTerminal::is_terminal(&io::stderr());
    // Fails when a logger is installed already, as in tests: then that one stays.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(is_terminal)
        .log_internal_errors(false)
        .with_writer(Lines::clone(&LINES))
        .try_init();
}

/// Says something to whoever started the server, logger or not.
pub fn tell(text: &str) {
    LINES.push(format!("{text}\n").into_bytes());
}

/// Waits until everything logged before is written, for at most a second: call it last.
pub fn flush() {
    LINES.flush(LAST_WORDS);
}

/// Lines on their way to the thread that writes them.
#[derive(Debug, Clone)]
struct Lines {
    queue: SyncSender<Vec<u8>>,
    counted: Arc<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    waiting: AtomicUsize,
    dropped: AtomicU64,
}

impl Lines {
    fn to(mut out: impl Write + Send + 'static) -> Self {
        let (queue, lines) = mpsc::sync_channel::<Vec<u8>>(WAITING);
        let counted = Arc::new(Counted::default());
        let lines_of = Self { queue, counted: Arc::clone(&counted) };
        let writing = move || {
            for line in lines {
                let dropped = counted.dropped.swap(0, Ordering::Relaxed);
                if dropped > 0 {
                    let told =
                        writeln!(out, "{dropped} lines of the log could not be written and were dropped");
                    if told.is_err() {
                        counted.dropped.fetch_add(dropped, Ordering::Relaxed);
                    }
                }
                if out.write_all(&line).and_then(|()| out.flush()).is_err() {
                    counted.dropped.fetch_add(1, Ordering::Relaxed);
                }
                counted.waiting.fetch_sub(1, Ordering::Release);
            }
        };
        // Without a thread every line is dropped, which is all that can be done about it.
        let _ = std::thread::Builder::new().name("log".to_owned()).spawn(writing);
        lines_of
    }

    fn push(&self, line: Vec<u8>) {
        self.counted.waiting.fetch_add(1, Ordering::Relaxed);
        if self.queue.try_send(line).is_err() {
            self.counted.waiting.fetch_sub(1, Ordering::Relaxed);
            self.counted.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self, patience: Duration) {
        const PAUSE: Duration = Duration::from_millis(2);
        for _ in 0..patience.as_millis() / PAUSE.as_millis() {
            if self.counted.waiting.load(Ordering::Acquire) == 0 {
                return;
            }
            std::thread::sleep(PAUSE);
        }
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = LineWriter<'a>;

    fn make_writer(&'a self) -> LineWriter<'a> {
        LineWriter(self)
    }
}

/// Takes a line at once, as the logger writes it.
#[derive(Debug)]
struct LineWriter<'a>(&'a Lines);

impl Write for LineWriter<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line.to_vec());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An error with all its causes, for the one place that logs or tells it.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = in_words(error);
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&in_words(error));
        cause = error.source();
    }
    text
}

/// What an error says, without the system's number for it, which tells nobody what to do.
pub fn in_words(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let number = |tail: &str| {
        tail.strip_suffix(')').is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    match text.rsplit_once(" (os error ") {
        Some((words, tail)) if number(tail) => words.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    #[test]
    fn errors_of_the_system_are_told_in_words() {
        let refused = io::Error::from_raw_os_error(13);
        assert!(refused.to_string().contains("os error 13"), "{refused}");
        assert!(!chain(&refused).contains("os error"), "{}", chain(&refused));
        let odd = io::Error::other("half (os error");
        assert_eq!(chain(&odd), "half (os error");
    }

    /// Takes a line only when it is allowed to, and tells what it took.
    struct Gate {
        allowed: Receiver<()>,
        took: Sender<String>,
    }

    impl Write for Gate {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.allowed.recv().map_err(io::Error::other)?;
            self.took.send(String::from_utf8_lossy(line).into_owned()).map_err(io::Error::other)?;
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_nobody_takes_are_dropped_and_counted() {
        let (allow, allowed) = channel();
        let (took, taken) = channel();
        let lines = Lines::to(Gate { allowed, took });
        // The thread may hold one already.
        for number in 0..WAITING + 3 {
            lines.push(format!("line {number}").into_bytes());
        }
        let dropped = lines.counted.dropped.load(Ordering::Relaxed);
        assert!((2..=3).contains(&dropped), "{dropped}");
        lines.flush(Duration::from_millis(10));
        for _ in 0..2 * WAITING {
            let _ = allow.send(());
        }
        lines.flush(Duration::from_secs(30));
        let taken: Vec<String> = taken.try_iter().collect();
        assert!(taken.iter().any(|line| line.contains("were dropped")), "{:?}", taken.get(..3));
        assert!(taken.iter().any(|line| line == "line 0"));
    }

    #[test]
    fn a_log_that_cannot_be_written_hurts_nobody() {
        let (allow, allowed) = channel();
        let (took, _) = channel();
        drop(allow);
        let lines = Lines::to(Gate { allowed, took });
        lines.push(b"a line".to_vec());
        lines.flush(Duration::from_secs(30));
        assert_eq!(lines.counted.dropped.load(Ordering::Relaxed), 1);
    }
}
