use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde_json::{Error, Map, Value};

/// How deep an example goes into types that contain themselves.
const DEPTH: usize = 6;

/// An example of the JSON that `T` decodes from, found by asking its `Deserialize` what it wants:
/// every field, each with a plain value of its type. What a type checks beyond its shape is not
/// known here, so the example need not be valid.
pub(crate) fn of<T: for<'de> serde::Deserialize<'de>>() -> Option<String> {
    let mut found = Value::Null;
    // Whether `T` likes the values matters less than what it asked for.
    let decoded = T::deserialize(Asked {
        found: &mut found,
        depth: 0,
    });
    match (decoded, &found) {
        (Err(_), Value::Null) => None,
        _ => Some(found.to_string()),
    }
}

/// A deserializer that notes what is asked of it.
struct Asked<'a> {
    found: &'a mut Value,
    depth: usize,
}

impl Asked<'_> {
    fn is_deep(&self) -> bool {
        self.depth >= DEPTH
    }
}

macro_rules! plain {
    ($($method:ident $visit:ident $value:expr;)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            *self.found = $value.into();
            visitor.$visit($value)
        })+
    };
}

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Error;

    plain! {
        deserialize_bool visit_bool true;
        deserialize_i8 visit_i8 1_i8;
        deserialize_i16 visit_i16 1_i16;
        deserialize_i32 visit_i32 1_i32;
        deserialize_i64 visit_i64 1_i64;
        deserialize_u8 visit_u8 1_u8;
        deserialize_u16 visit_u16 1_u16;
        deserialize_u32 visit_u32 1_u32;
        deserialize_u64 visit_u64 1_u64;
        deserialize_f32 visit_f32 1.5_f32;
        deserialize_f64 visit_f64 1.5_f64;
        deserialize_str visit_str "text";
        deserialize_string visit_str "text";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.found = Value::Object(Map::new());
        visitor.visit_map(Fields {
            found: self.found,
            names: &[],
            depth: self.depth,
        })
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.found = "x".into();
        visitor.visit_char('x')
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_deep() {
            return visitor.visit_none();
        }
        visitor.visit_some(Asked {
            found: self.found,
            depth: self.depth + 1,
        })
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let left = usize::from(!self.is_deep());
        elements(self, left, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        elements(self, len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        elements(self, len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.found = Value::Object(Map::new());
        visitor.visit_map(Fields {
            found: self.found,
            names: &[],
            depth: self.depth,
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.found = Value::Object(Map::new());
        if self.depth > DEPTH {
            return Err(Error::custom("a type that contains itself"));
        }
        visitor.visit_map(Fields {
            found: self.found,
            names: fields,
            depth: self.depth,
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let Some(variant) = variants.first() else {
            return Err(Error::custom("an enum without variants"));
        };
        visitor.visit_enum(Choice {
            asked: self,
            variant,
        })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}

fn elements<'de, V: Visitor<'de>>(
    asked: Asked<'_>,
    left: usize,
    visitor: V,
) -> Result<V::Value, Error> {
    if asked.depth > DEPTH {
        return Err(Error::custom("a type that contains itself"));
    }
    *asked.found = Value::Array(Vec::new());
    visitor.visit_seq(Elements {
        found: asked.found,
        left,
        depth: asked.depth,
    })
}

struct Elements<'a> {
    found: &'a mut Value,
    left: usize,
    depth: usize,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut element = Value::Null;
        let decoded = seed.deserialize(Asked {
            found: &mut element,
            depth: self.depth + 1,
        });
        if let Value::Array(elements) = self.found {
            elements.push(element);
        }
        decoded.map(Some)
    }
}

struct Fields<'a> {
    found: &'a mut Value,
    names: &'static [&'static str],
    depth: usize,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let Some(name) = self.names.first() else {
            return Ok(None);
        };
        let name: StrDeserializer<'_, Error> = (*name).into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let Some((name, rest)) = self.names.split_first() else {
            return Err(Error::custom("no more fields"));
        };
        self.names = rest;
        let mut value = Value::Null;
        let decoded = seed.deserialize(Asked {
            found: &mut value,
            depth: self.depth + 1,
        });
        let decoded = match decoded {
            Ok(decoded) => decoded,
            Err(error) => {
                // The other fields are still worth showing.
                let rest = std::mem::take(&mut self.names);
                if let Value::Object(fields) = self.found {
                    fields.insert((*name).to_owned(), value);
                    fields.extend(rest.iter().map(|name| ((*name).to_owned(), Value::Null)));
                }
                return Err(error);
            }
        };
        if let Value::Object(fields) = self.found {
            fields.insert((*name).to_owned(), value);
        }
        Ok(decoded)
    }
}

/// The first variant of an enum: `"name"`, or `{"name": content}`.
struct Choice<'a> {
    asked: Asked<'a>,
    variant: &'static str,
}

