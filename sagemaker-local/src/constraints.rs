//! Checks a request's members one by one, and complains in the service's words.

use std::fmt::Display;

use serde_json::Value;

use crate::error::ServiceError;
use crate::names;
use crate::requests::Document;
use crate::shapes::{self, Member, Rule};

/// Checks the request of an operation; an unknown operation has no constraints.
pub(crate) fn check(operation: &str, request: &Document) -> Result<(), ServiceError> {
    let mut found = Vec::new();
    check_members(request, shapes::request(operation), "", &mut found)?;
    if found.is_empty() {
        return Ok(());
    }
    let noun = if found.len() == 1 { "error" } else { "errors" };
    let message = format!(
        "{} validation {noun} detected: {}",
        found.len(),
        found.join("; ")
    );
    Err(ServiceError::validation(message))
}

fn check_members(
    document: &Document,
    members: &[Member],
    path: &str,
    found: &mut Vec<String>,
) -> Result<(), ServiceError> {
    for (member, rules) in members {
        let at = join(path, member);
        match document.get(*member) {
            None | Some(Value::Null) => {
                if rules.iter().any(|rule| matches!(rule, Rule::Required)) {
                    found.push(violation("null", &at, "Member must not be null"));
                }
            }
            Some(value) => check_value(value, rules, &at, found)?,
        }
    }
    Ok(())
}

fn check_value(
    value: &Value,
    rules: &[Rule],
    path: &str,
    found: &mut Vec<String>,
) -> Result<(), ServiceError> {
    for rule in rules {
        match rule {
            Rule::Required => {}
            Rule::Length(least, most) => {
                let text = string(value, path)?;
                let breach = outside("length", text.chars().count(), *least, *most);
                found.extend(breach.map(|bound| violation(&quoted(text), path, &bound)));
            }
            Rule::Pattern(pattern) => {
                let text = string(value, path)?;
                if !names::follows(pattern, text) {
                    let wanted =
                        format!("Member must satisfy regular expression pattern: {pattern}");
                    found.push(violation(&quoted(text), path, &wanted));
                }
            }
            Rule::OneOf(known) => {
                let text = string(value, path)?;
                if !known.contains(&text) {
                    let wanted =
                        format!("Member must satisfy enum value set: [{}]", known.join(", "));
                    found.push(violation(&quoted(text), path, &wanted));
                }
            }
            Rule::Range(least, most) => {
                let number = value
                    .as_i64()
                    .ok_or_else(|| wrong_type(path, "an integer"))?;
                let breach = outside("value", number, *least, *most);
                found.extend(breach.map(|bound| violation(&quoted(value), path, &bound)));
            }
            Rule::NotNegative => {
                let number = value.as_f64().ok_or_else(|| wrong_type(path, "a number"))?;
                let breach = outside("value", number, 0.0, f64::INFINITY);
                found.extend(breach.map(|bound| violation(&quoted(value), path, &bound)));
            }
            Rule::Number => {
                if !value.is_number() {
                    return Err(wrong_type(path, "a number"));
                }
            }
            Rule::Boolean => {
                if !value.is_boolean() {
                    return Err(wrong_type(path, "a boolean"));
                }
            }
            Rule::Items(least, most) => {
                let breach = outside("length", list(value, path)?.len(), *least, *most);
                found.extend(breach.map(|bound| violation(&quoted(value), path, &bound)));
            }
            Rule::Each(rules) => {
                for (index, item) in list(value, path)?.iter().enumerate() {
                    check_value(item, rules, &format!("{path}.{}.member", index + 1), found)?;
                }
            }
            Rule::Map(keys, values) => {
                let document = structure(value, path)?;
                for (key, value) in document {
                    check_value(&Value::from(key.as_str()), keys, path, found)?;
                    check_value(value, values, &format!("{path}.{key}"), found)?;
                }
            }
            Rule::Members(members) => {
                check_members(structure(value, path)?, members, path, found)?;
            }
        }
    }
    Ok(())
}

/// The bound that a size is beyond, where it is beyond one.
fn outside<Size: Copy + PartialOrd + Display>(
    what: &str,
    size: Size,
    least: Size,
    most: Size,
) -> Option<String> {
    if size < least {
        Some(format!(
            "Member must have {what} greater than or equal to {least}"
        ))
    } else if size > most {
        Some(format!(
            "Member must have {what} less than or equal to {most}"
        ))
    } else {
        None
    }
}

fn string<'value>(value: &'value Value, path: &str) -> Result<&'value str, ServiceError> {
    value.as_str().ok_or_else(|| wrong_type(path, "a string"))
}

fn list<'value>(value: &'value Value, path: &str) -> Result<&'value [Value], ServiceError> {
    value
        .as_array()
        .map(Vec::as_slice)
        .ok_or_else(|| wrong_type(path, "a list"))
}

fn structure<'value>(value: &'value Value, path: &str) -> Result<&'value Document, ServiceError> {
    value
        .as_object()
        .ok_or_else(|| wrong_type(path, "a structure"))
}

fn wrong_type(path: &str, wanted: &str) -> ServiceError {
    ServiceError::serialization(format!("Value at '{path}' is not {wanted}"))
}

fn violation(value: &str, path: &str, wanted: &str) -> String {
    format!("Value {value} at '{path}' failed to satisfy constraint: {wanted}")
}

fn quoted(value: impl std::fmt::Display) -> String {
    format!("'{value}'")
}

/// A member's path as the service spells it, each name beginning in lower case.
fn join(path: &str, member: &str) -> String {
    let mut letters = member.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    let name: String = first.into_iter().chain(letters).collect();
    if path.is_empty() {
        name
    } else {
        format!("{path}.{name}")
    }
}

#[cfg(test)]
mod examples;
#[cfg(test)]
mod guardrail_tests;
#[cfg(test)]
mod scaling_tests;
#[cfg(test)]
mod shape_tests;
#[cfg(test)]
mod tests;
