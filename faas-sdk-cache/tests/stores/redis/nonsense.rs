//! A server that answers whatever it likes.

use super::servers::open_at;
use super::{HOUR, envelope, write};
use faas_sdk_cache::store::{
    CacheStore, Fill, Invalidation, Lease, LeaseRequest, Read, RedisStore, StoreError, Token,
};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What is answered to a command of this name, if it is not just `+OK`.
type Answers = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Starts a server of which only the answers are ours.
async fn start(answers: Arc<Answers>) -> RedisStore {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&answers)));
        }
    });
    open_at(format!("redis://{address}")).timeout(Duration::from_secs(5))
}

async fn serve(stream: TcpStream, answers: Arc<Answers>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let count: usize = line[1..].trim().parse().expect("an array");
        let mut words = Vec::new();
        for _word in 0..count {
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            let length: usize = line[1..].trim().parse().expect("a string");
            let mut word = vec![0; length + 2];
            stream.read_exact(&mut word).await?;
            words.push(word[..length].to_vec());
        }
        let name = String::from_utf8_lossy(&words[0]).to_uppercase();
        let answer = answers(&name).unwrap_or_else(|| "+OK\r\n".to_owned());
        stream.get_mut().write_all(answer.as_bytes()).await?;
    }
}

/// Calls everything. Nothing of it panics, and nothing succeeds with an answer of its own making.
async fn call_everything(store: &RedisStore) -> Vec<Result<(), StoreError>> {
    let token = Token([1; 16]);
    let request = LeaseRequest {
        key: b"key",
        token,
        ttl: HOUR,
        rejected: Some(1),
    };
    let fill = Fill {
        key: b"key",
        token,
        envelope: envelope("value"),
        physical: HOUR,
    };
    let everything = Read {
        keys: &[b"a", b"b"],
        log: Some(Some(5)),
        tag_log: Some(Some(5)),
        names: &["tag"],
        log_limit: 10,
        ..Read::default()
    };
    vec![
        store
            .read(Read {
                keys: &[b"a", b"b"],
                ..Read::default()
            })
            .await
            .map(drop),
        store.read(everything).await.map(drop),
        store
            .read(Read {
                log: Some(None),
                ..Read::default()
            })
            .await
            .map(drop),
        store
            .read(Read {
                names: &["tag"],
                ..Read::default()
            })
            .await
            .map(drop),
        store.lease(0, &[request]).await.map(drop),
        store.fill(0, &[fill]).await.map(drop),
        store.write(0, &[write(b"key", "value")]).await.map(drop),
        store
            .invalidate(0, &[b"key"], Invalidation::Remove)
            .await
            .map(drop),
        store.advance(&["tag"]).await.map(drop),
    ]
}

#[tokio::test]
async fn nonsense_is_garbled() {
    for answer in [
        "$-1\r\n",
        "*-1\r\n",
        "*0\r\n",
        "+OK\r\n",
        ":-1\r\n",
        "$3\r\nabc\r\n",
        "*1\r\n*0\r\n",
        "*1\r\n$-1\r\n",
        "*2\r\n:1\r\n*1\r\n:5\r\n",
        "*3\r\n:1\r\n:2\r\n:3\r\n",
        "*1\r\n*2\r\n$3\r\nx-y\r\n*0\r\n",
        "*1\r\n*2\r\n$3\r\n1-0\r\n*1\r\n:5\r\n",
    ] {
        let ours = [
            "GET",
            "MGET",
            "XRANGE",
            "XREVRANGE",
            "TIME",
            "HMGET",
            "EVALSHA",
            "EVAL",
        ];
        let answers = move |name: &str| ours.contains(&name).then(|| answer.to_owned());
        let store = start(Arc::new(answers)).await;
        for (index, result) in call_everything(&store).await.into_iter().enumerate() {
            assert!(
                matches!(result, Err(StoreError::Garbled(_))),
                "{answer:?} {index}: {result:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_server_whose_clock_was_set_is_asked_again() {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("after the epoch");
    let now = now.as_micros();
    let asked = std::sync::Mutex::new(0);
    let answers = move |name: &str| {
        if name != "EVALSHA" {
            return None;
        }
        let mut asked = asked.lock().expect("not poisoned");
        *asked += 1;
        Some(match *asked {
            1 => format!("*2\r\n:{now}\r\n:0\r\n"),
            // Late: the clock was set forward.
            2 => format!("*1\r\n:{}\r\n", now + 3_600_000_000),
            3 => format!("*2\r\n:{}\r\n:1500\r\n", now + 3_600_000_001),
            _ => format!("*1\r\n:{now}\r\n"),
        })
    };
    let store = start(Arc::new(answers)).await;
    let request = LeaseRequest {
        key: b"key",
        token: Token([1; 16]),
        ttl: HOUR,
        rejected: None,
    };
    let first = store.lease(0, &[request]).await.expect("it answers");
    assert!(matches!(first[..], [Lease::Granted]), "{first:?}");
    let second = store.lease(0, &[request]).await.expect("it answers");
    let remaining = Duration::from_millis(1_500);
    assert!(matches!(second[..], [Lease::Held { remaining: told }] if told == remaining));
    let third = store.lease(0, &[request]).await;
    assert!(
        matches!(third, Err(StoreError::Unavailable(_))),
        "always late: {third:?}"
    );
}
