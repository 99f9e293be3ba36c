//! A small blocking HTTP client for keep-alive connections to this machine.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};

/// Nothing measured takes this long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A kept connection.
#[derive(Debug)]
pub(crate) struct Connection {
    server: SocketAddr,
    reader: BufReader<TcpStream>,
    line: String,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Connection {
    pub(crate) fn open(server: SocketAddr) -> anyhow::Result<Self> {
        let socket = TcpStream::connect(server).context("the server cannot be reached")?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { server, reader: BufReader::with_capacity(64 * 1024, socket), line: String::new() })
    }

    /// Asks for `path`, with more header lines that each end with a line break.
    pub(crate) fn get(&mut self, path: &str, more_headers: &str) -> anyhow::Result<Answer> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n{more_headers}\r\n", self.server);
        self.reader.get_mut().write_all(request.as_bytes())?;
        let status_line = self.next_line()?;
        let status = status_line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.with_context(|| format!("no HTTP answer: {status_line}"))?;
        let mut headers = Vec::new();
        loop {
            let line = self.next_line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').context("a header without a colon")?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut answer = Answer { status, headers, body: Vec::new() };
        if let Some(length) = answer.header("content-length") {
            answer.body = vec![0; length.parse()?];
            self.reader.read_exact(&mut answer.body)?;
        } else if answer.header("transfer-encoding").is_some() {
            self.read_chunks(&mut answer.body)?;
        } else {
            bail!("an answer without a length");
        }
        Ok(answer)
    }

    fn read_chunks(&mut self, body: &mut Vec<u8>) -> anyhow::Result<()> {
        loop {
            let size = usize::from_str_radix(&self.next_line()?, 16)?;
            let begin = body.len();
            body.resize(begin + size, 0);
            self.reader.read_exact(&mut body[begin..])?;
            ensure!(self.next_line()?.is_empty(), "a chunk longer than it said");
            if size == 0 {
                return Ok(());
            }
        }
    }

    fn next_line(&mut self) -> anyhow::Result<String> {
        self.line.clear();
        ensure!(self.reader.read_line(&mut self.line)? > 0, "the server hung up");
        Ok(self.line.trim_end().to_owned())
    }
}
