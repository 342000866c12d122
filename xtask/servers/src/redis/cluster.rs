//! A cluster.

use super::server::RedisServer;
use crate::wait::until;
use anyhow::{Context, Result, ensure};
use std::time::Duration;

const NODES: usize = 3;

/// How long the nodes may take to agree.
const LIMIT: Duration = Duration::from_secs(20);

/// How many keys are moved at once.
const BATCH: &str = "100";

/// Three primaries without replicas that share all slots.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

/// A slot on its way from one node to another. Until [`finish`](Self::finish) the old node answers
/// for the keys it still has, and asks clients to go to the new one for the others (`ASK`).
#[derive(Debug)]
#[must_use = "the slot stays on its way before `finish`"]
pub struct SlotMove<'a> {
    cluster: &'a RedisCluster,
    slot: String,
    from: usize,
    to: usize,
    id: String,
}

impl RedisCluster {
    /// Starts the nodes, forms the cluster and waits until each node takes it for complete.
    ///
    /// # Errors
    /// Those of [`RedisServerBuilder::start`](crate::RedisServerBuilder::start), and when the nodes
    /// do not find together.
    pub async fn start() -> Result<Self> {
        let mut nodes = Vec::new();
        for _ in 0..NODES {
            let node = RedisServer::builder()
                .config("cluster-enabled yes")
                .config("cluster-config-file nodes.conf")
                .config("cluster-node-timeout 5000");
            nodes.push(node.start().await?);
        }
        let addresses: Vec<_> = nodes
            .iter()
            .map(|node| node.address().to_string())
            .collect();
        let mut create = vec!["--cluster", "create"];
        create.extend(addresses.iter().map(String::as_str));
        create.extend(["--cluster-replicas", "0", "--cluster-yes"]);
        nodes[0].cli(&create).await?;
        until("the cluster is complete", LIMIT, async || {
            for node in &nodes {
                let info = node.cli(&["CLUSTER", "INFO"]).await?;
                let complete = [
                    "cluster_state:ok",
                    "cluster_slots_ok:16384",
                    "cluster_known_nodes:3",
                ];
                ensure!(
                    complete
                        .iter()
                        .all(|wanted| info.lines().any(|line| line.trim_end() == *wanted)),
                    "node {} says: {info}",
                    node.port()
                );
            }
            Ok(())
        })
        .await?;
        Ok(Self { nodes })
    }

    /// The addresses of the nodes.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(RedisServer::url).collect()
    }

    /// The nodes, in the order of [`urls`](Self::urls).
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// The index of the node that has the slot of `key`.
    ///
    /// # Errors
    /// When a node does not answer, and when no node has the slot.
    pub async fn node_of(&self, key: &str) -> Result<usize> {
        let slot: u16 = self.slot_of(key).await?.parse()?;
        for (index, node) in self.nodes.iter().enumerate() {
            let nodes = node.cli(&["CLUSTER", "NODES"]).await?;
            let own = nodes.lines().find(|line| line.contains("myself"));
            let own = own.context("the node does not know itself")?;
            // Identifier, address, flags and five more, then ranges of slots.
            let mut ranges = own.split_whitespace().skip(8);
            if ranges.any(|range| covers(range, slot)) {
                return Ok(index);
            }
        }
        anyhow::bail!("no node has the slot of {key}")
    }

    /// Moves the slot of `key`, with all its keys, to the node with index `to`: afterwards the old
    /// node answers `MOVED`. Keys have to be UTF-8 without line breaks.
    ///
    /// # Errors
    /// When a node refuses.
    pub async fn move_slot_of(&self, key: &str, to: usize) -> Result<()> {
        self.begin_move_of(key, to).await?.finish().await
    }

    /// Begins to move the slot of `key` to the node with index `to`, and moves no key yet.
    ///
    /// # Errors
    /// When there is no such node, when it has the slot already, and when a node refuses.
    pub async fn begin_move_of(&self, key: &str, to: usize) -> Result<SlotMove<'_>> {
        let target = self.nodes.get(to).context("no node has this index")?;
        let from = self.node_of(key).await?;
        ensure!(from != to, "node {to} has the slot of {key} already");
        let source = &self.nodes[from];
        let slot = self.slot_of(key).await?;
        let id = target.cli(&["CLUSTER", "MYID"]).await?;
        let source_id = source.cli(&["CLUSTER", "MYID"]).await?;
        let importing = ["CLUSTER", "SETSLOT", &slot, "IMPORTING", &source_id];
        target.cli(&importing).await?;
        let migrating = ["CLUSTER", "SETSLOT", &slot, "MIGRATING", &id];
        source.cli(&migrating).await?;
        Ok(SlotMove {
            cluster: self,
            slot,
            from,
            to,
            id,
        })
    }

    async fn slot_of(&self, key: &str) -> Result<String> {
        self.nodes[0].cli(&["CLUSTER", "KEYSLOT", key]).await
    }
}

impl SlotMove<'_> {
    /// Moves the keys that are there now.
    ///
    /// # Errors
    /// When a node refuses.
    pub async fn move_keys(&self) -> Result<()> {
        let source = &self.cluster.nodes[self.from];
        let port = self.cluster.nodes[self.to].port().to_string();
        loop {
            let listed = source
                .cli(&["CLUSTER", "GETKEYSINSLOT", &self.slot, BATCH])
                .await?;
            if listed.is_empty() {
                return Ok(());
            }
            let mut migrate = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
            migrate.extend(listed.lines());
            source.cli(&migrate).await?;
        }
    }

    /// Moves the keys that are there now and gives the slot to the new node; all nodes know it when
    /// this returns.
    ///
    /// # Errors
    /// When a node refuses.
    pub async fn finish(self) -> Result<()> {
        self.move_keys().await?;
        let owned = ["CLUSTER", "SETSLOT", &self.slot, "NODE", &self.id];
        let nodes = &self.cluster.nodes;
        // The new owner first: so that never none has the slot.
        nodes[self.to].cli(&owned).await?;
        nodes[self.from].cli(&owned).await?;
        for (index, node) in nodes.iter().enumerate() {
            if index != self.to && index != self.from {
                node.cli(&owned).await?;
            }
        }
        Ok(())
    }
}

/// Whether `range`, such as `12` or `0-5460`, holds `slot`. A slot on its way is in brackets.
fn covers(range: &str, slot: u16) -> bool {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    match (first.parse::<u16>(), last.parse::<u16>()) {
        (Ok(first), Ok(last)) => (first..=last).contains(&slot),
        _ => false,
    }
}
