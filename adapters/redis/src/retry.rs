/// Whether a request may be sent a second time when nobody knows whether the server has done it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It is sent at most once. A link that was silent for 2 seconds is asked for a sign of life
    /// first, because servers and networks close idle connections.
    Never,
    /// It is sent once more if the first attempt failed by I/O or was not answered, over a fresh link:
    /// for what reads, or does the same the second time. So that time is left for that, the first
    /// attempt gets half of the time if there are 100 ms or more; with less, only failed I/O is repeated.
    /// If the link to a server gives other replies meanwhile, that is slow, and is not asked again.
    Once,
}
