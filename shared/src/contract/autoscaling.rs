//! The keys that scale a variant's instances: each from the event, else (on an update) from what is
//! registered, else from the environment.

use serde_json::Number;

use super::deployment::DeploymentKind;
use super::fields::{BadKey, Fields, Setting};
use super::shape::{InferenceOption, Shape};
use super::values;

/// Target tracking on `SageMakerVariantInvocationsPerInstance`, as asked for. Off where no key is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Autoscaling {
    /// The fewest instances, at least 1; 0 only where the endpoint is asynchronous (`MinCapacity`).
    pub min_capacity: Setting<i32>,
    /// The most instances, at least 1 and not below the fewest (`MaxCapacity`).
    pub max_capacity: Setting<i32>,
    /// Invocations per instance and minute that the scaling aims at, above 0 (`TargetValue`).
    pub target_invocations_per_instance: Setting<Number>,
    /// Seconds after instances are taken away before more are, from 0 (`ScaleInCooldown`).
    pub scale_in_cooldown_seconds: Setting<i32>,
    /// Seconds after instances are added before more are, from 0 (`ScaleOutCooldown`).
    pub scale_out_cooldown_seconds: Setting<i32>,
}

/// The fewest instances of a variant that is scaled, where nothing else is asked.
pub const DEFAULT_MIN_CAPACITY: i32 = 1;

impl Autoscaling {
    /// The keys, as the contract spells them.
    pub const KEYS: [&'static str; 5] = [
        "autoscaling_min_capacity",
        "autoscaling_max_capacity",
        "autoscaling_target_invocations_per_instance",
        "autoscaling_scale_in_cooldown_seconds",
        "autoscaling_scale_out_cooldown_seconds",
    ];

    /// Reads the keys, and rejects those that do not go together as far as that can be told before it is
    /// known what is registered.
    pub(super) fn read(fields: &mut Fields<'_>, kind: DeploymentKind, shape: &Shape) -> Self {
        let [min, max, target, scale_in, scale_out] = Self::KEYS;
        let autoscaling = Self {
            min_capacity: fields.optional(min, values::integer(0..=i32::MAX)),
            max_capacity: fields.optional(max, values::integer(1..=i32::MAX)),
            target_invocations_per_instance: fields.optional(target, values::positive),
            scale_in_cooldown_seconds: fields.optional(scale_in, values::integer(0..=i32::MAX)),
            scale_out_cooldown_seconds: fields.optional(scale_out, values::integer(0..=i32::MAX)),
        };
        let option = match kind {
            DeploymentKind::New => Some(shape.inference_option.or(InferenceOption::RealTime)),
            DeploymentKind::Existing => shape.inference_option.event,
        };
        let mut bad = Vec::new();
        if let Some(option) = option {
            bad.extend(autoscaling.misfits(option));
        }
        if kind == DeploymentKind::New && option != Some(InferenceOption::Serverless) {
            bad.extend(autoscaling.missing());
        }
        bad.extend(too_few(
            autoscaling.min_capacity.event,
            autoscaling.max_capacity.event,
        ));
        for bad in bad {
            fields.reject(&bad.key, bad.reason);
        }
        autoscaling
    }

    /// Whether the event sets any key.
    pub fn is_asked_for(&self) -> bool {
        self.set(|set| set.0).next().is_some()
    }

    /// Whether the event or the environment sets any key.
    pub fn is_set(&self) -> bool {
        self.set(|set| set.0 || set.1).next().is_some()
    }

    /// Refusals of the event's keys that do not go with the way in which the endpoint takes requests; empty for none.
    pub fn misfits(&self, option: InferenceOption) -> Vec<BadKey> {
        if option == InferenceOption::Serverless {
            let reason = "goes with instances, and a serverless endpoint has none";
            return self
                .set(|set| set.0)
                .map(|key| BadKey::new(key, reason))
                .collect();
        }
        let nothing = self.min_capacity.event == Some(0);
        if nothing && option == InferenceOption::RealTime {
            return vec![no_instances()];
        }
        Vec::new()
    }

    /// Refusals for the keys that are missing to register a target where there is none; empty where nothing is asked.
    pub fn missing(&self) -> Vec<BadKey> {
        let Some(given) = self.set(|set| set.0 || set.1).next() else {
            return Vec::new();
        };
        let needed = [
            (Self::KEYS[1], self.max_capacity.get().is_none()),
            (
                Self::KEYS[2],
                self.target_invocations_per_instance.get().is_none(),
            ),
        ];
        let missing = needed.into_iter().filter(|(_, missing)| *missing);
        missing
            .map(|(key, _)| BadKey::new(key, format!("is missing, and goes with {given}")))
            .collect()
    }

