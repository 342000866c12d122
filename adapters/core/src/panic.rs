use crate::{Error, ErrorKind};
use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::panic::PanicHookInfo;
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<(String, Backtrace)>> = const { RefCell::new(None) };
}

/// The name under which an error's context tells where a panic came from, as `file:line:column`.
pub(crate) const PLACE_KEY: &str = "place";

/// Installs a panic hook, once, that notes where a handler panicked instead of printing it: the
/// place stands in the log line and in [`Error::context`]. Panics outside of handlers, and all of
/// them while no `tracing` subscriber takes the line, go to the hook that was there before.
pub fn capture_panics() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            let guarded = GUARDED.with(Cell::get);
            if guarded {
                let place = info.location().map(ToString::to_string).unwrap_or_default();
                let noted = Some((place, Backtrace::capture()));
                PLACE.with(|place| *place.borrow_mut() = noted);
            }
            let told = || tracing::enabled!(target: crate::report::TARGET, tracing::Level::ERROR);
            if !guarded || !told() {
                before(info);
            }
        }));
    });
}

/// Runs `poll` so that a panic in it is noted.
pub(crate) fn guarded<T>(poll: impl FnOnce() -> T) -> T {
    /// Restores the flag also when `poll` panics through.
    struct Guard(bool);
    impl Drop for Guard {
        fn drop(&mut self) {
            GUARDED.with(|flag| flag.set(self.0));
        }
    }
    let _guard = Guard(GUARDED.with(|flag| flag.replace(true)));
    poll()
}

/// The error for a panic that was just caught on this thread.
pub(crate) fn error(panic: &(dyn Any + Send)) -> Error {
    let message = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "of a value that is no text".to_owned());
    let error = Error::new(ErrorKind::Panic, format!("panicked: {message}"));
    match PLACE.with(|place| place.borrow_mut().take()) {
        Some((place, backtrace)) => error
            .with_context(PLACE_KEY, place)
            .with_backtrace(backtrace),
        None => error,
    }
}
