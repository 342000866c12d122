//! Which keys hold secrets.

/// Written in place of a secret.
pub(crate) const REDACTED: &str = "[redacted]";

/// Decides by the key whether a value is written.
///
/// A key is split into words at everything but ASCII letters and digits, behind digits, and where
/// camel case starts a new word. It matches if one or several of its words in a row, run together and with ASCII case
/// ignored, are on the list, also with an `s` or digits behind. So `api_key` on the list matches
/// `X-Api-Key`, `userApiKeys`, `APIKey2` and `apikey`, but not `myapikey`; and `card` matches
/// `card_no`, but neither `discard` nor `cardinal`.
///
/// The standard list:
///
/// * `authorization`, `authorisation`, `bearer`, `jwt`, `token` and, for keys without separators,
///   `access_token`, `auth_token`, `bearer_token`, `id_token`, `refresh_token`, `session_token`;
/// * `password`, `passwd`, `pwd`, `passphrase`, `passcode`, `otp`, `pin`, `pin_code`;
/// * `secret`, `client_secret`, `credential`, `connection_string`;
/// * `api_key`, `access_key`, `access_key_id`, `encryption_key`, `private_key`, `secret_key`,
///   `signing_key`;
/// * `cookie`, `set_cookie`, `session_id`;
/// * `card`, `card_no`, `card_number`, `credit_card`, `cvc`, `cvv`, `iban`;
/// * `id_card`, `id_no`, `id_number`, `passport`, `passport_no`, `ssn`;
/// * `phone`, `phone_no`, `phone_number`, `mobile`.
///
/// Not on it, as they mostly name something else: `auth`, `key`, `pass`, `session`, `signature`.
#[derive(Clone, Debug)]
pub(crate) struct Redact {
    /// In lower case and without separators, as are `except`.
    with: Vec<Box<str>>,
    except: Vec<Box<str>>,
}

impl Redact {
    /// With the standard list.
    pub(crate) const fn standard() -> Self {
        Self {
            with: Vec::new(),
            except: Vec::new(),
        }
    }

    /// Adds a key to the list. A key without ASCII letters or digits is ignored.
    pub(crate) fn with(&mut self, key: &str) {
        add(&mut self.with, key);
    }

    /// Never matches exactly this key, however it is separated and in whatever case.
    pub(crate) fn except(&mut self, key: &str) {
        add(&mut self.except, key);
    }

    /// Whether the value of `key` is a secret.
    pub(crate) fn matches(&self, key: &str) -> bool {
        let bytes = key.as_bytes();
        let mut before = b' ';
        let found = bytes.iter().enumerate().any(|(at, &byte)| {
            let rest = bytes.get(at..).unwrap_or_default();
            let starts = starts_word(std::mem::replace(&mut before, byte), rest);
            starts && self.matches_from(bytes, at)
        });
        found && !self.except.iter().any(|entry| is_whole(bytes, entry))
    }

    fn matches_from(&self, key: &[u8], start: usize) -> bool {
        let mut letters = letters(key.get(start..).unwrap_or_default());
        let (first, second) = (letters.next(), letters.next());
        // Sorts out nearly all entries without a call.
        let may_match = |entry: &str| entry.as_bytes().get(1).copied() == second;
        standard(first.unwrap_or(0))
            .iter()
            .any(|entry| may_match(entry) && is_listed(key, start, entry))
            || self.with.iter().any(|entry| is_listed(key, start, entry))
    }
}

impl Default for Redact {
    fn default() -> Self {
        Self::standard()
    }
}

