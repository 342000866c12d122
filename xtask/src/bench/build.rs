//! Building what is measured, each program on its own: built together, packages of one workspace
//! lend each other their features.

use crate::cargo::{Metadata, cargo, root, run};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The built programs: a copy of each below `target/bench`.
#[derive(Debug)]
pub(super) struct Built {
    target: PathBuf,
    home: PathBuf,
}

impl Built {
    /// None yet.
    pub(super) fn new() -> Result<Self> {
        let target = Metadata::read()?.target_directory;
        let home = target.join("bench");
        fs::create_dir_all(&home).with_context(|| home.display().to_string())?;
        Ok(Self { target, home })
    }

    /// Builds what `args` select in the main workspace for release, and keeps its `binary` as
    /// `name`.
    pub(super) fn own(&self, args: &[&str], binary: &str, name: &str) -> Result<()> {
        self.add(&root(), args, binary, name)
    }

    /// The same for the binary `name` of a `package` in the peers' workspace.
    pub(super) fn peer(&self, package: &str, name: &str) -> Result<()> {
        let args = ["--package", package, "--bin", name];
        self.add(&root().join("xtask/peers"), &args, name, name)
    }

    fn add(&self, workspace: &Path, args: &[&str], binary: &str, name: &str) -> Result<()> {
        let mut build = cargo(["build", "--release", "--target-dir"]);
        build.arg(&self.target).args(args).current_dir(workspace);
        run(&mut build)?;
        let (from, to) = (self.target.join("release").join(binary), self.path(name));
        fs::copy(&from, &to)
            .with_context(|| format!("copying {} to {}", from.display(), to.display()))?;
        Ok(())
    }

    /// The program called `name`.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// The command line of a program under the words of `wrapper`, in an empty environment but for
    /// the search path.
    pub(super) fn command(&self, name: &str, wrapper: &[&str]) -> Command {
        let path = self.path(name);
        let mut command = match wrapper {
            [] => Command::new(&path),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(&path);
                command
            }
        };
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    /// Where programs leave what they say on standard error, and valgrind its report.
    pub(super) fn notes(&self, name: &str) -> PathBuf {
        self.home.join(format!("{name}.log"))
    }

    /// The size of a program in bytes, which the release profile has stripped.
    pub(super) fn size(&self, name: &str) -> Result<u64> {
        let path = self.path(name);
        Ok(fs::metadata(&path)
            .with_context(|| path.display().to_string())?
            .len())
    }
}
