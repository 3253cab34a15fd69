//! What scales the variants of an endpoint, and what has to change for it to be as it should. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use aws_sdk_sagemaker::primitives::{DateTime, DateTimeFormat};

use super::{DeploymentId, Plan, suspended_tags};
use crate::contract::{
    Autoscaling, BadKey, DEFAULT_MIN_CAPACITY, InferenceOption, no_instances, too_few,
};
use crate::moment::Moment;

/// The metric that the contract's keys are about.
const INVOCATIONS: &str = "SageMakerVariantInvocationsPerInstance";

/// Name of the policy where there is none yet; it is the variant's own.
const POLICY_NAME: &str = "invocations-per-instance";

/// An object of Application Auto Scaling in its wire form, which is all that can be kept of it without loss:
/// the SDK's types cannot be written down and read back.
pub type Wire = Map<String, Value>;

/// How the instances of one production variant scale: what Application Auto Scaling has for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// The variant's name.
    pub variant: String,
    /// The scalable target: its capacities, and what of it is suspended.
    pub target: Wire,
    /// The scaling policies.
    pub policies: Vec<Wire>,
    /// The scheduled actions.
    pub scheduled_actions: Vec<Wire>,
}

/// One thing to be put right.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Register the scalable target, or change it (`RegisterScalableTarget`).
    Target(Wire),
    /// Put a scaling policy (`PutScalingPolicy`).
    Policy(Wire),
    /// Put a scheduled action (`PutScheduledAction`).
    ScheduledAction(Wire),
}

impl Change {
    /// The operation that puts it.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Target(_) => "RegisterScalableTarget",
            Self::Policy(_) => "PutScalingPolicy",
            Self::ScheduledAction(_) => "PutScheduledAction",
        }
    }
}

impl Scaling {
    /// Name of a policy that could not be put back as it was: the alarms of a step policy are the user's, and
    /// name it by an ARN that a new one would not have.
    pub fn irreplaceable(&self) -> Option<&str> {
        let tracks =
            |policy: &&Wire| policy.get("PolicyType") == Some(&json!("TargetTrackingScaling"));
        let policy = self.policies.iter().find(|policy| !tracks(policy))?;
        policy.get("PolicyName").and_then(Value::as_str)
    }
}

/// What a deployment does about scaling.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScalingPlan {
    /// How variants are to scale once the endpoint serves; those that are left alone are not in it.
    pub wanted: Vec<Scaling>,
    /// What scales variants now, and has to be taken off before the endpoint can be changed.
    pub kept: Vec<Scaling>,
}

/// What is known of what scales the variants when an update is planned.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KnownScaling {
    /// What is registered now, of the variants that matter.
    pub registered: Vec<Scaling>,
    /// What has been taken off by this deployment, in this call or an earlier one.
    pub taken_off: Vec<Scaling>,
}

impl KnownScaling {
    /// What scaled a variant before the deployment began: what is registered, with that of what was taken off
    /// which is not back yet.
    fn before(&self, variant: &str) -> Option<Scaling> {
        let of = |list: &[Scaling]| list.iter().find(|one| one.variant == variant).cloned();
        let (registered, off) = (of(&self.registered), of(&self.taken_off));
        let (Some(mut registered), Some(off)) = (registered.clone(), off.clone()) else {
            return registered.or(off);
        };
        add_missing(&mut registered.policies, off.policies, "PolicyName");
        let actions = &mut registered.scheduled_actions;
        add_missing(actions, off.scheduled_actions, "ScheduledActionName");
        Some(registered)
    }
}

fn add_missing(there: &mut Vec<Wire>, others: Vec<Wire>, name: &str) {
    for other in others {
        if there.iter().all(|one| one.get(name) != other.get(name)) {
            there.push(other);
        }
    }
}

/// The variants of which has to be known what scales them, before an update can be planned to its end.
///
/// `replaced` are the variants of an endpoint that goes before it is made again.
pub fn concerned(plan: &Plan, asked: &Autoscaling, replaced: &[String]) -> Vec<String> {
    let mut concerned: Vec<_> = plan.resized.iter().chain(replaced).cloned().collect();
    if asked.is_set() && plan.option != InferenceOption::Serverless {
        concerned.push(plan.variant.clone());
    }
    concerned.sort();
    concerned.dedup();
    concerned
}