/// The standard entries with this first letter, without their separators.
const fn standard(first: u8) -> &'static [&'static str] {
    match first {
        b'a' => &[
            "accesskey",
            "accesskeyid",
            "accesstoken",
            "apikey",
            "authorisation",
            "authorization",
            "authtoken",
        ],
        b'b' => &["bearer", "bearertoken"],
        b'c' => &[
            "card",
            "cardno",
            "cardnumber",
            "clientsecret",
            "connectionstring",
            "cookie",
            "credential",
            "creditcard",
            "cvc",
            "cvv",
        ],
        b'e' => &["encryptionkey"],
        b'i' => &["iban", "idcard", "idno", "idnumber", "idtoken"],
        b'j' => &["jwt"],
        b'm' => &["mobile"],
        b'o' => &["otp"],
        b'p' => &[
            "passcode",
            "passphrase",
            "passport",
            "passportno",
            "passwd",
            "password",
            "phone",
            "phoneno",
            "phonenumber",
            "pin",
            "pincode",
            "privatekey",
            "pwd",
        ],
        b'r' => &["refreshtoken"],
        b's' => &[
            "secret",
            "secretkey",
            "sessionid",
            "sessiontoken",
            "setcookie",
            "signingkey",
            "ssn",
        ],
        b't' => &["token"],
        _ => &[],
    }
}

fn add(list: &mut Vec<Box<str>>, key: &str) {
    let entry: String = letters(key.as_bytes()).map(char::from).collect();
    if !entry.is_empty() {
        list.push(entry.into());
    }
}

/// What counts when keys are compared.
fn letters(key: &[u8]) -> impl Iterator<Item = u8> {
    key.iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .map(u8::to_ascii_lowercase)
}

fn is_whole(key: &[u8], entry: &str) -> bool {
    letters(key).eq(entry.bytes())
}

/// Whether a word starts at `at`. The end of the key counts as a start as well.
fn is_word_start(key: &[u8], at: usize) -> bool {
    let rest = key.get(at..).unwrap_or_default();
    let before = at.checked_sub(1).and_then(|before| key.get(before));
    rest.is_empty() || starts_word(before.copied().unwrap_or(b' '), rest)
}

/// Whether a word starts at the first byte of `rest`, given the byte before it.
fn starts_word(before: u8, rest: &[u8]) -> bool {
    let [byte, ..] = *rest else {
        return false;
    };
    match (CLASSES[usize::from(before)], CLASSES[usize::from(byte)]) {
        (_, Class::Other) => false,
        (Class::Other, _) => true,
        (_, Class::Digit) => false,
        (Class::Digit, _) => true,
        // `userName`
        (Class::Lower, Class::Upper) => true,
        // `HTTPServer`
        (Class::Upper, Class::Upper) => rest.get(1).is_some_and(u8::is_ascii_lowercase),
        (_, Class::Lower) => false,
    }
}

#[derive(Clone, Copy)]
enum Class {
    Lower,
    Upper,
    Digit,
    /// Separates words.
    Other,
}

const CLASSES: [Class; 256] = {
    let mut table = [Class::Other; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = match byte as u8 {
            b'a'..=b'z' => Class::Lower,
            b'A'..=b'Z' => Class::Upper,
            b'0'..=b'9' => Class::Digit,
            _ => Class::Other,
        };
        byte += 1;
    }
    table
};

/// Whether the words of `key` from `start` on begin with `entry`.
fn is_listed(key: &[u8], start: usize, entry: &str) -> bool {
    let mut at = start;
    for expected in entry.bytes() {
        while key
            .get(at)
            .is_some_and(|byte| !byte.is_ascii_alphanumeric())
        {
            at += 1;
        }
        if key
            .get(at)
            .is_none_or(|byte| byte.to_ascii_lowercase() != expected)
        {
            return false;
        }
        at += 1;
    }
    if ends_word(key, at) {
        return true;
    }
    let plural = key
        .get(at)
        .is_some_and(|byte| byte.eq_ignore_ascii_case(&b's'));
    plural && ends_word(key, at + 1)
}

