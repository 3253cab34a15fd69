//! The engines of a scene. What an engine does with a reply depends on nothing but its state, the time and the reply, so
//! it is worked out once, whatever else goes on meanwhile.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shared::contract::{DeployRequest, DeploymentKind, Environment, OnFailedEndpoint};
use shared::deploy::{Asked, Callback, Deadlines, Engine, Next};
use shared::failure::ServiceFailure;
use shared::moment::Moment;
use shared::plan::{DeploymentId, Plan};
use shared::wait::Pace;

use crate::fingerprint::fingerprint;
use crate::region::{Answer, Millis, Name, of_failure};

/// A little more than a process has for its closing.
const CLOSING: Duration = Duration::from_secs(6);

pub(crate) const ENDPOINT: &str = "churn";
const EXECUTION: &str = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/churn/execution/abc";
const ROLE: &str = "arn:aws:iam::123456789012:role/SageMakerExecutionRole";

/// How a deployment is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Door {
    /// By a call that waits for the end.
    Call,
    /// By a message in a queue.
    Queue,
}

/// A deployment as somebody asks for it.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) door: Door,
    pub(crate) kind: DeploymentKind,
    event: Arc<str>,
    pub(crate) request: Arc<DeployRequest>,
    /// Of a pipeline's step; empty for a call.
    pub(crate) token: String,
    /// The deployment's id.
    pub(crate) id: Name,
    /// Name of the endpoint config that stands for the deployment of an existing endpoint.
    pub(crate) anchor: String,
    /// Name of the endpoint config of a new endpoint, which follows from the request.
    pub(crate) config: Option<String>,
}

pub(crate) fn package(version: u32) -> String {
    format!("arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/{version}")
}

impl Order {
    /// The order of a package's version, with more keys of the event.
    pub(crate) fn new(
        door: Door,
        kind: DeploymentKind,
        version: u32,
        keys: &Value,
        token: &str,
    ) -> Self {
        let mut event = json!({
            "role": ROLE, "endpoint_name": ENDPOINT, "package_arn": package(version),
        });
        for (key, value) in keys.as_object().into_iter().flatten() {
            event[key] = value.clone();
        }
        let event = event.to_string();
        let request = DeployRequest::parse(kind, &event, &Environment::new());
        let request = request.expect("the scenes' events are good");
        // As the engine has it.
        let replaces = request.on_failed_endpoint == OnFailedEndpoint::Replace;
        let id = match door {
            Door::Queue if !replaces => DeploymentId::of_token(token),
            _ => DeploymentId::of_event(&request.identity),
        };
        let plan = (kind == DeploymentKind::New).then(|| Plan::new_endpoint(&request));
        let plan = plan.map(|plan| plan.expect("the scenes' events fit together"));
        Self {
            door,
            kind,
            config: plan.map(|plan| plan.endpoint_config_name),
            event: event.into(),
            request: Arc::new(request),
            token: token.to_owned(),
            id: id.as_str().into(),
            anchor: id.anchor(ENDPOINT),
        }
    }
}

/// An engine in a state, with what it does next.
#[derive(Debug)]
pub(crate) struct Local {
    engine: Engine,
    pub(crate) fingerprint: u64,
    pub(crate) next: Next,
    /// Whether it waits to repeat a call.
    pub(crate) repeats: bool,
    /// Whether it waits for a second poll.
    pub(crate) settles: bool,
}

/// What happens to an engine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Input<'a> {
    Reply(Result<&'a Answer, &'a ServiceFailure>),
    /// The time that it waited for has come.
    Time,
    /// Its outcome has been told.
    Told,
}

/// The points in time that a process keeps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Limits {
    pub(crate) started: Millis,
    pub(crate) wait_until: Millis,
    pub(crate) undo_until: Millis,
    pub(crate) answer_by: Millis,
}

/// The engines of a scene.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) orders: Vec<Order>,
    pace: Pace,
    /// The states that have been worked out. `None` if nothing is met twice anyway.
    known: Option<RefCell<HashMap<u64, Arc<Local>>>>,
    /// An operation that the functions' role may not call.
    pub(crate) forbidden: Option<&'static str>,
    /// Whether every call is printed.
    pub(crate) traces: bool,
    /// Stands in for an engine while that is being worked on.
    idle: Arc<Local>,
}

