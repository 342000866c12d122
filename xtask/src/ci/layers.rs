//! The direction in which the family's packages depend on each other.

use crate::cargo::{Dependency, Metadata, Package};
use anyhow::{Result, bail};

const FACADE: &str = "faas-sdk";
const PLATFORM: &str = "faas-sdk-adapter-";

/// What every platform stands on: it names none.
const GROUND: [&str; 8] = [
    "faas-sdk-scope",
    "faas-sdk-core",
    "faas-sdk-cloudevents",
    "faas-sdk-pull",
    "faas-sdk-push",
    "faas-sdk-redis",
    "faas-sdk-sql",
    "faas-sdk-testkit",
];

/// Usable without the family: they know these of it and nothing else.
const LEAVES: [&str; 3] = ["faas-sdk-cache", "faas-sdk-lock", "faas-sdk-log"];
const UNDER_LEAVES: [&str; 3] = ["faas-sdk-scope", "faas-sdk-redis", "faas-sdk-sql"];

/// Lists every dependency that points the wrong way.
pub(super) fn check(metadata: &Metadata) -> Result<()> {
    let wrong: Vec<_> = metadata.packages.iter().flat_map(faults).collect();
    if !wrong.is_empty() {
        bail!("{}", wrong.join("; "));
    }
    Ok(())
}

fn faults(package: &Package) -> impl Iterator<Item = String> {
    package.dependencies.iter().filter_map(|dependency| {
        let kind = dependency.kind.as_deref().unwrap_or("normal");
        let rule = broken(&package.name, dependency)?;
        Some(format!(
            "{} has {} as a {kind} dependency: {rule}",
            package.name, dependency.name
        ))
    })
}

/// The rule that `dependency` breaks in `package`, if any.
fn broken(package: &str, dependency: &Dependency) -> Option<&'static str> {
    let name = dependency.name.as_str();
    let dev = dependency.kind.as_deref() == Some("dev");
    let ours = name == FACADE || name.starts_with("faas-sdk-");
    let below_facade = package.starts_with("faas-sdk-");
    if !ours || !below_facade {
        None
    } else if name == FACADE {
        Some("only programs know the façade, tests included")
    } else if GROUND.contains(&package) && name.starts_with(PLATFORM) {
        Some("the contract and the engines name no platform")
    } else if package == "faas-sdk-scope" && !dev {
        Some("scope is the ground floor")
    } else if package == "faas-sdk-core" && !dev && name != "faas-sdk-scope" {
        Some("core stands on scope alone")
    } else if LEAVES.contains(&package) && !dev && !UNDER_LEAVES.contains(&name) {
        Some("a leaf knows scope, redis and sql only")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Dependency, broken};

    fn dependency(name: &str, kind: Option<&str>) -> Dependency {
        Dependency {
            name: name.to_owned(),
            kind: kind.map(str::to_owned),
        }
    }

    #[test]
    fn the_facade_is_refused_even_for_tests() {
        for package in ["faas-sdk-adapter-local", "faas-sdk-core", "faas-sdk-cache"] {
            assert!(
                broken(package, &dependency("faas-sdk", None)).is_some(),
                "{package}"
            );
            assert!(
                broken(package, &dependency("faas-sdk", Some("dev"))).is_some(),
                "{package}"
            );
        }
        assert_eq!(broken("hello", &dependency("faas-sdk", None)), None);
    }

    #[test]
    fn engines_name_no_platform() {
        let platform = dependency("faas-sdk-adapter-local", Some("dev"));
        assert!(broken("faas-sdk-push", &platform).is_some());
        assert_eq!(broken("faas-sdk", &platform), None);
    }

    #[test]
    fn the_way_down_is_open() {
        assert_eq!(
            broken("faas-sdk-core", &dependency("faas-sdk-scope", None)),
            None
        );
        assert_eq!(
            broken("faas-sdk-pull", &dependency("faas-sdk-core", None)),
            None
        );
        assert_eq!(
            broken("faas-sdk-cache", &dependency("faas-sdk-redis", None)),
            None
        );
        assert!(broken("faas-sdk-core", &dependency("faas-sdk-pull", None)).is_some());
        assert!(broken("faas-sdk-cache", &dependency("faas-sdk-core", None)).is_some());
    }
}
