use std::collections::VecDeque;

/// The last lines of an invocation that are only written if it fails, in so many bytes.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    bytes: VecDeque<u8>,
    ends: VecDeque<usize>,
    dropped: u64,
}

impl Ring {
    /// Keeps a line, and drops the oldest ones that have no room beside it.
    pub(crate) fn push(&mut self, line: &[u8], capacity: usize) {
        if line.len() > capacity {
            self.dropped += 1;
            return;
        }
        while self.bytes.len() + line.len() > capacity {
            let Some(length) = self.ends.pop_front() else {
                break;
            };
            self.bytes.drain(..length.min(self.bytes.len()));
            self.dropped += 1;
        }
        self.bytes.extend(line);
        self.ends.push_back(line.len());
    }

    /// Gives the lines, the oldest first, and forgets them. Returns how many had to be dropped.
    pub(crate) fn drain(&mut self, mut each: impl FnMut(&[u8])) -> u64 {
        let mut rest: &[u8] = self.bytes.make_contiguous();
        for length in self.ends.drain(..) {
            let (line, behind) = rest.split_at(length.min(rest.len()));
            each(line);
            rest = behind;
        }
        self.bytes.clear();
        std::mem::take(&mut self.dropped)
    }

    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.dropped = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(ring: &mut Ring) -> (Vec<String>, u64) {
        let mut lines = Vec::new();
        let dropped = ring.drain(|line| lines.push(String::from_utf8_lossy(line).into_owned()));
        (lines, dropped)
    }

    #[test]
    fn the_last_lines_stay_and_the_dropped_ones_are_counted() {
        let mut ring = Ring::default();
        for number in 0..10 {
            ring.push(format!("line {number}\n").as_bytes(), 21);
        }
        ring.push(&[b'x'; 22], 21);
        let lines = ["line 7\n", "line 8\n", "line 9\n"].map(str::to_owned);
        assert_eq!(drained(&mut ring), (lines.to_vec(), 8));
        ring.push(b"again\n", 21);
        assert_eq!(drained(&mut ring), (vec!["again\n".to_owned()], 0));
    }
}
