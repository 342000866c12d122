//! A small function pays for nothing it does not use.

use crate::cargo::{cargo, output};
use anyhow::{Result, bail};

/// What belongs to features that `hello` does not turn on, by the first letters of its name.
const UNWANTED: [&str; 6] = ["moka", "redis", "sqlx", "opentelemetry", "tonic", "reqwest"];

/// Looks for unwanted packages in the tree of `hello`: as it is run, and as it is deployed.
pub(super) fn check() -> Result<()> {
    for features in [
        &[][..],
        &["--no-default-features", "--features", "platform-aws-lambda"],
    ] {
        let mut tree = cargo(["tree", "--package", "hello", "--edges", "normal"]);
        let text = output(
            tree.args(["--prefix", "none", "--format", "{p}"])
                .args(features),
        )?;
        if text.trim().is_empty() {
            bail!("`cargo tree` printed nothing for `hello`");
        }
        let found: Vec<_> = text.lines().filter(|line| unwanted(line)).collect();
        if !found.is_empty() {
            bail!("`hello` pulls in {}", found.join(", "));
        }
    }
    Ok(())
}

fn unwanted(package: &str) -> bool {
    UNWANTED.iter().any(|name| package.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::unwanted;

    #[test]
    fn packages_of_a_family_are_told_from_others() {
        assert!(unwanted("moka v0.12.14"));
        assert!(unwanted("sqlx-core v0.9.0"));
        assert!(!unwanted("mio v1.0.0"));
    }
}
