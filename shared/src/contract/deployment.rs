//! The request of `deploy-new-endpoint` and `deploy-existing-endpoint`.

use std::time::Duration;

use super::autoscaling::Autoscaling;
use super::fields::{Environment, Fields};
use super::shape::Shape;
use super::traffic::Traffic;
use super::values;
use crate::error::Error;

/// Budget for waiting where nothing else is asked: a pipeline's `LambdaStep` lasts at most 10 minutes,
/// and the answer has to arrive within it.
const DEFAULT_MAX_WAIT_SECONDS: i32 = 540;

/// How long a deployment that came through a queue may take where nothing else is asked: the longest execution
/// timeout of an update.
const DEFAULT_MAX_AGE_SECONDS: i32 = 28_800;

/// The longest budget that makes sense: a day, well over any deployment that the service lets live.
const LONGEST_MAX_WAIT_SECONDS: i32 = 86_400;

/// Which of the two deployments is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeploymentKind {
    /// `deploy-new-endpoint`: there must be no endpoint of this name yet.
    New,
    /// `deploy-existing-endpoint`: the endpoint serves already and is updated.
    Existing,
}

/// What becomes of a new endpoint that ended `Failed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// It is deleted, with its model and endpoint config.
    Delete,
    /// It stays, for somebody to look at; so do its model and endpoint config.
    Keep,
}

/// How a spent waiting budget is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTimeout {
    /// With the error `DeploymentTimedOut`.
    Fail,
    /// With an answer whose `deployment_status` is `InProgress`.
    Return,
}

/// A deployment, as asked for: complete and within the service's limits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a key of the contract"
)]
pub struct DeployRequest {
    /// ARN of the execution role that the model runs under.
    pub role: String,
    /// The endpoint's name; the service does not tell upper from lower case in it.
    pub endpoint_name: String,
    /// ARN of a versioned model package.
    pub package_arn: String,
    /// Salt for the derived names: the same inputs with another id are a fresh deployment.
    pub deployment_id: Option<String>,
    /// What shapes the endpoint.
    pub shape: Shape,
    /// What scales the variant's instances.
    pub autoscaling: Autoscaling,
    /// Update only: how the traffic moves to what the update brings.
    pub traffic: Traffic,
    /// Update only: whether the counts and weights that autoscaling or an operator gave the variants stay.
    pub retain_all_variant_properties: bool,
    /// Whether a package that is not `Approved` is refused.
    pub require_approved_package: bool,
    /// Update only: whether a `Failed` endpoint is deleted and created again.
    pub replace_failed_endpoint: bool,
    /// Update only: whether the replaced model and endpoint config are deleted after success.
    pub delete_superseded: bool,
    /// New only: what becomes of an endpoint that ended `Failed`.
    pub on_failure: OnFailure,
    /// Budget for waiting within one call.
    pub max_wait: Duration,
    /// How long a deployment that came through a queue may take in all. What a stack sets is for one call.
    pub max_age: Duration,
    /// How a spent budget is answered.
    pub on_timeout: OnTimeout,
    /// Validate, read and plan, but change nothing.
    pub dry_run: bool,
}

impl DeployRequest {
    /// Parses the event, with the environment for the optional keys that it does not set.
    ///
    /// `AWS_REGION`, which Lambda always sets, is held against the package's region.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRequest`] with every bad key.
    pub fn parse(
        kind: DeploymentKind,
        event: &str,
        environment: &Environment,
    ) -> Result<Self, Error> {
        let invalid = |bad_keys| Error::InvalidRequest { bad_keys };
        let mut fields = Fields::of(event, environment).map_err(invalid)?;
        let request = Self::read(&mut fields, kind, environment.get("AWS_REGION"));
        fields.finish(request).map_err(invalid)
    }

