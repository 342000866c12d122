//! Internal extensions: registration and their events.

use std::collections::VecDeque;

use bytes::Bytes;
use serde::Deserialize;

use super::http::Answer;

/// The platform's limit for one environment.
const MAX_EXTENSIONS: usize = 10;

/// An internal extension that registered.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Registration {
    /// The name it gave.
    pub name: String,
    /// The identifier it was given.
    pub id: String,
    /// The events it asked for.
    pub events: Vec<String>,
    /// Calls of `event/next` so far.
    pub polls: u64,
    /// Whether it waits in `event/next` now.
    pub waiting: bool,
    /// The type of the init error it reported.
    pub init_error: Option<String>,
    /// The type of the exit error it reported.
    pub exit_error: Option<String>,
}

#[derive(Debug)]
struct Extension {
    registration: Registration,
    pending: VecDeque<Bytes>,
}

#[derive(Debug, Default)]
pub(super) struct Extensions(Vec<Extension>);

#[derive(Debug, Deserialize)]
struct RegisterBody {
    #[serde(default)]
    events: Option<Vec<String>>,
    #[serde(default, rename = "configurationKeys")]
    configuration_keys: Option<Vec<String>>,
}

/// An error the extension reports.
#[derive(Debug, Clone, Copy)]
pub(super) enum Report {
    Init,
    Exit,
}

fn forbidden(error_type: &str, message: &str) -> Answer {
    Answer::error(403, error_type, message)
}

impl Registration {
    fn state(&self) -> &'static str {
        if self.init_error.is_some() {
            "InitError"
        } else if self.exit_error.is_some() {
            "ExitError"
        } else if self.waiting {
            "Ready"
        } else if self.polls > 0 {
            "Running"
        } else {
            "Registered"
        }
    }

    fn forbidden(&self, to: &str) -> Answer {
        let message = format!(
            "State transition from {} to {to} failed for extension {}. Error: State transition is not allowed",
            self.state(),
            self.id
        );
        forbidden("Extension.InvalidExtensionState", &message)
    }

    fn is(&self, id: &str) -> bool {
        self.id.eq_ignore_ascii_case(id)
    }

    fn takes_invoke(&self) -> bool {
        self.events.iter().any(|event| event == "INVOKE")
    }
}

impl Extensions {
    pub(super) fn registrations(&self) -> Vec<Registration> {
        self.0
            .iter()
            .map(|extension| extension.registration.clone())
            .collect()
    }

    /// Registers an extension; its identifier.
    pub(super) fn register(
        &mut self,
        name: Option<&str>,
        body: &[u8],
        closed: bool,
        id: String,
    ) -> Result<String, Answer> {
        let Some(name) = name else {
            return Err(forbidden(
                "Extension.InvalidExtensionName",
                "Empty extension name",
            ));
        };
        let body: RegisterBody = serde_json::from_slice(body)
            .map_err(|error| forbidden("InvalidRequestFormat", &error.to_string()))?;
        if body.configuration_keys.is_some_and(|keys| !keys.is_empty()) {
            return Err(forbidden(
                "InvalidRequestFormat",
                "configurationKeys are deprecated; use environment variables instead",
            ));
        }
        let events = body.events.unwrap_or_default();
        for event in &events {
            let reason = match event.as_str() {
                "INVOKE" => continue,
                "SHUTDOWN" => "ShutdownEventNotSupportedForInternalExtension",
                _ => "ErrorInvalidEventType",
            };
            return Err(forbidden(
                "Extension.InvalidEventType",
                &format!("{event}: {reason}"),
            ));
        }
        if closed {
            return Err(forbidden(
                "Extension.RegistrationClosed",
                "Extension registration closed already",
            ));
        }
        if self
            .0
            .iter()
            .any(|extension| extension.registration.name == name)
        {
            return Err(forbidden(
                "Extension.InvalidExtensionState",
                "Extension with this name already registered",
            ));
        }
        if self.0.len() == MAX_EXTENSIONS {
            return Err(forbidden(
                "Extension.TooManyExtensions",
                &format!("Extension limit ({MAX_EXTENSIONS}) reached"),
            ));
        }
        self.0.push(Extension {
            registration: Registration {
                name: name.to_owned(),
                id: id.clone(),
                events,
                polls: 0,
                waiting: false,
                init_error: None,
                exit_error: None,
            },
            pending: VecDeque::new(),
        });
        Ok(id)
    }

    /// Whether the environment may be given an invocation: every extension has called `event/next`, and those that
    /// take `INVOKE` have come back to it.
    pub(super) fn ready(&self) -> bool {
        self.unready().is_none()
    }

    /// The name of an extension the environment waits for.
    pub(super) fn unready(&self) -> Option<&str> {
        let unready = self
            .0
            .iter()
            .map(|extension| &extension.registration)
            .find(|registration| {
                let gone = registration.init_error.is_some() || registration.exit_error.is_some();
                !gone
                    && (registration.polls == 0
                        || (registration.takes_invoke() && !registration.waiting))
            });
        unready.map(|registration| registration.name.as_str())
    }

    /// Tells the extensions that take `INVOKE` about an invocation.
    pub(super) fn notify(&mut self, event: &Bytes) {
        for extension in &mut self.0 {
            if extension.registration.takes_invoke() {
                extension.pending.push_back(event.clone());
            }
        }
    }

    /// Checks the identifier header.
    pub(super) fn identify(&mut self, id: Option<&str>) -> Result<&mut Registration, Answer> {
        let Some(id) = id else {
            return Err(forbidden(
                "Extension.MissingExtensionIdentifier",
                "Missing Lambda-Extension-Identifier header",
            ));
        };
        if !is_uuid(id) {
            return Err(forbidden(
                "Extension.InvalidExtensionIdentifier",
                "Invalid Lambda-Extension-Identifier",
            ));
        }
        match self.find(id) {
            Some(extension) => Ok(&mut extension.registration),
            None => Err(forbidden(
                "Extension.UnknownExtensionIdentifier",
                "Unknown Lambda-Extension-Identifier",
            )),
        }
    }

