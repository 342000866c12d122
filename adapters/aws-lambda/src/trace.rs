use faas_sdk_core::{Text, Trace, TraceContext};

/// Keeps the header as it is and translates it: `Root=1-<8 hex>-<24 hex>;Parent=<16 hex>;Sampled=1`,
/// in any order and with further parts such as `Lineage`.
pub(crate) fn read(header: Text) -> Trace {
    Trace::default().with_native(header, translate)
}

fn translate(header: &str) -> Option<TraceContext> {
    let part = |name: &str| {
        let mut parts = header
            .split(';')
            .filter_map(|part| part.trim().split_once('='));
        parts.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let mut root = part("Root")?.split('-');
    let (version, time, unique) = (root.next()?, root.next()?, root.next()?);
    if version != "1" || root.next().is_some() {
        return None;
    }
    let trace_id = hex(time, 8)? << 96 | hex(unique, 24)?;
    let span_id = u64::try_from(hex(part("Parent")?, 16)?).ok()?;
    let flags = u8::from(part("Sampled") == Some("1"));
    (trace_id != 0 && span_id != 0).then_some(TraceContext {
        trace_id,
        span_id,
        flags,
    })
}

/// Exactly `digits` hexadecimal digits.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let valid = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if valid {
        u128::from_str_radix(text, 16).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn translates_and_keeps_the_native_form() {
        let native = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1";
        let trace = read(native.into());
        let w3c = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";
        assert_eq!(
            trace
                .context()
                .map(|context| context.to_string())
                .as_deref(),
            Some(w3c)
        );
        assert_eq!(trace.native(), Some(native));
    }

    #[test]
    fn what_does_not_translate_is_kept_all_the_same() {
        for native in [
            "",
            "Root=1-5759e988-bd862e3fe1be46a994272793",
            "Root=2-x;Parent=y",
            "é",
        ] {
            let trace = read(native.into());
            assert!(trace.context().is_none() && trace.native() == Some(native));
        }
    }
}