impl Lab {
    pub(crate) fn new(orders: Vec<Order>, pace: Pace, remembers: bool) -> Self {
        let idle = Limits {
            started: 0,
            wait_until: 0,
            undo_until: 0,
            answer_by: 0,
        };
        let idle = Arc::new(work_out(
            engine(&orders[0], "idle", idle, pace),
            Input::Time,
            0,
            false,
        ));
        Self {
            orders,
            pace,
            known: remembers.then(RefCell::default),
            forbidden: None,
            traces: false,
            idle,
        }
    }

    pub(crate) fn idle(&self) -> Arc<Local> {
        Arc::clone(&self.idle)
    }

    /// How many states of engines were met.
    pub(crate) fn met(&self) -> usize {
        self.known.as_ref().map_or(0, |known| known.borrow().len())
    }

    /// A process that begins or resumes a deployment.
    pub(crate) fn start(
        &self,
        order: usize,
        process: &str,
        limits: Limits,
        now: Millis,
    ) -> Arc<Local> {
        let key = || fingerprint(("start", order, process, limits, now));
        self.known_or(
            key,
            || {
                (
                    engine(&self.orders[order], process, limits, self.pace),
                    Input::Time,
                )
            },
            now,
        )
    }

    /// The engine once something has happened to it.
    pub(crate) fn advance(&self, local: Arc<Local>, input: Input<'_>, now: Millis) -> Arc<Local> {
        let happened = || match input {
            Input::Reply(Ok(answer)) => fingerprint((1, answer.fingerprint())),
            Input::Reply(Err(failure)) => fingerprint((2, of_failure(failure))),
            Input::Time => 3,
            Input::Told => 4,
        };
        let before = local.fingerprint;
        let key = || fingerprint((before, happened(), now));
        self.known_or(
            key,
            || {
                // Where nobody else has it, it need not be copied.
                let local = Arc::try_unwrap(local).map(|local| local.engine);
                (local.unwrap_or_else(|local| local.engine.clone()), input)
            },
            now,
        )
    }

    fn known_or<'a>(
        &self,
        key: impl FnOnce() -> u64,
        make: impl FnOnce() -> (Engine, Input<'a>),
        now: Millis,
    ) -> Arc<Local> {
        let Some(known) = &self.known else {
            let (engine, input) = make();
            return Arc::new(work_out(engine, input, now, false));
        };
        let key = key();
        if let Some(local) = known.borrow().get(&key) {
            return Arc::clone(local);
        }
        let (engine, input) = make();
        let local = Arc::new(work_out(engine, input, now, true));
        known.borrow_mut().insert(key, Arc::clone(&local));
        local
    }
}

fn engine(order: &Order, process: &str, limits: Limits, pace: Pace) -> Engine {
    let callback = (order.door == Door::Queue).then(|| Callback {
        token: order.token.clone(),
        pipeline_execution_arn: Some(EXECUTION.to_owned()),
    });
    let engine = Engine::new(Asked {
        kind: order.kind,
        request: Arc::clone(&order.request),
        event: Arc::clone(&order.event),
        callback,
        process: process.to_owned(),
        started: moment(limits.started),
        deadlines: Deadlines {
            wait_until: moment(limits.wait_until),
            undo_until: moment(limits.undo_until),
            answer_by: moment(limits.answer_by),
        },
        pace,
    });
    engine.expect("the scenes' events fit together")
}

fn work_out(mut engine: Engine, input: Input<'_>, now: Millis, remembers: bool) -> Local {
    let now = moment(now);
    match input {
        Input::Reply(Ok(answer)) => engine.handle(now, Ok(answer.to_reply())),
        Input::Reply(Err(failure)) => engine.handle(now, Err(failure.clone())),
        Input::Time => {}
        Input::Told => engine.close(now + CLOSING),
    }
    let next = engine.next(now);
    Local {
        fingerprint: if remembers { engine.fingerprint() } else { 0 },
        repeats: engine.is_repeating(),
        settles: engine.is_settling(),
        engine,
        next,
    }
}

fn moment(millis: Millis) -> Moment {
    Moment::since_epoch(Duration::from_millis(millis))
}
