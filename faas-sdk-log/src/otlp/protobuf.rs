//! The little of protobuf that a receiver's answers need: texts and numbers of known members.

/// The value of a member.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The members of a message, with their numbers. Ends where the message is damaged; members of
/// fixed width are passed over.
pub(super) fn members(message: &[u8]) -> impl Iterator<Item = (u64, Value<'_>)> {
    let mut rest = message;
    std::iter::from_fn(move || {
        loop {
            let tag = varint(&mut rest)?;
            let value = match tag & 7 {
                0 => Value::Number(varint(&mut rest)?),
                2 => {
                    let length = usize::try_from(varint(&mut rest)?).ok()?;
                    Value::Bytes(take(&mut rest, length)?)
                }
                1 | 5 => {
                    take(&mut rest, if tag & 7 == 1 { 8 } else { 4 })?;
                    continue;
                }
                _ => return None,
            };
            return Some((tag >> 3, value));
        }
    })
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(taken)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 0..10 {
        let byte = *take(rest, 1)?.first()?;
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn members_of_all_kinds() {
        let message = [
            0x08, 0x96, 0x01, // 1: 150
            0x12, 0x02, b'h', b'i', // 2: "hi"
            0x1d, 1, 2, 3, 4, // 3: fixed 32
            0x21, 1, 2, 3, 4, 5, 6, 7, 8, // 4: fixed 64
            0x28, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, // 5: -1
        ];
        let found: Vec<_> = members(&message).collect();
        let expected = [
            (1, Value::Number(150)),
            (2, Value::Bytes(b"hi")),
            (5, Value::Number(u64::MAX)),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn damage_ends_a_message() {
        for message in [
            &[0x08][..],
            &[0x12, 0x05, b'x'],
            &[0x0b],
            &[0x1d, 1],
            &[0xff; 11],
        ] {
            assert_eq!(members(message).next(), None, "{message:?}");
        }
    }

    proptest! {
        #[test]
        fn anything_goes(message: Vec<u8>) {
            members(&message).count();
        }
    }
}