    /// The keys whose event and environment, in this order, satisfy the condition.
    fn set(&self, counts: impl Fn((bool, bool)) -> bool) -> impl Iterator<Item = &'static str> {
        fn sources<T>(setting: &Setting<T>) -> (bool, bool) {
            (setting.event.is_some(), setting.environment.is_some())
        }
        let sources = [
            sources(&self.min_capacity),
            sources(&self.max_capacity),
            sources(&self.target_invocations_per_instance),
            sources(&self.scale_in_cooldown_seconds),
            sources(&self.scale_out_cooldown_seconds),
        ];
        Self::KEYS
            .into_iter()
            .zip(sources)
            .filter(move |(_, set)| counts(*set))
            .map(|(key, _)| key)
    }
}

/// The refusal of a minimum of no instances where requests are answered at once.
pub fn no_instances() -> BadKey {
    BadKey::new(
        Autoscaling::KEYS[0],
        "must be at least 1: only an asynchronous endpoint can do without instances",
    )
}

/// The refusal of a maximum below the minimum; `None` where it is not, or either is not known.
pub fn too_few(min: Option<i32>, max: Option<i32>) -> Option<BadKey> {
    let (min, max) = (min?, max?);
    (max < min).then(|| {
        let reason = format!("must be at least the minimum capacity, {min}, and not {max}");
        BadKey::new(Autoscaling::KEYS[1], reason)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::contract::{DeployRequest, Environment};
    use crate::error::Error;

    fn bad(kind: DeploymentKind, keys: &Value, environment: &[(&str, &str)]) -> Vec<String> {
        let mut event = json!({
            "role": "arn:aws:iam::123456789012:role/SageMakerRole",
            "endpoint_name": "churn",
            "package_arn": "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/1",
        });
        for (key, value) in keys.as_object().expect("an object") {
            event[key] = value.clone();
        }
        let environment: Environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        match DeployRequest::parse(kind, &event.to_string(), &environment) {
            Ok(_) => Vec::new(),
            Err(Error::InvalidRequest { bad_keys, .. }) => {
                bad_keys.into_iter().map(|bad| bad.key).collect()
            }
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_new_endpoint_needs_a_maximum_and_a_target_to_be_scaled() {
        let [min, max, target, scale_in, _] = Autoscaling::KEYS;
        let new = |keys: Value| bad(DeploymentKind::New, &keys, &[]);
        assert!(new(json!({})).is_empty());
        assert!(new(json!({max: 4, target: 70})).is_empty());
        assert!(new(json!({min: 4, max: 4, target: 70})).is_empty());
        assert!(new(json!({min: "2", max: "4", target: "70.5", scale_in: 0})).is_empty());
        assert_eq!(new(json!({min: 1})), [max, target]);
        assert_eq!(new(json!({target: 70})), [max]);
        assert_eq!(new(json!({max: 4, scale_in: 60})), [target]);
        // On an update the rest may be registered.
        assert!(bad(DeploymentKind::Existing, &json!({min: 1}), &[]).is_empty());
    }

    #[test]
    fn what_a_stack_sets_counts_like_the_events_for_a_new_endpoint() {
        let [_, max, target, _, _] = Autoscaling::KEYS;
        let stack = [("AUTOSCALING_MAX_CAPACITY", "4")];
        let new = |keys: Value| bad(DeploymentKind::New, &keys, &stack);
        assert_eq!(new(json!({})), [target]);
        assert!(new(json!({target: 70})).is_empty());
        // It has no say where there is nothing to scale.
        assert!(new(json!({"inference_option": "serverless"})).is_empty());
        assert!(new(json!({max: 2, target: 70})).is_empty());
    }

    #[test]
    fn no_key_goes_with_what_it_cannot_scale() {
        let [min, max, target, _, scale_out] = Autoscaling::KEYS;
        let keys = json!({"inference_option": "serverless", max: 2, target: 70, scale_out: 1});
        for kind in [DeploymentKind::New, DeploymentKind::Existing] {
            assert_eq!(bad(kind, &keys, &[]), [max, target, scale_out]);
        }
        let nothing = json!({min: 0, max: 2, target: 70});
        assert_eq!(bad(DeploymentKind::New, &nothing, &[]), [min]);
        let queued = json!({
            "inference_option": "async", "async_s3_output_path": "s3://b/o",
            min: 0, max: 2, target: 70,
        });
        assert!(bad(DeploymentKind::New, &queued, &[]).is_empty());
        let crossed = json!({min: 3, max: 2, target: 70});
        assert_eq!(bad(DeploymentKind::New, &crossed, &[]), [max]);
        assert_eq!(bad(DeploymentKind::Existing, &crossed, &[]), [max]);
    }
}
