//! YAML streams of Kubernetes objects: what helm prints is read, what `k8s-ee render` shows is written.

use serde_json::Value;

/// Text that is not YAML, or a document that YAML cannot carry.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct YamlError(String);

/// Reads a stream of documents; empty ones are left out.
///
/// # Errors
/// When the text is not YAML.
pub fn read_stream(text: &str) -> Result<Vec<Value>, YamlError> {
    let options = serde_saphyr::options! {
        // As Kubernetes reads it: `yes` and `on` are words.
        strict_booleans: true,
    };
    let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options)
        .map_err(|error| YamlError(error.to_string()))?;
    Ok(documents.into_iter().filter(|d| !d.is_null()).collect())
}

/// Writes documents as a stream that Kubernetes' own tools read back unchanged.
///
/// # Errors
/// When a document cannot be written, which no JSON document is known to cause.
pub fn write_stream<'a>(
    documents: impl IntoIterator<Item = &'a Value>,
) -> Result<String, YamlError> {
    let mut text = String::new();
    for document in documents {
        text.push_str("---\n");
        // Folded scalars depend on white space that editors strip; quoted ones do not.
        let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
        let one = serde_saphyr::to_string_with_options(document, options)
            .map_err(|error| YamlError(error.to_string()))?;
        text.push_str(&one);
        if !text.ends_with('\n') {
            text.push('\n');
        }
    }
    Ok(text)
}

/// A document as JSON that a YAML reader takes as the same document: YAML folds some characters that JSON leaves as they
/// are (the line ends of Unicode), and refuses others.
#[must_use]
pub fn as_json(document: &Value) -> String {
    let mut text = String::new();
    for c in document.to_string().chars() {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            _ => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn words_and_numbers_keep_their_type() {
        let document = json!({"a": "yes", "b": "1e3", "c": "0x10", "d": "null", "e": "~", "f": "2024-01-01",
            "g": "1.10", "h": "", "i": " x ", "j": "a: b", "k": "#c", "l": "off", "m": true, "n": 1, "o": null,
            "p": "line\nbreak\n", "q": "012", "r": "1_000", "s": "=", "t": "<<", "u": "0o17", "v": "12:30:45", "w": "y"});
        let text = write_stream([&document]).expect("it can be written");
        assert_eq!(read_stream(&text).expect("it can be read"), [document]);
    }

    proptest! {
        #[test]
        fn json_for_yaml_readers_is_the_same_json(value in any::<String>()) {
            let document = json!({ "key": value });
            let text = as_json(&document);
            prop_assert_eq!(&serde_json::from_str::<Value>(&text).expect("JSON"), &document);
            prop_assert_eq!(read_stream(&text).expect("YAML"), [document]);
        }

        #[test]
        fn any_string_comes_back(value in any::<String>(), key in "[a-zA-Z0-9_./-]{1,20}") {
            prop_assume!(key != "<<");
            let document = json!({ key: [value.clone(), {"nested": value}] });
            let text = write_stream([&document]).expect("it can be written");
            prop_assert_eq!(read_stream(&text).expect("it can be read"), [document]);
        }
    }
}
