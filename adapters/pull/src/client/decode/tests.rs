use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::client::head::MAX_HEADERS;

const LIMITS: Limits = Limits {
    head: 64 << 10,
    body: 4 << 10,
};

/// Status, headers, body, whether the connection can be used again, and what follows the answer.
type Seen = (u16, Vec<(String, Vec<u8>)>, Bytes, bool, Vec<u8>);

/// Feeds `pieces` one after another, then the end of the stream.
fn feed<'a>(
    limits: Limits,
    to_head: bool,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Seen, ProtocolError> {
    let (mut decoder, mut head, mut buf) = (
        Decoder::new(limits, to_head),
        Head::default(),
        BytesMut::new(),
    );
    let mut body = None;
    for piece in pieces {
        buf.extend_from_slice(piece);
        if body.is_none() {
            body = decoder.decode(&mut buf, &mut head, false)?;
        }
        if let (None, State::Sized(_) | State::Chunked(_)) = (&body, &decoder.state) {
            assert!(decoder.wanted() <= limits.body.saturating_add(2));
        }
    }
    let body = match body {
        Some(body) => body,
        None => decoder
            .decode(&mut buf, &mut head, true)?
            .expect("the end of the stream decides"),
    };
    let headers = head
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_vec()))
        .collect();
    Ok((
        head.status(),
        headers,
        body,
        decoder.is_reusable(),
        buf.to_vec(),
    ))
}

fn whole(text: &[u8]) -> Result<Seen, ProtocolError> {
    feed(LIMITS, false, [text])
}

fn cut<'a>(text: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
    at.sort_unstable();
    at.push(text.len());
    let mut from = 0;
    at.into_iter()
        .map(|to| &text[std::mem::replace(&mut from, to)..to])
        .collect()
}

fn body(text: &str) -> (Bytes, bool) {
    let (_, _, body, reusable, rest) = whole(text.as_bytes()).unwrap();
    assert!(rest.is_empty(), "{text:?} leaves {rest:?}");
    (body, reusable)
}

#[test]
fn frames_bodies() {
    let text = |t: &'static str| Bytes::from_static(t.as_bytes());
    for (answer, expected, reusable) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", "hi", true),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 002\r\n\r\nhi",
            "hi",
            true,
        ),
        ("HTTP/1.1 202\r\ncontent-length: 0\r\n\r\n", "", true),
        ("HTTP/1.1 200 OK\ncontent-length: 2\n\nhi", "hi", true),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: x, Close\r\n\r\nhi",
            "hi",
            false,
        ),
        (
            "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi",
            "hi",
            false,
        ),
        ("HTTP/1.1 200 OK\r\n\r\nto the end", "to the end", false),
        ("HTTP/1.1 204 No Content\r\n\r\n", "", true),
        (
            "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n",
            "",
            true,
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
            "hi",
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            "hi",
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;a=\"b\"\r\nh\r\n01 \r\ni\r\n1\r\n!\r\n000\r\nx-t: 1\r\nx-u: 2\r\n\r\n",
            "hi!",
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "",
            true,
        ),
    ] {
        assert_eq!(body(answer), (text(expected), reusable), "{answer:?}");
    }
    let to_head = feed(
        LIMITS,
        true,
        [&b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"[..]],
    )
    .unwrap();
    assert_eq!((to_head.2, to_head.3), (Bytes::new(), true));
}