    /// Enters `event/next`.
    pub(super) fn park(&mut self, id: Option<&str>) -> Result<(), Answer> {
        let registration = self.identify(id)?;
        if !matches!(registration.state(), "Registered" | "Running") {
            return Err(registration.forbidden("Ready"));
        }
        registration.waiting = true;
        registration.polls += 1;
        Ok(())
    }

    /// Leaves `event/next` without an event, because the connection is gone.
    pub(super) fn unpark(&mut self, id: &str) {
        if let Some(extension) = self.find(id) {
            extension.registration.waiting = false;
        }
    }

    /// Whether the extension waits in `event/next`.
    pub(super) fn waiting(&self, id: &str) -> bool {
        let mut registrations = self.0.iter().map(|extension| &extension.registration);
        registrations.any(|registration| registration.is(id) && registration.waiting)
    }

    /// Takes the next event of a parked extension.
    pub(super) fn take(&mut self, id: &str) -> Option<Bytes> {
        let extension = self.find(id)?;
        let event = extension.pending.pop_front()?;
        extension.registration.waiting = false;
        Some(event)
    }

    /// Puts an event back that did not reach the extension.
    pub(super) fn take_back(&mut self, id: &str, event: Bytes) {
        if let Some(extension) = self.find(id) {
            extension.pending.push_front(event);
        }
    }

    /// Notes an error; a second one of the same kind is accepted and ignored.
    pub(super) fn report(
        &mut self,
        id: Option<&str>,
        report: Report,
        error_type: Option<&str>,
    ) -> Result<(), Answer> {
        let registration = self.identify(id)?;
        let Some(error_type) = error_type else {
            return Err(forbidden(
                "Extension.MissingHeader",
                "Lambda-Extension-Function-Error-Type not found",
            ));
        };
        let state = registration.state();
        let (allowed, to, slot) = match report {
            Report::Init => (
                matches!(state, "Registered" | "InitError"),
                "InitError",
                &mut registration.init_error,
            ),
            Report::Exit => (state != "InitError", "Exited", &mut registration.exit_error),
        };
        if !allowed {
            return Err(registration.forbidden(to));
        }
        slot.get_or_insert_with(|| error_type.to_owned());
        Ok(())
    }

    fn find(&mut self, id: &str) -> Option<&mut Extension> {
        self.0
            .iter_mut()
            .find(|extension| extension.registration.is(id))
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "00000000-0000-4000-8000-000000000001";

    fn refused(
        extensions: &mut Extensions,
        name: Option<&str>,
        body: &str,
        closed: bool,
    ) -> String {
        let answer = extensions
            .register(name, body.as_bytes(), closed, ID.to_owned())
            .expect_err("must be refused");
        assert_eq!(answer.status, 403);
        String::from_utf8(answer.body.to_vec()).expect("UTF-8")
    }

    #[test]
    fn registration_rules() {
        let mut all = Extensions::default();
        assert!(refused(&mut all, None, "{}", false).contains("Extension.InvalidExtensionName"));
        assert!(refused(&mut all, Some("a"), "no", false).contains("InvalidRequestFormat"));
        let shutdown = refused(&mut all, Some("a"), r#"{"events":["SHUTDOWN"]}"#, false);
        assert!(shutdown.contains("Extension.InvalidEventType"));
        assert!(
            refused(&mut all, Some("a"), r#"{"events":["X"]}"#, false)
                .contains("ErrorInvalidEventType")
        );
        assert!(refused(&mut all, Some("a"), "{}", true).contains("Extension.RegistrationClosed"));
        for n in 0..MAX_EXTENSIONS {
            all.register(
                Some(&n.to_string()),
                b"{\"events\":[]}",
                false,
                ID.to_owned(),
            )
            .expect("registers");
        }
        assert!(refused(&mut all, Some("0"), "{}", false).contains("already registered"));
        assert!(refused(&mut all, Some("a"), "{}", false).contains("Extension.TooManyExtensions"));
    }

    #[test]
    fn the_environment_waits_for_every_first_poll_and_for_invoke_takers() {
        let mut all = Extensions::default();
        assert!(all.ready());
        all.register(
            Some("a"),
            b"{\"events\":[\"INVOKE\"]}",
            false,
            ID.to_owned(),
        )
        .expect("registers");
        assert_eq!(all.unready(), Some("a"));
        all.park(Some(ID)).expect("parks");
        assert!(all.ready() && all.park(Some(ID)).is_err());
        all.notify(&Bytes::from_static(b"e"));
        assert_eq!(all.take(ID).as_deref(), Some(&b"e"[..]));
        assert_eq!(all.unready(), Some("a"));
        all.report(Some(ID), Report::Exit, Some("X"))
            .expect("accepted");
        all.report(Some(ID), Report::Exit, Some("Y"))
            .expect("ignored");
        assert!(all.ready());
        assert_eq!(all.registrations()[0].exit_error.as_deref(), Some("X"));
        assert!(all.report(Some(ID), Report::Init, Some("X")).is_err());
    }

    #[test]
    fn identifiers() {
        let mut all = Extensions::default();
        for (id, expected) in [
            (None, "MissingExtensionIdentifier"),
            (Some("x"), "InvalidExtensionIdentifier"),
            (Some(ID), "UnknownExtensionIdentifier"),
        ] {
            let answer = all.identify(id).expect_err("unknown");
            assert!(String::from_utf8_lossy(&answer.body).contains(expected));
        }
    }
}
