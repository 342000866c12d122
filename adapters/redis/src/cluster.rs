//! Follows a cluster whose slots move.

use deadpool_redis::redis::aio::ConnectionLike;
use deadpool_redis::redis::cluster_async::ClusterConnection;
use deadpool_redis::redis::cluster_routing::SingleNodeRoutingInfo;
use deadpool_redis::redis::{
    Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, RedisResult, ServerErrorKind, Value, cmd,
};
use std::time::Duration;

/// How long to wait before each further try, in milliseconds: until the nodes agree about a slot.
const PAUSES: [u64; 9] = [0, 2, 5, 10, 20, 40, 80, 160, 320];

/// Sends again what a node refused because it is not the one, and nothing else: that is not done yet.
///
/// The client of a cluster is told not to repeat anything, because it would repeat as well what may
/// have been done.
pub(crate) struct Redirecting<'a> {
    cluster: &'a mut ClusterConnection,
    /// Whether several commands are sent again too.
    again: bool,
}

impl<'a> Redirecting<'a> {
    pub(crate) fn new(cluster: &'a mut ClusterConnection, again: bool) -> Self {
        Self { cluster, again }
    }

    async fn ask(&mut self, command: &Cmd, node: SingleNodeRoutingInfo) -> RedisResult<Value> {
        let mut pipeline = Pipeline::with_capacity(2);
        pipeline.add_command(cmd("ASKING"));
        pipeline.add_command(command.clone());
        let mut values = self.cluster.route_pipeline(pipeline, 1, 1, node).await?;
        values.pop().unwrap_or(Value::Nil).extract_error()
    }

    async fn ask_all(
        &mut self,
        commands: &Pipeline,
        count: usize,
        node: SingleNodeRoutingInfo,
    ) -> RedisResult<Vec<Value>> {
        let mut pipeline = Pipeline::with_capacity(2 * count);
        for command in commands.cmd_iter() {
            pipeline.add_command(cmd("ASKING"));
            pipeline.add_command(command.clone());
        }
        let values = self.cluster.route_pipeline(pipeline, 0, 2 * count, node);
        Ok(values.await?.into_iter().skip(1).step_by(2).collect())
    }
}

impl ConnectionLike for Redirecting<'_> {
    fn req_packed_command<'b>(&'b mut self, command: &'b Cmd) -> RedisFuture<'b, Value> {
        Box::pin(async move {
            let send = async |cluster: &mut ClusterConnection| {
                cluster.req_packed_command(command).await?.extract_error()
            };
            let mut result = send(self.cluster).await;
            for pause in PAUSES {
                let Err(error) = &result else { break };
                result = match Advice::of(error) {
                    Advice::No => break,
                    Advice::Ask(node) => self.ask(command, node).await,
                    Advice::Again => {
                        tokio::time::sleep(Duration::from_millis(pause)).await;
                        send(self.cluster).await
                    }
                };
            }
            result
        })
    }

    fn req_packed_commands<'b>(
        &'b mut self,
        pipeline: &'b Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'b, Vec<Value>> {
        Box::pin(async move {
            let send = async |cluster: &mut ClusterConnection| {
                cluster.req_packed_commands(pipeline, offset, count).await
            };
            let mut result = send(self.cluster).await;
            for pause in PAUSES {
                let Err(error) = &result else { break };
                result = match Advice::of(error) {
                    _ if !self.again => break,
                    Advice::No => break,
                    // With an offset it is a transaction, whose commands are not sent one by one.
                    Advice::Ask(node) if offset == 0 => self.ask_all(pipeline, count, node).await,
                    Advice::Ask(_) | Advice::Again => {
                        tokio::time::sleep(Duration::from_millis(pause)).await;
                        send(self.cluster).await
                    }
                };
            }
            result
        })
    }

    fn get_db(&self) -> i64 {
        self.cluster.get_db()
    }
}

/// What to do about a refusal.
enum Advice {
    /// Another node has the key already.
    Ask(SingleNodeRoutingInfo),
    /// The client learns where the slots are before it sends the next command.
    Again,
    No,
}

impl Advice {
    fn of(error: &RedisError) -> Self {
        match error.kind() {
            ErrorKind::Server(ServerErrorKind::Ask) => asked(error).map_or(Self::Again, Self::Ask),
            ErrorKind::Server(
                ServerErrorKind::Moved
                | ServerErrorKind::TryAgain
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::ReadOnly,
            )
            | ErrorKind::ClusterConnectionNotFound => Self::Again,
            _ => Self::No,
        }
    }
}

fn asked(error: &RedisError) -> Option<SingleNodeRoutingInfo> {
    let (host, port) = error.redirect_node()?.0.rsplit_once(':')?;
    Some(SingleNodeRoutingInfo::ByAddress {
        host: host.to_owned(),
        port: port.parse().ok()?,
    })
}
