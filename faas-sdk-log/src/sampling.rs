/// Which invocations write DEBUG lines although nothing fails, decided by the trace, so that all
/// functions that a trace passes decide alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sampling {
    /// Of 2^64.
    below: u64,
    all: bool,
}

impl Sampling {
    /// `rate` from 0 (none) to 1 (all); anything else counts as the nearer of the two.
    pub(crate) fn new(rate: f64) -> Self {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of 2^64, to some 53 bits; casts saturate"
        )]
        let below = (rate * u64::MAX as f64) as u64;
        Self {
            below,
            all: rate >= 1.0,
        }
    }

    /// Whether this trace is one of them.
    pub(crate) fn takes(self, trace_id: u128) -> bool {
        self.all || hash(trace_id) < self.below
    }
}

/// The finaliser of splitmix64 over both halves: ids may be random in some of their bits only. It
/// is part of the log standard, since other programs have to decide alike.
#[allow(clippy::cast_possible_truncation, reason = "the two halves")]
fn hash(trace_id: u128) -> u64 {
    let mut bits = (trace_id >> 64) as u64 ^ (trace_id as u64).rotate_left(32);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_kept_and_growing_it_only_adds() {
        let traces: Vec<u128> = (1..20_000).map(|number| number << 32 | 7).collect();
        let few = Sampling::new(0.1);
        let more = Sampling::new(0.3);
        let taken = traces.iter().filter(|trace| few.takes(**trace)).count();
        assert!((1_800..2_200).contains(&taken), "{taken}");
        assert!(
            traces
                .iter()
                .all(|trace| !few.takes(*trace) || more.takes(*trace))
        );
        assert!(traces.iter().all(|trace| !Sampling::new(0.0).takes(*trace)));
        assert!(traces.iter().all(|trace| Sampling::new(1.0).takes(*trace)));
        assert!(
            traces
                .iter()
                .all(|trace| !Sampling::new(f64::NAN).takes(*trace))
        );
    }

    #[test]
    fn the_hash_is_the_published_one() {
        for (trace, expected) in [
            (
                0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736,
                0x21f4_1e14_95ed_ba6a,
            ),
            (
                0x0000_0000_0000_0000_0000_0000_0000_0001,
                0xd820_b7e9_10b0_f93f,
            ),
            (
                0x5759_e988_bd86_2e3f_e1be_46a9_9427_2793,
                0x3361_6d2a_728d_c751,
            ),
        ] {
            assert_eq!(hash(trace), expected, "{trace:032x}");
        }
    }
}
