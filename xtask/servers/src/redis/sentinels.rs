//! A primary with a replica, watched by sentinels.

use super::cli::Access;
use super::instance::{Instance, Role};
use super::server::RedisServer;
use crate::wait::until;
use anyhow::{Context, Result, bail, ensure};
use std::time::Duration;

const SERVICE: &str = "service";
const SENTINELS: usize = 3;
/// How many sentinels have to miss a primary.
const QUORUM: usize = 2;
const DOWN_AFTER: Duration = Duration::from_millis(300);
const FAILOVER_TIMEOUT: Duration = Duration::from_secs(2);

/// How long the sentinels may take to find each other, and to agree on a new primary.
const LIMIT: Duration = Duration::from_secs(15);

/// One primary, one replica and three sentinels that fail over from one to the other.
#[derive(Debug)]
pub struct RedisSentinels {
    sentinels: Vec<Instance>,
    servers: Vec<RedisServer>,
}

impl RedisSentinels {
    /// Starts all, and waits until each sentinel knows the replica and the other sentinels.
    ///
    /// # Errors
    /// Those of [`RedisServerBuilder::start`](crate::RedisServerBuilder::start), and when the
    /// sentinels do not find each other.
    pub async fn start() -> Result<Self> {
        let primary = RedisServer::start().await?;
        let replica = RedisServer::builder()
            .config(format!("replicaof 127.0.0.1 {}", primary.port()))
            .start()
            .await?;
        // The replica takes the link for up a little earlier than the primary, which sends it nothing
        // new until then.
        until("the replica follows", LIMIT, async || {
            let info = replica.cli(&["INFO", "replication"]).await?;
            ensure!(info.contains("master_link_status:up"), "it says: {info}");
            let info = primary.cli(&["INFO", "replication"]).await?;
            ensure!(info.contains("state=online"), "the primary says: {info}");
            Ok(())
        })
        .await?;
        let mut sentinels = Vec::new();
        for _ in 0..SENTINELS {
            sentinels.push(sentinel(primary.port()).await?);
        }
        let started = Self {
            sentinels,
            servers: vec![primary, replica],
        };
        until("the sentinels know all", LIMIT, async || {
            started.complete().await
        })
        .await?;
        Ok(started)
    }

    /// The addresses of the sentinels.
    pub fn urls(&self) -> Vec<String> {
        let url = |sentinel: &Instance| format!("redis://{}", sentinel.address());
        self.sentinels.iter().map(url).collect()
    }

    /// The name under which the sentinels know the primary.
    pub fn service(&self) -> &'static str {
        SERVICE
    }

    /// Both servers: the one that was the primary at the start, then the other.
    pub fn servers(&self) -> &[RedisServer] {
        &self.servers
    }

    /// The server that all sentinels take for the primary.
    ///
    /// # Errors
    /// While they do not agree.
    pub async fn primary(&self) -> Result<&RedisServer> {
        let mut agreed = None;
        for sentinel in &self.sentinels {
            let told = told_primary(sentinel).await?;
            ensure!(
                *agreed.get_or_insert(told) == told,
                "the sentinels tell different ports"
            );
        }
        let mut servers = self.servers.iter();
        servers
            .find(|server| Some(server.port()) == agreed)
            .context("the sentinels tell a port of nobody")
    }

    /// The port of the [`primary`](Self::primary).
    ///
    /// # Errors
    /// While the sentinels do not agree on one.
    pub async fn primary_port(&self) -> Result<u16> {
        Ok(self.primary().await?.port())
    }

    /// Kills the primary and waits until the sentinels agree on the other server and that one takes
    /// itself for the primary; returns its port. The killed one stays down, so this works once.
    ///
    /// # Errors
    /// When they have not agreed within 15 seconds.
    pub async fn failover(&self) -> Result<u16> {
        let killed = self.primary().await?;
        killed.kill()?;
        until(
            "the sentinels agree on another primary",
            LIMIT,
            async || {
                let primary = self.primary().await?;
                ensure!(
                    primary.port() != killed.port(),
                    "they stay with the killed one"
                );
                let role = primary.cli(&["ROLE"]).await?;
                ensure!(role.starts_with("master"), "its role is: {role}");
                Ok(primary.port())
            },
        )
        .await
    }

    /// Whether each sentinel knows the replica and the others.
    async fn complete(&self) -> Result<()> {
        for sentinel in &self.sentinels {
            let state = sentinel.cli(&["SENTINEL", "MASTER", SERVICE]).await?;
            let others = (SENTINELS - 1).to_string();
            for (field, wanted) in [
                ("num-slaves", "1"),
                ("num-other-sentinels", others.as_str()),
                ("flags", "master"),
            ] {
                // Names and values take turns, one a line.
                let mut lines = state.lines();
                let value = lines.find(|line| *line == field).and(lines.next());
                ensure!(value == Some(wanted), "{field} is {value:?}");
            }
            let replica = sentinel.cli(&["SENTINEL", "REPLICAS", SERVICE]).await?;
            ensure!(
                replica.lines().any(|line| line == "slave"),
                "the replica is not up: {replica}"
            );
        }
        Ok(())
    }
}

async fn sentinel(primary: u16) -> Result<Instance> {
    let sentinel = Instance::start(Role::Sentinel, |port, folder| {
        let folder = folder.path().display();
        let down_after = DOWN_AFTER.as_millis();
        let failover_timeout = FAILOVER_TIMEOUT.as_millis();
        let config = format!(
            "bind 127.0.0.1\n\
             port {port}\n\
             dir \"{folder}\"\n\
             sentinel monitor {SERVICE} 127.0.0.1 {primary} {QUORUM}\n\
             sentinel down-after-milliseconds {SERVICE} {down_after}\n\
             sentinel failover-timeout {SERVICE} {failover_timeout}\n"
        );
        Ok((config, Access::default()))
    })
    .await?;
    // Made for slower networks and people: how often a sentinel looks at others and tells of itself,
    // and how long it does nothing after a jump of the clock.
    let faster = [
        "SENTINEL",
        "DEBUG",
        "info-period",
        "200",
        "publish-period",
        "200",
        "tilt-period",
        "500",
    ];
    sentinel.cli(&faster).await?;
    Ok(sentinel)
}

/// The port of the primary as one sentinel tells it.
async fn told_primary(sentinel: &Instance) -> Result<u16> {
    let told = sentinel
        .cli(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE])
        .await?;
    match told.lines().nth(1).map(str::parse) {
        Some(Ok(port)) => Ok(port),
        _ => bail!("a sentinel tells no primary: {told}"),
    }
}