#[test]
fn what_follows_an_answer_is_left() {
    let (.., rest) = whole(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhiHTTP/1.1").unwrap();
    assert_eq!(rest, b"HTTP/1.1");
    let (.., rest) = whole(b"HTTP/1.1 204 No\r\ncontent-length: 2\r\n\r\nhi").unwrap();
    assert_eq!(rest, b"hi");
}

#[test]
fn refuses_what_has_two_readings_or_none() {
    use ProtocolError as E;
    let with = |fields: &str, rest: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n{rest}");
    let chunks = |rest: &str| with("transfer-encoding: chunked", rest);
    for (answer, error) in [
        ("".to_owned(), E::Truncated),
        ("HTTP/1.1 200 OK\r\n".to_owned(), E::Truncated),
        ("SSH-2.0-OpenSSH".to_owned(), E::NotHttp),
        ("\r\nHTTP/1.1 200 OK\r\n\r\n".to_owned(), E::NotHttp),
        ("HTTP/1.2 200 OK\r\n\r\n".to_owned(), E::NotHttp),
        (
            "HTTP/1.1 abc\r\n\r\n".to_owned(),
            E::Head("the status line"),
        ),
        ("HTTP/1.1 099 x\r\n\r\n".to_owned(), E::Status(99)),
        ("HTTP/1.1 600 x\r\n\r\n".to_owned(), E::Status(600)),
        ("HTTP/1.1 101 Up\r\n\r\n".to_owned(), E::SwitchesProtocols),
        (with("a b: c", ""), E::Head("a header name")),
        (with("a: \0", ""), E::Head("a header value")),
        (with("a: b\r\n c", ""), E::Head("a header name")),
        (
            "HTTP/1.1 100 C\r\n\r\n".repeat(17),
            E::TooManyInterim { limit: MAX_INTERIM },
        ),
        (
            with("content-length: 1\r\ncontent-length: 1", "x"),
            E::DuplicateContentLength,
        ),
        (
            with("content-length: 1\r\ncontent-length: 2", "x"),
            E::DuplicateContentLength,
        ),
        (with("content-length: 1, 1", "x"), E::ContentLength),
        (with("content-length: +1", "x"), E::ContentLength),
        (with("content-length:", "x"), E::ContentLength),
        (
            with("content-length: 99999999999999999999", "x"),
            E::ContentLength,
        ),
        (
            with("content-length: 4097", "x"),
            E::BodyTooLarge { limit: 4096 },
        ),
        (with("content-length: 2", "x"), E::Truncated),
        (
            with("content-length: 1\r\ntransfer-encoding: chunked", "x"),
            E::LengthAndChunked,
        ),
        (
            with("transfer-encoding: gzip, chunked", "x"),
            E::TransferEncoding,
        ),
        (
            with(
                "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
                "x",
            ),
            E::TransferEncoding,
        ),
        (
            "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
            E::TransferEncoding,
        ),
        (chunks("\r\n"), E::ChunkSize),
        (chunks(";x\r\n"), E::ChunkSize),
        (chunks("-1\r\n"), E::ChunkSize),
        (chunks("0x1\r\n"), E::ChunkSize),
        (chunks("1\n"), E::ChunkSize),
        (chunks("1 1\r\n"), E::ChunkSize),
        (chunks("11111111111111111\r\n"), E::ChunkSize),
        (chunks(&format!("1;{}", "x".repeat(300))), E::ChunkSize),
        (
            chunks("ffffffffffffffff\r\n"),
            E::BodyTooLarge { limit: 4096 },
        ),
        (
            chunks(&format!("800\r\n{:2048}\r\n801\r\n", "")),
            E::BodyTooLarge { limit: 4096 },
        ),
        (chunks("1\r\nxy\r\n"), E::ChunkEnd),
        (chunks("1\r\nx\n\n"), E::ChunkEnd),
        (chunks("1\r\nx\r\n0\r\n"), E::Truncated),
        (chunks("0\r\nno colon\r\n\r\n"), E::Trailers),
        (
            chunks(&format!("0\r\n{}\r\n", "a: b\r\n".repeat(MAX_HEADERS + 1))),
            E::Trailers,
        ),
        (
            chunks(&format!("0\r\na: {}", "b".repeat(65 << 10))),
            E::Trailers,
        ),
        (
            with(&["a: b"; MAX_HEADERS + 1].join("\r\n"), ""),
            E::TooManyHeaders { limit: MAX_HEADERS },
        ),
        (
            with(&format!("a: {}", "b".repeat(64 << 10)), ""),
            E::HeadTooLarge { limit: 64 << 10 },
        ),
        (
            format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(64 << 10)),
            E::HeadTooLarge { limit: 64 << 10 },
        ),
        (
            with("a: b", &"x".repeat(4097)),
            E::BodyTooLarge { limit: 4096 },
        ),
    ] {
        let shown: String = answer.chars().take(80).collect();
        assert_eq!(whole(answer.as_bytes()).unwrap_err(), error, "{shown:?}");
        let bytewise = feed(LIMITS, false, answer.as_bytes().chunks(1));
        assert_eq!(bytewise.unwrap_err(), error, "byte by byte: {shown:?}");
    }
}

