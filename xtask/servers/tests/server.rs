//! One server: its life, its settings, and that it never outlives its owner.

use anyhow::{Context, Result, bail, ensure};
use faas_sdk_test_servers::RedisServer;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// A file where [`victim`] writes the port of the server it started and its folder.
const TOLD: &str = "FAAS_TEST_VICTIM_TELLS";

const LIMIT: Duration = Duration::from_secs(20);

async fn ping(connection: &mut TcpStream) -> Result<()> {
    connection.write_all(b"PING\r\n").await?;
    let mut answer = [0; 7];
    connection.read_exact(&mut answer).await?;
    ensure!(&answer == b"+PONG\r\n");
    Ok(())
}

async fn refused(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).await.is_err()
}

async fn folder(server: &RedisServer) -> Result<String> {
    let told = server.cli(&["CONFIG", "GET", "dir"]).await?;
    Ok(told.lines().nth(1).context("no folder")?.to_owned())
}

#[tokio::test]
async fn a_server_answers_and_keeps_nothing() -> Result<()> {
    let server = RedisServer::start().await?;
    assert_eq!(server.url(), format!("redis://127.0.0.1:{}", server.port()));
    assert_eq!(server.cli(&["SET", "key", "value"]).await?, "OK");
    assert_eq!(server.cli(&["GET", "key"]).await?, "value");
    assert_eq!(server.cli(&["CONFIG", "GET", "save"]).await?, "save\n");
    assert!(server.cli(&["NO-SUCH-COMMAND"]).await.is_err());
    assert!(server.ca_pem().is_none());
    Ok(())
}

#[tokio::test]
async fn a_killed_server_starts_empty_on_its_port() -> Result<()> {
    let server = RedisServer::start().await?;
    let port = server.port();
    server.cli(&["SET", "key", "value"]).await?;
    server.kill()?;
    server.kill()?;
    assert!(refused(port).await);
    assert!(server.pause().is_err());
    server.restart_empty().await?;
    assert_eq!(server.port(), port);
    assert_eq!(server.cli(&["DBSIZE"]).await?, "0");
    server.cli(&["SET", "key", "value"]).await?;
    server.restart_empty().await?;
    assert_eq!(server.cli(&["DBSIZE"]).await?, "0");
    Ok(())
}

#[tokio::test]
async fn a_paused_server_keeps_connections_and_answers_later() -> Result<()> {
    let server = RedisServer::start().await?;
    let mut connection = TcpStream::connect(server.address()).await?;
    ping(&mut connection).await?;
    server.pause()?;
    let mut other = TcpStream::connect(server.address()).await?;
    connection.write_all(b"PING\r\n").await?;
    let mut answer = [0; 7];
    let early = timeout(Duration::from_millis(100), connection.read(&mut answer)).await;
    assert!(early.is_err());
    server.resume()?;
    timeout(LIMIT, connection.read_exact(&mut answer)).await??;
    timeout(LIMIT, ping(&mut other)).await??;
    Ok(())
}

#[tokio::test]
async fn a_dropped_server_is_gone_even_when_paused() -> Result<()> {
    let server = RedisServer::start().await?;
    let (port, folder) = (server.port(), folder(&server).await?);
    assert!(std::fs::exists(&folder)?);
    server.pause()?;
    drop(server);
    assert!(refused(port).await);
    assert!(!std::fs::exists(&folder)?);
    Ok(())
}

#[tokio::test]
async fn settings_reach_the_server() -> Result<()> {
    let server = RedisServer::builder()
        .password("open-sesame")
        .maxmemory(8 << 20)
        .config("maxmemory-policy allkeys-lru")
        .start()
        .await?;
    let url = format!("redis://:open-sesame@127.0.0.1:{}", server.port());
    assert_eq!(server.url(), url);
    let limit = server.cli(&["CONFIG", "GET", "maxmemory*"]).await?;
    assert!(limit.contains("8388608") && limit.contains("allkeys-lru"));
    let mut connection = TcpStream::connect(server.address()).await?;
    assert!(ping(&mut connection).await.is_err());
    assert!(!format!("{server:?}").contains("sesame"));
    Ok(())
}

#[tokio::test]
async fn tls_is_the_only_way_in() -> Result<()> {
    let server = RedisServer::builder().tls().start().await?;
    assert!(server.url().starts_with("rediss://127.0.0.1:"));
    assert!(server.ca_pem().is_some_and(|pem| pem.contains("BEGIN")));
    assert_eq!(server.cli(&["PING"]).await?, "PONG");
    let mut plain = TcpStream::connect(server.address()).await?;
    assert!(ping(&mut plain).await.is_err());
    server.restart_empty().await?;
    assert_eq!(server.cli(&["PING"]).await?, "PONG");
    Ok(())
}

#[tokio::test]
async fn a_server_that_does_not_start_says_why() {
    let failed = RedisServer::builder().config("no-such-setting yes").start();
    let Err(error) = failed.await else {
        panic!("the setting was taken");
    };
    assert!(
        format!("{error:#}").contains("no-such-setting"),
        "{error:#}"
    );
}

/// Not a test of its own: the process that [`a_server_ends_with_a_killed_process`] kills.
#[tokio::test]
async fn victim() -> Result<()> {
    let Some(file) = std::env::var_os(TOLD) else {
        return Ok(());
    };
    let server = RedisServer::start().await?;
    let told = format!("{} {}\n", server.port(), folder(&server).await?);
    std::fs::write(file, told)?;
    sleep(LIMIT * 2).await;
    bail!("nobody killed this process")
}

#[tokio::test]
async fn a_server_ends_with_a_killed_process() -> Result<()> {
    let owner = RedisServer::start().await?;
    let file = format!("{}/told", folder(&owner).await?);
    let mut victim = Command::new(std::env::current_exe()?)
        .args(["--exact", "victim"])
        .env(TOLD, &file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let told = timeout(LIMIT, async {
        loop {
            let told = std::fs::read_to_string(&file).unwrap_or_default();
            if told.ends_with('\n') {
                return told;
            }
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let alive = async |told: &str| -> Result<bool> {
        let (port, folder) = told.trim_end().split_once(' ').context("no folder")?;
        Ok(!refused(port.parse()?).await || std::fs::exists(folder)?)
    };
    let was_alive = match &told {
        Ok(told) => alive(told).await?,
        Err(_) => false,
    };
    victim.kill()?;
    victim.wait()?;
    let told = told.context("the other process starts no server")?;
    assert!(was_alive);
    timeout(LIMIT, async {
        while alive(&told).await? {
            sleep(Duration::from_millis(10)).await;
        }
        anyhow::Ok(())
    })
    .await
    .context("the server survives")?
}