/// What an update does about scaling.
///
/// # Errors
///
/// The keys that do not fit what is registered, or would lose of it what cannot be put back.
pub fn planned(
    plan: &Plan,
    asked: &Autoscaling,
    replaced: &[String],
    known: &KnownScaling,
) -> Result<ScalingPlan, Vec<BadKey>> {
    let nothing_asked = Autoscaling::default();
    let mut variants = concerned(plan, asked, replaced);
    variants.extend(known.taken_off.iter().map(|off| off.variant.clone()));
    variants.sort();
    variants.dedup();
    let mut scaling = ScalingPlan::default();
    for variant in &variants {
        let before = known.before(variant);
        let chosen = *variant == plan.variant;
        if chosen && plan.option == InferenceOption::Serverless {
            let misfits = asked.misfits(plan.option);
            if !misfits.is_empty() {
                return Err(misfits);
            }
        } else {
            let asked = if chosen { asked } else { &nothing_asked };
            let wanted = wanted(asked, variant, before.as_ref(), plan.option)?;
            scaling.wanted.extend(wanted);
        }
        let goes = plan.resized.contains(variant) || replaced.contains(variant);
        let is_off = known.taken_off.iter().any(|off| off.variant == *variant);
        scaling.kept.extend(before.filter(|_| goes || is_off));
    }
    match lost(&scaling.kept, plan) {
        Some(bad) => Err(vec![bad]),
        None => Ok(scaling),
    }
}

/// What of the scaling that is taken off could not be put back, if anything.
fn lost(kept: &[Scaling], plan: &Plan) -> Option<BadKey> {
    let key = if plan.resized.is_empty() {
        "replace_failed_endpoint"
    } else {
        "instance_type"
    };
    let policy = kept
        .iter()
        .find_map(|kept| Some((kept, kept.irreplaceable()?)));
    if let Some((kept, policy)) = policy {
        let reason = format!(
            "would lose the scaling policy {policy} of the variant {}: alarms refer to it by its ARN, so that it could not be put back; remove it, or deploy to a new endpoint",
            kept.variant
        );
        return Some(BadKey::new(key, reason));
    }
    // Every deployment's tags take the same room.
    let id = DeploymentId::of_event("");
    let whenever = Moment::since_epoch(Duration::ZERO);
    suspended_tags(&id, kept, whenever).is_none().then(|| {
        let reason = "would suspend more policies and scheduled actions than can be saved in the endpoint's tags, to be restored; remove some, or deploy to a new endpoint";
        BadKey::new(key, reason)
    })
}

/// How a variant is to scale, by what the event asks, else as it did before, else by what the environment
/// asks; `None` where nothing is asked and it did not.
///
/// # Errors
///
/// The keys that do not fit, or are missing to what was there before.
pub(super) fn wanted(
    asked: &Autoscaling,
    variant: &str,
    before: Option<&Scaling>,
    option: InferenceOption,
) -> Result<Option<Scaling>, Vec<BadKey>> {
    let bad = asked.misfits(option);
    if !bad.is_empty() {
        return Err(bad);
    }
    let Some(before) = before else {
        let missing = asked.missing();
        return match (asked.is_set(), missing.is_empty()) {
            (false, _) => Ok(None),
            (true, true)
                if asked.min_capacity.get() == Some(0) && option != InferenceOption::Async =>
            {
                Err(vec![no_instances()])
            }
            (true, true) => changed(asked, &nothing(variant)).map(Some),
            (true, false) => Err(missing),
        };
    };
    if !asked.is_asked_for() {
        return Ok(Some(before.clone()));
    }
    changed(asked, before).map(Some)
}

fn nothing(variant: &str) -> Scaling {
    Scaling {
        variant: variant.to_owned(),
        target: Map::new(),
        policies: Vec::new(),
        scheduled_actions: Vec::new(),
    }
}

/// What was there before with the keys that are asked for.
fn changed(asked: &Autoscaling, before: &Scaling) -> Result<Scaling, Vec<BadKey>> {
    let mut scaling = before.clone();
    let capacity = |key: &str| {
        let capacity = before.target.get(key).and_then(Value::as_i64);
        capacity.and_then(|capacity| i32::try_from(capacity).ok())
    };
    let min = asked.min_capacity.over(capacity("MinCapacity"));
    let min = min.unwrap_or(DEFAULT_MIN_CAPACITY);
    let max = asked.max_capacity.over(capacity("MaxCapacity"));
    if let Some(bad) = too_few(Some(min), max) {
        return Err(vec![bad]);
    }
    scaling.target.insert("MinCapacity".to_owned(), json!(min));
    scaling.target.insert("MaxCapacity".to_owned(), json!(max));

    let own = scaling
        .policies
        .iter_mut()
        .find(|policy| tracks_invocations(policy));
    if let Some(policy) = own {
        set_policy(policy, asked);
        return Ok(scaling);
    }
    let [.., target, scale_in, scale_out] = Autoscaling::KEYS;
    if asked.target_invocations_per_instance.get().is_some() {
        let mut policy = Map::new();
        policy.insert("PolicyName".to_owned(), json!(POLICY_NAME));
        policy.insert("PolicyType".to_owned(), json!("TargetTrackingScaling"));
        set_policy(&mut policy, asked);
        scaling.policies.push(policy);
        return Ok(scaling);
    }
    let cooldowns = [
        (scale_in, asked.scale_in_cooldown_seconds.event),
        (scale_out, asked.scale_out_cooldown_seconds.event),
    ];
    let alone = cooldowns.into_iter().find(|(_, asked)| asked.is_some());
    alone.map_or(Ok(scaling), |(key, _)| {
        let reason =
            format!("is missing, and goes with {key}: no policy tracks the invocations yet");
        Err(vec![BadKey::new(target, reason)])
    })
}

