//! The proxy passes, keeps back and closes as it is told.

use anyhow::{Context, Result};
use faas_sdk_test_servers::Proxy;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(20);

/// Long enough for bytes on the loopback device; a wrong proxy may be missed, a right one is not
/// blamed.
const A_WHILE: Duration = Duration::from_millis(100);

/// A server that sends back what it gets, and tells of it.
struct Echo {
    address: SocketAddr,
    got: mpsc::UnboundedReceiver<Vec<u8>>,
}

impl Echo {
    async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (tell, got) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let tell = tell.clone();
                tokio::spawn(async move {
                    let mut buffer = [0; 1024];
                    while let Ok(read) = stream.read(&mut buffer).await {
                        let _ = tell.send(buffer[..read].to_vec());
                        if read == 0 || stream.write_all(&buffer[..read]).await.is_err() {
                            break;
                        }
                    }
                });
            }
        });
        Ok(Self { address, got })
    }

    async fn next(&mut self) -> Result<Vec<u8>> {
        let got = timeout(LIMIT, self.got.recv()).await?;
        got.context("the server is gone")
    }
}

async fn expect(connection: &mut TcpStream, bytes: &[u8]) -> Result<()> {
    let mut got = vec![0; bytes.len()];
    timeout(LIMIT, connection.read_exact(&mut got)).await??;
    assert_eq!(got, bytes);
    Ok(())
}

async fn expect_end(connection: &mut TcpStream) -> Result<()> {
    let read = timeout(LIMIT, connection.read(&mut [0; 16])).await?;
    assert!(matches!(read, Ok(0) | Err(_)));
    Ok(())
}

async fn silent(connection: &mut TcpStream) -> bool {
    timeout(A_WHILE, connection.read(&mut [0; 16]))
        .await
        .is_err()
}

#[tokio::test]
async fn bytes_and_ends_pass() -> Result<()> {
    let mut echo = Echo::start().await?;
    let proxy = Proxy::start(echo.address).await?;
    let mut client = TcpStream::connect(proxy.address()).await?;
    client.write_all(b"hello").await?;
    expect(&mut client, b"hello").await?;
    assert_eq!((proxy.connections(), proxy.accepted()), (1, 1));
    let large: Vec<u8> = (0..3_000_000_u32).map(|at| at as u8).collect();
    let (mut read, mut write) = client.into_split();
    let mut back = vec![0; large.len()];
    let both =
        async { tokio::try_join!(write.write_all(&large), read.read_exact(&mut back)).map(drop) };
    timeout(LIMIT, both).await??;
    assert_eq!(back, large);
    write.shutdown().await?;
    while !echo.next().await?.is_empty() {}
    assert_eq!(timeout(LIMIT, read.read(&mut [0; 1])).await??, 0);
    drop((read, write));
    timeout(LIMIT, async {
        while proxy.connections() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await?;
    assert_eq!(proxy.accepted(), 1);
    Ok(())
}

#[tokio::test]
async fn a_black_hole_swallows_for_old_and_new_connections() -> Result<()> {
    let mut echo = Echo::start().await?;
    let proxy = Proxy::start(echo.address).await?;
    let mut old = TcpStream::connect(proxy.address()).await?;
    old.write_all(b"1").await?;
    expect(&mut old, b"1").await?;
    assert_eq!(echo.next().await?, b"1");

    proxy.black_hole();
    old.write_all(b"2").await?;
    let mut new = TcpStream::connect(proxy.address()).await?;
    new.write_all(b"3").await?;
    assert!(silent(&mut old).await && silent(&mut new).await);
    assert!(echo.got.try_recv().is_err());

    proxy.pass();
    expect(&mut old, b"2").await?;
    expect(&mut new, b"3").await?;
    assert_eq!(proxy.connections(), 2);
    Ok(())
}

#[tokio::test]
async fn replies_are_held_until_released() -> Result<()> {
    let mut echo = Echo::start().await?;
    let proxy = Proxy::start(echo.address).await?;
    let mut client = TcpStream::connect(proxy.address()).await?;
    proxy.hold_replies();
    client.write_all(b"1").await?;
    assert_eq!(echo.next().await?, b"1");
    assert!(silent(&mut client).await);
    client.write_all(b"2").await?;
    assert_eq!(echo.next().await?, b"2");
    proxy.release();
    expect(&mut client, b"12").await
}

#[tokio::test]
async fn a_delay_is_not_undercut() -> Result<()> {
    let echo = Echo::start().await?;
    let proxy = Proxy::start(echo.address).await?;
    let mut client = TcpStream::connect(proxy.address()).await?;
    let delay = Duration::from_millis(50);
    proxy.delay(delay);
    let start = Instant::now();
    client.write_all(b"1").await?;
    expect(&mut client, b"1").await?;
    assert!(start.elapsed() >= delay);
    Ok(())
}

#[tokio::test]
async fn dropped_connections_end_on_both_sides() -> Result<()> {
    let mut echo = Echo::start().await?;
    let proxy = Proxy::start(echo.address).await?;
    let mut client = TcpStream::connect(proxy.address()).await?;
    client.write_all(b"1").await?;
    expect(&mut client, b"1").await?;
    assert_eq!(echo.next().await?, b"1");

    proxy.drop_connections().await;
    assert_eq!(proxy.connections(), 0);
    expect_end(&mut client).await?;
    assert_eq!(echo.next().await?, b"");

    let mut again = TcpStream::connect(proxy.address()).await?;
    again.write_all(b"2").await?;
    expect(&mut again, b"2").await?;
    drop(proxy);
    expect_end(&mut again).await
}

#[tokio::test]
async fn a_refusing_target_ends_the_connection() -> Result<()> {
    // The port of a service that no system has had for decades.
    let proxy = Proxy::start(SocketAddr::from(([127, 0, 0, 1], 1))).await?;
    let mut client = TcpStream::connect(proxy.address()).await?;
    expect_end(&mut client).await
}