    fn read(
        fields: &mut Fields<'_>,
        kind: DeploymentKind,
        region: Option<&String>,
    ) -> Option<Self> {
        let role = fields.required("role", role_arn);
        let endpoint_name = fields.required("endpoint_name", values::name);
        let package_arn = fields.required("package_arn", package_arn);
        if let (Some(role), Some(package)) = (&role, &package_arn)
            && part(role, PARTITION) != part(package, PARTITION)
        {
            fields.reject("role", "must be of the same partition as package_arn");
        }
        if let (Some(package), Some(region)) = (&package_arn, region)
            && part(package, REGION) != region
        {
            let reason = format!("must be of the region {region}, where the endpoint is");
            fields.reject("package_arn", reason);
        }

        let deployment_id = fields.optional("deployment_id", |value| {
            values::text("(?s:.)+", 256, "a string of at most 256 characters")(value)
        });
        let shape = Shape::read(fields, kind);
        let autoscaling = Autoscaling::read(fields, kind, &shape);
        let traffic = Traffic::read(fields);
        let retain_all_variant_properties =
            fields.optional("retain_all_variant_properties", values::flag);
        let require_approved_package = fields.optional("require_approved_package", values::flag);
        let replace_failed_endpoint = fields.optional("replace_failed_endpoint", values::flag);
        let delete_superseded = fields.optional("delete_superseded", values::flag);
        let on_failure = fields.optional(
            "on_failure",
            values::choice(&[("delete", OnFailure::Delete), ("keep", OnFailure::Keep)]),
        );
        let max_wait_seconds = fields.optional(
            "max_wait_seconds",
            values::integer(0..=LONGEST_MAX_WAIT_SECONDS),
        );
        let on_timeout = fields.optional(
            "on_timeout",
            values::choice(&[("fail", OnTimeout::Fail), ("return", OnTimeout::Return)]),
        );
        let dry_run = fields.optional("dry_run", values::flag);

        Some(Self {
            role: role?,
            endpoint_name: endpoint_name?,
            package_arn: package_arn?,
            deployment_id: deployment_id.get(),
            shape,
            autoscaling,
            traffic,
            retain_all_variant_properties: retain_all_variant_properties.or(true),
            require_approved_package: require_approved_package.or(true),
            replace_failed_endpoint: replace_failed_endpoint.or(false),
            delete_superseded: delete_superseded.or(false),
            on_failure: on_failure.or(OnFailure::Delete),
            max_wait: seconds(max_wait_seconds.or(DEFAULT_MAX_WAIT_SECONDS)),
            max_age: seconds(max_wait_seconds.event.unwrap_or(DEFAULT_MAX_AGE_SECONDS)),
            on_timeout: on_timeout.or(OnTimeout::Fail),
            dry_run: dry_run.or(false),
        })
    }
}

fn seconds(seconds: i32) -> Duration {
    Duration::from_secs(seconds.unsigned_abs().into())
}

const PARTITION: usize = 1;
const REGION: usize = 3;

/// A part of an ARN that has been found well-formed.
fn part(arn: &str, index: usize) -> &str {
    arn.split(':').nth(index).unwrap_or_default()
}

fn role_arn(value: &serde_json::Value) -> Result<String, String> {
    values::text(
        r"arn:aws[a-z\-]*:iam::[0-9]{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+",
        2048,
        "the ARN of an IAM role, arn:aws:iam::<account>:role/<name>",
    )(value)
}

