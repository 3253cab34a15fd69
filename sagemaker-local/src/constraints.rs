//! Checks a request's members one by one, and complains in the service's words.

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
                let length = text.chars().count();
                if length < *least {
                    let bound = format!("Member must have length greater than or equal to {least}");
                    found.push(violation(&quoted(text), path, &bound));
                }
                if length > *most {
                    let bound = format!("Member must have length less than or equal to {most}");
                    found.push(violation(&quoted(text), path, &bound));
                }
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
                if number < *least {
                    let bound = format!("Member must have value greater than or equal to {least}");
                    found.push(violation(&quoted(value), path, &bound));
                }
                if number > *most {
                    let bound = format!("Member must have value less than or equal to {most}");
                    found.push(violation(&quoted(value), path, &bound));
                }
            }
            Rule::Items(least, most) => {
                let count = list(value, path)?.len();
                if count < *least {
                    let bound = format!("Member must have length greater than or equal to {least}");
                    found.push(violation(&quoted(value), path, &bound));
                }
                if count > *most {
                    let bound = format!("Member must have length less than or equal to {most}");
                    found.push(violation(&quoted(value), path, &bound));
                }
            }
            Rule::Each(rules) => {
                for (index, item) in list(value, path)?.iter().enumerate() {
                    check_value(item, rules, &format!("{path}.{}.member", index + 1), found)?;
                }
            }
            Rule::Members(members) => {
                let document = value
                    .as_object()
                    .ok_or_else(|| wrong_type(path, "a structure"))?;
                check_members(document, members, path, found)?;
            }
        }
    }
    Ok(())
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
mod tests {
    use super::*;
    use serde_json::json;

    fn checked(operation: &str, request: &Value) -> Result<(), ServiceError> {
        check(operation, request.as_object().expect("an object"))
    }

    fn message(operation: &str, request: &Value) -> String {
        let error = checked(operation, request).expect_err("a violation");
        assert_eq!(error.code, "ValidationException");
        error.message
    }

    #[test]
    fn a_bad_name_is_refused_in_the_words_of_the_service() {
        assert_eq!(
            message(
                "DescribeEndpoint",
                &json!({ "EndpointName": "my_endpoint" })
            ),
            "1 validation error detected: Value 'my_endpoint' at 'endpointName' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
        );
    }

    #[test]
    fn every_violation_is_told() {
        let long = "x".repeat(64);
        assert_eq!(
            message("DescribeEndpoint", &json!({ "EndpointName": long })),
            format!(
                "2 validation errors detected: Value '{long}' at 'endpointName' failed to satisfy constraint: \
                 Member must have length less than or equal to 63; Value '{long}' at 'endpointName' failed to satisfy \
                 constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9]){{0,62}}"
            )
        );
    }

    #[test]
    fn a_missing_or_null_member_is_null() {
        for request in [json!({}), json!({ "EndpointName": null })] {
            assert_eq!(
                message("DeleteEndpoint", &request),
                "1 validation error detected: Value null at 'endpointName' failed to satisfy constraint: \
                 Member must not be null"
            );
        }
    }

    #[test]
    fn a_violation_inside_a_list_is_told_with_its_place() {
        let request = json!({
            "EndpointConfigName": "config",
            "ProductionVariants": [
                { "VariantName": "a", "ModelName": "model" },
                { "ModelName": "ENTER MODEL NAME", "VariantName": "b", "InitialInstanceCount": 0 },
            ],
        });
        let message = message("CreateEndpointConfig", &request);
        assert!(
            message.contains(
                "Value 'ENTER MODEL NAME' at 'productionVariants.2.member.modelName' failed"
            ),
            "{message}"
        );
        assert!(
            message.contains(
                "Value '0' at 'productionVariants.2.member.initialInstanceCount' failed to satisfy constraint: \
                 Member must have value greater than or equal to 1"
            ),
            "{message}"
        );
    }

    #[test]
    fn lists_enums_and_ranges_have_bounds() {
        for (operation, request, wanted) in [
            (
                "CreateEndpointConfig",
                json!({ "EndpointConfigName": "c", "ProductionVariants": [] }),
                "'productionVariants' failed to satisfy constraint: Member must have length greater than or equal to 1",
            ),
            (
                "CreateModel",
                json!({ "ModelName": "m", "Tags": vec![json!({ "Key": "k", "Value": "v" }); 51] }),
                "'tags' failed to satisfy constraint: Member must have length less than or equal to 50",
            ),
            (
                "CreateModel",
                json!({ "ModelName": "m", "Tags": [{ "Key": "", "Value": "v" }] }),
                "'tags.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1",
            ),
            (
                "ListEndpoints",
                json!({ "MaxResults": 101 }),
                "'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100",
            ),
            (
                "ListEndpoints",
                json!({ "SortOrder": "Sideways" }),
                "'sortOrder' failed to satisfy constraint: Member must satisfy enum value set: [Ascending, Descending]",
            ),
        ] {
            let message = message(operation, &request);
            assert!(message.contains(wanted), "{message}");
        }
    }

    #[test]
    fn a_value_of_the_wrong_type_cannot_be_read() {
        for request in [
            json!({ "EndpointConfigName": 1, "ProductionVariants": [] }),
            json!({ "EndpointConfigName": "c", "ProductionVariants": {} }),
            json!({ "EndpointConfigName": "c", "ProductionVariants": ["v"] }),
            json!({ "EndpointConfigName": "c", "ProductionVariants": [{ "InitialInstanceCount": "1" }] }),
        ] {
            let error = checked("CreateEndpointConfig", &request).expect_err("not readable");
            assert_eq!(error.code, "SerializationException", "{request}");
        }
    }

    #[test]
    fn members_that_no_rule_names_are_taken_as_they_are() {
        let request = json!({ "EndpointName": "e", "FromTheFuture": { "Deep": [1, 2] } });
        assert_eq!(checked("DescribeEndpoint", &request), Ok(()));
        assert_eq!(checked("NoSuchOperation", &request), Ok(()));
    }
}
