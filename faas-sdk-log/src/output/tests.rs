//! Descriptors of real pipes, sockets and files, on both ways of writing.

use super::descriptor::PIPE_BUF;
use super::{Descriptor, Sink};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::PathBuf;
use std::process;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// Long enough that only something that hangs runs into it.
const LONG: Duration = Duration::from_secs(60);
/// For lines that are meant to be lost.
const SHORT: Duration = Duration::from_millis(100);

/// The descriptor as it is on this system, and as it is where no write refuses to wait.
fn both_ways(fd: &impl AsFd) -> [Descriptor; 2] {
    let duplicate = || fd.as_fd().try_clone_to_owned().unwrap();
    [
        Descriptor::from(duplicate()),
        Descriptor::from(duplicate()).without_nowait(),
    ]
}

fn with_flag<T>(fd: &impl AsFd, flag: OFlags, run: impl FnOnce() -> T) -> T {
    let flags = fcntl_getfl(fd).unwrap();
    fcntl_setfl(fd, flags | flag).unwrap();
    let result = run();
    fcntl_setfl(fd, flags).unwrap();
    result
}

/// Fills the output to the last byte.
fn fill(writer: &impl AsFd) {
    with_flag(writer, OFlags::NONBLOCK, || {
        for size in [PIPE_BUF, 1] {
            let piece = vec![b'#'; size];
            while rustix::io::write(writer, &piece) != Err(Errno::AGAIN) {}
        }
    });
}

/// Reads what is there.
fn drain(reader: &impl AsFd) -> Vec<u8> {
    let mut all = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    with_flag(reader, OFlags::NONBLOCK, || {
        loop {
            match rustix::io::read(reader, &mut piece) {
                Ok(0) | Err(Errno::AGAIN) => return all,
                Ok(length) => all.extend_from_slice(&piece[..length]),
                Err(error) => panic!("{error}"),
            }
        }
    })
}

fn line_of(length: usize) -> Vec<u8> {
    let mut line = vec![b'x'; length - 1];
    line.push(b'\n');
    line
}

fn error_kind(written: io::Result<()>) -> ErrorKind {
    written.unwrap_err().kind()
}

#[test]
fn each_line_is_one_write_to_a_socket() {
    let (reader, writer) = UnixDatagram::pair().unwrap();
    for output in both_ways(&writer) {
        for length in [1, 2, 100, PIPE_BUF] {
            let line = line_of(length);
            output.write_line(&line, LONG).unwrap();
            assert_eq!(drain(&reader), line);
        }
    }
}

/// A pipe in packet mode keeps writes apart, up to `PIPE_BUF` bytes.
#[cfg(target_os = "linux")]
#[test]
fn each_line_is_one_write_to_a_pipe() {
    let (mut reader, writer) = io::pipe().unwrap();
    with_flag(&writer, OFlags::DIRECT, || {
        for output in both_ways(&writer) {
            let mut piece = vec![0; 2 * PIPE_BUF];
            let lengths = [1, 2, 100, PIPE_BUF - 1, PIPE_BUF];
            for length in lengths {
                output.write_line(&line_of(length), LONG).unwrap();
            }
            for length in lengths {
                assert_eq!(reader.read(&mut piece).unwrap(), length);
            }
        }
    });
}

#[test]
fn an_empty_line_is_no_write() {
    let (reader, writer) = UnixDatagram::pair().unwrap();
    for output in both_ways(&writer) {
        output.write_line(b"", SHORT).unwrap();
        output.write_line(b"next\n", LONG).unwrap();
        let mut message = [0; 16];
        assert_eq!(reader.recv(&mut message).unwrap(), 5);
    }
}

