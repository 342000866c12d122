use crate::describe::Describe;
use crate::profile::Profile;
use crate::redact::Redact;
use tracing::Level;

/// How values are written, the same for all lines of a logger.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) profile: Profile,
    pub(crate) redact: Redact,
    /// Reads kind, code and the like from errors of types that are known elsewhere.
    pub(crate) describe: Option<Describe>,
    /// From this level on lines say where in the source they were written.
    pub(crate) code_from: Level,
}

/// The longest message, in bytes.
pub(crate) const MESSAGE: usize = 8 << 10;

/// The longest name of an event or a target, in bytes.
pub(crate) const NAME: usize = 256;

/// The longest id or name of where a line comes from, in bytes; those of platforms are far shorter.
/// They are never cut to fit a line.
pub(crate) const ID: usize = 1024;

/// The longest cause, context value, kind or code of an error.
pub(crate) const SHORT: usize = 1024;

/// The most keys in `fields`.
pub(crate) const KEYS: usize = 64;

/// How many levels of objects and arrays a field may have.
pub(crate) const DEPTH: usize = 4;

impl Rules {
    /// The longest text of a field.
    pub(crate) fn text(&self) -> usize {
        self.profile.text
    }

    /// The limits of one structured value.
    pub(crate) fn limits(&self) -> crate::encode::Limits {
        crate::encode::Limits {
            depth: DEPTH,
            string: self.profile.text,
            entries: KEYS,
            total: self.profile.budget / 2,
        }
    }
}
