//! Places in the source, as Google Cloud wants them.

/// A place: the content of a JSON text, and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    pub(crate) file: &'a [u8],
    pub(crate) line: u32,
}

impl<'a> Place<'a> {
    /// Reads `file:line` or `file:line:column` from a JSON text.
    pub(crate) fn read(location: &'a [u8]) -> Option<Self> {
        let location = location.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        let (before, last) = split(location)?;
        let (file, line) = match split(before) {
            Some((file, line)) if number(line).is_some() => (file, line),
            _ => (before, last),
        };
        number(last)?;
        Some(Self {
            file,
            line: number(line)?,
        })
    }

    /// Writes where a line comes from.
    pub(crate) fn source(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\"logging.googleapis.com/sourceLocation\":{\"file\":\"");
        out.extend_from_slice(self.file);
        out.extend_from_slice(format!("\",\"line\":\"{}\"}},", self.line).as_bytes());
    }

    /// Has Error Reporting take a line: it can't read a stack from it, so that it has to be told the
    /// type and the place. `function` is a JSON text.
    pub(crate) fn report(self, out: &mut Vec<u8>, function: &[u8]) {
        out.extend_from_slice(
            b"\"@type\":\"type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.\
            ReportedErrorEvent\",\"context\":{\"reportLocation\":{\"filePath\":\"",
        );
        out.extend_from_slice(self.file);
        let line = format!("\",\"lineNumber\":{},\"functionName\":", self.line);
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(function);
        out.extend_from_slice(b"}},");
    }
}

fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = text.iter().rposition(|byte| *byte == b':')?;
    Some((text.get(..colon)?, text.get(colon + 1..)?))
}

fn number(text: &[u8]) -> Option<u32> {
    str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read() {
        for (location, file, line) in [
            ("src/a.rs:12", "src/a.rs", 12),
            ("src/a.rs:12:5", "src/a.rs", 12),
            ("C:\\\\src\\\\a.rs:12:5", "C:\\\\src\\\\a.rs", 12),
            ("a:b:12", "a:b", 12),
            (":1", "", 1),
        ] {
            let text = format!("\"{location}\"");
            let place = Place::read(text.as_bytes()).expect(location);
            assert_eq!((place.file, place.line), (file.as_bytes(), line));
        }
        for location in [
            "",
            "\"\"",
            "\"somewhere\"",
            "\"a:b\"",
            "\"a:1:b\"",
            "\"a:\"",
        ] {
            assert_eq!(Place::read(location.as_bytes()), None, "{location}");
        }
    }
}