#[test]
fn a_full_output_loses_lines_until_it_is_read() {
    let (pipe_reader, pipe_writer) = io::pipe().unwrap();
    let (stream_reader, stream_writer) = UnixStream::pair().unwrap();
    let outputs: [(OwnedFd, OwnedFd); 2] = [
        (pipe_reader.into(), pipe_writer.into()),
        (stream_reader.into(), stream_writer.into()),
    ];
    for (reader, writer) in &outputs {
        for output in both_ways(writer) {
            for length in [10, PIPE_BUF, 3 * PIPE_BUF] {
                fill(writer);
                let line = line_of(length);
                assert_eq!(
                    error_kind(output.write_line(&line, SHORT)),
                    ErrorKind::TimedOut
                );
                assert_eq!(
                    error_kind(output.write_line(&line, LONG)),
                    ErrorKind::WouldBlock
                );
                assert!(drain(reader).iter().all(|byte| *byte == b'#'));
                output.write_line(&line, LONG).unwrap();
                assert_eq!(drain(reader), line);
            }
        }
    }
}

#[test]
fn a_line_waits_for_the_reader() {
    for length in [10, PIPE_BUF, 50 * PIPE_BUF] {
        for way in 0..2 {
            let (mut reader, writer) = io::pipe().unwrap();
            fill(&writer);
            let output = both_ways(&writer).into_iter().nth(way).unwrap();
            drop(writer);
            thread::scope(|scope| {
                let writing = scope.spawn(move || output.write_line(&line_of(length), LONG));
                let mut read = Vec::new();
                reader.read_to_end(&mut read).unwrap();
                writing.join().unwrap().unwrap();
                assert!(read.ends_with(&line_of(length)));
            });
        }
    }
}

#[test]
fn no_time_is_no_wait() {
    let (reader, writer) = io::pipe().unwrap();
    for output in both_ways(&writer) {
        fill(&writer);
        assert_eq!(
            error_kind(output.write_line(b"lost\n", Duration::ZERO)),
            ErrorKind::TimedOut
        );
        drain(&reader);
        output.write_line(b"kept\n", Duration::ZERO).unwrap();
        assert_eq!(drain(&reader), b"kept\n");
    }
}

