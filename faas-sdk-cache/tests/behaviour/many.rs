use crate::support::*;
use faas_sdk_cache::{ErrorKind, LoadError, Source};

#[tokio::test]
async fn several_keys_are_one_read_one_lease_one_load_one_fill() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    cache
        .set(&NOTE, &3_u32, "three".into())
        .await
        .expect("no error");
    let loads = Loads::default();
    let get = async |cache: &faas_sdk_cache::Cache| {
        let loads = loads.clone();
        let got =
            cache
                .get_many(&NOTE, (0..100_u32).collect())
                .or_load_many(move |keys| async move {
                    loads.count();
                    assert!(!keys.contains(&3));
                    Ok(keys
                        .into_iter()
                        .filter(|key| *key != 7)
                        .map(|key| (key, format!("loaded {key}")))
                        .collect::<Vec<_>>())
                });
        got.await.expect("values")
    };
    store.calls();
    let got = get(&cache).await;
    assert_eq!(
        store
            .calls()
            .into_iter()
            .filter(|call| *call != "release")
            .collect::<Vec<_>>(),
        ["read", "lease", "fill"]
    );
    assert_eq!(loads.get(), 1);
    assert_eq!(&**got[3].as_deref().expect("a value"), "three");
    assert!(got[7].is_none(), "the loader did not name it");
    assert_eq!(&**got[99].as_deref().expect("a value"), "loaded 99");
    let other = world.cache();
    let found = other
        .get_many(&NOTE, (0..100_u32).collect())
        .await
        .expect("values");
    assert_eq!(found.iter().flatten().count(), 99);
    assert!(
        found
            .iter()
            .flatten()
            .all(|found| found.source() == Source::L2)
    );
}

#[tokio::test]
async fn several_share_loads_with_one() {
    let world = World::new();
    let cache = world.cache();
    let (gate, loads) = (Gate::new(), Loads::default());
    let one = tokio::spawn({
        let (cache, gate, loads) = (cache.clone(), gate.clone(), loads.clone());
        async move {
            let got = cache.get(&NOTE, &1_u32).or_load(|_| async move {
                loads.count();
                gate.pass().await;
                Ok("one".to_owned())
            });
            got.await.expect("a value").to_string()
        }
    });
    gate.arrival().await;
    let many = tokio::spawn({
        let cache = cache.clone();
        async move {
            let got = cache
                .get_many(&NOTE, vec![1_u32, 2])
                .or_load_many(|keys| async move {
                    assert_eq!(keys, [2]);
                    Ok([(2_u32, "two".to_owned())])
                });
            got.await.expect("values")
        }
    });
    tokio::task::yield_now().await;
    gate.open();
    assert_eq!(one.await.expect("no panic"), "one");
    let many = many.await.expect("no panic");
    assert_eq!(&**many[0].as_deref().expect("a value"), "one");
    assert_eq!(&**many[1].as_deref().expect("a value"), "two");
    assert_eq!(loads.get(), 1);
}

#[tokio::test]
async fn a_failure_of_one_call_is_every_keys() {
    let world = World::new();
    let cache = world.cache();
    let got = cache
        .get_many(&NOTE, vec![1_u32, 2])
        .or_load_many(|_| async {
            Err::<Vec<(u32, String)>, _>(LoadError::from("the source is down"))
        });
    assert_eq!(got.await.expect_err("an error").kind(), ErrorKind::Load);
    let again = cache
        .get_many(&NOTE, vec![1_u32, 1])
        .or_load_many(|keys| async move {
            Ok(keys
                .into_iter()
                .map(|key| (key, "x".to_owned()))
                .collect::<Vec<_>>())
        });
    assert_eq!(
        again.await.expect("values").iter().flatten().count(),
        2,
        "a key may come twice"
    );
}

#[tokio::test]
async fn several_keys_do_without_the_remote_level() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    store.down(true);
    for _ in 0..2 {
        let got = cache
            .get_many(&NOTE, vec![1_u32, 2])
            .or_load_many(|keys| async move {
                Ok(keys
                    .into_iter()
                    .map(|key| (key, "x".to_owned()))
                    .collect::<Vec<_>>())
            });
        assert_eq!(got.await.expect("values").iter().flatten().count(), 2);
    }
    assert_eq!(cache.stats().loads, 1);
}
