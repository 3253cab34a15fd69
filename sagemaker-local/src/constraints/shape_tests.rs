//! What the service model says of members, by example: requests that are accepted, one member of them
//! replaced at a time.

use serde_json::{Value, json};

use super::check;
use super::examples::example;
use crate::error::ServiceError;

/// What becomes of an operation's example whose member at `pointer` is `value`.
fn checked(operation: &str, pointer: &str, value: &Value) -> Result<(), ServiceError> {
    let mut request = example(operation);
    let member = request.pointer_mut(pointer);
    *member.expect("a member that is there") = value.clone();
    check(operation, request.as_object().expect("an object"))
}

/// The member's path as messages spell it.
fn spelled(pointer: &str) -> String {
    let parts = pointer[1..].split('/').map(|part| {
        part.parse::<usize>().map_or_else(
            |_| format!("{}{}", part[..1].to_lowercase(), &part[1..]),
            |index| format!("{}.member", index + 1),
        )
    });
    parts.collect::<Vec<_>>().join(".")
}

/// Each of the values in the lists, put where its pointer says, is refused with this code and these
/// words about the member.
#[track_caller]
fn assert_refused(operation: &str, code: &str, words: &str, bad: &[(&str, Value)]) {
    for (pointer, values) in bad {
        for value in values.as_array().expect("a list of values") {
            let error = checked(operation, pointer, value)
                .expect_err(&format!("{operation} {pointer} {value}"));
            assert_eq!(error.code, code, "{error}");
            let wanted = format!("at '{}{words}", spelled(pointer));
            assert!(error.message.contains(&wanted), "{wanted}: {error}");
        }
    }
}

const BROKEN: &str = "' failed to satisfy constraint: Member must ";

#[test]
fn the_examples_are_accepted() {
    for operation in [
        "CreateModel",
        "CreateEndpointConfig",
        "UpdateEndpoint",
        "UpdateEndpointWeightsAndCapacities",
    ] {
        let request = example(operation);
        assert_eq!(
            check(operation, request.as_object().expect("an object")),
            Ok(())
        );
    }
}

#[test]
fn strings_follow_their_patterns_and_lengths() {
    let long = |text: &str, length: usize| format!("{text}{}", "x".repeat(length - text.len()));
    let topic = "arn:aws:sns:eu-west-1:123456789012:";
    let places = json!([
        "b",
        "/b",
        "s3:///x",
        "S3://b",
        "ftp://b",
        "",
        long("s3://", 513)
    ]);
    let topics = json!([
        "t",
        "arn:aws:sns:eu-west-1:1:t",
        format!("{topic}a b"),
        long(topic, 2049)
    ]);
    let network = json!(["sg_1", "sg 1", "", long("sg-", 33)]);
    let output = "/AsyncInferenceConfig/OutputConfig";
    let notices = format!("{output}/NotificationConfig");
    let capture = "/DataCaptureConfig";
    let variant = "/ProductionVariants/0";
    assert_refused(
        "CreateEndpointConfig",
        "ValidationException",
        BROKEN,
        &[
            (&format!("{capture}/DestinationS3Uri"), places.clone()),
            (
                &format!("{capture}/CaptureContentTypeHeader/CsvContentTypes/0"),
                json!(["csv", ""]),
            ),
            (
                &format!("{capture}/CaptureOptions/0/CaptureMode"),
                json!(["input"]),
            ),
            (&format!("{output}/S3OutputPath"), places.clone()),
            (&format!("{output}/S3FailurePath"), places),
            (&format!("{notices}/SuccessTopic"), topics.clone()),
            (&format!("{notices}/ErrorTopic"), topics),
            (
                &format!("{notices}/IncludeInferenceResponseIn/0"),
                json!(["BOTH"]),
            ),
            (
                &format!("{variant}/RoutingConfig/RoutingStrategy"),
                json!(["FAIR"]),
            ),
            (
                &format!("{variant}/ManagedInstanceScaling/Status"),
                json!(["ON"]),
            ),
            ("/KmsKeyId", json!(["a key", "key!", long("key", 2049)])),
        ],
    );
    assert_refused(
        "CreateModel",
        "ValidationException",
        BROKEN,
        &[
            ("/VpcConfig/SecurityGroupIds/0", network.clone()),
            ("/VpcConfig/Subnets/0", network),
            (
                "/Tags/0/Key",
                json!(["", "a,b", "a\nb", "<k>", long("k", 129)]),
            ),
            ("/Tags/0/Value", json!(["a;b", "what?", long("v", 257)])),
            ("/PrimaryContainer/Image", json!(["an image", ""])),
        ],
    );
    assert_refused(
        "UpdateEndpoint",
        "ValidationException",
        "' failed to satisfy constraint: Member must satisfy enum value set: \
         [DesiredInstanceCount, DesiredWeight, DataCaptureConfig]",
        &[(
            "/ExcludeRetainedVariantProperties/1/VariantPropertyType",
            json!(["desiredWeight", "InstanceType", ""]),
        )],
    );
}

