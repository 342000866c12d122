use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    Deserialize, Deserializer, EnumAccess, Error as _, IntoDeserializer, Unexpected, VariantAccess,
    Visitor,
};
use serde_json::{Error, Value};

/// Values of which some are only known as text, such as query and path parameters or environment
/// variables: text is read as whatever type the target's field has.
///
/// Text becomes a number or a boolean where one is asked for, one element where a list is asked
/// for, and stays text where text or anything is asked for. Error messages never show the text.
#[derive(Clone, Debug)]
pub enum Loose {
    /// A value of a known type.
    Json(Value),
    /// Text of an unknown type.
    Text(String),
    /// Several values of one name: a list, or the last one where no list is asked for.
    List(Vec<Loose>),
    /// Named values.
    Map(Vec<(String, Loose)>),
}

impl Loose {
    /// Decodes the value; an error names the path to the field in question.
    ///
    /// # Errors
    ///
    /// The path (empty for the value itself) and what is wrong there.
    pub fn decode<T: for<'de> Deserialize<'de>>(self) -> Result<T, (String, Error)> {
        serde_path_to_error::deserialize(self).map_err(|error| {
            let path = match error.path().to_string() {
                root if root == "." || root == "?" => String::new(),
                path => path,
            };
            (path, error.into_inner())
        })
    }

    /// The one value that counts where no list is asked for.
    fn single(self) -> Self {
        match self {
            Self::List(mut values) => values.pop().map_or(Self::Json(Value::Null), Self::single),
            other => other,
        }
    }
}

impl IntoDeserializer<'_, Error> for Loose {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident $type:ty;)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.single() {
                Self::Text(text) => match text.parse::<$type>() {
                    Ok(value) => visitor.$visit(value),
                    Err(_) => Err(Error::invalid_type(Unexpected::Other("text"), &visitor)),
                },
                Self::Json(value) => value.$method(visitor),
                other => other.deserialize_any(visitor),
            }
        })+
    };
}

macro_rules! textual {
    ($($method:ident)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.single() {
                Self::Json(value) => value.$method(visitor),
                other => other.deserialize_any(visitor),
            }
        })+
    };
}

impl<'de> Deserializer<'de> for Loose {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Json(value) => value.deserialize_any(visitor),
            Self::Text(text) => visitor.visit_string(text),
            Self::List(mut values) if values.len() == 1 => match values.pop() {
                Some(value) => value.deserialize_any(visitor),
                None => visitor.visit_unit(),
            },
            Self::List(values) => visitor.visit_seq(SeqDeserializer::new(values.into_iter())),
            Self::Map(fields) => visitor.visit_map(MapDeserializer::new(fields.into_iter())),
        }
    }

    parsed! {
        deserialize_bool visit_bool bool;
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
        deserialize_i128 visit_i128 i128;
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
        deserialize_u128 visit_u128 u128;
        deserialize_f32 visit_f32 f32;
        deserialize_f64 visit_f64 f64;
        deserialize_char visit_char char;
    }

    textual! {
        deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
        deserialize_identifier deserialize_ignored_any deserialize_map
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Json(Value::Null) => visitor.visit_none(),
            other => visitor.visit_some(other),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.single() {
            Self::Text(text) if text.is_empty() => visitor.visit_unit(),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Json(value) => value.deserialize_seq(visitor),
            Self::List(values) => visitor.visit_seq(SeqDeserializer::new(values.into_iter())),
            Self::Text(_) => visitor.visit_seq(SeqDeserializer::new(std::iter::once(self))),
            Self::Map(_) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.single() {
            Self::Json(value) => value.deserialize_enum(name, variants, visitor),
            Self::Text(text) => visitor.visit_enum(text.into_deserializer()),
            Self::Map(mut fields) if fields.len() == 1 => match fields.pop() {
                Some((variant, content)) => visitor.visit_enum(Variant { variant, content }),
                None => Err(Error::custom("expected a variant")),
            },
            other => other.deserialize_any(visitor),
        }
    }
}

