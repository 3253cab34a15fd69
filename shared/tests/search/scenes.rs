//! Where scenes begin, and what is asked for in them.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sagemaker::operation::create_endpoint_config::builders::CreateEndpointConfigInputBuilder;
use aws_sdk_sagemaker::operation::create_model::builders::CreateModelInputBuilder;
use aws_sdk_sagemaker::types::{
    ContainerDefinition, EndpointStatus, ProductionVariant, ProductionVariantInstanceType,
};
use serde_json::{Map, Value, json};
use shared::contract::DeploymentKind::{self, Existing, New};
use shared::deploy::{Call, Write};
use shared::wait::Pace;

use crate::lab::{Door, ENDPOINT, Lab, Order, package};
use crate::region::{Ending, Region, Timing};
use crate::world::{Act, Budget, Event, Fate, START, THEIRS, TICK, World};

/// Every pause is a tick.
pub(crate) const PACE: Pace = Pace {
    shortest: Duration::from_millis(TICK),
    longest: Duration::from_millis(TICK),
    share: 0.0,
    patience: Duration::from_secs(30),
};

const TIMING: Timing = Timing {
    create: 2 * TICK,
    update: 2 * TICK,
    rollback: TICK,
    delete: TICK,
    // A little more than a tick, so that the first poll after a change may be stale.
    stale: TICK + 1_000,
};

/// What is there in the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Start {
    /// No endpoint.
    Empty,
    /// The endpoint serves the first package.
    Serving,
    /// It scales besides.
    Scaled,
    /// The endpoint serves an endpoint config of somebody else's.
    Theirs,
    /// The endpoint, which served the first package, is `Failed`.
    Failed,
    /// It scales besides.
    FailedScaled,
    /// The endpoint is being deleted.
    Deleting,
}

impl Start {
    pub(crate) const ALL: [(&'static str, Self); 7] = [
        ("empty", Self::Empty),
        ("serving", Self::Serving),
        ("scaled", Self::Scaled),
        ("theirs", Self::Theirs),
        ("failed", Self::Failed),
        ("failed-scaled", Self::FailedScaled),
        ("deleting", Self::Deleting),
    ];

    /// The region at the beginning of a scene.
    pub(crate) fn region(self) -> Region {
        let mut region = Region::new(START - 1_000 * TICK, TIMING);
        for version in 1..=9 {
            region.register_package(&package(version));
        }
        make_theirs(&mut region);
        if self == Self::Empty {
            region.pass_to(START);
            return region;
        }
        if self == Self::Theirs {
            let create = Write::CreateEndpoint {
                name: ENDPOINT.to_owned(),
                endpoint_config: THEIRS.to_owned(),
                tags: Vec::new(),
            };
            done(&mut region, create);
            region.pass_to(START);
            return region;
        }
        let mut region = deployed(region, New, 1);
        if matches!(self, Self::Scaled | Self::FailedScaled) {
            region.scale(&ENDPOINT.into(), "AllTraffic", &policy());
        }
        region.pass_to(START - TICK);
        match self {
            Self::Failed | Self::FailedScaled => region.force(ENDPOINT, EndpointStatus::Failed),
            Self::Deleting => {
                region.pass_to(START);
                let name = ENDPOINT.to_owned();
                done(&mut region, Write::DeleteEndpoint { name });
            }
            _ => {}
        }
        region.pass_to(START);
        region
    }
}

fn policy() -> Map<String, Value> {
    let policy = json!({
        "PolicyName": "invocations", "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 70,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance",
            },
        },
    });
    policy.as_object().cloned().unwrap_or_default()
}

fn done(region: &mut Region, write: Write) {
    let call = Call::Write(write);
    let answered = region.call(&call, Ending::Succeeds);
    answered.unwrap_or_else(|failure| panic!("{failure:?}"));
}

fn make_theirs(region: &mut Region) {
    let container = ContainerDefinition::builder().image("theirs").build();
    let model = CreateModelInputBuilder::default()
        .model_name("their-model")
        .primary_container(container);
    done(
        region,
        Write::CreateModel {
            request: Box::new(model.into()),
        },
    );
    let variant = ProductionVariant::builder()
        .variant_name("AllTraffic")
        .model_name("their-model")
        .instance_type(ProductionVariantInstanceType::MlM5Xlarge)
        .initial_instance_count(1);
    let config = CreateEndpointConfigInputBuilder::default()
        .endpoint_config_name(THEIRS)
        .production_variants(variant.build());
    done(
        region,
        Write::CreateEndpointConfig {
            request: Box::new(config.into()),
        },
    );
}

