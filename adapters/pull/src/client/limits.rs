//! How much of an answer is read.

/// How much of an answer is accepted. Beside these, an answer may have 100 headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the head with its empty line, and of the trailers. Default 64 KiB.
    pub head: usize,
    /// Bytes of the body, decoded. Default 6 MiB and 100 bytes.
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: 64 << 10,
            body: (6 << 20) + 100,
        }
    }
}
