use super::*;

#[test]
fn each_kind_of_nonsense_has_its_name() {
    let good = sample(b"value", NEVER);
    assert_eq!(why(Bytes::new()), Invalid::TooShort);
    assert_eq!(why(good.slice(..1)), Invalid::TooShort);
    assert_eq!(why(good.slice(..40)), Invalid::TooShort);
    assert_eq!(why(Bytes::from_static(b"{\"json\":1}")), Invalid::Magic);
    assert_eq!(
        why(changed(&good, layout::ENVELOPE_VERSION_AT, &[2])),
        Invalid::Version(2)
    );
    assert_eq!(why(changed(&good, layout::STATE_AT, &[2])), Invalid::State);
    for flag in [8, 16, 32, 64, 128] {
        assert_eq!(
            why(changed(&good, layout::FLAGS_AT, &[6 | flag])),
            Invalid::Flags
        );
    }
    assert_eq!(
        why(changed(&good, layout::RESERVED_AT, &[1])),
        Invalid::Flags
    );
    for codec in [3, 128, 255] {
        assert_eq!(
            why(changed(&good, layout::CODEC_AT, &[codec])),
            Invalid::Codec
        );
    }
    assert_eq!(
        why(changed(&good, layout::COMPRESSION_AT, &[2])),
        Invalid::Compression
    );
    for len in [0, 4, 6, u32::MAX] {
        assert_eq!(
            why(changed(&good, layout::PLAIN_LEN_AT, &len.to_le_bytes())),
            Invalid::Length
        );
    }
    for count in [0, 3, 65, 255] {
        assert_eq!(why(changed(&good, layout::FIXED, &[count])), Invalid::Tags);
    }
    assert_eq!(
        why(changed(&good, layout::FIXED + 3, &[0xFF])),
        Invalid::Tags,
        "no UTF-8"
    );
    let etag = layout::FIXED + 1 + 2 * 11;
    assert_eq!(
        why(changed(&good, etag, &[0xFF])),
        Invalid::Etag,
        "beyond the end"
    );
    assert_eq!(
        why(changed(&good, etag + 2, &[0xFF])),
        Invalid::Etag,
        "no UTF-8"
    );
}

#[test]
fn an_answer_to_another_question_is_noticed() {
    let envelope = Envelope::decode(sample(b"value", NEVER)).expect("decodes");
    let (key, other) = (key_hash(b"key"), key_hash(b"another key"));
    assert_eq!(
        envelope.check(key, Codec::MessagePack, |schema| schema == 3),
        Ok(())
    );
    assert_eq!(
        envelope.check(other, Codec::MessagePack, |_| true),
        Err(Invalid::KeyHash)
    );
    assert_eq!(
        envelope.check(key, Codec::Json, |_| true),
        Err(Invalid::Codec)
    );
    assert_eq!(
        envelope.check(key, Codec::MessagePack, |_| false),
        Err(Invalid::Schema)
    );
}

#[test]
fn caps_are_kept_on_both_sides() {
    let header = *Envelope::decode(sample(b"", NEVER))
        .expect("decodes")
        .header();
    let encode = |tags: &[(&str, u64)], etag_len: Option<usize>| {
        let etag = etag_len.map(|len| "e".repeat(len));
        encode(&header, tags, etag.as_deref(), b"v", NEVER)
    };
    let (long, longer) = ("t".repeat(MAX_TAG_BYTES), "t".repeat(MAX_TAG_BYTES + 1));
    let full = encode(&vec![(long.as_str(), 1); MAX_TAGS], Some(1024)).expect("fits");
    let envelope = Envelope::decode(full).expect("fits");
    assert_eq!(
        (envelope.tags().count(), envelope.etag().map(str::len)),
        (MAX_TAGS, Some(1024))
    );
    assert_eq!(
        encode(&[("t", 1); MAX_TAGS + 1], None),
        Err(TooLarge::Tags(65))
    );
    assert_eq!(encode(&[("t", 1); 256], None), Err(TooLarge::Tags(256)));
    assert_eq!(encode(&[(&longer, 1)], None), Err(TooLarge::Tag(257)));
    let etag = encode(&[], Some(1025)).expect_err("too long");
    assert_eq!(etag.to_string(), "an etag takes 1025 bytes, more than 1024");
    assert!(encode(&[], Some(70_000)).is_err());

    // What the encoder refuses, the decoder does not take from others.
    let small = encode(&[("t", 1)], Some(1)).expect("fits");
    let (tag, etag, payload) = (layout::FIXED + 1, layout::FIXED + 12, layout::FIXED + 15);
    let text = |len: u16| [&len.to_le_bytes()[..], &vec![b't'; len.into()]].concat();
    let longer = [&small[..tag], &text(257), &small[tag + 3..]].concat();
    assert_eq!(why(changed(&longer.into(), 0, &[])), Invalid::Tags);
    let longer = [&small[..etag], &text(1025), &small[payload..]].concat();
    assert_eq!(why(changed(&longer.into(), 0, &[])), Invalid::Etag);
    let longest = [&small[..etag], &text(1024), &small[payload..]].concat();
    Envelope::decode(changed(&longest.into(), 0, &[])).expect("fits");
}

#[test]
fn values_are_compressed_where_it_pays() {
    let text = b"the same again, ".repeat(100);
    let noise: Vec<u8> = {
        let mut random = fastrand::Rng::with_seed(7);
        (0..text.len()).map(|_| random.u8(..)).collect()
    };
    let len = |plain: &[u8], above| sample(plain, above).len() - sample(b"", NEVER).len();
    assert!(len(&text, COMPRESS_ABOVE) < text.len() / 10);
    assert_eq!(
        len(&text, text.len()),
        text.len(),
        "not above the threshold"
    );
    assert_eq!(
        len(&noise, COMPRESS_ABOVE),
        noise.len(),
        "it would save nothing"
    );
    // Noise with a tenth that repeats saves less than a tenth, with a fifth more.
    for (repeated, compressed) in [(10, false), (5, true)] {
        let plain = [&noise[..], &vec![0; noise.len() / repeated]].concat();
        assert_eq!(len(&plain, 0) < plain.len(), compressed, "{repeated}");
    }
}

#[test]
fn bombs_are_refused() {
    let bomb = vec![0; 10 << 20];
    let good = sample(&bomb, COMPRESS_ABOVE);
    assert!(good.len() < 64 << 10, "a bomb");
    let envelope = Envelope::decode(good.clone()).expect("decodes");
    assert_eq!(
        envelope.plain(1 << 20),
        Err(Invalid::TooLarge),
        "refused by its declared length"
    );
    assert_eq!(
        envelope.plain(10 << 20).expect("within the cap").len(),
        bomb.len()
    );
    for lie in [0_u32, 1, 1 << 20, (10 << 20) - 1, (10 << 20) + 1, u32::MAX] {
        let lying = changed(&good, layout::PLAIN_LEN_AT, &lie.to_le_bytes());
        let lying = Envelope::decode(lying).expect("the envelope itself is well formed");
        assert_eq!(lying.plain(NEVER), Err(Invalid::Length), "{lie}");
    }
    // More than there can be is not even asked of the allocator, which would end the process.
    assert_eq!(
        compress::decompress(&[0; 100], 1 << 60),
        Err(Invalid::Length)
    );
}

#[test]
fn a_value_is_a_slice_of_its_envelope() {
    let bytes = sample(b"value", NEVER);
    let range = bytes.as_ptr_range();
    let plain = Envelope::decode(bytes)
        .expect("decodes")
        .plain(5)
        .expect("the value");
    assert!(range.contains(&plain.as_ptr()));
}