/// The region once a version was deployed and nothing went wrong.
fn deployed(region: Region, kind: DeploymentKind, version: u32) -> Region {
    let order = Order::new(Door::Call, kind, version, &json!({}), "");
    let lab = Lab::new(vec![order], PACE, false);
    let mut world = World::new(region, 1, [], Budget::default());
    run_on(&mut world, &lab);
    Arc::unwrap_or_clone(world.region)
}

/// Lets everything happen that happens if nothing goes wrong.
pub(crate) fn run_on(world: &mut World, lab: &Lab) {
    while !world.is_over() {
        let events = world.events(lab);
        let plain = events.into_iter().find(|event| {
            matches!(
                event,
                Event::Start(_) | Event::Call(_, Fate::Plain) | Event::Land(_) | Event::Time(_)
            )
        });
        let plain = plain.unwrap_or_else(|| panic!("nothing happens any more: {world:#?}"));
        world.happens(plain, lab);
    }
    settle(world);
}

/// Lets what is under way on the endpoint end.
pub(crate) fn settle(world: &mut World) {
    let region = Arc::make_mut(&mut world.region);
    while let Some(next) = region.next_change() {
        region.pass_to(next);
    }
}

/// What is asked for in a scene.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ask {
    pub(crate) door: Door,
    pub(crate) kind: DeploymentKind,
    pub(crate) version: u32,
    pub(crate) keys: Value,
}

impl Ask {
    pub(crate) fn new(door: Door, kind: DeploymentKind, version: u32, keys: Value) -> Self {
        Self {
            door,
            kind,
            version,
            keys,
        }
    }
}

/// A scene.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) start: Start,
    pub(crate) asks: Vec<Ask>,
    pub(crate) acts: Vec<Act>,
    pub(crate) forbidden: Option<&'static str>,
}

impl Scene {
    pub(crate) fn new(start: Start, asks: Vec<Ask>) -> Self {
        Self {
            start,
            asks,
            acts: Vec::new(),
            forbidden: None,
        }
    }

    pub(crate) fn lab(&self, remembers: bool) -> Lab {
        let orders = self.asks.iter().enumerate().map(|(number, ask)| {
            let token = match ask.door {
                Door::Call => String::new(),
                Door::Queue => format!("token{number}"),
            };
            Order::new(ask.door, ask.kind, ask.version, &ask.keys, &token)
        });
        let mut lab = Lab::new(orders.collect(), PACE, remembers);
        lab.forbidden = self.forbidden;
        lab
    }

    pub(crate) fn world(&self, left: Budget) -> World {
        let acts = self.acts.iter().copied();
        World::new(self.start.region(), self.asks.len(), acts, left)
    }
}

/// The package and keys of the deployment that somebody asks for once everything is over.
pub(crate) fn next_one(kind: DeploymentKind) -> Order {
    let keys = match kind {
        New => json!({}),
        Existing => json!({"replace_failed_endpoint": true}),
    };
    Order::new(Door::Call, kind, 9, &keys, "")
}

const OTHER_SHAPE: &str = "ml.c5.xlarge";

/// A deployment through either door.
fn through(kind: DeploymentKind, version: u32, keys: &Value) -> [Ask; 2] {
    [Door::Call, Door::Queue].map(|door| Ask::new(door, kind, version, keys.clone()))
}

