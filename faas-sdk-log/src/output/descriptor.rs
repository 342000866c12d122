use super::Sink;
use super::time_limit::TimeLimit;
use super::turns::{Alone, Turns};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat};
use rustix::io::{Errno, retry_on_intr, write, writev};
use std::io::{self, ErrorKind, IoSlice, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How many bytes a pipe takes whole, or not at all. POSIX promises 512.
pub(super) const PIPE_BUF: usize = if cfg!(any(target_os = "linux", target_os = "android")) {
    4096
} else {
    512
};

/// A file descriptor of this process that lines are written to.
///
/// * A line that fits into `PIPE_BUF` bytes goes out in one write; a longer one in as few as the
///   output allows, and no other line of this process comes in between.
/// * The standard library's buffers and locks are not touched, nor are the flags of the open file
///   description, which other processes may share.
/// * A full output costs one wait in all: the first line that runs into its time limit marks it as
///   stalled. From then on each line tries once, without waiting, until something can be written.
/// * If a line was written in part and then lost, the next one starts with a line feed.
///
/// What kind of output it is, is looked up with the first line and then taken as given.
///
/// # Limits
///
/// Where the operating system has no write that refuses to wait (Linux has one for sockets and for
/// unnamed pipes, of late versions), a check for room goes before each write of at most `PIPE_BUF`
/// bytes. If another writer of the same output takes that room between the two, the write waits
/// for the reader; other lines of this process then wait no longer than their own time. Files, and
/// devices other than terminals, are written to without a check.
#[derive(Debug)]
pub(crate) struct Descriptor {
    source: Source,
    kind: OnceLock<Kind>,
    /// Whether writes that refuse to wait are tried: until one is found not to work here.
    nowait: AtomicBool,
    stalled: AtomicBool,
    turns: Turns,
}

#[derive(Debug)]
enum Source {
    Stdout,
    Stderr,
    Owned(OwnedFd),
}

/// What a descriptor stands for, as far as it matters to writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Pipe,
    Socket,
    /// A terminal, or something that is not known.
    Terminal,
    /// A character device that is no terminal, such as `/dev/null`.
    Device,
    File,
}

impl Kind {
    fn of(fd: BorrowedFd<'_>) -> Result<Self, Errno> {
        let stat = fstat(fd)?;
        // Such a pipe would never be ready for a write, which would be waited for in vain.
        if fcntl_getfl(fd).is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDONLY) {
            return Err(Errno::BADF);
        }
        Ok(match FileType::from_raw_mode(stat.st_mode) {
            FileType::Fifo => Self::Pipe,
            FileType::Socket => Self::Socket,
            FileType::CharacterDevice if !fd.is_terminal() => Self::Device,
            FileType::RegularFile | FileType::BlockDevice => Self::File,
            _ => Self::Terminal,
        })
    }

    /// Whether a write may wait for somebody who reads.
    fn has_reader(self) -> bool {
        matches!(self, Self::Pipe | Self::Socket | Self::Terminal)
    }
}

impl Descriptor {
    /// The process's standard output.
    pub(crate) fn stdout() -> Self {
        Self::new(Source::Stdout)
    }

    /// The process's standard error.
    pub(crate) fn stderr() -> Self {
        Self::new(Source::Stderr)
    }

    fn new(source: Source) -> Self {
        Self {
            source,
            kind: OnceLock::new(),
            nowait: AtomicBool::new(cfg!(target_os = "linux")),
            stalled: AtomicBool::new(false),
            turns: Turns::default(),
        }
    }

    /// As where no write refuses to wait.
    #[cfg(test)]
    pub(super) fn without_nowait(self) -> Self {
        self.nowait.store(false, Ordering::Relaxed);
        self
    }

