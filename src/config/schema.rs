//! The JSON schema of `dmscope.toml`, for editors: made of the list of keys by which the file is checked.

use serde_json::{Map, Value, json};

use super::Format;
use super::shape::{FILE, Key, LEVELS, Shape};
use crate::rules::{self, OptionKind, Rule};

/// The schema. `docs/dmscope.schema.json` is a copy, which a test keeps true.
pub fn schema() -> Value {
    let mut schema = object(FILE);
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["title"] = "dmscope.toml".into();
    schema["description"] = "Configuration of dmscope: docs/configuration.md".into();
    schema
}

fn object(keys: &[Key]) -> Value {
    let property = |key: &Key| {
        let mut value = value(&key.shape);
        value["description"] = key.about.into();
        (key.name.to_owned(), value)
    };
    let needed: Vec<&str> = keys.iter().filter(|key| key.needed).map(|key| key.name).collect();
    let mut object = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": keys.iter().map(property).collect::<Map<String, Value>>(),
    });
    if !needed.is_empty() {
        object["required"] = needed.into();
    }
    object
}

fn value(shape: &Shape) -> Value {
    match shape {
        Shape::Text | Shape::Rule => json!({ "type": "string", "minLength": 1 }),
        Shape::Report => json!({ "type": "string", "pattern": format!("^({})(=.+)?$", Format::names().join("|")) }),
        Shape::Word(words) => json!({ "enum": words }),
        Shape::List(of) => json!({ "type": "array", "items": value(of) }),
        Shape::OneOrMore(of) => json!({ "anyOf": [value(of), { "type": "array", "items": value(of) }] }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Date => json!({ "type": "string", "format": "date" }),
        Shape::RulesOrTables(keys) => {
            json!({ "type": "array", "items": { "anyOf": [value(&Shape::Rule), object(keys)] } })
        }
        Shape::Tables(keys) => json!({ "type": "array", "items": object(keys) }),
        Shape::Levels { options: false } => json!({ "type": "object", "additionalProperties": { "enum": LEVELS } }),
        Shape::Levels { options: true } => levels(),
    }
}

/// Rules with options have properties of their own, by id and by name; all others have a level.
fn levels() -> Value {
    let with_options = rules::ALL.iter().filter(|rule| !rule.options.is_empty());
    let named = with_options.flat_map(|rule| [rule.id, rule.name].map(|name| (name.to_owned(), settings(rule))));
    json!({
        "type": "object",
        "properties": named.collect::<Map<String, Value>>(),
        "additionalProperties": { "anyOf": [
            { "enum": LEVELS },
            { "type": "object", "properties": { "level": { "enum": LEVELS } } },
        ] },
    })
}

fn settings(rule: &Rule) -> Value {
    let mut properties = Map::new();
    properties.insert("level".to_owned(), json!({ "enum": LEVELS }));
    for option in rule.options {
        let mut value = match option.kind {
            OptionKind::Number { default, least, most } => {
                json!({ "type": "integer", "minimum": least, "maximum": most, "default": default })
            }
            OptionKind::Words { default } => {
                json!({ "type": "array", "items": { "type": "string", "minLength": 1 }, "default": default })
            }
        };
        value["description"] = option.about.into();
        properties.insert(option.name.to_owned(), value);
    }
    let table = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    json!({ "anyOf": [{ "enum": LEVELS }, table], "description": rule.summary })
}
