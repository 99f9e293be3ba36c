//! A file of events, to be looked at like any past: `callboard replay`.
//!
//! The events are journalled in a folder that is thrown away, with notes as a server would have taken them
//! that had heard them when they were sent. Then the same server shows them; nothing is asked of Zoom.
//! A file is read twice: its lines need not stand in the order in which their events were sent.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Write as _},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use domain::{
    time::Timestamp,
    trust::{FeedLink, Trust},
};
use flate2::bufread::GzDecoder;
use tempfile::TempDir;
use tokio::{sync::oneshot, time::Instant};

use crate::{
    Purpose, clock,
    config::{self, Config, ConfigErrors},
    journal::Source,
    situation::Circumstances,
    store::{Batch, EventRow, NoteRow, QuarantineRow, Store, StoreError, Writer},
    telemetry,
    zoom::wire::{LONGEST_MESSAGE, Parsed, Reader},
};

/// Events and notes of one commit.
const BATCH: usize = 4_000;
/// The part of an unreadable line that is kept.
const KEPT_OF_A_LINE: usize = 4 << 10;
/// Copied at once.
const PART: usize = 64 << 10;
/// No event was sent before 2000.
const EARLIEST: Timestamp = Timestamp::from_millis(946_684_800_000);
/// Notes without an event are so far apart. What changes with time alone is worked out for whoever looks; a
/// recording that plays passes over what is longer.
const QUIET: Duration = Duration::from_secs(60);
/// When nothing happens for longer, who rang, waited or was parked is not heard of any more, and the next note
/// comes when that has lasted twice as long: years of single events take few notes.
const STILL: Duration = Duration::from_secs(15 * 60);
/// When nothing happens for longer, the rest is left out: all calls are over.
const IDLE: Duration = Duration::from_secs(5 * 3600);

/// Whoever waits for a long file is told so often how far it is.
const TELLS_EVERY: Duration = Duration::from_secs(5);

/// How a file begins that gzip made.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// How files begin that are no text, what they are and what to do.
const FOREIGN: [(&[u8], &str); 6] = [
    (b"\xff\xfe", UTF_16),
    (b"\xfe\xff", UTF_16),
    (b"PK\x03\x04", "it is a ZIP archive; unpack it first"),
    (b"BZh", "it is packed with bzip2; unpack it first, with bunzip2"),
    (b"\xfd7zXZ", "it is packed with xz; unpack it first, with unxz"),
    (b"\x28\xb5\x2f\xfd", "it is packed with zstd; unpack it first, with unzstd"),
];
/// Windows PowerShell writes it.
const UTF_16: &str = "it is text in UTF-16; save it as UTF-8 first";

/// A file that was read. Dropping it throws its data away.
#[derive(Debug)]
pub struct Recording {
    /// Events in it, each once.
    pub events: u64,
    /// Lines that could not be read.
    pub unreadable: u64,
    /// Lines right after one whose event was sent later; all stand where they belong now.
    pub out_of_order: u64,
    /// What of time it tells.
    pub span: RecordedSpan,
    _data: TempDir,
}

/// The time a file of events tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedSpan {
    /// When the first event was sent.
    pub from: Timestamp,
    /// When the last one was.
    pub to: Timestamp,
}

impl RecordedSpan {
    /// The first full second after the last event, whose board has it.
    pub const fn ends_at(&self) -> Timestamp {
        Timestamp::from_millis((second(self.to) + 1) * 1000)
    }
}

