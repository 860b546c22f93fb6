//! JSON that a fact carries along, kept as its text: most of it is never looked at, and a tree of
//! it costs several times the text, in time and in memory. Must not know what it means.

use serde::{Deserialize, Serialize};
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};

/// JSON as it was written. Two are equal if they are written the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(Box<RawValue>);

impl Json {
    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// What it says; `None` if it is of another shape.
    #[must_use]
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_str(self.text()).ok()
    }
}

impl From<&Value> for Json {
    fn from(value: &Value) -> Self {
        Self(to_raw_value(value).expect("a value has string keys"))
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Json {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_goes_out_again_to_the_byte_and_can_be_read() {
        let text = "{\"b\": [1.50, \"\\u00e4\"],\"a\":null}";
        let json: Json = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&json).unwrap(), text);
        assert_eq!(json.read::<Value>().unwrap()["b"][1], "ä");
        assert_eq!(json.read::<Vec<u8>>(), None);
        let value: Value = json.read().unwrap();
        assert_eq!(Json::from(&value).read::<Value>(), Some(value));
    }
}