fn package_arn(value: &serde_json::Value) -> Result<String, String> {
    values::text(
        r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]{1,32}:[0-9]{12}:model-package/[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}/[0-9]{1,9}",
        176,
        "the ARN of a versioned model package, arn:aws:sagemaker:<region>:<account>:model-package/<group>/<version>",
    )(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::contract::fields::BadKey;

    fn event() -> Value {
        json!({
            "role": "arn:aws:iam::123456789012:role/service-role/SageMakerRole",
            "endpoint_name": "churn",
            "package_arn": "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/1",
        })
    }

    fn with(changes: &Value) -> String {
        let mut event = event();
        for (key, value) in changes.as_object().expect("an object") {
            event[key] = value.clone();
        }
        event.to_string()
    }

    fn bad_keys(event: &str) -> Vec<BadKey> {
        match DeployRequest::parse(DeploymentKind::New, event, &Environment::new()) {
            Err(Error::InvalidRequest { bad_keys }) => bad_keys,
            other => panic!("{event} gave {other:?}"),
        }
    }

    #[test]
    fn the_required_keys_alone_give_the_contracts_defaults() {
        let request = DeployRequest::parse(
            DeploymentKind::New,
            &event().to_string(),
            &Environment::new(),
        )
        .expect("the event is complete");
        assert_eq!(request.max_wait, Duration::from_secs(540));
        assert_eq!(request.max_age, Duration::from_secs(8 * 3600));
        assert_eq!(request.on_timeout, OnTimeout::Fail);
        assert_eq!(request.on_failure, OnFailure::Delete);
        assert!(request.require_approved_package);
        assert!(!request.replace_failed_endpoint);
        assert!(!request.dry_run);
        assert_eq!(request.shape, Shape::default());
        assert!(request.retain_all_variant_properties);
        assert_eq!(request.deployment_id, None);
    }

    #[test]
    fn each_bad_key_is_named_and_all_of_them_at_once() {
        let cases = [
            ("role", json!("arn:aws:iam::12:role/x")),
            ("role", json!("SageMakerRole")),
            ("role", json!({"Ref": "Role"})),
            ("endpoint_name", json!("my_endpoint")),
            ("endpoint_name", json!("x".repeat(64))),
            ("endpoint_name", json!(7)),
            (
                "package_arn",
                json!("arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn"),
            ),
            (
                "package_arn",
                json!("arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn-/1"),
            ),
            (
                "package_arn",
                json!("arn:aws:sagemaker:eu-west-1:123456789012:model-package/c/1234567890"),
            ),
            ("deployment_id", json!("x".repeat(257))),
            ("variant_name", json!("a b")),
            ("instance_type", json!("m5.xlarge")),
            ("instance_type", json!("ml.M5.xlarge")),
            ("initial_instance_count", json!(0)),
            ("initial_instance_count", json!("two")),
            ("require_approved_package", json!(0)),
            ("replace_failed_endpoint", json!([])),
            ("on_failure", json!("cry")),
            ("max_wait_seconds", json!(-1)),
            ("on_timeout", json!("explode")),
            ("dry_run", json!("maybe")),
        ];
        for (key, value) in &cases {
            let bad = bad_keys(&with(&json!({*key: value})));
            assert_eq!(bad.len(), 1, "{key} = {value}: {bad:?}");
            assert_eq!(bad[0].key, *key);
            assert!(bad[0].reason.starts_with("must be "), "{}", bad[0].reason);
        }
        let mut all = event();
        for (key, value) in &cases {
            all[*key] = value.clone();
        }
        let named: Vec<_> = bad_keys(&all.to_string())
            .into_iter()
            .map(|bad| bad.key)
            .collect();
        let mut expected: Vec<_> = cases.iter().map(|(key, _)| (*key).to_owned()).collect();
        expected.dedup();
        assert_eq!(named, expected);
    }

    #[test]
    fn each_required_key_is_missed_however_it_is_left_out() {
        for key in ["role", "endpoint_name", "package_arn"] {
            for absent in [json!(null), json!(""), json!(" ")] {
                let bad = bad_keys(&with(&json!({key: absent})));
                assert_eq!(bad, [BadKey::new(key, "is missing")]);
            }
        }
        assert_eq!(bad_keys("{}").len(), 3);
    }

    #[test]
    fn the_arns_must_fit_each_other_and_the_region() {
        let china = "arn:aws-cn:sagemaker:cn-north-1:123456789012:model-package/churn/1";
        let bad = bad_keys(&with(&json!({"package_arn": china})));
        assert_eq!(bad.len(), 1);
        assert!(bad[0].reason.contains("partition"), "{bad:?}");

        let elsewhere = Environment::from([("AWS_REGION".to_owned(), "us-east-1".to_owned())]);
        let error = DeployRequest::parse(DeploymentKind::New, &event().to_string(), &elsewhere)
            .expect_err("elsewhere");
        assert!(
            error
                .to_string()
                .contains("package_arn must be of the region us-east-1"),
            "{error}"
        );
    }

    /// Any JSON, with the contract's keys among the names of its members.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,80}".prop_map(Value::from),
            "[0-9]{1,3}".prop_map(Value::from),
            Just(json!("true")),
            Just(event()["role"].clone()),
            Just(event()["package_arn"].clone()),
        ];
        let key = prop_oneof![
            4 => proptest::sample::select(KEYS).prop_map(str::to_owned),
            1 => ".{0,10}",
        ];
        leaf.prop_recursive(3, 64, 16, move |inner| {
            prop_oneof![
                1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                3 => proptest::collection::btree_map(key.clone(), inner, 0..16)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    const KEYS: &[&str] = &[
        "role",
        "endpoint_name",
        "package_arn",
        "deployment_id",
        "variant_name",
        "instance_type",
        "initial_instance_count",
        "require_approved_package",
        "replace_failed_endpoint",
        "on_failure",
        "max_wait_seconds",
        "on_timeout",
        "dry_run",
    ];

    proptest! {
        #[test]
        fn no_json_makes_the_parser_panic_and_no_refusal_is_without_a_key(event in any_json()) {
            if let Err(error) = DeployRequest::parse(DeploymentKind::New, &event.to_string(), &Environment::new()) {
                let Error::InvalidRequest { bad_keys } = &error else {
                    panic!("{event} gave {error:?}");
                };
                prop_assert!(!bad_keys.is_empty());
                prop_assert!(error.to_string().chars().count() <= 1024);
            }
        }

        #[test]
        fn no_text_makes_the_parser_panic(event in ".*") {
            let _ = DeployRequest::parse(DeploymentKind::New, &event, &Environment::new());
        }

        #[test]
        fn a_good_event_stays_good_whatever_else_is_in_it(noise in any_json()) {
            let mut event = event();
            event["something_else"] = noise;
            prop_assert!(DeployRequest::parse(DeploymentKind::New, &event.to_string(), &Environment::new()).is_ok());
        }
    }
}