/// Why a file cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The environment's own settings are wrong.
    #[error("use the configuration:\n{0}")]
    Config(ConfigErrors),
    /// The file cannot be read.
    #[error("read {}; correct the path or its permissions", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is no text of lines.
    #[error("read {}: {what}", .file.display())]
    Form {
        /// The file.
        file: PathBuf,
        /// What it is, and what to do.
        what: String,
    },
    /// There is nothing in it.
    #[error(
        "find an event in {}: each line is to be one event as Zoom sends it, with \"event\", \"event_ts\" and \
         \"payload\"",
        .file.display()
    )]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// No folder for throw-away data, or no room in it.
    #[error("put the events into a throw-away folder; set TMPDIR to a folder with room for them")]
    Folder(#[source] io::Error),
    /// The events cannot be written.
    #[error("write the events into a throw-away database")]
    Store(#[from] StoreError),
}

impl RecordingError {
    /// The process's exit code for it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) => 64,
            _ => 1,
        }
    }

    fn of_file(file: &Path, source: io::Error) -> Self {
        Self::File { file: file.to_path_buf(), source }
    }

    fn of_form(file: &Path, what: impl Into<String>) -> Self {
        Self::Form { file: file.to_path_buf(), what: what.into() }
    }
}

impl Recording {
    /// Reads a file and makes the configuration of a server that shows it. The `CALLBOARD_…` settings of
    /// the environment count, but for the data folder.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or holds no event.
    pub async fn read(file: &Path) -> Result<(Self, Config), RecordingError> {
        let data =
            tempfile::Builder::new().prefix("callboard-replay-").tempdir().map_err(RecordingError::Folder)?;
        let environment = config::process_environment;
        let folder = data.path().to_string_lossy().into_owned();
        // Nobody knows it, so nothing is taken from outside.
        let secret = uuid::Uuid::new_v4().to_string();
        let settings = |name: &str| match name {
            "ZOOM_WEBHOOK_SECRET_TOKEN" => Some(secret.clone()),
            "CALLBOARD_DATA_DIR" => Some(folder.clone()),
            "CALLBOARD_LOG" => environment(name).or_else(|| Some("warn".to_owned())),
            name if name.starts_with("ZOOM_") => None,
            name => environment(name),
        };
        let mut config = Config::load(settings, None).map_err(RecordingError::Config)?;
        let now = clock::now();
        let (store, writer) = Store::open(data.path(), Purpose::Work, now).await?;
        let told = Circumstances {
            whole: true,
            home: Some(config.time_zone),
            promises: Some(config.promises.clone()),
            ..Circumstances::default()
        };
        let mut import = Import::new(writer, told);
        let unread = |source| RecordingError::of_file(file, source);
        let mut lines = Lines::open_apart(file, data.path()).await?;
        let mut order = Order::default();
        let mut progress = Progress::new(Instant::now());
        while let Some(extent) = lines.next().map_err(unread)? {
            order.add(extent, &lines.line);
            if let Some(words) = progress.words(Instant::now(), order.extents.len(), None) {
                telemetry::tell(&words);
            }
            // Whoever started it may want to stop it.
            tokio::task::yield_now().await;
        }
        let out_of_order = order.out_of_order;
        let all = order.extents.len();
        for (done, extent) in order.in_time().enumerate() {
            import.take(lines.read(extent).map_err(unread)?).await?;
            if let Some(words) = progress.words(Instant::now(), done, Some(all)) {
                telemetry::tell(&words);
            }
            tokio::task::yield_now().await;
        }
        import.end().await?;
        let Import { events, unreadable, span, writer, .. } = import;
        writer.close().await?;
        let Some((from, to)) = span else {
            return Err(RecordingError::Empty { file: file.to_path_buf() });
        };
        store.close().await;
        // However old it is.
        config.keep = now.since(from) + config.keep;
        let span = RecordedSpan { from, to };
        config.recording = Some(span);
        Ok((Self { events, unreadable, out_of_order, span, _data: data }, config))
    }
}

/// Says now and then how far reading a long file has come.
struct Progress {
    tells_at: Instant,
}

impl Progress {
    fn new(now: Instant) -> Self {
        Self { tells_at: now + TELLS_EVERY }
    }

    /// What to tell, when it is time to.
    fn words(&mut self, now: Instant, done: usize, of: Option<usize>) -> Option<String> {
        if now < self.tells_at {
            return None;
        }
        self.tells_at = now + TELLS_EVERY;
        Some(match of {
            None => format!("Reading: {done} lines so far."),
            Some(all) => format!("Putting events in their place: {done} of {all} lines."),
        })
    }
}

