//! Sentinels find each other and fail over.

use anyhow::Result;
use faas_sdk_test_servers::RedisSentinels;
use std::time::Duration;
use tokio::time::{sleep, timeout};

#[tokio::test]
async fn sentinels_agree_on_the_replica_when_the_primary_is_killed() -> Result<()> {
    let redis = RedisSentinels::start().await?;
    assert_eq!(redis.urls().len(), 3);
    let before = redis.primary_port().await?;
    assert_eq!(before, redis.servers()[0].port());
    redis.primary().await?.cli(&["SET", "key", "value"]).await?;
    // Replication is asynchronous: the replica has to have it before the primary goes.
    timeout(Duration::from_secs(10), async {
        while redis.servers()[1].cli(&["GET", "key"]).await? != "value" {
            sleep(Duration::from_millis(10)).await;
        }
        anyhow::Ok(())
    })
    .await??;

    let after = redis.failover().await?;

    assert_ne!(after, before);
    assert_eq!(after, redis.primary_port().await?);
    let primary = redis.primary().await?;
    assert_eq!(primary.cli(&["GET", "key"]).await?, "value");
    assert_eq!(primary.cli(&["SET", "key", "other"]).await?, "OK");
    Ok(())
}
