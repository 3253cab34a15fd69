//! What the functions promise, each promise in the situation that is hardest on it: through both doors, and with the
//! product's real numbers.

use std::time::Duration;

use sagemaker_local::{FaultKind, Outcome};
use serde_json::{Value, json};
use shared::contract::DeploymentKind::Existing;
use tokio::time::sleep;

use crate::autoscaling::{scaled_with as scaled, scaling};
use crate::scene::{Answer, Asked, Door, ENDPOINT, Ended, QUICK, Scene, THEIRS};

mod advice;
mod answers;
mod cut_off;
mod dry_run;
mod instance_types;
mod missing;
mod not_started;
mod passing;
mod replaced;
mod scaling;
mod stopped;
mod undone;

/// Longer than any update, a rollback included.
const SETTLED: Duration = Duration::from_secs(600);

/// The event's key that makes an update one that the service refuses while the variant is a scalable target.
fn resized() -> Value {
    json!({"instance_type": "ml.c7i.large"})
}

/// Registers the endpoint's variant, or changes its capacities.
fn register(scene: &Scene, least: u32, most: u32) {
    let capacities = json!({"MinCapacity": least, "MaxCapacity": most});
    scale(scene, "RegisterScalableTarget", &capacities);
}

/// Puts a policy that tracks the use of the CPUs.
fn put_policy(scene: &Scene, name: &str, target: f64) {
    let metric = json!({
        "MetricName": "CPUUtilization", "Namespace": "/aws/sagemaker/Endpoints",
        "Dimensions": [{"Name": "EndpointName", "Value": ENDPOINT}], "Statistic": "Average",
    });
    let policy = json!({
        "PolicyName": name, "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration":
            {"TargetValue": target, "CustomizedMetricSpecification": metric},
    });
    scale(scene, "PutScalingPolicy", &policy);
}

/// Calls an operation about the autoscaling of the endpoint's variant.
fn scale(scene: &Scene, operation: &str, request: &Value) {
    let mut request = request.clone();
    request["ServiceNamespace"] = json!("sagemaker");
    request["ResourceId"] = json!("endpoint/churn/variant/AllTraffic");
    request["ScalableDimension"] = json!("sagemaker:variant:DesiredInstanceCount");
    scene.server.call(operation, request).expect("accepted");
}

/// The tags of the endpoint, sorted.
fn endpoint_tags(scene: &Scene) -> Vec<(String, String)> {
    let arn = scene.endpoint(ENDPOINT)["EndpointArn"].clone();
    let answer = scene.server.call("ListTags", json!({ "ResourceArn": arn }));
    let answer = answer.expect("it is there");
    let text = |tag: &Value, member: &str| tag[member].as_str().unwrap_or_default().to_owned();
    let tags = answer["Tags"].as_array().into_iter().flatten();
    let mut tags: Vec<_> = tags
        .map(|tag| (text(tag, "Key"), text(tag, "Value")))
        .collect();
    tags.sort();
    tags
}

/// Puts a tag on the endpoint, as an operator would.
fn tag_endpoint(scene: &Scene, key: &str, value: &str) {
    let arn = scene.endpoint(ENDPOINT)["EndpointArn"].clone();
    let tags = json!({"ResourceArn": arn, "Tags": [{"Key": key, "Value": value}]});
    scene.server.call("AddTags", tags).expect("it is there");
}

/// The next update is rolled back.
fn rolls_back(scene: &Scene) {
    let reason = Some("out of memory".to_owned());
    scene
        .server
        .set_outcome(ENDPOINT, Outcome::UpdateRollsBack { reason });
}

/// The next creation fails.
fn creation_fails(scene: &Scene) {
    let reason = Some("no such image".to_owned());
    scene
        .server
        .set_outcome(ENDPOINT, Outcome::CreateFails { reason });
}

/// Somebody's scaling: another number of instances, by `UpdateEndpointWeightsAndCapacities`. Whether the service
/// accepted it.
fn set_instances(scene: &Scene, count: u32) -> bool {
    let request = json!({
        "EndpointName": ENDPOINT,
        "DesiredWeightsAndCapacities": [{"VariantName": "AllTraffic", "DesiredInstanceCount": count}],
    });
    let operation = "UpdateEndpointWeightsAndCapacities";
    scene.server.call(operation, request).is_ok()
}

