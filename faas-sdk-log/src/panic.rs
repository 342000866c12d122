use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;
use std::sync::Once;

/// The target of the lines that tell of panics.
pub(crate) const TARGET: &str = module_path!();

/// Has panics logged as one ERROR line each, named `panic`, with the place as `code`. The hook that
/// was there before is called where such a line is not written.
pub(crate) fn log_panics() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            if tracing::dispatcher::has_been_set() && tracing::enabled!(tracing::Level::ERROR) {
                log(info);
            } else {
                before(info);
            }
        }));
    });
}

fn log(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("a value that is no text");
    let location = info.location().map(tracing::field::display);
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured)
        .then(|| tracing::field::display(backtrace));
    tracing::error!(name: "panic", location, backtrace, thread = std::thread::current().name(), "panicked: {message}");
}