/// Where a line stands in its file.
#[derive(Debug, Clone, Copy)]
struct Extent {
    offset: u64,
    length: usize,
}

/// The lines of a file, of which none takes more memory than the longest event.
struct Lines {
    file: BufReader<File>,
    offset: u64,
    line: Vec<u8>,
}

impl Lines {
    /// The same on a thread that nobody waits for: a pipe that nobody writes to does not even open, and
    /// whoever started this may want to stop it.
    async fn open_apart(file: &Path, folder: &Path) -> Result<Self, RecordingError> {
        let unread = |source| RecordingError::of_file(file, source);
        let (done, lines) = oneshot::channel();
        let (path, folder) = (file.to_path_buf(), folder.to_path_buf());
        let work = move || {
            let _ = done.send(Self::open(&path, &folder));
        };
        thread::Builder::new().name("recording".to_owned()).spawn(work).map_err(unread)?;
        lines.await.unwrap_or_else(|_| Err(unread(io::Error::other("reading it failed, which is a bug"))))
    }

    /// Of a file, or of what comes through a pipe or is compressed, which is kept in `folder` to be read
    /// twice.
    fn open(path: &Path, folder: &Path) -> Result<Self, RecordingError> {
        let unread = |source| RecordingError::of_file(path, source);
        let mut file = File::open(path).map_err(unread)?;
        if !file.metadata().map_err(unread)?.is_file() {
            file = copy(file, &folder.join("events"), unread)?;
        }
        let mut file = BufReader::new(file);
        let beginning = file.fill_buf().map_err(unread)?;
        if beginning.starts_with(&GZIP) {
            let damaged = |error: io::Error| match error.raw_os_error() {
                // What is packed could not even be read.
                Some(_) => unread(error),
                None => {
                    let what = format!("it is gzip, and damaged: {}", telemetry::in_words(&error));
                    RecordingError::of_form(path, what)
                }
            };
            file = BufReader::new(copy(Unpacked::new(file), &folder.join("unpacked"), damaged)?);
        } else if let Some((_, what)) = FOREIGN.iter().find(|(magic, _)| beginning.starts_with(magic)) {
            return Err(RecordingError::of_form(path, *what));
        }
        Ok(Self { file, offset: 0, line: Vec::new() })
    }

    /// The next line, or the next part of one that is too long to be an event.
    fn next(&mut self) -> io::Result<Option<Extent>> {
        self.line.clear();
        let longest = LONGEST_MESSAGE as u64 + 1;
        let length = self.file.by_ref().take(longest).read_until(b'\n', &mut self.line)?;
        let extent = Extent { offset: self.offset, length };
        self.offset += length as u64;
        Ok((length > 0).then_some(extent))
    }

    /// A line again.
    fn read(&mut self, extent: Extent) -> io::Result<&[u8]> {
        self.file.seek_relative(extent.offset.wrapping_sub(self.offset).cast_signed())?;
        self.line.resize(extent.length, 0);
        self.file.read_exact(&mut self.line)?;
        self.offset = extent.offset + extent.length as u64;
        Ok(&self.line)
    }
}

/// What gzip packed: one member after the other, and after the last nothing but the zeros with which tapes and
/// some archives fill their blocks.
struct Unpacked<R>(Option<GzDecoder<R>>);

impl<R: BufRead> Unpacked<R> {
    fn new(packed: R) -> Self {
        Self(Some(GzDecoder::new(packed)))
    }
}

impl<R: BufRead> Read for Unpacked<R> {
    fn read(&mut self, part: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.0 {
            let length = member.read(part)?;
            if length > 0 || part.is_empty() {
                return Ok(length);
            }
            let Some(mut rest) = self.0.take().map(GzDecoder::into_inner) else { break };
            match rest.fill_buf()?.first() {
                None => {}
                Some(0) => skip_padding(&mut rest)?,
                Some(_) => self.0 = Some(GzDecoder::new(rest)),
            }
        }
        Ok(0)
    }
}

