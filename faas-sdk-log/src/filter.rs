use std::fmt;
use std::str::FromStr;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{LevelFilter, Targets};

/// Which lines are written, for example `info,my_crate=debug,hyper=off`: levels for targets that
/// begin with a text, the longest one counting, and one level for all others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Filter(Targets);

/// A filter that does not parse.
#[derive(Debug)]
pub struct FilterError {
    /// Where it came from, if that is known.
    variable: Option<&'static str>,
    /// The part that is not understood.
    part: String,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.variable.unwrap_or("the log filter"))?;
        write!(
            f,
            " does not parse: `{}` is no level, and no target with one; write it like \
             `info,my_crate=debug`",
            self.part
        )
    }
}

impl std::error::Error for FilterError {}

impl FilterError {
    /// Names the variable that holds the filter.
    pub(crate) fn of_variable(mut self, variable: &'static str) -> Self {
        self.variable = Some(variable);
        self
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        // Where targets alone are named, the others' lines must not vanish without a word of it.
        let mut others = LevelFilter::INFO;
        let mut targets = Targets::new();
        let parts = text.split(',').map(str::trim);
        let mut parts = parts.filter(|part| !part.is_empty()).peekable();
        if parts.peek().is_none() {
            return Err(FilterError {
                variable: None,
                part: text.to_owned(),
            });
        }
        for part in parts {
            match directive(part) {
                Some((None, level)) => others = level,
                Some((Some(target), level)) => targets = targets.with_target(target, level),
                None => {
                    return Err(FilterError {
                        variable: None,
                        part: part.to_owned(),
                    });
                }
            }
        }
        Ok(Self(targets.with_default(others)))
    }
}

/// A level, and the target that has it; of a target alone it is not known which level is meant.
fn directive(part: &str) -> Option<(Option<&str>, LevelFilter)> {
    let Some((target, level)) = part.split_once('=') else {
        return Some((None, part.parse().ok()?));
    };
    let (target, level) = (target.trim(), level.trim());
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"[]{}\"".contains(&byte);
    let readable = !level.is_empty() && !target.is_empty() && target.bytes().all(plain);
    readable.then_some((Some(target), level.parse().ok()?))
}

impl Filter {
    /// This level for everything.
    pub(crate) fn level(level: LevelFilter) -> Self {
        Self(Targets::new().with_default(level))
    }

    /// Up to which level lines of this target are written.
    pub(crate) fn of_target(&self, target: &str) -> LevelFilter {
        let enabled = |level: &Level| self.0.would_enable(target, level);
        [
            Level::TRACE,
            Level::DEBUG,
            Level::INFO,
            Level::WARN,
            Level::ERROR,
        ]
        .into_iter()
        .find(enabled)
        .map_or(LevelFilter::OFF, LevelFilter::from_level)
    }

    /// The most verbose level that any target has.
    pub(crate) fn most(&self) -> LevelFilter {
        let levels = self.0.iter().map(|(_, level)| level);
        levels
            .chain(self.0.default_level())
            .max()
            .unwrap_or(LevelFilter::OFF)
    }

    pub(crate) fn decide(&self, metadata: &Metadata<'_>, keeps: bool) -> crate::callsite::Decision {
        use crate::callsite::{Decision, INVOKE_END, INVOKE_TARGET};
        let up_to = self.of_target(metadata.target());
        let level = metadata.level();
        if metadata.is_span() {
            // Spans carry what lines of any level need: they are not made for their own sake.
            let wanted = up_to.max(LevelFilter::INFO);
            // The span of an invocation serves the lines of all targets.
            let serves = metadata.target() == INVOKE_TARGET && self.most() > LevelFilter::OFF;
            let silent = up_to == LevelFilter::OFF && !serves;
            return if *level <= wanted && !silent {
                Decision::Write
            } else {
                Decision::Never
            };
        }
        let ends = metadata.name() == INVOKE_END && metadata.target() == INVOKE_TARGET;
        if *level <= up_to {
            Decision::Write
        } else if ends && self.most() > LevelFilter::OFF {
            Decision::Note
        } else if keeps && *level == Level::DEBUG && up_to >= LevelFilter::INFO {
            Decision::Keep
        } else {
            Decision::Never
        }
    }
}

/// The level of a platform's variable: `TRACE` to `FATAL`, in any letter case.
pub(crate) fn platform_level(text: &str) -> Option<LevelFilter> {
    let level = match text.to_ascii_uppercase().as_str() {
        "TRACE" => LevelFilter::TRACE,
        "DEBUG" => LevelFilter::DEBUG,
        "INFO" => LevelFilter::INFO,
        "WARN" | "WARNING" => LevelFilter::WARN,
        "ERROR" | "FATAL" | "CRITICAL" => LevelFilter::ERROR,
        "OFF" | "NONE" => LevelFilter::OFF,
        _ => return None,
    };
    Some(level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_target_counts() {
        let filter: Filter = "warn,shop=debug,shop::db=off".parse().expect("a filter");
        assert_eq!(filter.of_target("other"), LevelFilter::WARN);
        assert_eq!(filter.of_target("shop::item"), LevelFilter::DEBUG);
        assert_eq!(filter.of_target("shop::db::pool"), LevelFilter::OFF);
        assert_eq!(filter.most(), LevelFilter::DEBUG);
    }

    #[test]
    fn what_does_not_parse_says_what_is_wanted() {
        let error = "info,shop=loud".parse::<Filter>().expect_err("no level");
        let error = error.of_variable("FAAS_LOG");
        let expected = "FAAS_LOG does not parse: `shop=loud` is no level, and no target with one; \
                        write it like `info,my_crate=debug`";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn platforms_spell_levels_in_their_own_way() {
        assert_eq!(platform_level("fatal"), Some(LevelFilter::ERROR));
        assert_eq!(platform_level("Warning"), Some(LevelFilter::WARN));
        assert_eq!(platform_level("loud"), None);
    }
}
