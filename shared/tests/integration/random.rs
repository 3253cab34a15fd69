//! Random scenes: faults, deaths of processes, failing deployments, other people's changes, and several deployments of
//! different packages at once through both doors. The invariants hold after every step.
//!
//! A failing scene prints its seed; `SCENES=1000 cargo test -p shared random` plays more of them, and
//! `SCENES=1 SEED=<seed>` one again.

use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use fastrand::Rng;
use sagemaker_local::{Call, Fault, FaultKind, Outcome, Server};
use serde_json::{Value, json};
use shared::contract::DeploymentKind::{self, Existing, New};
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::autoscaling::scaling;
use crate::scene::{
    ATTEMPT_TIMEOUT, Asked, Door, ENDPOINT, Ended, Network, Scene, THEIRS, event, with,
};

const SCENES: u64 = 40;
const STEPS: usize = 8;
const PACKAGES: usize = 3;

/// How long a creation or an update takes.
const DEPLOYMENT: Duration = Duration::from_secs(60);

/// How long anything takes on its way at most.
const LATENCY: Duration = Duration::from_millis(300);

/// No deployment makes more calls than this, whatever happens to it.
const MOST_CALLS: usize = 700;

const OPERATIONS: [&str; 20] = [
    "DescribeEndpoint",
    "DescribeEndpointConfig",
    "DescribeModel",
    "DescribeModelPackage",
    "CreateModel",
    "CreateEndpointConfig",
    "CreateEndpoint",
    "UpdateEndpoint",
    "DeleteEndpoint",
    "DeleteEndpointConfig",
    "DeleteModel",
    "AddTags",
    "ListTags",
    "DeleteTags",
    "DescribeScalableTargets",
    "RegisterScalableTarget",
    "DeregisterScalableTarget",
    "ChangeMessageVisibility",
    "ListPipelineExecutionSteps",
    "SendPipelineExecutionStepSuccess",
];

#[test]
fn the_invariants_hold_whatever_happens() {
    let number =
        |name, default| std::env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let first: u64 = number("SEED", 1);
    let (next, end) = (AtomicU64::new(first), first + number("SCENES", SCENES));
    let play_some = || {
        let seeds = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < end);
        let fails = |seed: &u64| catch_unwind(|| on_a_paused_clock(play(*seed))).is_err();
        std::iter::from_fn(seeds).filter(fails).collect()
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let failed: Vec<u64> = std::thread::scope(|scope| {
        let players: Vec<_> = (0..threads).map(|_| scope.spawn(play_some)).collect();
        let failed = players.into_iter().map(ScopedJoinHandle::join);
        let failed = failed.map(|seeds: Result<Vec<_>, _>| seeds.expect("caught"));
        failed.flatten().collect()
    });
    assert_eq!(
        failed,
        Vec::<u64>::new(),
        "the seeds of the scenes that failed"
    );
}

fn on_a_paused_clock(scene: impl Future<Output = ()>) {
    let clock = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    clock.expect("a runtime").block_on(scene);
}

/// A deployment of a scene.
#[derive(Clone, Debug)]
struct Deployment {
    door: Door,
    kind: DeploymentKind,
    event: Value,
    wait: Duration,
    /// In which call its process dies, if it does. It is then called again, or the message delivered.
    dies_in: Option<usize>,
}

/// What an invariant is about.
struct Before {
    names: BTreeSet<String>,
    scaling: Vec<Value>,
    /// The endpoint configs onto which a deployment of an earlier step may have been put.
    started: BTreeSet<String>,
}

