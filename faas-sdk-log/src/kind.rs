//! Names for kinds of errors.

use crate::encode;
use crate::rules::SHORT;
use std::error::Error;
use std::fmt::{self, Write};

/// The type of an error, and the variant, which starts its `Debug` text.
pub(crate) fn kind_of(
    error: &(dyn Error + 'static),
    type_name: Option<&'static str>,
    out: &mut Vec<u8>,
    scratch: &mut String,
) {
    scratch.clear();
    let mut name = Name {
        text: scratch,
        behind: None,
    };
    // Ends with an error where it is known whether there is a name: that is what it is for.
    let _ = write!(name, "{error:?}");
    let variant = name.variant();
    let name = type_name.map(|name| name.split('<').next().unwrap_or(name));
    match name {
        Some(name) if variant.is_empty() || name.rsplit("::").next() == Some(variant) => {
            encode::string(out, name, SHORT);
        }
        Some(name) => {
            encode::string(out, name, SHORT);
            out.pop();
            out.extend_from_slice(b"::");
            // Letters, digits and underscores.
            out.extend_from_slice(variant.as_bytes());
            out.push(b'"');
        }
        None if variant.is_empty() => out.extend_from_slice(b"\"Error\""),
        None => {
            encode::string(out, variant, SHORT);
        }
    }
}

/// Takes an ASCII identifier that starts with a capital letter, and refuses what follows it.
struct Name<'a> {
    text: &'a mut String,
    /// What was refused.
    behind: Option<Behind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behind {
    Space,
    /// What follows the name of a variant in derived text.
    Fields,
    Other,
}

impl Name<'_> {
    /// The name, unless the text is no derived one: then its first word may be anything.
    fn variant(&self) -> &str {
        match self.behind {
            None | Some(Behind::Fields) => self.text,
            Some(Behind::Space | Behind::Other) => "",
        }
    }
}

impl Write for Name<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            let fits = if self.text.is_empty() {
                letter.is_ascii_uppercase()
            } else {
                letter.is_ascii_alphanumeric() || letter == '_'
            };
            match (self.behind, letter) {
                (None, _) if fits && self.text.len() < 64 => self.text.push(letter),
                (None, ' ') => self.behind = Some(Behind::Space),
                (None, '(') | (Some(Behind::Space), '{') => self.behind = Some(Behind::Fields),
                _ => self.behind = Some(Behind::Other),
            }
            if matches!(self.behind, Some(Behind::Fields | Behind::Other)) {
                return Err(fmt::Error);
            }
        }
        Ok(())
    }
}
