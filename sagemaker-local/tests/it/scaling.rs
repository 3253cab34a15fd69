//! Application Auto Scaling, on the same port.

use std::time::{Duration, Instant};

use sagemaker_local::{Fault, FaultKind, Server};
use serde_json::{Value, json};

use crate::client::{call, instant, scale, send};

const SHOP: &str = "endpoint/Shop/variant/v";

/// A server with the endpoint `Shop` in service on the config `small`, and a config `large`.
async fn in_service() -> Server {
    let server = instant().await;
    let container = json!({ "Image": "image" });
    let model = json!({ "ModelName": "model", "PrimaryContainer": container });
    server.call("CreateModel", model).expect("a model");
    for (name, size) in [("small", "ml.m5.large"), ("large", "ml.m5.4xlarge")] {
        let variant = json!({
            "VariantName": "v",
            "ModelName": "model",
            "InstanceType": size,
            "InitialInstanceCount": 1,
        });
        let config = json!({ "EndpointConfigName": name, "ProductionVariants": [variant] });
        server
            .call("CreateEndpointConfig", config)
            .expect("a config");
    }
    let endpoint = json!({ "EndpointName": "Shop", "EndpointConfigName": "small" });
    server
        .call("CreateEndpoint", endpoint)
        .expect("an endpoint");
    server
}

fn about(more: Value) -> Value {
    let mut request = json!({
        "ServiceNamespace": "sagemaker",
        "ResourceId": SHOP,
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    });
    let Value::Object(more) = more else {
        panic!("an object")
    };
    request.as_object_mut().expect("an object").extend(more);
    request
}

fn bounds() -> Value {
    about(json!({ "MinCapacity": 1, "MaxCapacity": 3 }))
}

fn busy() -> Value {
    about(json!({
        "PolicyName": "busy",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 70.0,
            "PredefinedMetricSpecification": { "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance" },
        },
    }))
}

#[tokio::test]
async fn a_variant_is_scaled_from_registration_to_deregistration() {
    let server = in_service().await;
    assert_eq!(server.scalable_targets(), [Value::Null; 0]);

    let registered = scale(&server, "RegisterScalableTarget", bounds()).await;
    assert_eq!(registered.status, 200);
    let put = scale(&server, "PutScalingPolicy", busy()).await;
    assert_eq!(put.status, 200);
    let night = about(json!({
        "ScheduledActionName": "night",
        "Schedule": "cron(0 22 * * ? *)",
        "ScalableTargetAction": { "MaxCapacity": 1 },
    }));
    let night = scale(&server, "PutScheduledAction", night).await;
    assert_eq!((night.status, night.body), (200, Value::Null));

    let targets = server.scalable_targets();
    assert_eq!(targets.len(), 1);
    let target = &targets[0];
    assert_eq!(target["ResourceId"], SHOP);
    assert_eq!(
        target["ScalableTargetARN"],
        registered.body["ScalableTargetARN"]
    );
    let policies = scale(
        &server,
        "DescribeScalingPolicies",
        json!({ "ServiceNamespace": "sagemaker" }),
    )
    .await;
    assert_eq!(target["ScalingPolicies"], policies.body["ScalingPolicies"]);
    assert_eq!(
        target["ScalingPolicies"][0]["PolicyARN"],
        put.body["PolicyARN"]
    );
    assert_eq!(
        target["ScheduledActions"][0]["ScheduledActionName"],
        "night"
    );

    let gone = scale(&server, "DeregisterScalableTarget", about(json!({}))).await;
    assert_eq!((gone.status, gone.body), (200, Value::Null));
    assert_eq!(server.scalable_targets(), [Value::Null; 0]);
    let policies = scale(
        &server,
        "DescribeScalingPolicies",
        json!({ "ServiceNamespace": "sagemaker" }),
    )
    .await;
    assert_eq!(policies.body, json!({ "ScalingPolicies": [] }));
}

#[tokio::test]
async fn a_refusal_is_answered_as_this_service_spells_it() {
    let server = instant().await;
    let answer = scale(&server, "RegisterScalableTarget", bounds()).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.body,
        json!({
            "__type": "ValidationException",
            "Message": format!("SageMaker endpoint doesn't exist: {SHOP}"),
        })
    );
    let answer = scale(&server, "PutScalingPolicy", busy()).await;
    assert_eq!(answer.body["__type"], "ObjectNotFoundException");
    assert!(answer.body["Message"].is_string(), "{}", answer.body);
}

