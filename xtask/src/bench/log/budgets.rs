//! The budgets of one line.

use super::program::{JSON_NULL, OURS_NULL, TRACING_NULL};
use crate::bench::budget::{Budget, most, ratio};
use crate::bench::figures::Metric::{Allocations, Line};

pub(super) const BUDGETS: [Budget; 3] = [
    ratio(Line, OURS_NULL, TRACING_NULL, 0.15),
    ratio(Line, OURS_NULL, JSON_NULL, 0.35),
    most(Allocations, OURS_NULL, 0.0),
];
