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
    source: tracing_subscriber::filter::ParseError,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.variable.unwrap_or("the log filter"))?;
        f.write_str(" does not parse: write levels and targets such as `info,my_crate=debug`")
    }
}

impl std::error::Error for FilterError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

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
        // Targets alone, without a level, would hide all other lines without saying so.
        text.parse().map(Self).map_err(|source| FilterError {
            variable: None,
            source,
        })
    }
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
        use crate::callsite::{Decision, INVOKE_TARGET};
        let up_to = self.of_target(metadata.target());
        let level = metadata.level();
        if metadata.is_span() {
            // Spans carry what lines of any level need: they are not made for their own sake.
            let wanted = up_to.max(LevelFilter::INFO);
            let silent = up_to == LevelFilter::OFF && metadata.target() != INVOKE_TARGET;
            return if *level <= wanted && !silent {
                Decision::Write
            } else {
                Decision::Never
            };
        }
        if *level <= up_to {
            Decision::Write
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
        assert!(
            error.to_string().starts_with("FAAS_LOG does not parse"),
            "{error}"
        );
        assert!(std::error::Error::source(&error).is_some());
    }

    #[test]
    fn platforms_spell_levels_in_their_own_way() {
        assert_eq!(platform_level("fatal"), Some(LevelFilter::ERROR));
        assert_eq!(platform_level("Warning"), Some(LevelFilter::WARN));
        assert_eq!(platform_level("loud"), None);
    }
}