async fn play(seed: u64) {
    let mut random = Rng::with_seed(seed);
    let mut scene = Scene::lasting(DEPLOYMENT, DEPLOYMENT);
    scene.network = Network::jittery(seed, LATENCY);
    let packages: Vec<_> = (0..PACKAGES).map(|_| scene.package()).collect();
    let foreign = make_foreign(&scene.server);
    let mut started = BTreeSet::new();
    for step in 0..STEPS {
        let at = format!("seed {seed}, step {step}");
        upset(&scene, &mut random);
        inject_faults(&scene, &mut random);
        let before = Before {
            names: everything(&scene),
            scaling: scaling(&scene),
            started: started.clone(),
        };
        let deployments = draw(&scene, &packages, &mut random);
        let (ended, interfered) =
            tokio::join!(run(&scene, &deployments), interfere(&scene, &mut random));
        scene.server.clear_faults();
        settle(&scene).await;

        let at = format!("{at}: {deployments:?} {ended:?} after {}", history(&scene));
        let serving_deleted = scene.server.endpoints_serving_deleted();
        assert_eq!(serving_deleted, Vec::<String>::new(), "{at}");
        let after = everything(&scene);
        assert!(foreign.is_subset(&after), "{at}: somebody else's are gone");
        let calls = scene.count(|_| true);
        assert!(calls <= MOST_CALLS * ended.len(), "{at}: {calls} calls");
        // An endpoint that somebody deletes in the middle may be made again, and a call starts afresh if it is repeated
        // after a process that was killed in its undo.
        let repeated = deployments
            .iter()
            .filter(|deployment| deployment.door == Door::Call && deployment.dies_in.is_some());
        let starts = ended.len() + repeated.count() + usize::from(interfered);
        assert!(scene.started() <= starts, "{at}: started too often");
        for call in scene.server.calls() {
            let starts = ["CreateEndpoint", "UpdateEndpoint"].contains(&call.operation.as_str());
            if let Some(config) = call.request["EndpointConfigName"].as_str()
                && starts
                && call.acted
            {
                started.insert(config.to_owned());
            }
        }
        for ended in &ended {
            assert_ne!(*ended, Ended::Unanswered, "{at}");
        }
        if let ([deployment], [ended]) = (deployments.as_slice(), ended.as_slice()) {
            check(&scene, deployment, ended, &before, interfered, &at);
        }
        scene.server.clear_calls();
    }
}

/// The calls of a step: each with its second, and what became of it where that is not an answer.
fn history(scene: &Scene) -> String {
    let told = |call: &Call| {
        let became = match (&call.error_code, call.status) {
            (Some(code), _) => format!(" {code}"),
            (None, None) => " no answer".to_owned(),
            (None, Some(_)) => String::new(),
        };
        format!("{:.1} {}{became}", call.at_seconds, call.operation)
    };
    scene
        .server
        .read_calls(|calls| calls.iter().map(told).collect::<Vec<_>>().join(", "))
}

/// The invariants of a deployment that was alone, perhaps with somebody who interfered.
fn check(
    scene: &Scene,
    deployment: &Deployment,
    ended: &Ended,
    before: &Before,
    interfered: bool,
    at: &str,
) {
    match ended {
        Ended::Deployed(answer) if answer.deployment_status == "DryRun" => {
            assert!(scene.has_only_read(), "{at}");
        }
        Ended::Deployed(answer) if answer.deployment_status == "InProgress" => {
            let config = &answer.endpoint_config;
            let has_started = before.started.contains(config) || has_started(scene, config);
            assert!(has_started, "{at}: it has not started");
        }
        Ended::Deployed(answer) => {
            let live = scene
                .server
                .call("DescribeEndpoint", json!({"EndpointName": ENDPOINT}));
            let live = live.unwrap_or_default();
            assert!(
                interfered || live["EndpointStatus"] == "InService",
                "{at}: {live}"
            );
            assert!(
                interfered || live["EndpointConfigName"] == answer.endpoint_config.as_str(),
                "{at}: {live}"
            );
            let config = json!({"EndpointConfigName": answer.endpoint_config});
            let config = scene.server.call("DescribeEndpointConfig", config);
            let served = &config.expect("it serves")["ProductionVariants"][0]["ModelName"];
            assert_eq!(*served, answer.model.as_str(), "{at}");
        }
        Ended::Failed {
            error_type,
            message,
        } => {
            let orphans = orphans(scene, deployment, before, error_type, message);
            assert_eq!(orphans, Vec::<String>::new(), "{at}");
        }
        Ended::Unanswered => {}
    }
    if is_over(ended) && !interfered && deployment.dies_in.is_none() {
        check_scaling(scene, deployment, ended, before, at);
    }
}

/// What a failed deployment has left, although it neither goes on nor says so.
fn orphans(
    scene: &Scene,
    deployment: &Deployment,
    before: &Before,
    error_type: &str,
    message: &str,
) -> Vec<String> {
    let made: Vec<_> = scene.calls_of("CreateEndpointConfig");
    // A failed endpoint that was deleted to be replaced is created by the next call.
    let replaces = deployment.event["replace_failed_endpoint"] == true;
    let is_between = replaces
        && scene.count(|call| call.operation == "DeleteEndpoint" && call.acted) > 0
        && scene.count(|call| call.operation == "CreateEndpoint" && call.acted) == 0;
    let sets_count =
        |call: &Call| call.operation == "UpdateEndpointWeightsAndCapacities" && call.acted;
    let goes_on = is_between
        || scene.count(sets_count) > 0
        || made.iter().any(|call| {
            let config = call.request["EndpointConfigName"].as_str();
            config.is_some_and(|config| has_started(scene, config))
        });
    if goes_on && ["DeploymentTimedOut", "AccessDenied"].contains(&error_type) {
        return Vec::new();
    }
    // A step's reason has no room for the names, so there a denial has to explain them.
    let denied = scene.count(|call| {
        let reads = ["DescribeEndpoint", "DescribeEndpointConfig", "ListTags"];
        let undoes =
            call.operation.starts_with("Delete") || reads.contains(&call.operation.as_str());
        let code = call.error_code.as_deref().unwrap_or_default();
        undoes && ["AccessDeniedException", "ResourceLimitExceeded"].contains(&code)
    });
    let in_use = in_use(scene);
    let is_excused = |name: &&String| {
        message.contains(name.as_str())
            || in_use.contains(*name)
            || (deployment.door == Door::Queue && denied > 0)
    };
    let after = everything(scene);
    let new = after.difference(&before.names);
    new.filter(|name| !is_excused(name)).cloned().collect()
}

