use super::error::OtlpError;
use percent_encoding::percent_decode_str;

/// Reads `key=value,key=value` with percent-encoded values, as the standard variables have it.
pub(super) fn parse(setting: &'static str, text: &str) -> Result<Vec<(String, String)>, OtlpError> {
    let pairs = text.split(',').filter(|pair| !pair.trim().is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=')?;
            let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
            let key = key.trim();
            (!key.is_empty()).then(|| (key.to_owned(), value.into_owned()))
        })
        .collect::<Option<_>>()
        // Without the text: it may be a secret.
        .ok_or_else(|| {
            let problem = "write key=value,key=value, with values in UTF-8 and percent-encoded";
            OtlpError::new(setting, problem)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let parsed = |text| parse("LIST", text).expect("a list");
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(parsed(""), []);
        assert_eq!(
            parsed(" a = b=c ,, d=%20x%2C, "),
            [pair("a", "b=c"), pair("d", " x,")]
        );
        assert_eq!(parsed("a="), [pair("a", "")]);
    }

    #[test]
    fn what_is_no_list_is_not_repeated() {
        for text in ["secret", "=secret", "a=b,secret", "a=%ffsecret"] {
            let error = parse("LIST", text).expect_err(text);
            assert!(error.to_string().starts_with("LIST: write"), "{error}");
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
    }
}