#[test]
fn strings_that_follow_their_patterns_are_accepted() {
    let output = "/AsyncInferenceConfig/OutputConfig/S3OutputPath";
    for (operation, pointer, good) in [
        (
            "CreateEndpointConfig",
            "/DataCaptureConfig/DestinationS3Uri",
            "https://b.s3.eu/x",
        ),
        ("CreateEndpointConfig", output, "s3://b"),
        ("CreateEndpointConfig", "/KmsKeyId", "alias/my_key"),
        ("CreateModel", "/Tags/0/Key", "Größe: 東京/1+1=2@home"),
        ("CreateModel", "/Tags/0/Value", ""),
    ] {
        assert_eq!(checked(operation, pointer, &json!(good)), Ok(()), "{good}");
    }
}

#[test]
fn values_of_another_type_cannot_be_read() {
    const UNREADABLE: &str = "SerializationException";
    let variant = "/ProductionVariants/0";
    assert_refused(
        "CreateModel",
        UNREADABLE,
        "' is not a",
        &[
            ("/EnableNetworkIsolation", json!(["true", 1])),
            ("/VpcConfig/Subnets", json!(["subnet-1", {}])),
            ("/VpcConfig/Subnets/0", json!([1, null])),
            ("/PrimaryContainer", json!([[], "image"])),
            ("/PrimaryContainer/Environment", json!([["A=b"], "A=b"])),
            ("/Tags", json!([{ "k": "v" }, "k=v"])),
            ("/Tags/0", json!(["k=v", ["k", "v"]])),
            ("/Tags/0/Value", json!([1, true])),
        ],
    );
    assert_refused(
        "CreateEndpointConfig",
        UNREADABLE,
        "' is not a",
        &[
            (
                &format!("{variant}/InitialInstanceCount"),
                json!(["1", 1.5, true]),
            ),
            (
                &format!("{variant}/InitialVariantWeight"),
                json!(["1", true, [1]]),
            ),
            (&format!("{variant}/EnableSSMAccess"), json!(["false", 0])),
            (
                &format!("{variant}/ManagedInstanceScaling"),
                json!(["ENABLED"]),
            ),
            (
                &format!("{variant}/ManagedInstanceScaling/MaxInstanceCount"),
                json!(["2", 2.5]),
            ),
            ("/DataCaptureConfig/EnableCapture", json!(["true", 1])),
            (
                "/DataCaptureConfig/InitialSamplingPercentage",
                json!([0.5, "50"]),
            ),
            ("/DataCaptureConfig/CaptureOptions", json!(["Input", {}])),
            ("/DataCaptureConfig/CaptureOptions/0", json!(["Input"])),
            ("/MetricsConfig/EnableEnhancedMetrics", json!(["true"])),
            (
                "/MetricsConfig/MetricPublishFrequencyInSeconds",
                json!(["60"]),
            ),
        ],
    );
    assert_refused(
        "UpdateEndpoint",
        UNREADABLE,
        "' is not a",
        &[
            ("/RetainAllVariantProperties", json!(["true", 1])),
            ("/RetainDeploymentConfig", json!(["false", 0])),
            (
                "/ExcludeRetainedVariantProperties",
                json!(["DesiredWeight"]),
            ),
            (
                "/ExcludeRetainedVariantProperties/0",
                json!(["DesiredWeight"]),
            ),
        ],
    );
    let desired = "/DesiredWeightsAndCapacities/0";
    assert_refused(
        "UpdateEndpointWeightsAndCapacities",
        UNREADABLE,
        "' is not a",
        &[
            (&format!("{desired}/DesiredWeight"), json!(["0.5"])),
            (
                &format!("{desired}/DesiredInstanceCount"),
                json!([0.5, "1"]),
            ),
        ],
    );
}

#[test]
fn numbers_and_lists_are_within_their_bounds() {
    let variant = "/ProductionVariants/0";
    let weight = format!("{variant}/InitialVariantWeight");
    let most = format!("{variant}/ManagedInstanceScaling/MaxInstanceCount");
    let sampling = "/DataCaptureConfig/InitialSamplingPercentage";
    let excluded = vec![json!({ "VariantPropertyType": "DesiredWeight" }); 4];
    let groups = "/VpcConfig/SecurityGroupIds";
    for (operation, pointer, value, bound) in [
        (
            "CreateEndpointConfig",
            weight.as_str(),
            json!(-0.5),
            "value greater than or equal to 0",
        ),
        (
            "CreateEndpointConfig",
            &most,
            json!(0),
            "value greater than or equal to 1",
        ),
        (
            "CreateEndpointConfig",
            sampling,
            json!(101),
            "value less than or equal to 100",
        ),
        (
            "CreateModel",
            groups,
            json!([]),
            "length greater than or equal to 1",
        ),
        (
            "CreateModel",
            groups,
            json!(vec!["sg"; 6]),
            "length less than or equal to 5",
        ),
        (
            "CreateModel",
            "/VpcConfig/Subnets",
            json!(vec!["s"; 17]),
            "length less than or equal to 16",
        ),
        (
            "UpdateEndpoint",
            "/ExcludeRetainedVariantProperties",
            json!(excluded),
            "length less than or equal to 3",
        ),
    ] {
        let words = format!("{BROKEN}have {bound}");
        assert_refused(
            operation,
            "ValidationException",
            &words,
            &[(pointer, json!([value]))],
        );
    }
}