/// The endpoint, its live config and the model of that.
fn in_use(scene: &Scene) -> BTreeSet<String> {
    let live = scene
        .server
        .call("DescribeEndpoint", json!({"EndpointName": ENDPOINT}));
    let Ok(live) = live else {
        return BTreeSet::new();
    };
    let config = live["EndpointConfigName"].as_str().unwrap_or_default();
    let model = scene.server.call(
        "DescribeEndpointConfig",
        json!({"EndpointConfigName": config}),
    );
    let model = model.unwrap_or_default()["ProductionVariants"][0]["ModelName"].clone();
    let model = model.as_str().unwrap_or_default();
    BTreeSet::from([ENDPOINT, config, model].map(str::to_owned))
}

/// Whether the service has taken the start of a deployment of this config, in this step.
fn has_started(scene: &Scene, config: &str) -> bool {
    let starts = ["CreateEndpoint", "UpdateEndpoint"];
    let is_start = |call: &Call| {
        starts.contains(&call.operation.as_str())
            && call.acted
            && call.request["EndpointConfigName"] == config
    };
    scene.count(is_start) > 0
}

/// Whether a deployment has come to an end that it knows of.
fn is_over(ended: &Ended) -> bool {
    !["InProgress", "DeploymentTimedOut", "AccessDenied"].contains(&ended.word())
}

/// Autoscaling that was there is there.
fn check_scaling(scene: &Scene, deployment: &Deployment, ended: &Ended, before: &Before, at: &str) {
    let was_deleted = scene.count(|call| call.operation == "DeleteEndpoint" && call.acted) > 0;
    let is_reported =
        matches!(ended, Ended::Failed { message, .. } if message.contains("autoscaling"));
    // A step's reason has no room for it.
    let may_be_reported = deployment.door == Door::Queue
        && scene.count(|call| call.operation == "RegisterScalableTarget" && !call.acted) > 0;
    let replaces = deployment.event["replace_failed_endpoint"] == true;
    let was_lost = was_deleted && (!replaces || ended.word() == "EndpointCreationFailed");
    if before.scaling.is_empty() || is_reported || may_be_reported || was_lost {
        return;
    }
    let after = scaling(scene);
    if deployment.event["autoscaling_max_capacity"].is_null() {
        assert_eq!(after, before.scaling, "{at}");
    } else {
        assert_eq!(after.len(), before.scaling.len(), "{at}");
    }
}

/// Runs deployments side by side.
async fn run(scene: &Scene, deployments: &[Deployment]) -> Vec<Ended> {
    let mut running = JoinSet::new();
    for deployment in deployments {
        let Deployment {
            door,
            kind,
            event,
            wait,
            dies_in,
        } = deployment;
        let asked = scene.ask_for(*door, *kind, event, *wait);
        running.spawn(end(asked, *dies_in));
    }
    running.join_all().await
}

async fn end(mut asked: Asked, dies_in: Option<usize>) -> Ended {
    let killed = match dies_in {
        Some(last) => asked.until_killed(last).await,
        None => None,
    };
    match killed {
        Some(ended) => ended,
        None => asked.until_ended().await,
    }
}

/// Draws one to three deployments of different packages.
fn draw(scene: &Scene, packages: &[String], random: &mut Rng) -> Vec<Deployment> {
    let kind = kind_for(scene, random);
    let mut packages = packages.to_vec();
    random.shuffle(&mut packages);
    let count = [1, 1, 1, 2, 3][random.usize(..5)];
    let packages = packages.iter().take(count);
    packages
        .map(|package| Deployment {
            door: Door::BOTH[random.usize(..2)],
            kind,
            event: with(event(package), &keys(count, random)),
            wait: Duration::from_secs([30, 540, 540][random.usize(..3)]),
            dies_in: (random.u8(..4) == 0).then(|| random.usize(..60)),
        })
        .collect()
}

