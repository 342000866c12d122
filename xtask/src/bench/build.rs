//! Building what is measured, each program on its own: built together, packages of one workspace
//! lend each other their features.

use super::program::{Origin, Program};
use crate::cargo::{cargo, root, run};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The built programs.
#[derive(Debug)]
pub(super) struct Built {
    home: PathBuf,
}

impl Built {
    /// Builds the host and `programs` for release and keeps a copy of each below `target/bench`.
    pub(super) fn new(target: &Path, programs: &[Program]) -> Result<Self> {
        let built = Self {
            home: target.join("bench"),
        };
        fs::create_dir_all(&built.home).with_context(|| built.home.display().to_string())?;
        run(cargo(["build", "--release", "--package", "xtask"])
            .arg("--target-dir")
            .arg(target))?;
        built.keep(&target.join("release/xtask"), super::HOST)?;
        for program in programs {
            let mut build = cargo(["build", "--release", "--target-dir"]);
            build.arg(target);
            let binary = match program.origin {
                Origin::Hello(features) => {
                    build.args([
                        "--package",
                        "hello",
                        "--bin",
                        "hello",
                        "--no-default-features",
                    ]);
                    build.args(["--features", features]);
                    "hello"
                }
                Origin::Peer(package) => {
                    build.current_dir(root().join("xtask/peers"));
                    build.args(["--package", package, "--bin", program.name]);
                    program.name
                }
            };
            run(&mut build)?;
            built.keep(&target.join("release").join(binary), program.name)?;
        }
        Ok(built)
    }

    /// The program called `name`.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// Where programs leave what they say on standard error, and valgrind its report.
    pub(super) fn notes(&self, name: &str) -> PathBuf {
        self.home.join(format!("{name}.log"))
    }

    /// The size of a program, which the release profile has stripped.
    pub(super) fn size(&self, name: &str) -> Result<u64> {
        let path = self.path(name);
        Ok(fs::metadata(&path)
            .with_context(|| path.display().to_string())?
            .len())
    }

    fn keep(&self, from: &Path, name: &str) -> Result<()> {
        let to = self.path(name);
        fs::copy(from, &to)
            .with_context(|| format!("copying {} to {}", from.display(), to.display()))?;
        Ok(())
    }
}
