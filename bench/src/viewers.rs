//! Many clients of a live stream in one thread: nonblocking sockets and epoll.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, bail};
use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, CreateFlags, EventData, EventFlags},
    fd::OwnedFd,
    time::Timespec,
};

use crate::{clock, event_stream::EventStream};

/// Taken from a socket at once.
const READ: usize = 256 * 1024;
/// Connections opened between two looks at those that are open; fewer than a listener's backlog.
const OPENED_AT_ONCE: usize = 100;
/// Longer than any server needs to greet all viewers.
const GREETED_WITHIN: Duration = Duration::from_secs(60);
/// An end of the wait that the clock decides more exactly.
const SHORTEST_WAIT: Duration = Duration::from_micros(50);

/// A revision that arrived at a viewer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivery {
    pub(crate) viewer: u32,
    pub(crate) revision: u64,
    pub(crate) at: Duration,
}

/// A revision's text, as the first viewer got it.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) revision: u64,
    pub(crate) text: Vec<u8>,
}

/// All viewers of one stream.
#[derive(Debug)]
pub(crate) struct Viewers {
    epoll: OwnedFd,
    viewers: Vec<Viewer>,
    /// Everything that arrived so far.
    pub(crate) deliveries: Vec<Delivery>,
    /// The texts of the first viewer.
    pub(crate) frames: Vec<Frame>,
    buffer: Vec<u8>,
    greeted: usize,
}

#[derive(Debug)]
struct Viewer {
    socket: TcpStream,
    stream: EventStream,
    is_greeted: bool,
}

impl Viewers {
    /// Opens `count` streams and waits until each has got its first view.
    pub(crate) fn connect(server: SocketAddr, path: &str, count: usize) -> anyhow::Result<Self> {
        let mut all = Self {
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            viewers: Vec::with_capacity(count),
            deliveries: Vec::with_capacity(count * 64),
            frames: Vec::new(),
            buffer: vec![0; READ],
            greeted: 0,
        };
        let request = format!("GET {path} HTTP/1.1\r\nhost: {server}\r\naccept: text/event-stream\r\n\r\n");
        for number in 0..count {
            let mut socket = TcpStream::connect(server).context("a viewer could not connect")?;
            socket.write_all(request.as_bytes())?;
            socket.set_nonblocking(true)?;
            epoll::add(&all.epoll, &socket, EventData::new_u64(number as u64), EventFlags::IN)?;
            let stream = if number == 0 { EventStream::keeping() } else { EventStream::new() };
            all.viewers.push(Viewer { socket, stream, is_greeted: false });
            if number % OPENED_AT_ONCE == OPENED_AT_ONCE - 1 {
                all.follow_for(Duration::from_millis(20))?;
            }
        }
        let give_up = clock::now() + GREETED_WITHIN;
        while all.greeted < count {
            if clock::now() > give_up {
                bail!("only {} of {count} viewers got their first view", all.greeted);
            }
            all.follow_for(Duration::from_millis(20))?;
        }
        Ok(all)
    }

    pub(crate) fn count(&self) -> usize {
        self.viewers.len()
    }

    pub(crate) fn follow_for(&mut self, length: Duration) -> anyhow::Result<()> {
        self.follow_until(clock::now() + length)
    }

    /// Reads whatever comes until then.
    pub(crate) fn follow_until(&mut self, end: Duration) -> anyhow::Result<()> {
        let mut ready: Vec<epoll::Event> = Vec::with_capacity(512);
        loop {
            let left = end.saturating_sub(clock::now());
            if left.is_zero() {
                return Ok(());
            }
            let left = left.max(SHORTEST_WAIT);
            let wait = Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            };
            ready.clear();
            match epoll::wait(&self.epoll, spare_capacity(&mut ready), Some(&wait)) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            for event in &ready {
                let number = event.data.u64();
                self.read(usize::try_from(number)?)?;
            }
        }
    }

    /// One read each time: what is left makes the socket ready again, and others have their turn.
    fn read(&mut self, number: usize) -> anyhow::Result<()> {
        let viewer = &mut self.viewers[number];
        let count = match viewer.socket.read(&mut self.buffer) {
            Ok(0) => bail!("the server ended the stream of viewer {number}"),
            Ok(count) => count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                return Ok(());
            }
            Err(error) => return Err(error).context("a viewer's connection broke"),
        };
        let at = clock::now();
        let id = u32::try_from(number)?;
        let (deliveries, frames, greeted) = (&mut self.deliveries, &mut self.frames, &mut self.greeted);
        let is_greeted = &mut viewer.is_greeted;
        viewer.stream.take(&self.buffer[..count], |event| {
            if !*is_greeted {
                *is_greeted = true;
                *greeted += 1;
            }
            deliveries.push(Delivery { viewer: id, revision: event.revision, at });
            if number == 0 {
                frames.push(Frame { revision: event.revision, text: event.text.to_vec() });
            }
        });
        Ok(())
    }
}
