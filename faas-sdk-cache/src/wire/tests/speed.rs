//! How much the envelope adds to the codec:
//! `cargo test --release -p faas-sdk-cache wire::tests::speed -- --ignored --nocapture`.
#![allow(clippy::print_stdout, reason = "it is a measurement")]

use super::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

#[derive(Serialize, Deserialize)]
struct Product {
    id: u64,
    sku: String,
    title: String,
    description: String,
    price_cents: u64,
    currency: String,
    stock: i32,
    rating: f64,
    available: bool,
    images: Vec<String>,
    attributes: BTreeMap<String, String>,
    updated_at: u64,
}

fn product(number: u64) -> Product {
    let mut random = fastrand::Rng::with_seed(number);
    let (stock, rating) = (random.i32(0..1000), random.f64());
    let text = |text: &str| text.to_owned();
    let mut attribute = |n: u32| {
        (
            format!("attribute-{n}"),
            format!("value {}", random.u16(..)),
        )
    };
    let attributes = (0..8).map(&mut attribute).collect();
    Product {
        id: 1_234_567 + number,
        sku: text("SKU-0042-BLK-XL"),
        title: text("Waterproof hiking jacket"),
        description: text(
            "Three layers, taped seams, a hood that fits over a helmet, and pockets.",
        ),
        price_cents: 18_990,
        currency: text("EUR"),
        stock,
        rating,
        available: true,
        images: vec![
            format!("https://img.example/{number}/a.jpg"),
            text("https://img.example/42/b.jpg"),
        ],
        attributes,
        updated_at: 1_790_000_000_000,
    }
}

/// The best of several runs, in nanoseconds for each call.
fn time<T>(name: &str, mut call: impl FnMut() -> T) -> Duration {
    const CALLS: u32 = 20_000;
    let run = |_| {
        let start = Instant::now();
        (0..CALLS).for_each(|_| drop(black_box(call())));
        start.elapsed() / CALLS
    };
    let best = (0..15).map(run).min().unwrap_or_default();
    println!("{name:40} {:>6} ns", best.as_nanos());
    best
}

#[test]
#[ignore = "a measurement"]
fn the_envelope_costs_less_than_the_codec() {
    let value = product(0);
    let plain = encode_named(&value).expect("encodes");
    let envelope = sample(&plain, COMPRESS_ABOVE);
    let decode = |bytes: &Bytes| Envelope::decode(bytes.clone()).expect("decodes");
    println!(
        "{} bytes of MessagePack, {} with envelope",
        plain.len(),
        envelope.len()
    );
    let codec = time("encode_named", || encode_named(&value))
        + time("decode_named", || decode_named::<Product>(&plain));
    let wire = time("encode, 2 tags and an etag", || {
        sample(black_box(&plain), COMPRESS_ABOVE)
    }) + time("decode, plain", || decode(&envelope).plain(1 << 20));
    time("decode", || decode(&envelope));
    time("decode, tags and etag", || {
        let envelope = decode(&envelope);
        envelope.tags().map(|(name, _)| name.len()).sum::<usize>()
            + envelope.etag().map_or(0, str::len)
    });
    time("version_of", || version_of(black_box(&envelope)));
    time("is_fresh", || is_fresh(black_box(&envelope), 5));
    time("stamp a copy", || stamp(envelope.clone(), 1, 2));

    let products: Vec<_> = (0..60).map(product).collect();
    let large = encode_named(&products).expect("encodes");
    let compressed = sample(&large, COMPRESS_ABOVE);
    println!(
        "{} bytes of MessagePack, {} with envelope",
        large.len(),
        compressed.len()
    );
    time("encode, lz4", || sample(black_box(&large), COMPRESS_ABOVE));
    time("decode, plain, lz4", || decode(&compressed).plain(1 << 20));
    time("encode, not compressed", || {
        sample(black_box(&large), NEVER)
    });
    let stored = sample(&large, NEVER);
    time("decode, plain, not compressed", || {
        decode(&stored).plain(1 << 20)
    });
    time("decode_named", || decode_named::<Vec<Product>>(&large));
    time("depth::is_bounded", || depth::is_bounded(black_box(&large)));
    assert!(wire < codec / 2, "{wire:?} beside {codec:?}");
}
