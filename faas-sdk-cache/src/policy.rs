use std::time::Duration;

/// How entries of a region are kept: the region's defaults, changed by a call, changed by a loader.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) ttl: Duration,
    pub(crate) l1_ttl: Option<Duration>,
    pub(crate) jitter: f64,
    pub(crate) fail_safe: Option<FailSafe>,
    pub(crate) soft_timeout: Option<Duration>,
    pub(crate) hard_timeout: Option<Duration>,
    pub(crate) eager: Option<f64>,
    pub(crate) negative_ttl: Option<Duration>,
    pub(crate) cross_instance: bool,
    pub(crate) lease: Duration,
}

/// How long an expired value may stand in for one that cannot be loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FailSafe {
    /// Counted from when the value was stored.
    pub(crate) max: Duration,
    /// How long it is served before the loader is tried again.
    pub(crate) throttle: Duration,
}

impl Policy {
    pub(crate) const DEFAULT: Self = Self {
        ttl: Duration::from_secs(300),
        l1_ttl: None,
        jitter: 0.1,
        fail_safe: None,
        soft_timeout: None,
        hard_timeout: None,
        eager: None,
        negative_ttl: None,
        cross_instance: true,
        lease: Duration::from_secs(10),
    };

    /// How long a value that is fresh for `ttl` is kept at all.
    pub(crate) fn physical(&self, ttl: Duration) -> Duration {
        self.fail_safe
            .map_or(ttl, |fail_safe| fail_safe.max.max(ttl))
    }

    /// How long a caller waits for a load: soft where there is something else to serve.
    pub(crate) fn patience(&self, has_stale: bool) -> Option<Duration> {
        let soft = self.soft_timeout.filter(|_| has_stale);
        match (soft, self.hard_timeout) {
            (Some(soft), Some(hard)) => Some(soft.min(hard)),
            (soft, hard) => soft.or(hard),
        }
    }
}

/// The setters of how values are kept, once for regions (`const`) and once for each builder.
macro_rules! storing_setters {
    ($($keyword:ident)?) => {
        /// How long a value is fresh; default 5 minutes.
        pub $($keyword)? fn ttl(mut self, ttl: Duration) -> Self {
            self.policy.ttl = ttl;
            self
        }

        /// How long a value is taken from this process without asking the remote level again; default as
        /// long as it is fresh. Other instances' changes are noticed earlier where the remote level logs
        /// them.
        pub $($keyword)? fn l1_ttl(mut self, ttl: Duration) -> Self {
            self.policy.l1_ttl = Some(ttl);
            self
        }

        /// By what share, from 0 to 1, lifetimes are shortened at random, so that values stored together
        /// do not expire together; default 0.1.
        pub $($keyword)? fn jitter(mut self, share: f64) -> Self {
            self.policy.jitter = share;
            self
        }

        /// Keeps expired values for `max` from when they were stored, and serves one where loading fails
        /// or takes longer than the soft timeout. After a failure the loader is left alone for `throttle`.
        /// Default off. It has to be on when the value is stored.
        pub $($keyword)? fn fail_safe(mut self, max: Duration, throttle: Duration) -> Self {
            self.policy.fail_safe = Some($crate::policy::FailSafe { max, throttle });
            self
        }
    };
}

/// The setters of how values are loaded, likewise.
macro_rules! loading_setters {
    ($($keyword:ident)?) => {
        /// How long to wait for a load where a stale value could be served; the load goes on in the
        /// background. Default none.
        pub $($keyword)? fn soft_timeout(mut self, timeout: Duration) -> Self {
            self.policy.soft_timeout = Some(timeout);
            self
        }

        /// How long to wait for a load in any case; it goes on in the background. Default none: the
        /// invocation's deadline and the lease bound it.
        pub $($keyword)? fn hard_timeout(mut self, timeout: Duration) -> Self {
            self.policy.hard_timeout = Some(timeout);
            self
        }

        /// From which share of its lifetime on, 0 to 1, a value may be loaded anew while it is still
        /// served. When exactly is left to chance, the likelier the nearer its end and the longer a load
        /// takes (XFetch), so that one of many requests does it. Default off.
        pub $($keyword)? fn eager(mut self, share: f64) -> Self {
            self.policy.eager = Some(share);
            self
        }

        /// How long it is remembered that there is no value; default not at all.
        pub $($keyword)? fn negative_ttl(mut self, ttl: Duration) -> Self {
            self.policy.negative_ttl = Some(ttl);
            self
        }

        /// Whether one instance loads and the others wait for it or serve what is stale; default yes,
        /// where the remote level knows leases.
        pub $($keyword)? fn cross_instance(mut self, on: bool) -> Self {
            self.policy.cross_instance = on;
            self
        }

        /// How long one load may take: it is dropped afterwards, and another instance may try. Default
        /// 10 s.
        pub $($keyword)? fn lease(mut self, ttl: Duration) -> Self {
            self.policy.lease = ttl;
            self
        }
    };
}
pub(crate) use {loading_setters, storing_setters};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_follow_the_table() {
        let second = Duration::from_secs(1);
        let with = |soft, hard| Policy {
            soft_timeout: soft,
            hard_timeout: hard,
            ..Policy::DEFAULT
        };
        assert_eq!(with(None, None).patience(true), None);
        assert_eq!(with(Some(second), None).patience(false), None);
        assert_eq!(with(Some(second), None).patience(true), Some(second));
        assert_eq!(
            with(Some(second), Some(second * 2)).patience(false),
            Some(second * 2)
        );
        assert_eq!(
            with(Some(second), Some(second * 2)).patience(true),
            Some(second)
        );
        assert_eq!(
            with(Some(second * 3), Some(second * 2)).patience(true),
            Some(second * 2)
        );
    }

    #[test]
    fn a_fallback_lives_at_least_as_long_as_its_value() {
        let fail_safe = FailSafe {
            max: Duration::from_secs(5),
            throttle: Duration::from_secs(1),
        };
        let policy = Policy {
            fail_safe: Some(fail_safe),
            ..Policy::DEFAULT
        };
        assert_eq!(
            policy.physical(Duration::from_secs(60)),
            Duration::from_secs(60)
        );
        assert_eq!(
            policy.physical(Duration::from_secs(2)),
            Duration::from_secs(5)
        );
        assert_eq!(
            Policy::DEFAULT.physical(Duration::from_secs(2)),
            Duration::from_secs(2)
        );
    }
}
