//! The empty line that ends a head or trailers.

/// The position after the first empty line that follows another line. Lines end with LF, with or
/// without a CR, as the parser of heads takes them. `searched` spares a later call the bytes seen.
pub(super) fn find_empty_line(buf: &[u8], searched: &mut usize) -> Option<usize> {
    let mut from = *searched;
    while let Some(line_end) = buf[from..].iter().position(|b| *b == b'\n') {
        let next = from + line_end + 1;
        match buf[next..] {
            [b'\n', ..] => return Some(next + 1),
            [b'\r', b'\n', ..] => return Some(next + 2),
            [] | [b'\r'] => {
                *searched = next - 1;
                return None;
            }
            _ => from = next,
        }
    }
    *searched = buf.len();
    None
}