fn skip_padding(rest: &mut impl BufRead) -> io::Result<()> {
    loop {
        let padding = rest.fill_buf()?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "something follows its end"));
        }
        match padding.len() {
            0 => return Ok(()),
            length => rest.consume(length),
        }
    }
}

/// Copies everything into a new file. Not by `io::copy`, which does not say which of the two failed.
fn copy(
    mut from: impl Read,
    to: &Path,
    unread: impl Fn(io::Error) -> RecordingError,
) -> Result<File, RecordingError> {
    let mut file = File::create(to).map_err(RecordingError::Folder)?;
    let mut part = vec![0; PART];
    loop {
        match from.read(&mut part) {
            Ok(0) => return File::open(to).map_err(RecordingError::Folder),
            Ok(length) => file.write_all(&part[..length]).map_err(RecordingError::Folder)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unread(error)),
        }
    }
}

/// The order in which a file's events were sent.
#[derive(Default)]
struct Order {
    reader: Reader,
    /// Each line with when it was sent; one that does not say goes with the line before it.
    extents: Vec<(Option<Timestamp>, Extent)>,
    out_of_order: u64,
}

impl Order {
    fn add(&mut self, extent: Extent, line: &[u8]) {
        let told = text_of(line).and_then(|text| self.reader.read(text, clock::now()).ok());
        let sent_at = told.and_then(|parsed| believed(parsed.sent_at));
        let before = self.extents.last().and_then(|(sent_at, _)| *sent_at);
        self.out_of_order += u64::from(sent_at.is_some() && sent_at < before);
        self.extents.push((sent_at.or(before), extent));
    }

    /// Those that were sent at the same time as they stand in the file.
    fn in_time(mut self) -> impl Iterator<Item = Extent> {
        self.extents.sort_by_key(|(sent_at, _)| *sent_at);
        self.extents.into_iter().map(|(_, extent)| extent)
    }
}

/// A line without what editors put around it; `None` if it is no text.
fn text_of(line: &[u8]) -> Option<&str> {
    str::from_utf8(line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii()).ok()
}

/// A date in the future is nobody's.
fn believed(sent_at: Option<Timestamp>) -> Option<Timestamp> {
    sent_at.filter(|at| *at <= clock::now() && *at > EARLIEST)
}

/// Writes the lines of a file as they come.
struct Import {
    writer: Writer,
    reader: Reader,
    batch: Batch,
    told: Option<Circumstances>,
    events: u64,
    unreadable: u64,
    /// The last place that was given to an event.
    event_id: i64,
    /// The newest event that is written.
    written: i64,
    /// When the first event came, and when the newest.
    span: Option<(Timestamp, Timestamp)>,
    /// The last note.
    noted_at: Option<Timestamp>,
    revision: u64,
}

impl Import {
    fn new(writer: Writer, told: Circumstances) -> Self {
        Self {
            writer,
            reader: Reader::default(),
            batch: Batch::default(),
            told: Some(told),
            events: 0,
            unreadable: 0,
            event_id: 0,
            written: 0,
            span: None,
            noted_at: None,
            revision: 0,
        }
    }

    async fn take(&mut self, line: &[u8]) -> Result<(), StoreError> {
        let newest = self.span.map_or_else(clock::now, |(_, newest)| newest);
        let (text, parsed) = match text_of(line) {
            None => return self.set_aside(line, "it is no text").await,
            Some("") => return Ok(()),
            Some(text) => match self.reader.read(text, newest) {
                Ok(parsed) => (text, parsed),
                Err(reason) => return self.set_aside(line, &reason.to_string()).await,
            },
        };
        let sent_at = believed(parsed.sent_at);
        if sent_at.is_none() && self.span.is_none() {
            return self.set_aside(line, "it does not say when it was sent, and comes first").await;
        }
        let told_at = sent_at.unwrap_or(newest);
        let at = self.span.map_or(told_at, |(_, newest)| told_at.max(newest));
        if self.span.is_some_and(|(_, newest)| second(newest) < second(at)) {
            self.note_until(at).await?;
        }
        self.span = Some((self.span.map_or(at, |(from, _)| from), at));
        let Parsed { key, name, call_id, .. } = parsed;
        let (key, source) = (*key.as_bytes(), Source::Socket);
        self.batch.events.push(EventRow { key, received_at: at, source, name, call_id, raw: text.into() });
        self.write_if_full().await
    }