    fn fd(&self) -> BorrowedFd<'_> {
        match &self.source {
            Source::Stdout => rustix::stdio::stdout(),
            Source::Stderr => rustix::stdio::stderr(),
            Source::Owned(fd) => fd.as_fd(),
        }
    }

    fn kind(&self) -> Result<Kind, Errno> {
        match self.kind.get() {
            Some(kind) => Ok(*kind),
            // Not kept when it fails: a closed descriptor may be opened later.
            None => Kind::of(self.fd()).map(|kind| *self.kind.get_or_init(|| kind)),
        }
    }

    /// Tries to write a short line beside others. `None` if it takes a turn alone.
    fn write_beside(
        &self,
        kind: Kind,
        line: &[u8],
        limit: &mut TimeLimit,
    ) -> Option<io::Result<()>> {
        let may_share = match kind {
            // After a check for room, two lines could both write into the room for one.
            Kind::Pipe => self.nowait.load(Ordering::Relaxed),
            Kind::Device => true,
            // These may take even a short line in part.
            Kind::Socket | Kind::Terminal | Kind::File => false,
        };
        if !may_share || line.len() > PIPE_BUF {
            return None;
        }
        let mut turn = match self.turns.share(limit) {
            Ok(turn) => turn,
            Err(error) => return Some(Err(error.into())),
        };
        if turn.torn {
            return None;
        }
        let written = match kind {
            Kind::Device => write_parts(self.fd(), &[], line),
            _ => self.write_nowait(&[], line)?,
        };
        match written {
            Ok(length) if length == line.len() => {
                self.end_stall();
                Some(Ok(()))
            }
            // No known pipe or device does that. The rest could stand behind a line of others.
            Ok(_) => {
                turn.torn = true;
                Some(Err(ErrorKind::WriteZero.into()))
            }
            Err(Errno::AGAIN) if self.is_stalled() => Some(Err(ErrorKind::WouldBlock.into())),
            Err(Errno::AGAIN) => None,
            Err(error) => Some(Err(error.into())),
        }
    }

    /// Writes a line of any length, in pieces if need be.
    fn write_alone(
        &self,
        kind: Kind,
        line: &[u8],
        limit: &mut TimeLimit,
        turn: &mut Alone<'_>,
    ) -> io::Result<()> {
        // The last page of a full pipe may have room for the start of a long line, which would only
        // be torn.
        if line.len() > PIPE_BUF && kind.has_reader() && self.is_stalled() && !has_room(self.fd())?
        {
            return Err(ErrorKind::WouldBlock.into());
        }
        let mut lead: &[u8] = if turn.torn { b"\n" } else { b"" };
        let mut rest = line;
        let mut out_of_time = false;
        while !rest.is_empty() {
            match self.write_some(kind, lead, rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) => {
                    let of_rest = length.saturating_sub(lead.len()).min(rest.len());
                    lead = &[];
                    let (written, left) = rest.split_at(of_rest);
                    // If it was the line feed in front alone, the output is in order again.
                    turn.torn = !left.is_empty() && written.last().is_some_and(|end| *end != b'\n');
                    rest = left;
                    self.end_stall();
                }
                Err(Errno::AGAIN) if self.is_stalled() => {
                    return Err(ErrorKind::WouldBlock.into());
                }
                Err(Errno::AGAIN) if out_of_time => {
                    self.stalled.store(true, Ordering::Relaxed);
                    return Err(ErrorKind::TimedOut.into());
                }
                Err(Errno::AGAIN) => {
                    wait_for_room(self.fd(), limit)?;
                    // There is one more try after that: if the process was frozen meanwhile, its
                    // reader may have had no chance to read.
                    out_of_time = limit.left().is_zero();
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// One write, of as much as goes without waiting. `AGAIN` if that is nothing.
    fn write_some(&self, kind: Kind, lead: &[u8], rest: &[u8]) -> Result<usize, Errno> {
        if !kind.has_reader() {
            return write_parts(self.fd(), lead, rest);
        }
        // A terminal may accept such a write and wait all the same.
        if kind != Kind::Terminal
            && let Some(written) = self.write_nowait(lead, rest)
        {
            return written;
        }
        if !has_room(self.fd())? {
            return Err(Errno::AGAIN);
        }
        let fits = PIPE_BUF.saturating_sub(lead.len());
        write_parts(self.fd(), lead, rest.get(..fits).unwrap_or(rest))
    }

    /// One write that refuses to wait. `None` if there is no such write here, which is remembered.
    #[cfg(target_os = "linux")]
    fn write_nowait(&self, lead: &[u8], rest: &[u8]) -> Option<Result<usize, Errno>> {
        use rustix::io::{ReadWriteFlags, pwritev2};

        /// −1 stands for the descriptor's own position, as in a plain write.
        const OWN_POSITION: u64 = u64::MAX;

        if !self.nowait.load(Ordering::Relaxed) {
            return None;
        }
        let parts = [IoSlice::new(lead), IoSlice::new(rest)];
        let parts = parts.get(usize::from(lead.is_empty())..).unwrap_or(&parts);
        match retry_on_intr(|| pwritev2(self.fd(), parts, OWN_POSITION, ReadWriteFlags::NOWAIT)) {
            // The last one comes from filters of system calls, never from a pipe or a socket.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::SPIPE | Errno::PERM) => {
                self.nowait.store(false, Ordering::Relaxed);
                None
            }
            written => Some(written),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn write_nowait(&self, _lead: &[u8], _rest: &[u8]) -> Option<Result<usize, Errno>> {
        None
    }

    fn is_stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed)
    }

    fn end_stall(&self) {
        // Most lines find no stall; a store each time would move the cache line between threads.
        if self.is_stalled() {
            self.stalled.store(false, Ordering::Relaxed);
        }
    }
}

impl From<OwnedFd> for Descriptor {
    fn from(fd: OwnedFd) -> Self {
        Self::new(Source::Owned(fd))
    }
}

impl Sink for Descriptor {
    /// # Errors
    ///
    /// * `TimedOut` if the line ran into its own time limit,
    /// * `WouldBlock` if it was not waited for because the output is stalled,
    /// * what the operating system says, such as `BrokenPipe` when the reader is gone.
    fn write_line(&self, line: &[u8], within: Duration) -> io::Result<()> {
        let kind = self.kind()?;
        let mut limit = TimeLimit::new(within);
        if let Some(written) = self.write_beside(kind, line, &mut limit) {
            return written;
        }
        let mut turn = self.turns.alone(&mut limit)?;
        self.write_alone(kind, line, &mut limit, &mut turn)
    }
}

fn write_parts(fd: BorrowedFd<'_>, lead: &[u8], rest: &[u8]) -> Result<usize, Errno> {
    retry_on_intr(|| {
        if lead.is_empty() {
            write(fd, rest)
        } else {
            writev(fd, &[IoSlice::new(lead), IoSlice::new(rest)])
        }
    })
}

/// Whether `PIPE_BUF` bytes can be written, or a write would tell an error at once.
fn has_room(fd: BorrowedFd<'_>) -> Result<bool, Errno> {
    retry_on_intr(|| poll_for_room(fd, Duration::ZERO))
}

/// Waits until there is room, the time has run out, or a signal came in between.
fn wait_for_room(fd: BorrowedFd<'_>, limit: &mut TimeLimit) -> Result<(), Errno> {
    match poll_for_room(fd, limit.left()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error),
    }
}

fn poll_for_room(fd: BorrowedFd<'_>, timeout: Duration) -> Result<bool, Errno> {
    let timeout = Timespec::try_from(timeout).map_err(|_| Errno::INVAL)?;
    // Closed descriptors and readers that are gone count as ready: the write then tells the error.
    poll(
        &mut [PollFd::from_borrowed_fd(fd, PollFlags::OUT)],
        Some(&timeout),
    )
    .map(|ready| ready > 0)
}
