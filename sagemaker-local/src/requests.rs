//! Reads request documents whose shape `constraints` has checked.

use serde_json::{Map, Value};

use crate::error::ServiceError;

/// A request's or a resource's members.
pub(crate) type Document = Map<String, Value>;

/// What an operation answers.
pub(crate) type Answer = Result<Value, ServiceError>;

/// A string member, where it is set.
pub(crate) fn text<'request>(request: &'request Document, member: &str) -> Option<&'request str> {
    request.get(member).and_then(Value::as_str)
}

/// A string member that `constraints` has found to be there.
pub(crate) fn required<'request>(request: &'request Document, member: &str) -> &'request str {
    text(request, member).unwrap_or_default()
}

/// The items of a list member; none where it is not set.
pub(crate) fn items<'request>(request: &'request Document, member: &str) -> &'request [Value] {
    request
        .get(member)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Whether a member is set: null is as good as left out.
pub(crate) fn is_set(document: &Document, member: &str) -> bool {
    document.get(member).is_some_and(|value| !value.is_null())
}

/// A copy of the request without some members, and without those that are null, however deep.
pub(crate) fn without(request: &Document, members: &[&str]) -> Document {
    request
        .iter()
        .filter(|(member, value)| !members.contains(&member.as_str()) && !value.is_null())
        .map(|(member, value)| (member.clone(), without_nulls(value)))
        .collect()
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(document) => without(document, &[]).into(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        _ => value.clone(),
    }
}
