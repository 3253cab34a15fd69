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

/// A copy of the request without some members, and without those that are null.
pub(crate) fn without(request: &Document, members: &[&str]) -> Document {
    request
        .iter()
        .filter(|(member, value)| !members.contains(&member.as_str()) && !value.is_null())
        .map(|(member, value)| (member.clone(), value.clone()))
        .collect()
}
