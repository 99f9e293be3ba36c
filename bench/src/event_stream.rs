//! Reads a chunked stream of server-sent events, only as far as the measurements need it.
//!
//! Frames are large and thousands of streams share one core, so nothing is copied but the beginning of
//! each line, unless the reader is one that [keeps](EventStream::keeping) the text.

/// An `id:` line fits into this.
const LINE_START: usize = 64;

/// One event with an id.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event<'a> {
    /// The part of the id behind the dash.
    pub(crate) revision: u64,
    /// Its text, if the reader keeps it.
    pub(crate) text: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Head,
    ChunkSize,
    Chunk,
    ChunkEnd,
}

/// The state of one stream between two reads.
#[derive(Debug)]
pub(crate) struct EventStream {
    place: Place,
    /// Of the chunk, still to come.
    left: usize,
    /// The beginning of the line that is being read.
    line: Vec<u8>,
    line_size: usize,
    revision: Option<u64>,
    /// Bytes so far of a line of the transfer itself.
    frame_line_size: usize,
    keeps: bool,
    text: Vec<u8>,
}

impl EventStream {
    pub(crate) fn new() -> Self {
        Self {
            place: Place::Head,
            left: 0,
            line: Vec::with_capacity(LINE_START),
            line_size: 0,
            revision: None,
            frame_line_size: 0,
            keeps: false,
            text: Vec::new(),
        }
    }

    /// A reader that hands out whole texts.
    pub(crate) fn keeping() -> Self {
        Self { keeps: true, ..Self::new() }
    }

    /// Takes what was read from the socket and tells every event that it completes.
    pub(crate) fn take(&mut self, mut bytes: &[u8], mut tell: impl FnMut(Event<'_>)) {
        while !bytes.is_empty() {
            match self.place {
                Place::Chunk => {
                    let (part, rest) = bytes.split_at(self.left.min(bytes.len()));
                    self.take_body(part, &mut tell);
                    self.left -= part.len();
                    bytes = rest;
                    if self.left == 0 {
                        self.place = Place::ChunkEnd;
                    }
                }
                Place::Head | Place::ChunkSize | Place::ChunkEnd => {
                    let Some(rest) = self.take_frame_line(bytes) else { return };
                    bytes = rest;
                }
            }
        }
    }

    /// Takes a line of the transfer itself; `None` when it is not complete yet.
    fn take_frame_line<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let end = memchr::memchr(b'\n', bytes);
        let (part, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
        self.frame_line_size += part.len();
        if self.place == Place::ChunkSize {
            for digit in part.iter().filter_map(|byte| char::from(*byte).to_digit(16)) {
                self.left = self.left * 16 + digit as usize;
            }
        }
        end?;
        let is_blank = self.frame_line_size <= 2;
        self.frame_line_size = 0;
        self.place = match self.place {
            Place::Head if is_blank => Place::ChunkSize,
            Place::Head => Place::Head,
            Place::ChunkEnd => Place::ChunkSize,
            Place::ChunkSize | Place::Chunk => Place::Chunk,
        };
        Some(rest)
    }

    fn take_body(&mut self, mut bytes: &[u8], tell: &mut impl FnMut(Event<'_>)) {
        while !bytes.is_empty() {
            let end = memchr::memchr(b'\n', bytes);
            let (part, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
            bytes = rest;
            let room = LINE_START.saturating_sub(self.line.len()).min(part.len());
            self.line.extend_from_slice(&part[..room]);
            self.line_size += part.len();
            if self.keeps {
                self.text.extend_from_slice(part);
            }
            if end.is_some() {
                self.end_line(tell);
            }
        }
    }

    fn end_line(&mut self, tell: &mut impl FnMut(Event<'_>)) {
        if let Some(id) = self.line.strip_prefix(b"id: ") {
            self.revision = std::str::from_utf8(id)
                .ok()
                .and_then(|id| id.trim_end().rsplit_once('-'))
                .and_then(|(_, revision)| revision.parse().ok());
        }
        if self.line_size == 1 {
            if let Some(revision) = self.revision.take() {
                tell(Event { revision, text: &self.text });
            }
            self.text.clear();
        }
        self.line.clear();
        self.line_size = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(text: &str) -> String {
        format!("{:x}\r\n{text}\r\n", text.len())
    }

    #[test]
    fn events_are_found_however_the_bytes_are_cut() {
        let one = "id: 77-1\nevent: view\ndata: {\"a\":1}\n\n";
        let two = format!("id: 77-2\nevent: change\ndata: {}\n\n", "x".repeat(300));
        let three = "id: 77-3\nevent: change\ndata: y\n\n";
        let bytes = format!(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}{}{}",
            chunk("retry: 3000\nevent: hello\ndata: {}\n\n"),
            chunk(one),
            chunk(&format!("{two}{three}"))
        );
        for cut in 1..bytes.len() {
            for mut stream in [EventStream::new(), EventStream::keeping()] {
                let mut seen = Vec::new();
                let mut texts = Vec::new();
                for part in bytes.as_bytes().chunks(cut) {
                    stream.take(part, |event| {
                        seen.push(event.revision);
                        texts.push(String::from_utf8(event.text.to_vec()).unwrap());
                    });
                }
                assert_eq!(seen, [1, 2, 3]);
                if stream.keeps {
                    assert_eq!(texts, [one, &two, three]);
                }
            }
        }
    }
}
