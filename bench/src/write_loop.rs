//! The limit of the machine beside the live streams: an epoll loop that writes recorded frames.
//!
//! It knows no requests, no state and no time-outs; whatever a server does more, it pays for.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    time::Duration,
};

use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, CreateFlags, EventData, EventFlags},
    fd::OwnedFd,
    io::Errno,
    time::Timespec,
};

use crate::{
    clock,
    recording::{Recording, chunk},
};

const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-store\r\n\
    transfer-encoding: chunked\r\n\r\n";
/// Numbers of the sockets that are no viewers.
const LISTENER: u64 = u64::MAX;
const ORDERS: u64 = u64::MAX - 1;

/// Accepts viewers and greets them; on the order `start <nanoseconds>` plays the frames from that
/// time of the monotonic clock on; ends with its standard input.
#[expect(clippy::print_stdout, reason = "the parent process reads the address")]
pub(crate) fn run(file: &Path) -> anyhow::Result<()> {
    let recording = Recording::read(file)?;
    let mut greeting = HEAD.to_vec();
    greeting.extend_from_slice(&chunk(&recording.greeting));
    let frames: Vec<Vec<u8>> =
        std::iter::once(greeting).chain(recording.frames.iter().map(|(_, text)| chunk(text))).collect();
    let times: Vec<Duration> = recording.frames.iter().map(|(after, _)| *after).collect();

    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    println!("http://{}/", listener.local_addr()?);
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    epoll::add(&epoll, io::stdin(), EventData::new_u64(ORDERS), EventFlags::IN)?;

    let mut loop_ = WriteLoop { epoll, listener, frames, viewers: Vec::new() };
    let mut schedule: VecDeque<Duration> = VecDeque::new();
    let mut next_frame = 1;
    let mut ready: Vec<epoll::Event> = Vec::with_capacity(512);
    loop {
        while schedule.front().is_some_and(|at| *at <= clock::now()) {
            schedule.pop_front();
            loop_.send(next_frame)?;
            next_frame += 1;
        }
        let wait = schedule.front().map(|at| at.saturating_sub(clock::now()));
        let wait = wait.map(|wait| Timespec {
            tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: wait.subsec_nanos().into(),
        });
        ready.clear();
        match epoll::wait(&loop_.epoll, spare_capacity(&mut ready), wait.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &ready {
            match event.data.u64() {
                LISTENER => loop_.accept()?,
                ORDERS => {
                    let mut order = String::new();
                    if io::stdin().read_line(&mut order)? == 0 {
                        return Ok(());
                    }
                    let start = order.trim_end().strip_prefix("start ").and_then(|at| at.parse().ok());
                    let start = start.map_or_else(clock::now, Duration::from_nanos);
                    schedule = times.iter().map(|after| start + *after).collect();
                }
                number => loop_.flush(usize::try_from(number)?)?,
            }
        }
    }
}

struct WriteLoop {
    epoll: OwnedFd,
    listener: TcpListener,
    frames: Vec<Vec<u8>>,
    viewers: Vec<Viewer>,
}

struct Viewer {
    socket: TcpStream,
    /// Frames that did not fit into the socket.
    waiting: VecDeque<usize>,
    /// Bytes of the first of them that are written already.
    written: usize,
}

impl WriteLoop {
    fn accept(&mut self) -> anyhow::Result<()> {
        loop {
            let socket = match self.listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            socket.set_nonblocking(true)?;
            socket.set_nodelay(true)?;
            let number = self.viewers.len();
            epoll::add(&self.epoll, &socket, EventData::new_u64(number as u64), EventFlags::empty())?;
            self.viewers.push(Viewer { socket, waiting: VecDeque::new(), written: 0 });
            self.queue(number, 0)?;
        }
    }

    fn send(&mut self, frame: usize) -> anyhow::Result<()> {
        for number in 0..self.viewers.len() {
            self.queue(number, frame)?;
        }
        Ok(())
    }

    fn queue(&mut self, number: usize, frame: usize) -> anyhow::Result<()> {
        let viewer = &mut self.viewers[number];
        viewer.waiting.push_back(frame);
        if viewer.waiting.len() > 1 || viewer.write(&self.frames)? {
            return Ok(());
        }
        epoll::modify(&self.epoll, &viewer.socket, EventData::new_u64(number as u64), EventFlags::OUT)?;
        Ok(())
    }

    fn flush(&mut self, number: usize) -> anyhow::Result<()> {
        let viewer = &mut self.viewers[number];
        if viewer.write(&self.frames)? {
            let never = EventFlags::empty();
            epoll::modify(&self.epoll, &viewer.socket, EventData::new_u64(number as u64), never)?;
        }
        Ok(())
    }
}

impl Viewer {
    /// Writes what the socket takes; true when everything is written.
    fn write(&mut self, frames: &[Vec<u8>]) -> anyhow::Result<bool> {
        while let Some(frame) = self.waiting.front() {
            match self.socket.write(&frames[*frame][self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                // The clients leave before this process is told to end.
                Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
                    self.waiting.clear();
                    return Ok(true);
                }
                Err(error) => return Err(error.into()),
            }
            if self.written == frames[*frame].len() {
                self.waiting.pop_front();
                self.written = 0;
            }
        }
        Ok(true)
    }
}
