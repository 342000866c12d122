//! What holds for every envelope.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Parts {
    header: Header,
    tags: Vec<(String, u64)>,
    etag: Option<String>,
    plain: Vec<u8>,
    compress_above: usize,
}

impl Parts {
    fn encode(&self) -> Bytes {
        let tags: Vec<_> = self
            .tags
            .iter()
            .map(|(name, generation)| (name.as_str(), *generation))
            .collect();
        encode(
            &self.header,
            &tags,
            self.etag.as_deref(),
            &self.plain,
            self.compress_above,
        )
        .expect("within the caps")
    }
}

fn header() -> impl Strategy<Value = Header> {
    let of_store = (any::<bool>(), any::<u64>(), any::<u64>());
    let of_value = (
        any::<u64>(),
        any::<bool>(),
        0..3_u8,
        any::<[u32; 3]>(),
        any::<[u64; 2]>(),
    );
    (of_store, of_value).prop_map(
        |((expired, version, created_us), (ttl_ms, negative, codec, words, generations))| Header {
            state: if expired { State::Expired } else { State::Live },
            version,
            created_us,
            ttl_ms,
            negative,
            codec: [Codec::Raw, Codec::Json, Codec::MessagePack][usize::from(codec)],
            schema: words[0],
            key_hash: words[1],
            cost_ms: words[2],
            all_generation: generations[0],
            region_generation: generations[1],
        },
    )
}

fn parts() -> impl Strategy<Value = Parts> {
    let tags = vec(("\\PC{0,20}", any::<u64>()), 0..5);
    let etag = proptest::option::of("\\PC{0,40}");
    // Half of it can be compressed.
    let plain = prop_oneof![vec(any::<u8>(), 0..300), vec(0..3_u8, 0..3000)];
    let compress_above = prop_oneof![Just(0), Just(64), Just(NEVER)];
    (header(), tags, etag, plain, compress_above).prop_map(
        |(header, tags, etag, plain, compress_above)| Parts {
            header,
            tags,
            etag,
            plain,
            compress_above,
        },
    )
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_the_same(parts in parts()) {
        let envelope = Envelope::decode(parts.encode()).expect("decodes");
        prop_assert_eq!(envelope.header(), &parts.header);
        let tags: Vec<_> = envelope.tags().map(|(name, generation)| (name.to_owned(), generation)).collect();
        prop_assert_eq!(&tags, &parts.tags);
        prop_assert_eq!(envelope.etag(), parts.etag.as_deref());
        prop_assert_eq!(envelope.plain_len(), parts.plain.len());
        prop_assert_eq!(&envelope.plain(parts.plain.len()).expect("the value")[..], &parts.plain[..]);
        if let Some(less) = parts.plain.len().checked_sub(1) {
            prop_assert_eq!(envelope.plain(less), Err(Invalid::TooLarge));
        }
    }

    /// A changed byte of what the cache writes is found, but for one in 2^32 that the checksum misses.
    /// What the store writes is not covered: there it changes state, version or time of creation.
    #[test]
    fn a_changed_byte_is_found(parts in parts(), at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let envelope = parts.encode();
        let at = at.index(envelope.len());
        let mut bytes = envelope.to_vec();
        bytes[at] ^= flip;
        let decoded = Envelope::decode(bytes.into());
        match at {
            0 | 1 => prop_assert_eq!(decoded.expect_err("found"), Invalid::Magic),
            layout::ENVELOPE_VERSION_AT => {
                prop_assert_eq!(decoded.expect_err("found"), Invalid::Version(1 ^ flip));
            }
            layout::STATE_AT if flip != 1 => prop_assert_eq!(decoded.expect_err("found"), Invalid::State),
            0..layout::HEAD => {
                let decoded = decoded.expect("not covered");
                let Header { state, version, created_us, .. } = *decoded.header();
                prop_assert_eq!(decoded.header(), &Header { state, version, created_us, ..parts.header });
                prop_assert_eq!(&decoded.plain(NEVER).expect("the value")[..], &parts.plain[..]);
            }
            _ => prop_assert_eq!(decoded.expect_err("found"), Invalid::Checksum),
        }
    }

    #[test]
    fn a_truncated_or_extended_envelope_is_invalid(parts in parts(), more in vec(any::<u8>(), 1..9)) {
        let envelope = parts.encode();
        for len in 0..envelope.len() {
            prop_assert!(Envelope::decode(envelope.slice(..len)).is_err());
        }
        let longer = [&envelope[..], &more].concat();
        prop_assert_eq!(why(longer.into()), Invalid::Checksum);
    }

    #[test]
    fn arbitrary_bytes_are_no_trouble(mut bytes in vec(any::<u8>(), 0..400)) {
        prop_assert!(Envelope::decode(bytes.clone().into()).is_err());
        for (byte, head) in bytes.iter_mut().zip([0xFC, 0xE5, 1, 0]) {
            *byte = head;
        }
        reseal(&mut bytes);
        let bytes = Bytes::from(bytes);
        let _any = Envelope::decode(bytes.clone()).map(|envelope| envelope.plain(10_000));
        let _any = (version_of(&bytes), created_of(&bytes), ttl_of(&bytes), state_of(&bytes));
        let _any = (is_fresh(&bytes, 5), stamp(bytes.clone(), 1, 2), expire(bytes));
    }

    /// Nonsense with a right checksum is refused, or is what the encoder would have written.
    #[test]
    fn there_is_one_form_of_everything(
        parts in parts(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let parts = Parts { compress_above: NEVER, ..parts };
        let mut bytes = parts.encode().to_vec();
        let variable = bytes.len() - layout::HEAD - layout::CHECKSUM;
        for (at, byte) in changes {
            bytes[layout::HEAD + at.index(variable)] = byte;
        }
        reseal(&mut bytes);
        let bytes = Bytes::from(bytes);
        if let Ok(envelope) = Envelope::decode(bytes.clone()) {
            let Ok(plain) = envelope.plain(10_000) else {
                return Ok(());
            };
            let tags: Vec<_> = envelope.tags().collect();
            let again = encode(envelope.header(), &tags, envelope.etag(), &plain, NEVER).expect("within the caps");
            if bytes[layout::COMPRESSION_AT] == 0 {
                prop_assert_eq!(again, bytes);
            }
        }
    }

    #[test]
    fn stores_see_what_decoding_sees(parts in parts(), version in any::<u64>(), created in any::<u64>()) {
        let stamped = stamp(parts.encode(), version, created);
        prop_assert_eq!((version_of(&stamped), created_of(&stamped)), (Some(version), Some(created)));
        prop_assert_eq!(ttl_of(&stamped), Some(parts.header.ttl_ms));
        let stored = Envelope::decode(expire(stamped)).expect("decodes");
        let expected = Header { state: State::Expired, version, created_us: created, ..parts.header };
        prop_assert_eq!(stored.header(), &expected);
    }
}
