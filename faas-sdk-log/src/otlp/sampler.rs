use super::error::OtlpError;
use opentelemetry_sdk::trace::Sampler;

/// Which spans are exported, in the terms of the variable `OTEL_TRACES_SAMPLER`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sampling {
    /// A span with a parent does as its parent does.
    parent_based: bool,
    /// The share of the others.
    share: f64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self::parent_based_ratio(1.0)
    }
}

impl Sampling {
    pub(super) fn parent_based_ratio(share: f64) -> Self {
        Self {
            parent_based: true,
            share,
        }
    }

    /// Reads `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`.
    pub(super) fn parse(sampler: Option<&str>, share: Option<&str>) -> Result<Self, OtlpError> {
        let Some(sampler) = sampler else {
            return Ok(Self::default());
        };
        let parent_based = sampler.strip_prefix("parentbased_");
        let share = match parent_based.unwrap_or(sampler) {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => ratio(share)?,
            _ => {
                return Err(OtlpError::new(
                    "OTEL_TRACES_SAMPLER",
                    "write always_on, always_off or traceidratio, or one of them behind parentbased_",
                ));
            }
        };
        Ok(Self {
            parent_based: parent_based.is_some(),
            share,
        })
    }

    pub(super) fn sampler(self) -> Sampler {
        let root = if self.share >= 1.0 {
            Sampler::AlwaysOn
        } else if self.share > 0.0 {
            Sampler::TraceIdRatioBased(self.share)
        } else {
            // What is no number takes none.
            Sampler::AlwaysOff
        };
        if self.parent_based {
            Sampler::ParentBased(Box::new(root))
        } else {
            root
        }
    }
}

fn ratio(share: Option<&str>) -> Result<f64, OtlpError> {
    let Some(share) = share else { return Ok(1.0) };
    share
        .parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| OtlpError::new("OTEL_TRACES_SAMPLER_ARG", "write a number from 0 to 1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_names_are_known() {
        let parsed = |sampler, share| {
            let sampler = Sampling::parse(Some(sampler), share)
                .expect("known")
                .sampler();
            format!("{sampler:?}")
        };
        assert_eq!(parsed("always_on", None), "AlwaysOn");
        assert_eq!(parsed("always_off", None), "AlwaysOff");
        assert_eq!(
            parsed("traceidratio", Some("0.25")),
            "TraceIdRatioBased(0.25)"
        );
        assert_eq!(
            parsed("parentbased_always_on", None),
            "ParentBased(AlwaysOn)"
        );
        assert_eq!(
            parsed("parentbased_always_off", None),
            "ParentBased(AlwaysOff)"
        );
        assert_eq!(
            parsed("parentbased_traceidratio", Some("0.5")),
            "ParentBased(TraceIdRatioBased(0.5))"
        );
        assert_eq!(
            parsed("parentbased_traceidratio", None),
            "ParentBased(AlwaysOn)"
        );
        let default = Sampling::parse(None, Some("ignored")).expect("the default");
        assert_eq!(default, Sampling::default());
    }

    #[test]
    fn what_is_unknown_names_its_variable() {
        let error = Sampling::parse(Some("jaeger_remote"), None).expect_err("unknown");
        assert!(
            error.to_string().starts_with("OTEL_TRACES_SAMPLER: "),
            "{error}"
        );
        for share in ["2", "-0.1", "NaN", "half"] {
            let error = Sampling::parse(Some("traceidratio"), Some(share)).expect_err(share);
            assert!(
                error.to_string().starts_with("OTEL_TRACES_SAMPLER_ARG: "),
                "{error}"
            );
        }
    }

    #[test]
    fn a_share_that_is_no_number_takes_nothing() {
        let sampler = Sampling::parent_based_ratio(f64::NAN).sampler();
        assert_eq!(format!("{sampler:?}"), "ParentBased(AlwaysOff)");
    }
}
