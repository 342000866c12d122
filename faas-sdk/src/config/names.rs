//! Names of variables, and the keys they stand for.

/// What the name of every variable of ours begins with.
pub(super) const PREFIX: &str = "FAAS_";

/// What separates section and key.
pub(super) const SEPARATOR: &str = "__";

/// The keys that the name of a variable stands for.
pub(super) fn path(rest: &str) -> Vec<String> {
    rest.to_ascii_lowercase()
        .split(SEPARATOR)
        .map(str::to_owned)
        .collect()
}

/// The variable that sets `key` (`app.db.port`), if one can.
pub(super) fn name(key: &str) -> Option<String> {
    let rest = key.to_ascii_uppercase().replace('.', SEPARATOR);
    let plain = rest
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (plain && path(&rest).join(".") == key).then(|| format!("{PREFIX}{rest}"))
}