#[test]
fn limits_are_the_last_that_passes() {
    let most = ["a: b"; MAX_HEADERS].join("\r\n");
    assert_eq!(
        whole(format!("HTTP/1.1 204 N\r\n{most}\r\n\r\n").as_bytes())
            .unwrap()
            .1
            .len(),
        MAX_HEADERS
    );
    let head = |value: usize| format!("HTTP/1.1 204 N\r\na: {}\r\n\r\n", "b".repeat(value));
    let room = LIMITS.head - head(0).len();
    assert!(whole(head(room).as_bytes()).is_ok());
    assert!(whole(head(room + 1).as_bytes()).is_err());
    let exact = format!("HTTP/1.1 200 OK\r\ncontent-length: 4096\r\n\r\n{:4096}", "");
    assert_eq!(body(&exact).0.len(), 4096);
}

#[test]
fn an_error_stays() {
    let (mut decoder, mut head) = (Decoder::new(LIMITS, false), Head::default());
    let mut buf = BytesMut::from("HTTP/1.1 101 Up\r\n\r\nHTTP/1.1 204 No\r\n\r\n");
    assert!(decoder.skip_interim(&mut buf, &mut head));
    for _ in 0..2 {
        let again = decoder.decode(&mut buf, &mut head, false);
        assert_eq!(again, Err(ProtocolError::SwitchesProtocols));
    }
    assert!(!decoder.is_reusable());
}