/// One variant and its content, as `{variant: content}`.
struct Variant {
    variant: String,
    content: Loose,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Error;
    type Variant = Loose;

    fn variant_seed<S: serde::de::DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Loose), Error> {
        let variant: serde::de::value::StringDeserializer<Error> = self.variant.into_deserializer();
        Ok((seed.deserialize(variant)?, self.content))
    }
}

impl<'de> VariantAccess<'de> for Loose {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Deserialize::deserialize(self)
    }

    fn newtype_variant_seed<S: serde::de::DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<S::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Size {
        Small,
        Custom(u32),
        Named { of: u8 },
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Wrapped(u16);

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Target {
        name: String,
        port: Wrapped,
        ratio: Option<f64>,
        on: bool,
        size: Size,
        tags: Vec<u8>,
        missing: Option<String>,
    }

    fn text(text: &str) -> Loose {
        Loose::Text(text.to_owned())
    }

    fn map(fields: Vec<(&str, Loose)>) -> Loose {
        Loose::Map(
            fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    }

    #[test]
    fn text_takes_the_type_of_its_field() {
        let loose = map(vec![
            ("name", text("8080")),
            ("port", text("8080")),
            ("ratio", text("0.5")),
            ("on", text("true")),
            ("size", text("small")),
            ("tags", Loose::List(vec![text("1"), text("2")])),
            ("unknown", text("is ignored")),
        ]);
        let target: Target = loose.decode().expect("it fits");
        assert_eq!(
            target,
            Target {
                name: "8080".to_owned(),
                port: Wrapped(8080),
                ratio: Some(0.5),
                on: true,
                size: Size::Small,
                tags: vec![1, 2],
                missing: None,
            }
        );
    }

    #[test]
    fn the_last_of_several_counts_and_json_stays_json() {
        let last: u8 = Loose::List(vec![text("1"), text("2")])
            .decode()
            .expect("a number");
        assert_eq!(last, 2);
        let size: Size = Loose::Json(json!({"custom": 7}))
            .decode()
            .expect("a variant");
        assert_eq!(size, Size::Custom(7));
        let size: Size = map(vec![("named", map(vec![("of", text("3"))]))])
            .decode()
            .expect("one");
        assert_eq!(size, Size::Named { of: 3 });
        let one: Vec<bool> = text("true").decode().expect("a list of one");
        assert_eq!(one, [true]);
        let any: Value = map(vec![("a", text("1"))]).decode().expect("anything");
        assert_eq!(any, json!({"a": "1"}));
    }

    #[test]
    fn errors_name_the_path_and_not_the_text() {
        #[derive(Debug, serde::Deserialize)]
        #[allow(dead_code, reason = "only its decoding fails")]
        struct Outer {
            inner: Vec<Wrapped>,
        }
        let loose = map(vec![(
            "inner",
            Loose::List(vec![text("1"), text("s3cret")]),
        )]);
        let (path, error) = loose.decode::<Outer>().expect_err("no number");
        assert_eq!(path, "inner[1]");
        assert!(!error.to_string().contains("s3cret") && error.to_string().contains("u16"));
    }

    proptest! {
        #[test]
        fn json_decodes_as_json_does(number in any::<i64>(), word in ".*", flags in any::<Vec<bool>>()) {
            let value = json!({"number": number, "word": word, "flags": flags, "none": null});
            let decoded: Value = Loose::Json(value.clone()).decode().expect("JSON");
            prop_assert_eq!(decoded, value);
        }

        #[test]
        fn any_text_gives_a_value_or_an_error(word in ".*") {
            let _ = Loose::Text(word.clone()).decode::<u64>();
            let _ = Loose::Text(word.clone()).decode::<Target>();
            prop_assert_eq!(Loose::Text(word.clone()).decode::<String>().expect("text"), word);
        }
    }
}
