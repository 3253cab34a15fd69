//! Sets the scene for the tests of the operations: an account and a time that they move themselves.

use std::time::Duration;

use serde_json::{Value, json};

use crate::account::{Account, Sight};
use crate::clock::Moment;
use crate::dispatch;
use crate::error::ServiceError;
use crate::requests::Answer;
use crate::settings::{ArnCase, Settings};

/// An account and the present moment.
pub(crate) struct Scene {
    pub(crate) account: Account,
    pub(crate) now: Moment,
}

impl Scene {
    /// An empty account whose creations and updates take 3 s, whose rollbacks and deletions take 1
    /// s.
    pub(crate) fn new() -> Self {
        Self::spelling(ArnCase::default())
    }

    /// The same, whose ARNs spell names so.
    pub(crate) fn spelling(arn_case: ArnCase) -> Self {
        let settings = Settings {
            arn_case,
            ..Settings::default()
        };
        Self {
            account: Account::new(settings),
            now: Duration::from_secs(1_700_000_000),
        }
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, seconds: f64) {
        self.now += Duration::from_secs_f64(seconds);
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers write `json!(…)` in place"
    )]
    pub(crate) fn call(&mut self, operation: &str, request: Value) -> Answer {
        let request = request.as_object().expect("an object");
        dispatch::run(
            &mut self.account,
            operation,
            request,
            self.now,
            Sight::Fresh,
        )
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers write `json!(…)` in place"
    )]
    pub(crate) fn stale(&mut self, operation: &str, request: Value) -> Answer {
        let request = request.as_object().expect("an object");
        dispatch::run(
            &mut self.account,
            operation,
            request,
            self.now,
            Sight::Stale,
        )
    }

    /// The answer to a call that must succeed.
    #[track_caller]
    pub(crate) fn done(&mut self, operation: &str, request: Value) -> Value {
        self.call(operation, request).expect("the call to succeed")
    }

    /// The error of a call that must be refused.
    #[track_caller]
    pub(crate) fn refused(&mut self, operation: &str, request: Value) -> ServiceError {
        self.call(operation, request)
            .expect_err("the call to be refused")
    }

    /// Registers an approved package; its ARN.
    pub(crate) fn package(&mut self, group: &str) -> String {
        let request = json!({ "ModelPackageGroupName": group });
        if self
            .call("DescribeModelPackageGroup", request.clone())
            .is_err()
        {
            self.done("CreateModelPackageGroup", request);
        }
        let answer = self.done(
            "CreateModelPackage",
            json!({
                "ModelPackageGroupName": group,
                "ModelApprovalStatus": "Approved",
                "InferenceSpecification": { "Containers": [{ "Image": "packaged" }] },
            }),
        );
        answer["ModelPackageArn"]
            .as_str()
            .expect("an ARN")
            .to_owned()
    }

    /// Creates a model; its ARN.
    pub(crate) fn model(&mut self, name: &str) -> String {
        let container = json!({ "Image": "image" });
        let answer = self.done(
            "CreateModel",
            json!({ "ModelName": name, "PrimaryContainer": container }),
        );
        answer["ModelArn"].as_str().expect("an ARN").to_owned()
    }

    /// Creates an endpoint config with two instances of one variant; its ARN.
    pub(crate) fn config(&mut self, name: &str, model: &str) -> String {
        self.config_of(name, model, json!({}))
    }

    /// The same with more members.
    pub(crate) fn config_of(&mut self, name: &str, model: &str, more: Value) -> String {
        let mut request = json!({
            "EndpointConfigName": name,
            "ProductionVariants": [{
                "VariantName": "AllTraffic",
                "ModelName": model,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 2,
            }],
        });
        let Value::Object(more) = more else {
            panic!("an object")
        };
        request.as_object_mut().expect("an object").extend(more);
        let answer = self.done("CreateEndpointConfig", request);
        answer["EndpointConfigArn"]
            .as_str()
            .expect("an ARN")
            .to_owned()
    }

    /// A scene with the model `model` and the configs `a` and `b`.
    pub(crate) fn with_configs() -> Self {
        let mut scene = Self::new();
        scene.model("model");
        scene.config("a", "model");
        scene.config("b", "model");
        scene
    }

    /// The same with the endpoint `Shop` in service on `a`.
    pub(crate) fn in_service() -> Self {
        let mut scene = Self::with_configs();
        scene.done(
            "CreateEndpoint",
            json!({ "EndpointName": "Shop", "EndpointConfigName": "a" }),
        );
        scene.pass(3.0);
        scene
    }

    /// The same with the instances of `Shop`'s variant registered as a scalable target, 1 to 4.
    pub(crate) fn scaled() -> Self {
        let mut scene = Self::in_service();
        let bounds = json!({ "MinCapacity": 1, "MaxCapacity": 4 });
        scene.done("RegisterScalableTarget", scaling(SHOP, bounds));
        scene
    }
}

/// The ARN of an endpoint.
pub(crate) fn endpoint_arn(name: &str) -> String {
    format!("arn:aws:sagemaker:eu-west-1:123456789012:endpoint/{name}")
}

/// The resource id of the one variant of the endpoint `Shop`.
pub(crate) const SHOP: &str = "endpoint/Shop/variant/AllTraffic";

/// A request about the scaling of a variant's instances, with more members.
pub(crate) fn scaling(resource_id: &str, more: Value) -> Value {
    let mut request = json!({
        "ServiceNamespace": "sagemaker",
        "ResourceId": resource_id,
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    });
    let Value::Object(more) = more else {
        panic!("an object")
    };
    request.as_object_mut().expect("an object").extend(more);
    request
}

/// A request about an endpoint.
pub(crate) fn named(name: &str) -> Value {
    json!({ "EndpointName": name })
}

/// A request that puts an endpoint on a config.
pub(crate) fn on(name: &str, config: &str) -> Value {
    json!({ "EndpointName": name, "EndpointConfigName": config })
}

/// A described endpoint's status, config, pending config and failure reason.
pub(crate) fn told(described: &Value) -> (&str, &str, Option<&str>, Option<&str>) {
    (
        described["EndpointStatus"].as_str().expect("a status"),
        described["EndpointConfigName"].as_str().expect("a config"),
        described["PendingDeploymentSummary"]["EndpointConfigName"].as_str(),
        described["FailureReason"].as_str(),
    )
}