#[tokio::test]
async fn each_service_has_its_own_operations() {
    let server = in_service().await;
    for target in [
        "SageMaker.RegisterScalableTarget",
        "AnyScaleFrontendService.ListModels",
        "AnyScaleFrontendService.DescribeScalingActivities",
    ] {
        let header = format!("X-Amz-Target: {target}\r\n");
        let answer = send(&server.url(), "POST", "/", &header, &bounds().to_string()).await;
        assert_eq!(
            (answer.status, &answer.body["__type"]),
            (400, &json!("UnknownOperationException"))
        );
        let recorded = server.calls().pop().expect("a call");
        assert_eq!(recorded.operation, target);
    }
    assert_eq!(server.scalable_targets(), [Value::Null; 0]);
}

#[tokio::test]
async fn a_registered_variant_is_not_put_on_other_instances() {
    let server = in_service().await;
    scale(&server, "RegisterScalableTarget", bounds()).await;
    let update = json!({ "EndpointName": "Shop", "EndpointConfigName": "large" });
    let refused = call(&server, "UpdateEndpoint", update.clone()).await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.body,
        json!({
            "__type": "ValidationException",
            "message": "The variant(s) \"[v]\" must be deregistered as scalable targets with AWS Auto Scaling before \
                        they can be removed or have their instance type updated.",
        })
    );
    scale(&server, "DeregisterScalableTarget", about(json!({}))).await;
    assert_eq!(call(&server, "UpdateEndpoint", update).await.status, 200);
}

#[tokio::test]
async fn a_call_misbehaves_by_its_operations_name() {
    let server = in_service().await;
    let any = "arn:aws:application-autoscaling:eu-west-1:123456789012:scalable-target/*";
    let denied = format!(
        "User: arn:aws:sts::123456789012:assumed-role/sagemaker-local/caller is not authorized to perform: \
         application-autoscaling:RegisterScalableTarget on resource: {any} because no identity-based policy allows the \
         application-autoscaling:RegisterScalableTarget action"
    );
    for (kind, status, code, member, message) in [
        (
            FaultKind::Deny,
            400,
            "AccessDeniedException",
            "message",
            denied.as_str(),
        ),
        (
            FaultKind::Throttle,
            400,
            "ThrottlingException",
            "message",
            "Rate exceeded",
        ),
        (
            FaultKind::Fail,
            500,
            "InternalServiceException",
            "Message",
            "The request processing has failed because of an internal error.",
        ),
        (
            FaultKind::Limit,
            400,
            "LimitExceededException",
            "Message",
            "You have reached the limit of your account for Application Auto Scaling.",
        ),
    ] {
        server.inject(Fault::once("RegisterScalableTarget", kind));
        let answer = scale(&server, "RegisterScalableTarget", bounds()).await;
        assert_eq!(
            (answer.status, answer.body),
            (status, json!({ "__type": code, member: message }))
        );
        let recorded = server.calls().pop().expect("a call");
        assert_eq!(recorded.operation, "RegisterScalableTarget");
        assert_eq!(recorded.error_code.as_deref(), Some(code));
        assert!(!recorded.acted, "{code}");
    }
    assert_eq!(server.scalable_targets(), [Value::Null; 0]);

    let late = FaultKind::Late { milliseconds: 100 };
    server.inject(Fault::once("RegisterScalableTarget", late));
    let started = Instant::now();
    let answer = scale(&server, "RegisterScalableTarget", bounds()).await;
    assert_eq!(answer.status, 200);
    assert!(started.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn a_denial_names_the_target_that_is_there() {
    let server = in_service().await;
    let registered = server
        .call("RegisterScalableTarget", bounds())
        .expect("registered");
    let arn = registered["ScalableTargetARN"].as_str().expect("an ARN");
    server.inject(Fault::once("PutScalingPolicy", FaultKind::Deny));
    let answer = scale(&server, "PutScalingPolicy", busy()).await;
    let message = answer.body["message"].as_str().expect("words");
    let words = format!("application-autoscaling:PutScalingPolicy on resource: {arn} because");
    assert!(message.contains(&words), "{message}");
}

#[tokio::test]
async fn a_policy_on_the_invocations_of_an_asynchronous_endpoint_is_taken_and_gets_no_data() {
    let server = in_service().await;
    let update = |config: &str| {
        let update = json!({ "EndpointName": "Shop", "EndpointConfigName": config });
        server.call("UpdateEndpoint", update).expect("an update");
    };
    let variant = json!({
        "VariantName": "v", "ModelName": "model", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1,
    });
    let output = json!({ "OutputConfig": { "S3OutputPath": "s3://bucket/answers" } });
    let config = json!({
        "EndpointConfigName": "async", "ProductionVariants": [variant], "AsyncInferenceConfig": output,
    });
    server
        .call("CreateEndpointConfig", config)
        .expect("a config");
    scale(&server, "RegisterScalableTarget", bounds()).await;
    scale(&server, "PutScalingPolicy", busy()).await;
    assert_eq!(server.policies_without_data(), Vec::<String>::new());
    update("async");
    assert_eq!(server.policies_without_data(), ["busy"]);
}