    async fn set_aside(&mut self, line: &[u8], reason: &str) -> Result<(), StoreError> {
        self.unreadable += 1;
        let received_at = self.span.map_or_else(clock::now, |(_, newest)| newest);
        let raw = line.get(..KEPT_OF_A_LINE).unwrap_or(line).to_vec();
        let (source, byte_count, reason) = (Source::Socket, line.len() as u64, reason.to_owned());
        self.batch.quarantined.push(QuarantineRow { received_at, source, reason, byte_count, raw });
        self.write_if_full().await
    }

    /// Takes notes from the last one up to right before `at`.
    async fn note_until(&mut self, at: Timestamp) -> Result<(), StoreError> {
        let Some((from, newest)) = self.span else { return Ok(()) };
        let mut next = end_of_second(newest);
        if self.noted_at.is_none() {
            next = end_of_second(from);
        }
        while next < at && next.since(newest) < IDLE {
            self.note(next, newest);
            next = next + quiet_step(next.since(newest));
            self.write_if_full().await?;
        }
        Ok(())
    }

    fn note(&mut self, at: Timestamp, newest: Timestamp) {
        self.revision += 1;
        let told = self.told.take().map(|told| Circumstances { trust: Some(trust(at)), ..told });
        self.batch.notes.push(NoteRow {
            at,
            epoch: 0,
            revision: self.revision,
            // Those of the batch get the places after it.
            event_id: self.event_id + i64::try_from(self.batch.events.len()).unwrap_or(0),
            heard_at: Some(at),
            newest_fact_at: Some(newest),
            // Plain data always encodes.
            told: told.map(|told| serde_json::to_string(&told).unwrap_or_default()),
            // Nothing was published.
            digest: None,
        });
        self.noted_at = Some(at);
    }

    async fn write_if_full(&mut self) -> Result<(), StoreError> {
        let rows = self.batch.events.len() + self.batch.notes.len() + 20 * self.batch.quarantined.len();
        if rows >= BATCH { self.write().await } else { Ok(()) }
    }

    async fn write(&mut self) -> Result<(), StoreError> {
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return Ok(());
        }
        let count = batch.events.len();
        let committed = self.writer.commit(&batch).await?;
        let written = count - committed.refused.len();
        self.events += written as u64;
        if count > 0 {
            self.event_id = committed.first_event_id + i64::try_from(count).unwrap_or(0) - 1;
        }
        let mut places = (committed.first_event_id..=self.event_id).rev();
        self.written = places.find(|place| !committed.refused.contains(place)).unwrap_or(self.written);
        Ok(())
    }

    /// Takes the last notes.
    async fn end(&mut self) -> Result<(), StoreError> {
        // What repeats an event has no place: the last notes name the last that has one.
        self.write().await?;
        self.event_id = self.written;
        if let Some((_, newest)) = self.span {
            self.note_until(newest + QUIET).await?;
        }
        self.write().await
    }
}

const fn second(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1000)
}

/// From a note to the next, when nothing has happened for so long.
fn quiet_step(lasted: Duration) -> Duration {
    if lasted < STILL { QUIET } else { lasted }
}

fn end_of_second(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(second(at) * 1000 + 999)
}

/// A file was heard without interruption.
fn trust(at: Timestamp) -> Trust {
    Trust { counting_since: Some(at), deaf_until: Some(at), ..Trust::of(FeedLink::Live, at) }
}

#[cfg(test)]
mod tests;