#[test]
fn one_chunk_is_not_copied() {
    let mut buf =
        BytesMut::from("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
    let memory = buf.as_ptr_range();
    let body = Decoder::new(LIMITS, false)
        .decode(&mut buf, &mut Head::default(), false)
        .unwrap()
        .unwrap();
    assert!(memory.contains(&body.as_ptr()));
}

#[derive(Debug, Clone)]
enum Frame {
    Sized(Vec<u8>),
    Chunked {
        chunks: Vec<Vec<u8>>,
        extension: bool,
        trailers: usize,
    },
    ToClose(Vec<u8>),
    Bodiless,
}

prop_compose! {
    fn answer()(
        interim in 0..3_usize,
        headers in vec(("[a-zA-Z][a-zA-Z0-9-]{0,12}", "[ -~]{0,20}"), 0..6),
        frame in prop_oneof![
            vec(any::<u8>(), 0..600).prop_map(Frame::Sized),
            (vec(vec(any::<u8>(), 1..200), 0..6), any::<bool>(), 0..3_usize)
                .prop_map(|(chunks, extension, trailers)| Frame::Chunked { chunks, extension, trailers }),
            vec(any::<u8>(), 0..600).prop_map(Frame::ToClose),
            Just(Frame::Bodiless),
        ],
        rest in vec(any::<u8>(), 0..20),
    ) -> (Vec<u8>, Seen) {
        let headers: Vec<_> = headers
            .into_iter()
            .map(|(name, value)| (format!("x{name}"), value.trim_matches([' ', '\t']).as_bytes().to_vec()))
            .collect();
        let mut out = b"HTTP/1.1 103 Hint\r\nx: y\r\n\r\n".repeat(interim);
        let status = if matches!(frame, Frame::Bodiless) { 204 } else { 200 };
        out.extend_from_slice(format!("HTTP/1.1 {status} OK\r\n").as_bytes());
        for (name, value) in &headers {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
        let mut all = headers;
        let mut framed = |name: &str, value: String, out: &mut Vec<u8>| {
            out.extend_from_slice(format!("{name}: {value}\r\n\r\n").as_bytes());
            all.push((name.to_owned(), value.into_bytes()));
        };
        let (body, reusable) = match frame {
            Frame::Sized(body) => {
                framed("content-length", body.len().to_string(), &mut out);
                out.extend_from_slice(&body);
                (body, true)
            }
            Frame::Chunked { chunks, extension, trailers } => {
                framed("transfer-encoding", "chunked".to_owned(), &mut out);
                for chunk in &chunks {
                    let extension = if extension { ";name=\"value\"" } else { "" };
                    out.extend_from_slice(format!("{:X}{extension}\r\n", chunk.len()).as_bytes());
                    out.extend_from_slice(chunk);
                    out.extend_from_slice(b"\r\n");
                }
                out.extend_from_slice(b"0\r\n");
                out.extend_from_slice(&b"x-trailer: value\r\n".repeat(trailers));
                out.extend_from_slice(b"\r\n");
                (chunks.concat(), true)
            }
            Frame::ToClose(body) => {
                out.extend_from_slice(b"\r\n");
                out.extend_from_slice(&body);
                let seen = (status, all, body.into(), false, Vec::new());
                return (out, seen);
            }
            Frame::Bodiless => {
                out.extend_from_slice(b"\r\n");
                (Vec::new(), true)
            }
        };
        out.extend_from_slice(&rest);
        (out, (status, all, body.into(), reusable, rest))
    }
}

/// Bytes that get past the first line more often than chance would let them.
fn almost() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(
        &[
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 100 C\r\n\r\n",
            "content-length: 3\r\n",
            "transfer-encoding: chunked\r\n",
            "connection: close\r\n",
            "\r\n",
            "\n",
            "\r",
            "3\r\nabc\r\n",
            "0\r\n",
            ";x",
            "abc",
        ][..],
    );
    let start = prop::sample::select(
        &[
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.0 500\n",
            "HTTP/1.1 204 \r\n",
            "\r\nHTTP/1.1 200 OK\r\n",
        ][..],
    );
    // Noise after a third of the pieces.
    let noise = prop_oneof![2 => Just(Vec::new()), 1 => vec(any::<u8>(), 1..4)];
    (start, vec((piece, noise), 0..12)).prop_map(|(start, pieces)| {
        let mut out = start.as_bytes().to_vec();
        for (piece, noise) in pieces {
            out.extend_from_slice(piece.as_bytes());
            out.extend_from_slice(&noise);
        }
        out
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_valid_answer_reads_the_same_however_it_is_split(
        (text, seen) in answer(),
        cuts in vec(any::<prop::sample::Index>(), 0..12),
    ) {
        prop_assert_eq!(&whole(&text), &Ok(seen.clone()));
        prop_assert_eq!(&feed(LIMITS, false, cut(&text, &cuts)), &Ok(seen.clone()));
        prop_assert_eq!(&feed(LIMITS, false, text.chunks(1)), &Ok(seen));
    }

    #[test]
    fn any_bytes_read_the_same_however_they_are_split(
        text in prop_oneof![vec(any::<u8>(), 0..300), almost()],
        cuts in vec(any::<prop::sample::Index>(), 0..12),
        to_head: bool,
    ) {
        let small = Limits { head: 80, body: 8 };
        for limits in [LIMITS, small] {
            let expected = feed(limits, to_head, [&text[..]]);
            prop_assert_eq!(&feed(limits, to_head, cut(&text, &cuts)), &expected);
            prop_assert_eq!(&feed(limits, to_head, text.chunks(1)), &expected);
        }
    }
}