/// The keys of one deployment among so many.
fn keys(count: usize, random: &mut Rng) -> Value {
    let mut keys = json!({});
    for (key, value) in [
        ("replace_failed_endpoint", json!(true)),
        ("initial_instance_count", json!(random.u8(1..4))),
        ("tags", json!("team=growth")),
        ("instance_type", json!("ml.c7i.large")),
        // The service has no way to delete a config unless another deployment has just gone back to it.
        ("delete_superseded", json!(count == 1)),
        ("on_timeout", json!("return")),
    ] {
        if random.u8(..4) == 0 {
            keys[key] = value;
        }
    }
    match random.u8(..8) {
        0 => keys["dry_run"] = json!(true),
        1 => keys["on_failure"] = json!("keep"),
        2 => {
            keys["autoscaling_max_capacity"] = json!(random.u8(2..6));
            keys["autoscaling_target_invocations_per_instance"] = json!(70);
        }
        _ => {}
    }
    keys
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
    match random.u8(..12) {
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
            put_on_theirs(&scene.server);
        }
        5 if exists => {
            delete(&scene.server);
        }
        6..=8 if exists => register(&scene.server, random),
        _ => {}
    }
}

/// Somebody acts on the endpoint in the middle of the deployments; whether that may replace or delete what they deploy.
async fn interfere(scene: &Scene, random: &mut Rng) -> bool {
    let what = random.u8(..12);
    sleep(DEPLOYMENT.mul_f64(1.5 * random.f64())).await;
    match what {
        0..=2 => {
            let counts =
                json!([{"VariantName": "AllTraffic", "DesiredInstanceCount": random.u8(1..6)}]);
            let request = json!({
                "EndpointName": ENDPOINT, "DesiredWeightsAndCapacities": counts,
            });
            // Refused if there is no endpoint in service, which is fine here.
            let _ = scene
                .server
                .call("UpdateEndpointWeightsAndCapacities", request);
            false
        }
        3 => put_on_theirs(&scene.server),
        4 => delete(&scene.server),
        _ => false,
    }
}

/// Whether the endpoint is in a state for it.
fn put_on_theirs(server: &Server) -> bool {
    let update = json!({"EndpointName": ENDPOINT, "EndpointConfigName": THEIRS});
    server.call("UpdateEndpoint", update).is_ok()
}

fn delete(server: &Server) -> bool {
    let endpoint = json!({"EndpointName": ENDPOINT});
    server.call("DeleteEndpoint", endpoint).is_ok()
}

/// Scales the endpoint, if it is in a state for it.
fn register(server: &Server, random: &mut Rng) {
    let of = |mut request: Value| {
        request["ServiceNamespace"] = json!("sagemaker");
        request["ResourceId"] = json!("endpoint/churn/variant/AllTraffic");
        request["ScalableDimension"] = json!("sagemaker:variant:DesiredInstanceCount");
        request
    };
    let bounds = json!({"MinCapacity": 1, "MaxCapacity": random.u8(2..9)});
    let policy = json!({
        "PolicyName": "cpu", "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 55.5,
            "CustomizedMetricSpecification": {
                "MetricName": "CPUUtilization", "Namespace": "/aws/sagemaker/Endpoints",
                "Dimensions": [{"Name": "EndpointName", "Value": ENDPOINT}], "Statistic": "Average",
            },
        },
    });
    if server.call("RegisterScalableTarget", of(bounds)).is_ok() {
        let policy = server.call("PutScalingPolicy", of(policy));
        policy.expect("the target is there");
    }
}

fn inject_faults(scene: &Scene, random: &mut Rng) {
    for _ in 0..random.usize(..4) {
        let kind = match random.u8(..9) {
            0 => FaultKind::Throttle,
            1 => FaultKind::Deny,
            2 => FaultKind::Fail,
            3 => FaultKind::DropBefore,
            4 => FaultKind::DropAfter,
            5 => FaultKind::Limit,
            6 => FaultKind::Late {
                milliseconds: 1000 * (ATTEMPT_TIMEOUT.as_secs() + 2),
            },
            7 => FaultKind::ConfigNotFound,
            // Stale reads are left out: a real one is moments old, and a random one could be of any age.
            _ => FaultKind::Hang,
        };
        let operation = OPERATIONS[random.usize(..OPERATIONS.len())];
        let reads = operation.starts_with("Describe") || operation.starts_with("List");
        if reads && kind == FaultKind::Limit {
            // No quota is about reading.
            continue;
        }
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

/// Waits until nothing is in progress on the endpoint.
async fn settle(scene: &Scene) {
    let has_settled = || {
        let described = scene
            .server
            .call("DescribeEndpoint", json!({"EndpointName": ENDPOINT}));
        !described.is_ok_and(|endpoint| {
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
    scene.until(has_settled).await;
}
