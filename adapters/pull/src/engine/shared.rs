//! What all slots work with.

use std::sync::Arc;
use std::time::Duration;

use faas_sdk_core::{Drive, Hooks, Invoke, Settings, Stop};
use faas_sdk_scope::Instance;

use super::codec::Codec;
use super::profile::Profile;
use crate::{Connection, ConnectionOptions, Limits};

/// What all slots share.
pub(super) struct Shared<C> {
    pub(super) codec: C,
    pub(super) profile: Profile,
    pub(super) instance: Arc<Instance>,
    pub(super) invoke: Arc<dyn Invoke>,
    pub(super) hooks: Hooks,
    pub(super) settings: Settings,
    /// The poll request.
    pub(super) next: Vec<u8>,
    /// Accept nothing more.
    pub(super) quit: Stop,
    /// Cancel what is still running.
    pub(super) cancel: Stop,
}

impl<C: Codec> Shared<C> {
    pub(super) fn connection(&self) -> Connection {
        let body = self.settings.max_body.unwrap_or(self.profile.max_event);
        let limits = Limits {
            body,
            ..Limits::default()
        };
        let options = ConnectionOptions {
            limits,
            ..ConnectionOptions::default()
        };
        Connection::new(Arc::clone(self.codec.endpoint()), options)
    }

    pub(super) fn drive(&self) -> Drive {
        let mut drive = Drive::default();
        (drive.reserve, drive.end) = (self.settings.reserve, self.settings.end);
        drive
    }

    /// The longest a slot needs for its end once its handler was cancelled.
    pub(super) fn last_words(&self) -> Duration {
        self.settings.end * 2 + self.profile.post_timeout
    }
}
