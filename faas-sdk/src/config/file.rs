//! The one file: where it is looked for and how it is read.

use std::path::PathBuf;

use super::environment::Environment;
use super::error::Kind;
use super::value::Table;

/// The file that was read.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    /// As messages name it: as `FAAS_CONFIG` has it, or
    /// relative to the working directory if it lies below.
    pub(super) shown: String,
}

/// Finds, reads and parses the file; `named` is the value of `FAAS_CONFIG`.
#[cfg(feature = "config-file")]
pub(super) fn load(
    environment: &Environment,
    named: Option<&str>,
) -> Result<Option<(Source, Table)>, Kind> {
    let working_dir = environment.working_dir.as_deref();
    let candidates = match named {
        Some(path) => [
            Some(working_dir.map_or_else(|| path.into(), |dir| dir.join(path))),
            None,
        ],
        None => {
            [environment.exe_dir.as_deref(), working_dir].map(|dir| Some(dir?.join("faas.toml")))
        }
    };
    for path in candidates.into_iter().flatten() {
        let below = working_dir.and_then(|dir| path.strip_prefix(dir).ok());
        let found = || below.unwrap_or(&path).display().to_string();
        let shown = named.map_or_else(found, str::to_owned);
        let bytes = match reading::read(&path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                return Err(Kind::TooLarge {
                    file: shown,
                    limit: reading::LIMIT,
                });
            }
            Err(source) if named.is_some() => {
                return Err(Kind::UnreadableNamed {
                    file: shown,
                    source,
                });
            }
            Err(error) if reading::is_absent(&error) => continue,
            Err(source) => {
                return Err(Kind::Unreadable {
                    file: shown,
                    source,
                });
            }
        };
        let table = super::parse::document(&shown, bytes)?;
        return Ok(Some((Source { path, shown }, table)));
    }
    Ok(None)
}

/// Without the feature no file is looked for, and one that is asked for is refused.
#[cfg(not(feature = "config-file"))]
pub(super) fn load(_: &Environment, named: Option<&str>) -> Result<Option<(Source, Table)>, Kind> {
    match named {
        Some(_) => Err(Kind::FilesNotCompiled),
        None => Ok(None),
    }
}

#[cfg(feature = "config-file")]
mod reading {
    use std::fs::{File, metadata};
    use std::io::{self, ErrorKind, Read};
    use std::path::Path;

    pub(super) const LIMIT: u64 = 1024 * 1024;

    /// The content, or `None` if it is larger than the limit.
    pub(super) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
        // Asked before it is opened: opening a pipe waits for its writer.
        let metadata = metadata(path)?;
        if !metadata.is_file() {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                "not a regular file",
            ));
        }
        if metadata.len() > LIMIT {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(LIMIT + 1).read_to_end(&mut bytes)?;
        Ok((bytes.len() as u64 <= LIMIT).then_some(bytes))
    }

    pub(super) fn is_absent(error: &io::Error) -> bool {
        matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
    }
}
