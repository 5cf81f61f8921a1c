//! JSON as API v3 writes and reads it.
//!
//! Reading is strict: bytes have one reading as a message, or none. A member that occurs twice, a
//! number that is not whole where one is asked for, or a value of another type than expected makes
//! it no message. Members that nobody asks for may be anything. Texts are wiped from memory, since a
//! payment code may be among them.

use std::fmt::{self, Write as _};

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use crate::clean::clean;
use crate::gateway::LARGEST_REPLY;

/// The deepest nesting; real messages have four levels.
const DEEPEST: usize = 16;
/// Large enough for every request, so that writing leaves no copy behind.
const ROOM: usize = 4096;

/// A value that was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Whole(i64),
    /// A number that is not whole, or too large.
    Number,
    Text(Zeroizing<String>),
    List(Vec<Self>),
    Object(Object),
}

/// Members by name, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object(Vec<(String, Json)>);

/// Bytes that are no message, or a member that has another type than it should.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotAMessage;

impl Object {
    /// Reads a message: one object, and nothing behind it.
    pub fn read(bytes: &[u8]) -> Result<Self, NotAMessage> {
        if bytes.len() > LARGEST_REPLY {
            return Err(NotAMessage);
        }
        match serde_json::from_slice(bytes) {
            Ok(Json::Object(object)) if depth(&object) <= DEEPEST => Ok(object),
            _ => Err(NotAMessage),
        }
    }

    /// The names of all members, `true` if it is `null`.
    pub fn members(&self) -> impl Iterator<Item = (&str, bool)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value == Json::Null))
    }

    fn get(&self, name: &str) -> Option<&Json> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value).filter(|value| **value != Json::Null)
    }

    /// A text; `None` if it is missing or empty.
    pub fn text(&self, name: &str) -> Result<Option<&str>, NotAMessage> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(NotAMessage),
        }
    }

    /// A whole number.
    pub fn whole(&self, name: &str) -> Result<Option<i64>, NotAMessage> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::Whole(number)) => Ok(Some(*number)),
            Some(_) => Err(NotAMessage),
        }
    }

    /// An object within.
    pub fn object(&self, name: &str) -> Result<Option<&Self>, NotAMessage> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::Object(object)) => Ok(Some(object)),
            Some(_) => Err(NotAMessage),
        }
    }

    /// The objects of a list; none if it is missing.
    pub fn objects(&self, name: &str) -> Result<Vec<&Self>, NotAMessage> {
        let list = match self.get(name) {
            None => return Ok(Vec::new()),
            Some(Json::List(list)) => list,
            Some(_) => return Err(NotAMessage),
        };
        let objects = list.iter().map(|value| match value {
            Json::Object(object) => Ok(object),
            _ => Err(NotAMessage),
        });
        objects.collect()
    }

    /// All values by their full names, such as `amount.total`, but for members in `without`.
    pub fn flat(&self, without: &[&str], cells: usize) -> Vec<(String, String)> {
        let mut flat = Vec::new();
        for (name, value) in self.0.iter().filter(|(name, _)| !without.contains(&name.as_str())) {
            flatten(name, value, without, cells, &mut flat);
        }
        flat
    }
}

fn flatten(
    name: &str,
    value: &Json,
    without: &[&str],
    cells: usize,
    flat: &mut Vec<(String, String)>,
) {
    let text = match value {
        Json::Null => return,
        Json::Bool(is) => is.to_string(),
        Json::Whole(number) => number.to_string(),
        Json::Number => "?".to_owned(),
        Json::Text(text) if text.is_empty() => return,
        Json::Text(text) => clean(text, cells),
        Json::List(list) => {
            for (at, value) in list.iter().enumerate() {
                flatten(&format!("{name}.{at}"), value, without, cells, flat);
            }
            return;
        }
        Json::Object(object) => {
            for (inner, value) in object.0.iter().filter(|(it, _)| !without.contains(&it.as_str()))
            {
                flatten(&format!("{name}.{inner}"), value, without, cells, flat);
            }
            return;
        }
    };
    flat.push((clean(name, 64), text));
}

fn depth(object: &Object) -> usize {
    fn of(value: &Json) -> usize {
        match value {
            Json::List(list) => 1 + list.iter().map(of).max().unwrap_or(0),
            Json::Object(object) => depth(object),
            _ => 0,
        }
    }
    1 + object.0.iter().map(|(_, value)| of(value)).max().unwrap_or(0)
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, is: bool) -> Result<Json, E> {
        Ok(Json::Bool(is))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(i64::try_from(number).map_or(Json::Number, Json::Whole))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned().into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut names = std::collections::HashSet::new();
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, Json>()? {
            if !names.insert(name.clone()) {
                return Err(de::Error::custom("a member occurs twice"));
            }
            members.push((name, value));
        }
        Ok(Json::Object(Object(members)))
    }
}

/// A value to write. It borrows its texts: a payment code is not copied before it is written.
pub enum Value<'a> {
    Text(&'a str),
    Whole(i64),
    Members(Vec<(&'static str, Self)>),
}

impl Value<'_> {
    /// The bytes to send. Empty texts and objects are left out.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut json = String::with_capacity(ROOM);
        self.write(&mut json);
        Zeroizing::new(json.into_bytes())
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Whole(_) => false,
            Self::Members(members) => members.iter().all(|(_, value)| value.is_empty()),
        }
    }

    fn write(&self, json: &mut String) {
        match self {
            Self::Text(text) => write_text(text, json),
            Self::Whole(number) => {
                let _ = write!(json, "{number}");
            }
            Self::Members(members) => {
                json.push('{');
                let mut comma = false;
                for (name, value) in members.iter().filter(|(_, value)| !value.is_empty()) {
                    if comma {
                        json.push(',');
                    }
                    comma = true;
                    write_text(name, json);
                    json.push(':');
                    value.write(json);
                }
                json.push('}');
            }
        }
    }

    /// All values by their full names, for the record.
    pub fn flat(&self, without: &[&str], cells: usize) -> Vec<(String, String)> {
        let mut flat = Vec::new();
        self.flatten("", without, cells, &mut flat);
        flat
    }

    fn flatten(
        &self,
        name: &str,
        without: &[&str],
        cells: usize,
        flat: &mut Vec<(String, String)>,
    ) {
        match self {
            Self::Text("") => {}
            Self::Text(text) => flat.push((name.to_owned(), clean(text, cells))),
            Self::Whole(number) => flat.push((name.to_owned(), number.to_string())),
            Self::Members(members) => {
                for (inner, value) in members.iter().filter(|(inner, _)| !without.contains(inner)) {
                    let dot = if name.is_empty() { "" } else { "." };
                    value.flatten(&format!("{name}{dot}{inner}"), without, cells, flat);
                }
            }
        }
    }
}

/// A text as JSON, in quotation marks.
pub fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    write_text(text, &mut json);
    json
}

fn write_text(text: &str, json: &mut String) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            control if control < ' ' => {
                let _ = write!(json, "\\u{:04x}", u32::from(control));
            }
            other => json.push(other),
        }
    }
    json.push('"');
}
