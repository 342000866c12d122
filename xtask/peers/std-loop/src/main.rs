//! The lower bound of a Lambda function: one blocking socket, `serde_json`, two buffers used again
//! and again. Written for the measuring host alone: no timeout, no error report, no chunked body.

use serde::{Deserialize, Serialize};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::str::from_utf8;

#[derive(Deserialize, Serialize)]
struct Echo {
    text: String,
}

fn main() -> Result<()> {
    let host = std::env::var("AWS_LAMBDA_RUNTIME_API").map_err(Error::other)?;
    let stream = TcpStream::connect(&host)?;
    stream.set_nodelay(true)?;
    let mut wire = Wire {
        stream,
        buffer: Vec::with_capacity(8 * 1024),
        head: 0,
        end: 0,
    };
    let next = format!("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: {host}\r\n\r\n");
    let mut report = Vec::with_capacity(1024);
    let mut reply = Vec::with_capacity(1024);
    loop {
        wire.exchange(next.as_bytes())?;
        let input: Echo = serde_json::from_slice(wire.body())?;
        let id = wire
            .header("lambda-runtime-aws-request-id")
            .ok_or(ErrorKind::InvalidData)?;
        reply.clear();
        serde_json::to_writer(&mut reply, &input)?;
        report.clear();
        write!(
            report,
            "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nhost: {host}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            reply.len()
        )?;
        report.extend_from_slice(&reply);
        wire.exchange(&report)?;
    }
}

/// One connection and the answer last read from it.
struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Where the answer's body begins.
    head: usize,
    /// Where it ends.
    end: usize,
}

impl Wire {
    fn exchange(&mut self, request: &[u8]) -> Result<()> {
        self.stream.write_all(request)?;
        self.buffer.clear();
        self.head = loop {
            self.fill()?;
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let length = self
            .header("content-length")
            .ok_or(ErrorKind::InvalidData)?;
        self.end = self.head + length.parse::<usize>().map_err(Error::other)?;
        while self.buffer.len() < self.end {
            self.fill()?;
        }
        Ok(())
    }

    fn fill(&mut self) -> Result<()> {
        let mut chunk = [0; 4096];
        match self.stream.read(&mut chunk)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            read => {
                self.buffer.extend_from_slice(&chunk[..read]);
                Ok(())
            }
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        from_utf8(&self.buffer[..self.head])
            .ok()?
            .lines()
            .find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim())
            })
    }

    fn body(&self) -> &[u8] {
        &self.buffer[self.head..self.end]
    }
}