const A_DAY: Duration = Duration::from_hours(24);

const CONFIGURATION: &str = "TargetTrackingScalingPolicyConfiguration";

fn tracks_invocations(policy: &Wire) -> bool {
    let metric = policy.get(CONFIGURATION).map(|configuration| {
        &configuration["PredefinedMetricSpecification"]["PredefinedMetricType"]
    });
    metric == Some(&json!(INVOCATIONS))
}

fn set_policy(policy: &mut Wire, asked: &Autoscaling) {
    let configuration = policy.entry(CONFIGURATION).or_insert_with(
        || json!({"PredefinedMetricSpecification": {"PredefinedMetricType": INVOCATIONS}}),
    );
    let is_new = configuration.get("TargetValue").is_none();
    let mut set = |key: &str, event: Option<Value>, environment: Option<Value>| {
        if let Some(value) = event.or_else(|| environment.filter(|_| is_new)) {
            configuration[key] = value;
        }
    };
    let (target, scale_in, scale_out) = (
        &asked.target_invocations_per_instance,
        &asked.scale_in_cooldown_seconds,
        &asked.scale_out_cooldown_seconds,
    );
    set(
        "TargetValue",
        target.event.clone().map(Value::Number),
        target.environment.clone().map(Value::Number),
    );
    for (key, setting) in [
        ("ScaleInCooldown", scale_in),
        ("ScaleOutCooldown", scale_out),
    ] {
        set(
            key,
            setting.event.map(Value::from),
            setting.environment.map(Value::from),
        );
    }
}

/// What has to be put right for a variant to scale as wanted, in the order in which it can be: the target first.
///
/// What is there and not wanted stays: policies and scheduled actions of others are theirs.
pub fn changes(now: Option<&Scaling>, wanted: &Scaling) -> Vec<Change> {
    let is_there = |there: Option<&Vec<Wire>>, name: &str, wanted: &Wire| {
        let same = |wire: &&Wire| wire.get(name) == wanted.get(name);
        let there = there.and_then(|there| there.iter().find(same));
        there.is_some_and(|there| says(there, wanted))
    };
    let target = (!now.is_some_and(|now| says(&now.target, &wanted.target)))
        .then(|| Change::Target(wanted.target.clone()));
    let policies = wanted
        .policies
        .iter()
        .filter(|policy| !is_there(now.map(|now| &now.policies), "PolicyName", policy));
    let actions = wanted.scheduled_actions.iter().filter(|action| {
        let there = now.map(|now| &now.scheduled_actions);
        !is_there(there, "ScheduledActionName", action)
    });
    target
        .into_iter()
        .chain(policies.cloned().map(Change::Policy))
        .chain(actions.cloned().map(Change::ScheduledAction))
        .collect()
}

/// Whether a change is about a scheduled action whose time is over, by a day and more: the service forgets it as soon as
/// it is put, or refuses it. A time zone moves the time by less than a day.
pub fn is_over(change: &Change, now: Moment) -> bool {
    let Change::ScheduledAction(action) = change else {
        return false;
    };
    let text = |member: &str| action.get(member).and_then(Value::as_str);
    let once =
        text("Schedule").and_then(|schedule| schedule.strip_prefix("at(")?.strip_suffix(')'));
    let at =
        once.and_then(|at| DateTime::from_str(&format!("{at}Z"), DateTimeFormat::DateTime).ok());
    let end = action
        .get("EndTime")
        .and_then(Value::as_f64)
        .map(DateTime::from_secs_f64);
    [at, end]
        .into_iter()
        .flatten()
        .any(|time| now.since_time(time) > A_DAY)
}

/// Whether an object has every member of another, as it is there; members beyond are the service's defaults.
fn says(has: &Wire, wanted: &Wire) -> bool {
    wanted
        .iter()
        .all(|(key, wanted)| match (has.get(key), wanted) {
            (Some(Value::Object(has)), Value::Object(wanted)) => says(has, wanted),
            (Some(Value::Number(has)), Value::Number(wanted)) => has.as_f64() == wanted.as_f64(),
            (has, wanted) => has == Some(wanted),
        })
}

#[cfg(test)]
mod tests;
