//! Words for error messages.

/// What to say about a name nobody knows: the known one it resembles, or all of them.
pub(super) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str> + Clone) -> String {
    const ALIKE: f64 = 0.7;
    let best = known
        .clone()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    match best {
        Some((score, candidate)) if score >= ALIKE => format!("did you mean `{candidate}`?"),
        Some(_) => format!("known are {}", quoted(known, ", ")),
        None => "none is known here".to_owned(),
    }
}

pub(super) fn quoted<'n>(names: impl Iterator<Item = &'n str>, separator: &str) -> String {
    names
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(separator)
}