/// With one wait a line, each thread would take a hundred times as long as it may.
#[test]
fn a_stall_costs_one_wait_for_all_threads_and_lines() {
    const THREADS: usize = 8;
    const LINES: usize = 1000;
    let within = Duration::from_millis(200);
    let (reader, writer) = io::pipe().unwrap();
    for output in both_ways(&writer) {
        fill(&writer);
        let started = Instant::now();
        let start = Barrier::new(THREADS);
        let timed_out: Vec<usize> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let (output, start) = (&output, &start);
                    scope.spawn(move || {
                        let line = line_of(if thread % 2 == 0 { 100 } else { 2 * PIPE_BUF });
                        start.wait();
                        (0..LINES)
                            .map(|_| error_kind(output.write_line(&line, within)))
                            .filter(|kind| *kind != ErrorKind::WouldBlock)
                            .inspect(|kind| assert_eq!(*kind, ErrorKind::TimedOut))
                            .count()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(timed_out.iter().sum::<usize>() >= 1, "{timed_out:?}");
        assert!(timed_out.iter().all(|waits| *waits <= 1), "{timed_out:?}");
        assert!(started.elapsed() < within * u32::try_from(LINES / 10).unwrap());
        assert!(drain(&reader).iter().all(|byte| *byte == b'#'));
        output.write_line(b"on\n", LONG).unwrap();
        assert_eq!(drain(&reader), b"on\n");
    }
}

#[test]
fn a_torn_line_is_ended_by_the_next_one() {
    let long = line_of(1024 * 1024);
    let (reader, writer) = io::pipe().unwrap();
    for output in both_ways(&writer) {
        assert_eq!(
            error_kind(output.write_line(&long, SHORT)),
            ErrorKind::TimedOut
        );
        // Neither a short nor a long line that is lost whole changes anything.
        assert_eq!(
            error_kind(output.write_line(b"lost\n", LONG)),
            ErrorKind::WouldBlock
        );
        assert_eq!(
            error_kind(output.write_line(&long, LONG)),
            ErrorKind::WouldBlock
        );
        let torn = drain(&reader);
        assert!(!torn.is_empty() && long.starts_with(&torn));
        output.write_line(b"next\n", LONG).unwrap();
        output.write_line(b"after\n", LONG).unwrap();
        assert_eq!(drain(&reader), b"\nnext\nafter\n");

        // A long one next, and torn in its turn.
        for _ in 0..2 {
            error_kind(output.write_line(&long, SHORT));
            drain(&reader);
        }
        output.write_line(&line_of(2 * PIPE_BUF), LONG).unwrap();
        let mut expected = b"\n".to_vec();
        expected.extend(line_of(2 * PIPE_BUF));
        assert_eq!(drain(&reader), expected);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_line_feed_after_a_torn_line_is_no_write_of_its_own() {
    for way in 0..2 {
        let (mut reader, writer) = io::pipe().unwrap();
        with_flag(&writer, OFlags::DIRECT, || {
            let output = both_ways(&writer).into_iter().nth(way).unwrap();
            error_kind(output.write_line(&line_of(1024 * 1024), SHORT));
            drain(&reader);
            output.write_line(b"next\n", LONG).unwrap();
            let mut packet = vec![0; PIPE_BUF];
            assert_eq!(reader.read(&mut packet).unwrap(), 6);
            assert_eq!(&packet[..6], b"\nnext\n");
        });
    }
}

/// How many lines of which length each of sixteen threads writes.
fn share_of(thread: u8) -> (usize, usize) {
    if thread.is_multiple_of(2) {
        (15, 200 * 1024)
    } else {
        (400, 20 + 17 * usize::from(thread))
    }
}

fn write_from_many_threads(output: &Descriptor) {
    thread::scope(|scope| {
        for thread in 0..16 {
            scope.spawn(move || {
                let letter = char::from(b'a' + thread);
                let (lines, length) = share_of(thread);
                let fill = letter.to_string().repeat(length);
                for number in 0..lines {
                    let line = format!("{letter} {number} {fill}\n");
                    output.write_line(line.as_bytes(), LONG).unwrap();
                }
            });
        }
    });
    output.write_line(b"end\n", LONG).unwrap();
}

/// Each line is whole, and those of each thread are in order and complete.
fn check_many_threads(written: Vec<u8>) {
    let text = String::from_utf8(written).unwrap();
    let mut counts = [0; 16];
    for line in text.strip_suffix("\nend\n").unwrap().split('\n') {
        let parts: Vec<&str> = line.split(' ').collect();
        let [letter, number, fill] = parts[..] else {
            panic!("{} parts in a line", parts.len());
        };
        let thread = letter.as_bytes()[0] - b'a';
        let count = &mut counts[usize::from(thread)];
        assert_eq!(number.parse(), Ok(*count));
        *count += 1;
        assert!(fill == letter.repeat(share_of(thread).1));
    }
    assert!((0..16).all(|thread| counts[usize::from(thread)] == share_of(thread).0));
}

fn read_while_many_threads_write(output: &Descriptor, mut reader: impl Read + Send) {
    let read = move || {
        let mut all = Vec::new();
        let mut piece = vec![0; 64 * 1024];
        // Copies of the descriptor keep the output open, so its end is a line.
        while !all.ends_with(b"\nend\n") {
            let length = reader.read(&mut piece).unwrap();
            all.extend_from_slice(&piece[..length]);
        }
        all
    };
    thread::scope(|scope| {
        let reading = scope.spawn(read);
        write_from_many_threads(output);
        check_many_threads(reading.join().unwrap());
    });
}

#[test]
fn long_and_short_lines_do_not_mix_in_a_pipe() {
    let (reader, writer) = io::pipe().unwrap();
    for output in both_ways(&writer) {
        read_while_many_threads_write(&output, &reader);
    }
}

#[test]
fn long_and_short_lines_do_not_mix_in_a_socket() {
    let (reader, writer) = UnixStream::pair().unwrap();
    for output in both_ways(&writer) {
        read_while_many_threads_write(&output, &reader);
    }
}

#[test]
fn lines_do_not_mix_in_a_file() {
    for append in [true, false] {
        let path = temporary_path("file");
        let file = if append {
            File::options().append(true).create(true).open(&path)
        } else {
            File::create(&path)
        };
        let output = Descriptor::from(OwnedFd::from(file.unwrap()));
        write_from_many_threads(&output);
        let written = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        check_many_threads(written);
    }
}

fn temporary_path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("faas-sdk-log-{name}-{}", process::id()))
}

#[test]
fn a_reader_that_is_gone_is_an_error_of_each_line() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let (peer, stream) = UnixStream::pair().unwrap();
    drop(peer);
    for fd in [OwnedFd::from(writer), OwnedFd::from(stream)] {
        for output in both_ways(&fd) {
            for length in [10, 10 * PIPE_BUF, 10] {
                assert_eq!(
                    error_kind(output.write_line(&line_of(length), LONG)),
                    ErrorKind::BrokenPipe
                );
            }
        }
    }
}

#[test]
fn a_reader_that_goes_ends_the_wait() {
    for way in 0..2 {
        for length in [10, 10 * PIPE_BUF] {
            let (reader, writer) = io::pipe().unwrap();
            fill(&writer);
            let output = both_ways(&writer).into_iter().nth(way).unwrap();
            thread::scope(|scope| {
                let writing = scope.spawn(move || output.write_line(&line_of(length), LONG));
                drop(reader);
                assert_eq!(error_kind(writing.join().unwrap()), ErrorKind::BrokenPipe);
            });
        }
    }
}

#[test]
fn what_is_not_open_for_writing_is_an_error_of_each_line() {
    let (reader, _writer) = io::pipe().unwrap();
    let null = File::open("/dev/null").unwrap();
    for fd in [OwnedFd::from(reader), OwnedFd::from(null)] {
        for output in both_ways(&fd) {
            for length in [10, 10 * PIPE_BUF, 10] {
                let error = output.write_line(&line_of(length), LONG).unwrap_err();
                assert_eq!(Errno::from_io_error(&error), Some(Errno::BADF));
            }
        }
    }
}

#[test]
fn a_device_takes_everything() {
    let null = OpenOptions::new().write(true).open("/dev/null").unwrap();
    for output in both_ways(&null) {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for length in [1, 10, PIPE_BUF, 100 * PIPE_BUF] {
                        output.write_line(&line_of(length), LONG).unwrap();
                    }
                });
            }
        });
    }
}

