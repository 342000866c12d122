//! Values of every kind serde knows.

use std::fmt::Display;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{
    compound::Compound,
    writer::{Stopped, Writer},
};
use crate::encode;

const ARRAY: [char; 2] = ['[', ']'];
const OBJECT: [char; 2] = ['{', '}'];

macro_rules! numbers {
    ($($method:ident $type:ty => $write:ident),+ $(,)?) => {$(
        fn $method(self, value: $type) -> Result<(), Stopped> {
            encode::$write(self.out, value.into());
            Ok(())
        }
    )+};
}

impl<'w, 'a> Serializer for &'w mut Writer<'a> {
    type Ok = ();
    type Error = Stopped;
    type SerializeSeq = Compound<'w, 'a>;
    type SerializeTuple = Compound<'w, 'a>;
    type SerializeTupleStruct = Compound<'w, 'a>;
    type SerializeTupleVariant = Compound<'w, 'a>;
    type SerializeMap = Compound<'w, 'a>;
    type SerializeStruct = Compound<'w, 'a>;
    type SerializeStructVariant = Compound<'w, 'a>;

    numbers! {
        serialize_i8 i8 => i64,
        serialize_i16 i16 => i64,
        serialize_i32 i32 => i64,
        serialize_u8 u8 => u64,
        serialize_u16 u16 => u64,
        serialize_u32 u32 => u64,
    }

    fn serialize_bool(self, value: bool) -> Result<(), Stopped> {
        encode::bool(self.out, value);
        Ok(())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Stopped> {
        encode::i64(self.out, value);
        Ok(())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Stopped> {
        encode::u64(self.out, value);
        Ok(())
    }

    fn serialize_i128(self, value: i128) -> Result<(), Stopped> {
        encode::i128(self.out, value);
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result<(), Stopped> {
        encode::u128(self.out, value);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Stopped> {
        encode::f32(self.out, value);
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Stopped> {
        encode::f64(self.out, value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Stopped> {
        self.text(value.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), Stopped> {
        self.text(value);
        Ok(())
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Stopped> {
        let cap = self.cap();
        let value = format_args!("{value}");
        self.removed += encode::formatted(self.out, &mut self.scratch, value, cap);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Stopped> {
        let cap = self.cap();
        self.removed += encode::base64(self.out, value, cap);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Stopped> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Stopped> {
        self.inner(value)
    }

    fn serialize_unit(self) -> Result<(), Stopped> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Stopped> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Stopped> {
        self.text(variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Stopped> {
        self.inner(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Stopped> {
        let mut object = Compound::new(self, OBJECT, Some(1));
        object.serialize_field(variant, value)?;
        SerializeStruct::end(object)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Compound<'w, 'a>, Stopped> {
        Ok(Compound::new(self, ARRAY, len))
    }

    fn serialize_tuple(self, len: usize) -> Result<Compound<'w, 'a>, Stopped> {
        Ok(Compound::new(self, ARRAY, Some(len)))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        len: usize,
    ) -> Result<Compound<'w, 'a>, Stopped> {
        Ok(Compound::new(self, ARRAY, Some(len)))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Compound<'w, 'a>, Stopped> {
        Ok(Compound::variant(self, variant, ARRAY, len))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Compound<'w, 'a>, Stopped> {
        Ok(Compound::new(self, OBJECT, len))
    }

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Compound<'w, 'a>, Stopped> {
        Ok(Compound::new(self, OBJECT, Some(len)))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Compound<'w, 'a>, Stopped> {
        Ok(Compound::variant(self, variant, OBJECT, len))
    }
}
