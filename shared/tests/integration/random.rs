//! Random scenes: faults, kills, failing deployments, other people's changes, and several deployments of different
//! packages at once. What must hold holds after every step.
//!
//! A failing scene prints its seed; `SCENES=1000 cargo test -p shared random` plays more of them, and
//! `SCENES=1 SEED=<seed>` one again.

use std::collections::BTreeSet;
use std::time::Duration;

use fastrand::Rng;
use sagemaker_local::{Fault, FaultKind, Outcome, Server};
use serde_json::{Value, json};
use shared::contract::DeploymentKind::{self, Existing, New};
use shared::contract::{DeployAnswer, DeploymentStatus};
use shared::error::{Error, Failure};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::scene::{DEPLOYMENT, ENDPOINT, READ_TIMEOUT, Scene, THEIRS, budget, event, run};

const SCENES: u64 = 24;
const STEPS: usize = 8;
const PACKAGES: usize = 3;

/// No call of a function makes more calls than this, whatever happens to it.
const MOST_CALLS: usize = 250;

const OPERATIONS: [&str; 10] = [
    "DescribeEndpoint",
    "DescribeEndpointConfig",
    "DescribeModelPackage",
    "CreateModel",
    "CreateEndpointConfig",
    "CreateEndpoint",
    "UpdateEndpoint",
    "DeleteEndpoint",
    "DeleteEndpointConfig",
    "DeleteModel",
];

type Ended = Option<Result<DeployAnswer, Failure>>;

#[tokio::test]
async fn what_must_hold_holds_whatever_happens() {
    let number =
        |name, default| std::env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let first = number("SEED", 1);
    let mut scenes = JoinSet::new();
    for seed in first..first + number("SCENES", SCENES) {
        scenes.spawn(play(seed));
        // A few side by side; more would make the replies late.
        if scenes.len() >= 6 {
            scenes
                .join_next()
                .await
                .expect("some")
                .expect("the scene holds");
        }
    }
    while let Some(scene) = scenes.join_next().await {
        scene.expect("the scene holds");
    }
}

async fn play(seed: u64) {
    let mut random = Rng::with_seed(seed);
    let scene = Scene::empty().await;
    let packages: Vec<_> = (0..PACKAGES).map(|_| scene.package()).collect();
    let foreign = make_foreign(&scene.server);
    for step in 0..STEPS {
        let at = format!("seed {seed}, step {step}");
        upset(&scene, &mut random);
        let before = everything(&scene);
        let (events, ended) = deploy_some(&scene, &packages, &mut random).await;
        scene.server.clear_faults();
        settle(&scene).await;

        let serving_deleted = scene.server.endpoints_serving_deleted();
        assert_eq!(
            serving_deleted,
            Vec::<String>::new(),
            "{at}: {events:?} {ended:?}"
        );
        let after = everything(&scene);
        assert!(foreign.is_subset(&after), "{at}: somebody else's are gone");
        assert!(
            scene.server.calls().len() <= MOST_CALLS * ended.len(),
            "{at}: too many calls"
        );
        scene.server.clear_calls();
        if let [Some(ended)] = ended.as_slice() {
            check(&scene, ended, &before, &after, &at);
        }
    }
}

/// What must hold of the answer to a deployment that was alone.
fn check(
    scene: &Scene,
    ended: &Result<DeployAnswer, Failure>,
    before: &BTreeSet<String>,
    after: &BTreeSet<String>,
    at: &str,
) {
    match ended {
        Ok(answer) if answer.deployment_status != DeploymentStatus::InProgress => {
            let live = scene.endpoint(ENDPOINT);
            assert_eq!(live["EndpointStatus"], "InService", "{at}: {answer:?}");
            assert_eq!(
                live["EndpointConfigName"],
                answer.endpoint_config.as_str(),
                "{at}"
            );
            let config = json!({"EndpointConfigName": answer.endpoint_config});
            let config = scene
                .server
                .call("DescribeEndpointConfig", config)
                .expect("live");
            let served = &config["ProductionVariants"][0]["ModelName"];
            assert_eq!(*served, answer.model.as_str(), "{at}");
        }
        // It goes on, watched or not, and so it keeps what it was given.
        Ok(_)
        | Err(Failure {
            error: Error::DeploymentTimedOut { .. } | Error::Service(_),
            ..
        }) => {}
        Err(failure) => {
            let told: BTreeSet<_> = failure
                .left_behind
                .iter()
                .filter_map(|left| left.resource.rsplit(' ').next().map(str::to_owned))
                .collect();
            let orphans: Vec<_> = after
                .difference(before)
                .filter(|name| !told.contains(*name))
                .collect();
            assert!(orphans.is_empty(), "{at}: {failure} left {orphans:?}");
        }
    }
}