/// Whether a word ends before `at`, or has only digits from there on.
fn ends_word(key: &[u8], at: usize) -> bool {
    let rest = key.get(at..).unwrap_or_default();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let end = at + digits;
    key.get(end)
        .is_none_or(|byte| !byte.is_ascii_alphanumeric())
        || is_word_start(key, end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn secrets() {
        let redact = Redact::standard();
        for key in [
            "password",
            "Password",
            "DB_PASSWORD",
            "dbPassword",
            "DBPassword",
            "passWord",
            "password2",
            "old-passwords",
            "user[password]",
            "http.request.header.authorization",
            "Proxy-Authorization",
            "Set-Cookie",
            "setCookie",
            "cookies",
            "x-api-key",
            "apiKey",
            "APIKey",
            "apikey",
            "API_KEYS",
            "user.api key",
            "access_key",
            "accessKeyId",
            "accesskeyid",
            "AWS_SECRET_ACCESS_KEY",
            "privateKey",
            "token",
            "id_token",
            "oauth2token",
            "refreshToken",
            "refreshtoken",
            "JWT",
            "JWTs",
            "bearer",
            "card_no",
            "cardNo",
            "card",
            "cvv",
            "cvc2",
            "iban",
            "ssn",
            "id_no",
            "idNo",
            "id_card",
            "passport",
            "phone",
            "phone_number",
            "mobile",
            "otp",
            "pin",
            "session_id",
            "sessionId",
            "client_credentials",
            "pässword.token",
            "用户password",
        ] {
            assert!(redact.matches(key), "{key}");
        }
    }

    #[test]
    fn others() {
        let redact = Redact::standard();
        for key in [
            "",
            "_",
            "discard",
            "cardinal",
            "cardinality",
            "tokenizer",
            "tokenized",
            "phonetic",
            "headphones",
            "author",
            "auth",
            "authority",
            "secretary",
            "passwordless",
            "myapikey",
            "api",
            "key",
            "api_version_key",
            "id",
            "no",
            "valid_no",
            "id_note",
            "keyboard",
            "access",
            "monkey",
            "spin",
            "pinned",
            "opinion",
            "ssna",
            "automobile",
            "session",
            "cookiecutter",
            "message",
            "ÿ",
            "userId",
            "passes",
        ] {
            assert!(!redact.matches(key), "{key}");
        }
    }

    #[test]
    fn own_keys() {
        let mut redact = Redact::standard();
        redact.with("Customer-Name");
        redact.with("pass");
        redact.with("--");
        redact.except("max_tokens");
        for key in [
            "customerName",
            "customer_name",
            "the customername",
            "db_pass",
            "tokens",
        ] {
            assert!(redact.matches(key), "{key}");
        }
        for key in [
            "customer",
            "name",
            "bypass",
            "max_tokens",
            "maxTokens",
            "MAX-TOKENS",
            "",
        ] {
            assert!(!redact.matches(key), "{key}");
        }
        assert!(redact.matches("max_tokens_password"));
        redact.except("customer_name");
        assert!(!redact.matches("customer_name"));
        assert!(redact.matches("customer_names"));
    }

    #[test]
    fn entries_stand_under_their_first_letter() {
        for first in 0..=u8::MAX {
            for entry in standard(first) {
                assert_eq!(entry.as_bytes().first(), Some(&first));
                assert!(entry.bytes().all(|byte| byte.is_ascii_lowercase()));
                assert!(Redact::standard().matches(entry));
            }
        }
    }

    proptest! {
        #[test]
        fn any_key(key: String, own: String) {
            let mut redact = Redact::standard();
            let before = redact.matches(&key);
            redact.with(&own);
            prop_assert!(redact.matches(&key) || !before);
            prop_assert!(redact.matches(&own) || letters(own.as_bytes()).next().is_none());
            redact.except(&key);
            prop_assert!(!redact.matches(&key) || letters(key.as_bytes()).next().is_none());
        }

        #[test]
        fn separators_and_case_do_not_matter(
            start in "([a-z]{1,5}_)?",
            end in "([_.-][a-z]{1,5})?",
            separator in "[_. -]",
            upper: bool,
        ) {
            let key = format!("{start}private{separator}key{end}");
            let key = if upper { key.to_uppercase() } else { key };
            prop_assert!(Redact::standard().matches(&key));
        }
    }
}
