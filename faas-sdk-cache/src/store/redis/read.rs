//! How [`CacheStore::read`](crate::store::CacheStore::read) asks, and what it makes of the replies.

use super::clock::ServerClock;
use super::keys::{Keys, ShardKeys};
use super::link::Link;
use super::log::{self, Question};
use super::reply::{array_of, bytes, number, time};
use super::scripts::{Call, Scripts};
use crate::store::{Read, ReadAnswer, StoreError, Version};
use bytes::Bytes;
use faas_sdk_redis::Retry;
use faas_sdk_redis::redis::{Cmd, Pipeline, RedisWrite as _, Value};
use faas_sdk_scope::{Clock as _, SystemClock};
use futures_util::future::try_join;

/// How often a read is made that has to create what it asks for.
const ATTEMPTS: usize = 3;

/// What had to be there and was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Missing {
    /// An entry in the shard's log.
    origin: bool,
    /// An entry in the log of generations, or the base.
    base: bool,
}

/// Reads values alone, which is what most reads do.
pub(super) async fn values(
    link: &Link,
    shard: &ShardKeys,
    keys: &[&[u8]],
) -> Result<Vec<Option<Bytes>>, StoreError> {
    let name = match keys.len() {
        0 => return Ok(Vec::new()),
        1 => "GET",
        _ => "MGET",
    };
    let mut command = Cmd::new();
    let lens = keys.iter().map(|key| shard.value(key).len());
    command.reserve_space_for_args(std::iter::once(name.len()).chain(lens));
    command.arg(name);
    for key in keys {
        command.arg(shard.value(key));
    }
    match link.query(&command).await? {
        Some(value) if keys.len() == 1 => Ok(vec![bytes(value)?]),
        Some(values) => array_of(values, keys.len())?
            .into_iter()
            .map(bytes)
            .collect(),
        // What is no string is no value, as MGET has it.
        None => Ok(vec![None; keys.len()]),
    }
}

/// Reads whatever is asked for, and creates first what has to be there.
pub(super) async fn with_logs(
    link: &Link,
    keys: &Keys,
    scripts: &Scripts,
    clock: &ServerClock,
    read: Read<'_>,
) -> Result<ReadAnswer, StoreError> {
    let shard = keys
        .shard(read.shard)
        .ok_or_else(|| StoreError::no_such_shard(read.shard))?;
    for _attempt in 0..ATTEMPTS {
        let (answer, missing) = attempt(link, keys, shard, &read).await?;
        if let Some(micros) = answer.time {
            clock.told(SystemClock.now(), micros);
        }
        if missing == Missing::default() {
            return Ok(answer);
        }
        // What was read is older than the position that is created now: it is read again.
        if missing.origin {
            let call = Call::of_shard(shard);
            link.script(&scripts.origin, &call, Retry::Once).await?;
        }
        if missing.base {
            let call = Call::of(&keys.generations, &keys.tag_log);
            link.script(&scripts.begin, &call, Retry::Once).await?;
        }
    }
    // While a shard moves to another node, its log may seem to be nowhere.
    Err(StoreError::Unavailable("a log stays empty".into()))
}

/// Reads whatever is asked for, and says what would have to be there.
async fn attempt(
    link: &Link,
    keys: &Keys,
    shard: &ShardKeys,
    read: &Read<'_>,
) -> Result<(ReadAnswer, Missing), StoreError> {
    let (mut answer, mut missing) = (ReadAnswer::default(), Missing::default());
    let mut tags = Pipeline::new();
    ask_tags(read, keys, &mut tags);
    if link.is_cluster() && asks_tags(read) && asks_shard(read) {
        let mut values = Pipeline::new();
        ask_shard(read, shard, &mut values);
        let (mut tags, mut values) = try_join(link.pipeline(&tags), link.pipeline(&values)).await?;
        take_tags(read, &mut tags, &mut answer, &mut missing)?;
        take_shard(read, &mut values, &mut answer, &mut missing)?;
    } else {
        let mut all = tags;
        ask_shard(read, shard, &mut all);
        let mut all = link.pipeline(&all).await?;
        take_tags(read, &mut all, &mut answer, &mut missing)?;
        take_shard(read, &mut all, &mut answer, &mut missing)?;
    }
    Ok((answer, missing))
}

/// Whether it needs what is kept with the generations.
pub(super) fn asks_tags(read: &Read<'_>) -> bool {
    read.tag_log.is_some() || !read.names.is_empty()
}

/// Whether it needs what is kept with the shard.
fn asks_shard(read: &Read<'_>) -> bool {
    read.log.is_some() || !read.keys.is_empty()
}

/// The log before the generations: see [`Read`].
fn ask_tags(read: &Read<'_>, keys: &Keys, pipeline: &mut Pipeline) {
    if let Some(after) = read.tag_log {
        Question::new(after, read.log_limit).ask(&keys.tag_log, pipeline);
    }
    if !read.names.is_empty() {
        pipeline.cmd("HMGET").arg(&keys.generations).arg("base");
        for name in read.names {
            pipeline.arg(format!("={name}"));
        }
    }
}

/// The log before the values: see [`Read`].
fn ask_shard(read: &Read<'_>, keys: &ShardKeys, pipeline: &mut Pipeline) {
    if let Some(after) = read.log {
        Question::new(after, read.log_limit).ask(&keys.log, pipeline);
        pipeline.cmd("TIME");
    }
    if !read.keys.is_empty() {
        // Not GET, which is an error if the key holds something else.
        pipeline.cmd("MGET");
        for key in read.keys {
            pipeline.arg(keys.value(key));
        }
    }
}

fn take_tags(
    read: &Read<'_>,
    replies: &mut impl Iterator<Item = Value>,
    answer: &mut ReadAnswer,
    missing: &mut Missing,
) -> Result<(), StoreError> {
    if let Some(after) = read.tag_log {
        answer.tag_log = Question::new(after, read.log_limit).take(replies, log::generations)?;
        missing.base |= answer.tag_log.is_none();
    }
    if !read.names.is_empty() {
        let mut fields = array_of(next(replies)?, read.names.len() + 1)?.into_iter();
        let base = fields.next().map_or(0, |base| number(&base).unwrap_or(0));
        missing.base |= base == 0;
        let generations: Result<Vec<Version>, StoreError> = fields
            .map(|field| match field {
                Value::Nil => Ok(base),
                field => Ok(number(&field)?.max(base)),
            })
            .collect();
        answer.generations = generations?;
    }
    Ok(())
}

fn take_shard(
    read: &Read<'_>,
    replies: &mut impl Iterator<Item = Value>,
    answer: &mut ReadAnswer,
    missing: &mut Missing,
) -> Result<(), StoreError> {
    if let Some(after) = read.log {
        answer.log = Question::new(after, read.log_limit).take(replies, log::changes)?;
        answer.time = Some(time(next(replies)?)?);
        missing.origin |= answer.log.is_none();
    }
    if !read.keys.is_empty() {
        let values = array_of(next(replies)?, read.keys.len())?;
        answer.values = values.into_iter().map(bytes).collect::<Result<_, _>>()?;
    }
    Ok(())
}

fn next(replies: &mut impl Iterator<Item = Value>) -> Result<Value, StoreError> {
    replies.next().ok_or(StoreError::Garbled("too few replies"))
}
