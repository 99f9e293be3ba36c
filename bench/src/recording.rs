//! The frames of a live stream and their times, handed from the measured server to its rival.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Read as _, Write as _},
    path::Path,
    time::Duration,
};

use anyhow::Context as _;

/// A stream as it can be played again.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    /// What a viewer gets at once.
    pub(crate) greeting: Vec<u8>,
    /// What all viewers get, each after this time.
    pub(crate) frames: Vec<(Duration, Vec<u8>)>,
}

impl Recording {
    pub(crate) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let mut out = BufWriter::new(File::create(file).context("the recording cannot be written")?);
        let greeting = (Duration::ZERO, self.greeting.clone());
        for (after, bytes) in std::iter::once(&greeting).chain(&self.frames) {
            out.write_all(&u64::try_from(after.as_nanos())?.to_le_bytes())?;
            out.write_all(&u64::try_from(bytes.len())?.to_le_bytes())?;
            out.write_all(bytes)?;
        }
        Ok(out.flush()?)
    }

    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let mut input = BufReader::new(File::open(file).context("the recording cannot be read")?);
        let mut frames = Vec::new();
        let mut number = [0; 8];
        while input.read_exact(&mut number).is_ok() {
            let after = Duration::from_nanos(u64::from_le_bytes(number));
            input.read_exact(&mut number)?;
            let mut bytes = vec![0; usize::try_from(u64::from_le_bytes(number))?];
            input.read_exact(&mut bytes)?;
            frames.push((after, bytes));
        }
        if frames.is_empty() {
            return Ok(Self::default());
        }
        let (_, greeting) = frames.remove(0);
        Ok(Self { greeting, frames })
    }
}

/// A chunk of an HTTP answer.
pub(crate) fn chunk(text: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{:x}\r\n", text.len()).into_bytes();
    bytes.extend_from_slice(text);
    bytes.extend_from_slice(b"\r\n");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_reads_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("frames");
        let frames = vec![(Duration::from_millis(5), b"one".to_vec()), (Duration::from_secs(1), Vec::new())];
        Recording { greeting: b"hello".to_vec(), frames: frames.clone() }.write(&file).unwrap();
        let read = Recording::read(&file).unwrap();
        assert_eq!((read.greeting, read.frames), (b"hello".to_vec(), frames));
        assert_eq!(chunk(b"0123456789"), b"a\r\n0123456789\r\n");
    }
}