#[test]
fn a_descriptor_that_does_not_block_is_waited_for_too() {
    let (reader, writer) = io::pipe().unwrap();
    with_flag(&writer, OFlags::NONBLOCK, || {
        for output in both_ways(&writer) {
            read_while_many_threads_write(&output, &reader);
        }
    });
}

#[test]
fn flags_stay_as_they_are() {
    let (reader, writer) = io::pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    for output in both_ways(&writer) {
        fill(&writer);
        error_kind(output.write_line(b"lost\n", SHORT));
        drain(&reader);
        output.write_line(b"kept\n", LONG).unwrap();
        assert_eq!(fcntl_getfl(&writer).unwrap(), flags);
    }
}

/// Linux has writes that refuse to wait for unnamed pipes only.
#[cfg(target_os = "linux")]
#[test]
fn a_named_pipe_is_written_to() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let path = temporary_path("fifo");
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let fifo = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    fs::remove_file(&path).unwrap();
    let output = Descriptor::from(OwnedFd::from(fifo.try_clone().unwrap()));
    output.write_line(b"first\n", LONG).unwrap();
    output.write_line(b"second\n", LONG).unwrap();
    assert_eq!(drain(&fifo), b"first\nsecond\n");
    fill(&fifo);
    assert_eq!(
        error_kind(output.write_line(b"lost\n", SHORT)),
        ErrorKind::TimedOut
    );
    drain(&fifo);
    read_while_many_threads_write(&output, &fifo);
}
