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
        message
            .contains("Value 'ENTER MODEL NAME' at 'productionVariants.2.member.modelName' failed"),
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
