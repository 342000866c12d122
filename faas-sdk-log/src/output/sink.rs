use std::io;
use std::time::Duration;

/// Where log lines go.
///
/// A closure that takes a line is a sink too; its parameter needs its type written out:
///
/// ```
/// # use faas_sdk_log::Sink;
/// # use std::time::Duration;
/// let discard = |_line: &[u8]| {};
/// assert!(discard.write_line(b"{}\n", Duration::from_secs(1)).is_ok());
/// ```
pub trait Sink: Send + Sync + 'static {
    /// Writes one whole line, its line feed included, in at most about `within`.
    ///
    /// It is called from many threads at once, on the thread that logs, and must not log itself.
    ///
    /// # Errors
    ///
    /// The line is lost. Nothing is tried again.
    fn write_line(&self, line: &[u8], within: Duration) -> io::Result<()>;
}

/// The closure is trusted to return in time, and its lines are never lost.
impl<F: Fn(&[u8]) + Send + Sync + 'static> Sink for F {
    fn write_line(&self, line: &[u8], _within: Duration) -> io::Result<()> {
        self(line);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Sink;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    #[test]
    fn a_closure_gets_the_whole_line() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        let sink: Box<dyn Sink> = Box::new(move |line: &[u8]| {
            kept.lock().unwrap().push(line.to_vec());
        });
        sink.write_line(b"one\n", Duration::ZERO).unwrap();
        sink.write_line(b"two\n", Duration::ZERO).unwrap();
        assert_eq!(*lines.lock().unwrap(), [b"one\n", b"two\n"]);
    }
}
