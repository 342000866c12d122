use faas_sdk_core::{Text, Trace, TraceContext};

/// Keeps the header as it is and translates it: `Root=1-<8 hex>-<24 hex>;Parent=<16 hex>;Sampled=1`,
/// in any order and with further parts such as `Lineage`.
pub(crate) fn read(header: Text) -> Trace {
    let mut trace = Trace::default();
    trace.context = translate(&header);
    trace.native = Some(header);
    trace
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
    if version != "1" || time.len() != 8 || unique.len() != 24 || root.next().is_some() {
        return None;
    }
    let sampled = if part("Sampled") == Some("1") {
        "01"
    } else {
        "00"
    };
    TraceContext::parse(&format!("00-{time}{unique}-{}-{sampled}", part("Parent")?))
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
            trace.context.map(|context| context.to_string()).as_deref(),
            Some(w3c)
        );
        assert_eq!(trace.native.as_deref(), Some(native));
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
            assert!(trace.context.is_none() && trace.native.as_deref() == Some(native));
        }
    }
}
