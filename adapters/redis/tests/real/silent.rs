//! Servers of several that do not answer, and those that are slow or refuse.

use super::ask::{SECOND, ask, built, get, ms, until_answered};
use faas_sdk_redis::{Redis, Retry, Script};
use faas_sdk_test_servers::{Proxy, RedisCluster, RedisSentinels, RedisServer};

#[tokio::test]
async fn a_silent_sentinel_delays_nothing() {
    let set = RedisSentinels::start().await.expect("sentinels");
    let mut urls = set.urls();
    let port = urls[0].rsplit(':').next().expect("a port");
    let port: u16 = port.parse().expect("a number");
    let proxy = Proxy::start(([127, 0, 0, 1], port).into()).await;
    let proxy = proxy.expect("a proxy");
    proxy.black_hole();
    urls[0] = format!("redis://127.0.0.1:{}", proxy.port());
    let redis = built(Redis::builder().sentinel(urls, set.service()));
    get(&redis, "key").await.expect("others answer");
}

#[tokio::test]
async fn a_silent_node_of_a_cluster_keeps_nobody_from_connecting() {
    let cluster = RedisCluster::start().await.expect("a cluster");
    let mut key = "key:0".to_owned();
    for number in 0..20 {
        key = format!("key:{number}");
        if cluster.node_of(&key).await.expect("it is somewhere") != 2 {
            break;
        }
    }
    cluster.nodes()[2].pause().expect("it stops");
    let redis = built(Redis::builder().cluster(cluster.urls()));
    until_answered(&redis, &["GET", &key], ms(2000)).await;
    cluster.nodes()[2].resume().expect("it goes on");
}

#[tokio::test]
async fn refused_writes_do_not_open_a_connection_each() {
    let primary = RedisServer::start().await.expect("a server");
    let replica = RedisServer::builder().config(format!("replicaof 127.0.0.1 {}", primary.port()));
    let replica = replica.start().await.expect("a replica");
    let redis = built(Redis::builder().url(replica.url()).backoff(SECOND, SECOND));
    for _ in 0..50 {
        let error = ask(&redis, &["SET", "key", "1"], Retry::Once).await;
        assert_eq!(error.expect_err("a replica").code(), Some("READONLY"));
    }
    assert!(redis.status().opened <= 2, "{:?}", redis.status());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_server_is_not_asked_twice() {
    let server = RedisServer::start().await.expect("a server");
    let redis = built(Redis::builder().url(server.url()));
    let slow = Script::new(
        "local t=redis.call('TIME'); local e=t[1]*1000000+t[2]+10000; repeat t=redis.call('TIME') \
         until t[1]*1000000+t[2]>=e; return redis.call('INCR','runs')",
    );
    let first = redis.script::<&str, &str>(&slow, &[], &[], Retry::Once, ms(500));
    first.await.expect("it runs");
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let (redis, slow) = (redis.clone(), slow.clone());
            tokio::spawn(async move {
                let reply = redis.script::<&str, &str>(&slow, &[], &[], Retry::Once, ms(500));
                reply.await.is_ok()
            })
        })
        .collect();
    for task in tasks {
        let _in_time = task.await.expect("it ends");
    }
    tokio::time::sleep(ms(500)).await;
    let runs = server.cli(&["GET", "runs"]).await.expect("it answers");
    assert_eq!(runs, "41");
    assert_eq!(redis.status().replaced, 0);
}

#[tokio::test]
async fn connecting_may_take_longer_than_a_command() {
    let server = RedisServer::start().await.expect("a server");
    let proxy = Proxy::start(server.address()).await.expect("a proxy");
    proxy.delay(ms(150));
    let builder = Redis::builder().url(server.url_at(proxy.port()));
    let redis = built(builder.command_timeout(ms(250)));
    get(&redis, "key").await.expect("both have their own time");
}