/// The number of instances that the endpoint is to have.
fn instances(scene: &Scene) -> Value {
    scene.endpoint(ENDPOINT)["ProductionVariants"][0]["DesiredInstanceCount"].clone()
}

/// Rejects a model package.
fn reject(scene: &Scene, package_arn: &str) {
    let request = json!({"ModelPackageArn": package_arn, "ModelApprovalStatus": "Rejected"});
    let rejected = scene.server.call("UpdateModelPackage", request);
    rejected.expect("it is there");
}

/// Puts the endpoint onto a config of somebody else's, and returns when it serves that.
async fn operator_updates(scene: &Scene, model_name: &str) {
    let variant = json!({
        "VariantName": "AllTraffic", "ModelName": model_name,
        "InstanceType": "ml.c5.xlarge", "InitialInstanceCount": 3,
    });
    let config = json!({"EndpointConfigName": THEIRS, "ProductionVariants": [variant]});
    let update = json!({"EndpointName": ENDPOINT, "EndpointConfigName": THEIRS});
    for (operation, request) in [("CreateEndpointConfig", config), ("UpdateEndpoint", update)] {
        scene.server.call(operation, request).expect("accepted");
    }
    scene.until_status("InService").await;
}

/// An error of the service, in its own words.
fn error(code: &str, message: &str) -> FaultKind {
    FaultKind::Error {
        code: code.to_owned(),
        message: message.to_owned(),
        status: 400,
    }
}

/// The refusal of a change to an endpoint in progress.
fn in_progress() -> FaultKind {
    let endpoint = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/churn";
    let message = format!("Cannot update in-progress endpoint \"{endpoint}\".");
    error("ValidationException", &message)
}

/// Returns right after so many calls have come in: before the next one does.
async fn until_calls(scene: &Scene, count: usize) {
    while scene.count(|_| true) < count {
        sleep(Duration::from_millis(5)).await;
    }
}

/// Returns right after the first call of an operation has come in.
async fn until_called(scene: &Scene, operation: &str) {
    while scene.count(|call| call.operation == operation) == 0 {
        sleep(Duration::from_millis(5)).await;
    }
}

/// Takes a deployment to its end with a process that is killed in one call, and another one that resumes. Whether the
/// first one was killed, and the end.
async fn killed_and_resumed(asked: &mut Asked, last: usize) -> (bool, Ended) {
    match asked.until_killed(last).await {
        Some(ended) => (false, ended),
        None => (true, asked.until_ended().await),
    }
}

/// Whether the endpoint serves what an answer says, and what a repeated answer may say of it.
#[track_caller]
fn assert_serves(scene: &Scene, door: Door, ended: Ended, what: &str) -> Answer {
    let answer = match ended {
        Ended::Deployed(answer) => answer,
        other => panic!("{door:?} {what}: {other:?}"),
    };
    let live = scene.endpoint(ENDPOINT);
    assert_eq!(live["EndpointStatus"], "InService", "{door:?} {what}");
    let config = answer.endpoint_config.as_str();
    assert_eq!(live["EndpointConfigName"], config, "{door:?} {what}");
    // A call that is repeated after the end cannot know who has deployed it.
    let words: &[&str] = match door {
        Door::Call => &["Deployed", "Unchanged"],
        Door::Queue => &["Deployed"],
    };
    let word = answer.deployment_status.as_str();
    assert!(words.contains(&word), "{door:?} {what}: {word}");
    assert_eq!(
        scene.server.endpoints_serving_deleted(),
        Vec::<String>::new(),
        "{door:?} {what}"
    );
    answer
}

/// Deploys another package, with no keys, as the next deployment of the endpoint would be.
async fn deploy_another(scene: &Scene, door: Door) -> Ended {
    let event = crate::scene::event(&scene.package());
    scene.through(door, Existing, &event).await
}