/// Runs one to three deployments of different packages at once, one of them perhaps killed.
async fn deploy_some(
    scene: &Scene,
    packages: &[String],
    random: &mut Rng,
) -> (Vec<Value>, Vec<Ended>) {
    let kind = kind_for(scene, random);
    let mut packages = packages.to_vec();
    random.shuffle(&mut packages);
    let count = [1, 1, 1, 2, 3][random.usize(..5)];
    let mut deployments = JoinSet::new();
    let mut events = Vec::new();
    for package in packages.iter().take(count) {
        let mut event = event(package);
        if random.u8(..4) == 0 {
            event["replace_failed_endpoint"] = json!(true);
        }
        if random.u8(..4) == 0 {
            event["initial_instance_count"] = json!(random.u8(1..4));
        }
        events.push(event.clone());
        let services = scene.services.clone();
        let killed_after = match random.u8(..4) {
            0 => Duration::from_millis(random.u64(..150)),
            _ => Duration::from_secs(60),
        };
        let wait = Duration::from_millis([50, 1500, 1500][random.usize(..3)]);
        deployments.spawn(async move {
            let deployment = run(&services, kind, &event, budget(wait));
            timeout(killed_after, deployment).await.ok()
        });
    }
    (events, deployments.join_all().await)
}

/// Mostly the one that fits, as a pipeline would choose; sometimes the other.
fn kind_for(scene: &Scene, random: &mut Rng) -> DeploymentKind {
    let exists = !scene.server.endpoint_names().is_empty();
    match (exists, random.u8(..6)) {
        (true, 0) | (false, 1..) => New,
        _ => Existing,
    }
}

/// Something goes wrong, or is about to.
fn upset(scene: &Scene, random: &mut Rng) {
    let exists = !scene.server.endpoint_names().is_empty();
    let reason = || Some("it did not work out".to_owned());
    match random.u8(..10) {
        0 | 1 => {
            let outcome = if exists {
                Outcome::UpdateRollsBack { reason: reason() }
            } else {
                Outcome::CreateFails { reason: reason() }
            };
            scene.server.set_outcome(ENDPOINT, outcome);
        }
        2 if exists => {
            let statuses = ["SystemUpdating", "Updating", "RollingBack"];
            let status = statuses[random.usize(..statuses.len())];
            scene
                .server
                .force_status(ENDPOINT, status, Some(DEPLOYMENT));
        }
        3 if exists => {
            let statuses = ["Failed", "OutOfService"];
            scene
                .server
                .force_status(ENDPOINT, statuses[random.usize(..2)], None);
        }
        4 if exists => {
            let update = json!({"EndpointName": ENDPOINT, "EndpointConfigName": THEIRS});
            // Refused where the endpoint is in no state for it, which is fine here.
            let _ = scene.server.call("UpdateEndpoint", update);
        }
        5 if exists => {
            let _ = scene
                .server
                .call("DeleteEndpoint", json!({"EndpointName": ENDPOINT}));
        }
        _ => {}
    }
    for _ in 0..random.usize(..4) {
        let kind = match random.u8(..9) {
            0 => FaultKind::Throttle,
            1 => FaultKind::Deny,
            2 => FaultKind::Fail,
            3 => FaultKind::DropBefore,
            4 => FaultKind::DropAfter,
            5 => FaultKind::Limit,
            6 => FaultKind::Late {
                milliseconds: u64::try_from(READ_TIMEOUT.as_millis()).expect("short") + 50,
            },
            7 => FaultKind::ConfigNotFound,
            // Stale reads are left out: a real one is moments old, and a random one could be of any age.
            _ => FaultKind::Hang,
        };
        let operation = OPERATIONS[random.usize(..OPERATIONS.len())];
        let times = random.u32(1..4);
        scene.server.inject(
            Fault::once(operation, kind)
                .times(times)
                .after(random.u32(..3)),
        );
    }
}

/// A model and a config of somebody else's, on which the endpoint is put at times.
fn make_foreign(server: &Server) -> BTreeSet<String> {
    let model = json!({
        "ModelName": "their-model",
        "ExecutionRoleArn": "arn:aws:iam::123456789012:role/Theirs",
        "PrimaryContainer": {"Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/theirs:1"},
    });
    server.call("CreateModel", model).expect("new");
    let config = json!({
        "EndpointConfigName": THEIRS,
        "ProductionVariants": [{
            "VariantName": "AllTraffic",
            "ModelName": "their-model",
            "InstanceType": "ml.m5.xlarge",
            "InitialInstanceCount": 1,
        }],
    });
    server.call("CreateEndpointConfig", config).expect("new");
    BTreeSet::from(["their-model".to_owned(), THEIRS.to_owned()])
}

fn everything(scene: &Scene) -> BTreeSet<String> {
    scene.inventory().into_iter().flatten().collect()
}

/// Waits until nothing is under way on the endpoint.
async fn settle(scene: &Scene) {
    let under_way = || {
        let described = scene
            .server
            .call("DescribeEndpoint", json!({"EndpointName": ENDPOINT}));
        described.is_ok_and(|endpoint| {
            let status = endpoint["EndpointStatus"].as_str().unwrap_or_default();
            [
                "Creating",
                "Updating",
                "SystemUpdating",
                "RollingBack",
                "Deleting",
            ]
            .contains(&status)
        })
    };
    while under_way() {
        sleep(Duration::from_millis(5)).await;
    }
}