/// Scenes with one deployment.
pub(crate) fn single() -> Vec<Scene> {
    let replace = json!({"replace_failed_endpoint": true});
    let shape = json!({"instance_type": OTHER_SHAPE});
    let scaling = json!({
        "autoscaling_max_capacity": 4, "autoscaling_target_invocations_per_instance": 70,
    });
    let hurried = json!({"max_wait_seconds": 4, "on_timeout": "return"});
    let cases = [
        (Start::Empty, New, 2, json!({})),
        (Start::Empty, New, 2, json!({"on_failure": "keep"})),
        (Start::Empty, New, 2, scaling.clone()),
        (Start::Empty, New, 2, hurried.clone()),
        (Start::Empty, New, 2, json!({"dry_run": true})),
        (Start::Empty, Existing, 2, json!({})),
        (Start::Deleting, New, 2, json!({})),
        (Start::Deleting, Existing, 2, json!({})),
        (Start::Serving, New, 2, json!({})),
        (Start::Serving, New, 1, json!({})),
        (Start::Serving, Existing, 2, json!({})),
        (Start::Serving, Existing, 1, json!({})),
        (
            Start::Serving,
            Existing,
            1,
            json!({"initial_instance_count": 3}),
        ),
        (
            Start::Serving,
            Existing,
            2,
            json!({"tags": "team=growth", "delete_superseded": true}),
        ),
        (Start::Serving, Existing, 2, scaling),
        (Start::Serving, Existing, 2, hurried),
        (Start::Serving, Existing, 2, json!({"dry_run": true})),
        (Start::Scaled, Existing, 2, json!({})),
        (Start::Scaled, Existing, 2, shape.clone()),
        (
            Start::Scaled,
            Existing,
            2,
            json!({"instance_type": OTHER_SHAPE, "dry_run": true}),
        ),
        (
            Start::Scaled,
            Existing,
            2,
            json!({"instance_type": OTHER_SHAPE, "max_wait_seconds": 4}),
        ),
        (
            Start::Theirs,
            Existing,
            2,
            json!({"delete_superseded": true}),
        ),
        (Start::Failed, Existing, 2, json!({})),
        (Start::Failed, Existing, 2, replace.clone()),
        (Start::FailedScaled, Existing, 2, replace.clone()),
        (
            Start::FailedScaled,
            Existing,
            2,
            json!({"replace_failed_endpoint": true, "dry_run": true}),
        ),
        (Start::Failed, New, 2, json!({})),
    ];
    let mut scenes = Vec::new();
    for (start, kind, version, keys) in cases {
        for ask in through(kind, version, &keys) {
            let mut scene = Scene::new(start, vec![ask]);
            scene.acts = vec![
                Act::Scale,
                Act::Replace,
                Act::Revert,
                Act::DeleteEndpoint,
                Act::Reject,
            ];
            if scene.asks[0].door == Door::Queue {
                scene.acts.extend([Act::Stop, Act::Expire]);
            }
            scenes.push(scene);
        }
    }
    scenes
}

/// Scenes with two deployments at once.
pub(crate) fn double() -> Vec<Scene> {
    let none = json!({});
    let shape = json!({"instance_type": OTHER_SHAPE});
    let replace = json!({"replace_failed_endpoint": true});
    let superseded = json!({"delete_superseded": true});
    let cases = [
        (Start::Empty, (New, 2, &none), (New, 3, &none)),
        (Start::Empty, (New, 2, &none), (New, 2, &none)),
        (Start::Empty, (New, 2, &none), (Existing, 3, &none)),
        (Start::Serving, (Existing, 2, &none), (Existing, 2, &none)),
        (Start::Serving, (Existing, 2, &none), (Existing, 3, &none)),
        (
            Start::Serving,
            (Existing, 2, &superseded),
            (Existing, 3, &superseded),
        ),
        (
            Start::Serving,
            (Existing, 2, &superseded),
            (Existing, 1, &none),
        ),
        (Start::Serving, (Existing, 2, &none), (Existing, 2, &shape)),
        (Start::Scaled, (Existing, 2, &shape), (Existing, 2, &shape)),
        (Start::Scaled, (Existing, 2, &shape), (Existing, 3, &none)),
        (Start::Scaled, (Existing, 2, &shape), (Existing, 3, &shape)),
        (
            Start::FailedScaled,
            (Existing, 2, &replace),
            (Existing, 3, &replace),
        ),
        (
            Start::FailedScaled,
            (Existing, 2, &replace),
            (Existing, 2, &replace),
        ),
        (Start::Failed, (Existing, 2, &replace), (New, 3, &none)),
    ];
    let doors = [
        (Door::Call, Door::Call),
        (Door::Call, Door::Queue),
        (Door::Queue, Door::Call),
        (Door::Queue, Door::Queue),
    ];
    let mut scenes = Vec::new();
    for (start, first, second) in cases {
        for (one, other) in doors {
            if first == second && (one, other) == (Door::Queue, Door::Call) {
                continue;
            }
            let ask = |door, (kind, version, keys): (DeploymentKind, u32, &Value)| {
                Ask::new(door, kind, version, keys.clone())
            };
            let mut scene = Scene::new(start, vec![ask(one, first), ask(other, second)]);
            scene.acts = vec![
                Act::Scale,
                Act::Replace,
                Act::Revert,
                Act::DeleteEndpoint,
                Act::Reject,
            ];
            scenes.push(scene);
        }
    }
    scenes
}
