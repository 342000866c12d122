use super::ask::{SECOND, ask, built, command, get, ms, set, until_answered};
use faas_sdk_redis::redis::{Pipeline, Value};
use faas_sdk_redis::{Redis, Retry, Script};
use faas_sdk_scope::Instance;
use faas_sdk_test_servers::{RedisCluster, RedisServer};
use std::time::Instant;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_slots_are_reached_wherever_they_go() {
    let cluster = RedisCluster::start().await.expect("a cluster");
    let instance = Instance::new();
    let redis = built(
        Redis::builder()
            .cluster(&cluster.urls()[..1])
            .instance(&instance),
    );
    assert!(redis.is_cluster());
    for number in 0..100 {
        set(&redis, &format!("key:{number}"), "value").await;
    }
    for node in cluster.nodes() {
        let keys: u64 = node
            .cli(&["DBSIZE"])
            .await
            .expect("it answers")
            .parse()
            .expect("a number");
        assert!(keys > 10, "{keys} of 100 are on one of three nodes");
    }
    assert_eq!(redis.status().opened, 1);

    // Moved behind our back.
    let at = cluster.node_of("key:1").await.expect("it is somewhere");
    cluster
        .move_slot_of("key:1", (at + 1) % 3)
        .await
        .expect("it moves");
    assert_eq!(
        get(&redis, "key:1").await.expect("it is found").as_deref(),
        Some("value")
    );

    // Asked for meanwhile, without being sent twice.
    let at = cluster.node_of("n{1}").await.expect("it is somewhere");
    let moving = cluster
        .begin_move_of("n{1}", (at + 1) % 3)
        .await
        .expect("it begins");
    let count = Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    for total in 1..=3 {
        let value = redis
            .script(&count, &["n{1}"], &["1"], Retry::Never, SECOND)
            .await;
        assert_eq!(value.expect("it is asked for"), Value::Int(total));
    }
    let mut pipeline = Pipeline::new();
    pipeline.cmd("INCR").arg("n{1}").cmd("INCR").arg("m{1}");
    let replies = redis.pipeline(&pipeline, Retry::Once, SECOND).await;
    assert_eq!(
        replies.expect("it is asked for"),
        [Value::Int(4), Value::Int(1)]
    );
    moving.finish().await.expect("it ends");
    let value = ask(&redis, &["INCR", "n{1}"], Retry::Never).await;
    assert_eq!(value.expect("it is found"), Value::Int(5));

    let status = redis.status();
    assert_eq!((status.opened, status.replaced), (1, 0));
    instance.mark_thawed();
    assert!(get(&redis, "key:2").await.expect("it answers").is_some());
    assert_eq!((redis.status().opened, redis.status().replaced), (2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_have_been_done_is_not_sent_again() {
    let cluster = RedisCluster::start().await.expect("a cluster");
    let redis = built(Redis::builder().cluster(cluster.urls()));
    set(&redis, "key", "value").await;
    let node = &cluster.nodes()[cluster.node_of("list").await.expect("it is somewhere")];
    let blocked = {
        let redis = redis.clone();
        tokio::spawn(async move {
            redis
                .query(&command(&["BLPOP", "list", "5"]), Retry::Never, SECOND)
                .await
        })
    };
    tokio::time::sleep(ms(100)).await;
    let blocked_before: u64 = calls(node).await;
    node.cli(&["CLIENT", "KILL", "TYPE", "normal"])
        .await
        .expect("it kills");
    assert!(blocked.await.expect("it ends").is_err());
    tokio::time::sleep(ms(100)).await;
    assert_eq!(calls(node).await, blocked_before, "BLPOP was sent once");
    until_answered(&redis, &["GET", "list"], ms(2000)).await;

    let mut alive = Vec::new();
    for number in 0..12 {
        let key = format!("key:{number}");
        if cluster.node_of(&key).await.expect("it is somewhere") != 2 {
            alive.push(key);
        }
    }
    cluster.nodes()[2].kill().expect("it dies");
    let started = Instant::now();
    for key in &alive {
        get(&redis, key).await.expect("other nodes go on");
    }
    assert!(started.elapsed() < ms(500), "{:?}", started.elapsed());
}

async fn calls(node: &RedisServer) -> u64 {
    let info = node
        .cli(&["INFO", "commandstats"])
        .await
        .expect("it answers");
    let line = info.lines().find(|line| line.starts_with("cmdstat_blpop:"));
    let calls = line.and_then(|line| line.split(['=', ',']).nth(1));
    calls.map_or(0, |calls| calls.parse().expect("a number"))
}
