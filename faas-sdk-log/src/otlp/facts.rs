use opentelemetry::trace::SpanContext;

/// Trace id, span id and flags.
pub(crate) type Ids = (u128, u64, u8);

pub(super) fn ids(context: &SpanContext) -> Option<Ids> {
    context.is_valid().then(|| {
        (
            u128::from_be_bytes(context.trace_id().to_bytes()),
            u64::from_be_bytes(context.span_id().to_bytes()),
            context.trace_flags().to_u8(),
        )
    })
}

/// What the log records of one invocation carry.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) request_id: String,
    pub(super) cold_start: bool,
    /// If it is not the one of the process.
    pub(super) function: Option<String>,
    pub(super) ids: Option<Ids>,
}
