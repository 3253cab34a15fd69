//! Tags: those of an event, and those that this product keeps for itself.

use std::collections::HashSet;

use serde_json::Value;

use super::values;

/// What the keys of the tags begin with that this product puts on what it makes.
pub const OWN_TAGS: &str = "sagemaker-deployments:";

/// Tags that this product may put on a resource that it makes: of the service's 50, the event's get the rest.
pub const MOST_OWN_TAGS: usize = 20;

const MOST_TAGS: usize = 50 - MOST_OWN_TAGS;

/// Reads `key=value,key=value`; a value may be empty, and may have `=` in it.
pub(super) fn parse(value: &Value) -> Result<Vec<(String, String)>, String> {
    let tags = values::list(MOST_TAGS, tag)(value)?;
    let mut keys = HashSet::new();
    match tags.iter().find(|(key, _)| !keys.insert(key)) {
        Some((key, _)) => Err(format!("must have each key once, and has \"{key}\" twice")),
        None => Ok(tags),
    }
}

fn tag(item: &str) -> Result<(String, String), String> {
    let (key, value) = item
        .split_once('=')
        .ok_or_else(|| format!("must be key=value,key=value, not \"{item}\""))?;
    let (key, value) = (key.trim(), value.trim());
    let taken = |character: char| {
        character.is_alphanumeric() || character.is_whitespace() || "_.:/=+-@".contains(character)
    };
    let fits = |text: &str, longest| text.chars().count() <= longest && text.chars().all(taken);
    if key.is_empty() || !fits(key, 128) || key.to_ascii_lowercase().starts_with("aws:") {
        return Err(format!(
            "must have keys of 1 to 128 letters, digits and _.:/=+-@ that do not begin with aws:, not \"{key}\""
        ));
    }
    if key.to_ascii_lowercase().starts_with(OWN_TAGS) {
        return Err(format!(
            "must not have keys that begin with {OWN_TAGS}, which this product keeps for itself, as \"{key}\" does"
        ));
    }
    if !fits(value, 256) {
        return Err(format!(
            "must have values of at most 256 letters, digits and _.:/=+-@, not the one of \"{key}\""
        ));
    }
    Ok((key.to_owned(), value.to_owned()))
}