impl<'a, 'de> EnumAccess<'de> for Choice<'a> {
    type Error = Error;
    type Variant = Content<'a>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Content<'a>), Error> {
        let name: StrDeserializer<'_, Error> = self.variant.into_deserializer();
        let value = seed.deserialize(name)?;
        Ok((
            value,
            Content {
                asked: self.asked,
                variant: self.variant,
            },
        ))
    }
}

struct Content<'a> {
    asked: Asked<'a>,
    variant: &'static str,
}

impl Content<'_> {
    fn with<T>(self, decode: impl FnOnce(Asked<'_>) -> Result<T, Error>) -> Result<T, Error> {
        if self.asked.depth > DEPTH {
            return Err(Error::custom("a type that contains itself"));
        }
        let mut content = Value::Null;
        let decoded = decode(Asked {
            found: &mut content,
            depth: self.asked.depth + 1,
        });
        *self.asked.found = Value::Object(Map::from_iter([(self.variant.to_owned(), content)]));
        decoded
    }
}

impl<'de> VariantAccess<'de> for Content<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        *self.asked.found = self.variant.into();
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        self.with(|asked| seed.deserialize(asked))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        self.with(|asked| asked.deserialize_tuple(len, visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.with(|asked| asked.deserialize_struct("", fields, visitor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "only its shape is looked at")]
    struct Order {
        id: u64,
        customer: Customer,
        lines: Vec<(String, f64)>,
        note: Option<String>,
        status: Status,
        labels: BTreeMap<String, String>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    #[allow(dead_code, reason = "only its shape is looked at")]
    struct Customer {
        given_name: String,
        #[serde(default)]
        friends: Vec<Customer>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Status {
        Open,
    }

    #[test]
    fn shows_every_field_with_a_value_that_decodes() {
        let example = of::<Order>().expect("an example");
        assert!(
            example.starts_with(r#"{"customer":{"friends":[{"#),
            "{example}"
        );
        assert!(example.contains(r#""lines":[["text",1.5]],"note":"text","status":"open""#));
        serde_json::from_str::<Order>(&example)
            .unwrap_or_else(|error| panic!("{error}: {example}"));
    }

    #[test]
    fn shows_what_it_can_of_types_that_check_more() {
        #[derive(Debug)]
        struct Even;
        impl<'de> Deserialize<'de> for Even {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                match u32::deserialize(deserializer)? % 2 {
                    0 => Ok(Self),
                    _ => Err(serde::de::Error::custom("odd")),
                }
            }
        }
        #[derive(Debug, Deserialize)]
        #[allow(dead_code, reason = "only its shape is looked at")]
        struct Checked {
            even: Even,
            other: u8,
        }
        assert_eq!(
            of::<Checked>().as_deref(),
            Some(r#"{"even":1,"other":null}"#)
        );
        assert_eq!(of::<()>().as_deref(), Some("null"));
        assert_eq!(of::<Value>().as_deref(), Some("{}"));
        assert_eq!(of::<String>().as_deref(), Some("\"text\""));
    }
}
