//! `cx.cache()`: embedded and over Redis, its configuration and its errors.

use faas_sdk::cache::{Loaded, Region, Source};
use faas_sdk::prelude::*;
use faas_sdk::testing::TestApp;
use faas_sdk::{Config, Environment};
use faas_sdk_test_servers::RedisServer;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const NUMBER: Region<u32> = Region::new("number");

/// Loads 7 under the key it is given, and says where it was.
fn number(loads: &Arc<AtomicU32>) -> impl Handler<String, Output = String> + Clone + use<> {
    let loads = Arc::clone(loads);
    move |key: String, cx: Context| {
        let loads = Arc::clone(&loads);
        async move {
            let got = cx.cache().get(&NUMBER, &key).or_load(move |_| async move {
                loads.fetch_add(1, Ordering::SeqCst);
                Ok(7)
            });
            Ok::<_, Error>(format!("{:?}", got.await?.source()))
        }
    }
}

#[tokio::test]
async fn invocations_share_one_cache() -> Result<()> {
    let loads = Arc::default();
    let app = TestApp::new(App::new().function("number", number(&loads)))?;
    for source in [Source::Loader, Source::L1, Source::L1] {
        let answer: String = app.call("number", "a").await?;
        assert_eq!(answer, format!("{source:?}"));
    }
    assert_eq!(loads.load(Ordering::SeqCst), 1);
    Ok(())
}

#[tokio::test]
async fn instances_share_redis() -> Result<()> {
    let server = RedisServer::builder()
        .password("hidden-word")
        .start()
        .await?;
    let config = || {
        let environment = Environment::default()
            .with_variable("FAAS_REDIS__URL", server.url())
            .with_variable("FAAS_CACHE__NAMESPACE", "shop");
        Config::load(&environment)
    };
    assert!(!format!("{:?}", config()?).contains("hidden-word"));
    let loads = Arc::default();
    let app = || TestApp::with_config(App::new().function("number", number(&loads)), config()?);
    let (first, second) = (app()?, app()?);
    let answer: String = first.call("number", "a").await?;
    assert_eq!(answer, "Loader");
    let answer: String = second.call("number", "a").await?;
    assert_eq!(answer, "L2");
    let keys = server.cli(&["KEYS", "{shop:*"]).await?;
    assert!(keys.contains("{shop:0}:v:number:a"), "{keys}");
    Ok(())
}

#[tokio::test]
async fn errors_keep_their_meaning() -> Result<()> {
    async fn find(key: String, cx: Context) -> Result<u32> {
        let wanted = key.clone();
        let got = cx.cache().get(&NUMBER, &key).or_load(|_| async move {
            match wanted.as_str() {
                "nothing" => Ok(Loaded::absent()),
                "forbidden" => Err(Error::permission_denied("not for you").into()),
                "own" => Err(Error::conflict("just now"))?,
                _ => Err("the source is down")?,
            }
        });
        Ok(*got.await?)
    }
    let app = TestApp::new(App::new().function("find", find))?;
    let kinds = [
        ("nothing", ErrorKind::NotFound),
        ("forbidden", ErrorKind::PermissionDenied),
        ("own", ErrorKind::Conflict),
        ("broken", ErrorKind::Internal),
    ];
    for (key, kind) in kinds {
        let error = app.call::<u32>("find", key).await.expect_err("an error");
        assert_eq!(error.kind(), kind, "{key}: {error:?}");
    }
    let long = "k".repeat(5000);
    let error = app
        .call::<u32>("find", long.as_str())
        .await
        .expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    Ok(())
}

#[test]
fn a_wrong_configuration_is_told_before_the_first_invocation() {
    let wrong = |variables: &[(&str, &str)]| {
        let environment = variables
            .iter()
            .fold(Environment::default(), |environment, (name, value)| {
                environment.with_variable(format!("FAAS_{name}"), *value)
            });
        let config = Config::load(&environment).expect("known keys");
        let error = TestApp::with_config(number(&Arc::default()), config).expect_err("an error");
        assert_eq!(error.kind(), ErrorKind::NotConfigured);
        format!("{error} {error:?}")
    };
    let both = [
        ("REDIS__URL", "redis://a"),
        ("REDIS__URLS", r#"["redis://b"]"#),
    ];
    assert!(wrong(&both).contains("`url` and `urls`"));
    assert!(wrong(&[("REDIS__SENTINEL_SERVICE", "primary")]).contains("urls"));
    let text = wrong(&[("REDIS__URL", "nonsense://user:hidden-word@host")]);
    assert!(
        text.contains("[redis]") && !text.contains("hidden-word"),
        "{text}"
    );
    let text = wrong(&[
        ("REDIS__URL", "redis://host"),
        ("CACHE__NAMESPACE", "{braces}"),
    ]);
    assert!(text.contains("namespace"), "{text}");
}
