//! Sends a request over the link of a slot.

use crate::connection::Connection;
use crate::error::Error;
use crate::fault::{self, Fault};
use crate::health::PATIENCE;
use crate::link::Link;
use crate::request::Request;
use crate::retry::Retry;
use crate::slot::{Shared, Slot};
use deadpool_redis::redis::{RedisError, cmd};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Sends a request and waits for its reply, connecting before and sending again if need be.
/// Cancel-safe.
pub(crate) async fn exchange<R: Request>(
    shared: &Arc<Shared>,
    slot: &Arc<Slot>,
    request: &R,
    mut retry: Retry,
    within: Duration,
) -> Result<R::Reply, Error> {
    let started = Instant::now();
    let deadline = started + within;
    let mut now = started;
    loop {
        let mut link = match slot.ready(shared.thaw.epoch()) {
            Some(link) => link,
            None => {
                let link = Box::pin(slot.connect(shared, started, deadline)).await?;
                now = Instant::now();
                link
            }
        };
        let left = deadline.saturating_duration_since(now);
        if retry == Retry::Never && slot.health.is_silent(now) {
            let until = now + (left / 2).min(shared.pools.sizes.command);
            Box::pin(check(shared, slot, link, now, until)).await;
            now = Instant::now();
            if now >= deadline {
                return Err(fault::not_answered(started.elapsed()));
            }
            continue;
        }
        let halved = retry == Retry::Once && left >= 2 * PATIENCE;
        let is_cluster = link.connection.is_cluster();
        let limit = deadline.min(now + shared.pools.sizes.command);
        let until = if halved {
            limit.min(now + left / 2)
        } else {
            limit
        };
        let seen = slot.health.replies();
        let sent = {
            let mut sending = pin!(request.send(&mut link.connection));
            match timeout_at(until, &mut sending).await {
                // The server is slow, and to ask twice would make it slower.
                Err(_) if until < limit && !is_cluster && slot.health.replies() != seen => {
                    timeout_at(limit, sending).await
                }
                sent => sent,
            }
        };
        let failure = match sent {
            Ok(Ok(reply)) => {
                slot.health.answered(now);
                slot.put_back(link);
                return Ok(reply);
            }
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        let again = judge(shared, slot, link, now, seen, failure.as_ref());
        now = Instant::now();
        if retry == Retry::Never || !again || now >= deadline {
            return Err(
                failure.map_or_else(|| fault::not_answered(started.elapsed()), fault::request)
            );
        }
        retry = Retry::Never;
    }
}

/// Gives the link up if that is what the failure tells (`None`: no answer), and tells whether another
/// attempt makes sense.
fn judge(
    shared: &Shared,
    slot: &Slot,
    link: Link,
    sent: Instant,
    seen: u64,
    failure: Option<&RedisError>,
) -> bool {
    let fault = failure.map(fault::of);
    let given_up = match fault {
        Some(Fault::Answered) => {
            slot.health.answered(sent);
            slot.put_back(link);
            return false;
        }
        // A new link would likely lead to the same server.
        Some(Fault::Demoted) if link.made.elapsed() < shared.failures.first() => {
            slot.put_back(link);
            return false;
        }
        Some(Fault::Demoted) => true,
        // What is told of a former link must not count for the present one.
        _ if !slot.is_current(&link) => true,
        Some(Fault::Broken) => match link.connection {
            Connection::Node(_) => true,
            Connection::Cluster(_) => slot.health.broke_in_part(),
        },
        // Replies come in order: the link is alive, and the server slow.
        None if !link.connection.is_cluster() && slot.health.replies() != seen => return false,
        None => slot.health.not_answered(sent.elapsed()),
    };
    if given_up {
        slot.give_up(&link, shared);
    }
    given_up || fault.is_some()
}

/// Asks a link that was silent for long for a sign of life, and gives it up if there is none: what must
/// not be sent twice is not sent yet.
async fn check(shared: &Shared, slot: &Slot, mut link: Link, now: Instant, until: Instant) {
    let ping = cmd("PING");
    let alive = match timeout_at(until, link.connection.query(&ping)).await {
        Ok(Ok(_)) => true,
        // A user who may not ask gets an answer, too.
        Ok(Err(error)) => fault::of(&error) == Fault::Answered,
        Err(_) => false,
    };
    if alive {
        slot.health.answered(now);
        slot.put_back(link);
    } else {
        slot.give_up(&link, shared);
    }
}
