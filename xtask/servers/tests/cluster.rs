//! A cluster shares its slots and moves them.

use anyhow::Result;
use faas_sdk_test_servers::RedisCluster;

#[tokio::test]
async fn a_slot_moves_with_its_keys() -> Result<()> {
    let cluster = RedisCluster::start().await?;
    assert_eq!(cluster.urls().len(), 3);
    let from = cluster.node_of("{tag}1").await?;
    let to = (from + 1) % 3;
    let (old, new) = (&cluster.nodes()[from], &cluster.nodes()[to]);
    for key in 0..250 {
        old.cli(&["SET", &format!("{{tag}}{key}"), "value"]).await?;
    }

    cluster.move_slot_of("{tag}1", to).await?;

    assert_eq!(cluster.node_of("{tag}1").await?, to);
    assert_eq!(new.cli(&["DBSIZE"]).await?, "250");
    assert_eq!(new.cli(&["GET", "{tag}7"]).await?, "value");
    let Err(moved) = old.cli(&["GET", "{tag}7"]).await else {
        panic!("the old node still answers");
    };
    assert!(format!("{moved:#}").contains("MOVED"), "{moved:#}");
    Ok(())
}

#[tokio::test]
async fn a_slot_on_its_way_asks_for_keys_that_are_gone() -> Result<()> {
    let cluster = RedisCluster::start().await?;
    let from = cluster.node_of("key").await?;
    let to = (from + 2) % 3;
    let old = &cluster.nodes()[from];
    old.cli(&["SET", "key", "value"]).await?;

    let on_its_way = cluster.begin_move_of("key", to).await?;

    assert_eq!(old.cli(&["GET", "key"]).await?, "value");
    on_its_way.move_keys().await?;
    let Err(ask) = old.cli(&["GET", "key"]).await else {
        panic!("the old node still answers");
    };
    assert!(format!("{ask:#}").contains("ASK"), "{ask:#}");
    on_its_way.finish().await?;
    assert_eq!(cluster.nodes()[to].cli(&["GET", "key"]).await?, "value");
    assert!(cluster.move_slot_of("key", to).await.is_err());
    assert!(cluster.move_slot_of("key", 3).await.is_err());
    Ok(())
}
