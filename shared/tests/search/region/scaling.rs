//! Application Auto Scaling.

use std::sync::Arc;

use aws_sdk_sagemaker::types::EndpointStatus;
use serde_json::{Map, Value, json};
use shared::deploy::Call;
use shared::failure::{FailureKind, ServiceFailure};
use shared::plan::{Change, Wire};

use super::replies::failure;
use super::{Kept, Name, Region};

/// A registered variant with what scales it.
#[derive(Clone, Debug, Hash, PartialEq)]
pub(crate) struct Target {
    pub(crate) registered: Wire,
    pub(crate) policies: Vec<Wire>,
    pub(crate) actions: Vec<Wire>,
}

const SUSPENSIONS: [&str; 3] = [
    "DynamicScalingInSuspended",
    "DynamicScalingOutSuspended",
    "ScheduledScalingSuspended",
];

impl Region {
    pub(crate) fn target(&self, endpoint: &str, variant: &str) -> Option<&Kept<Target>> {
        let mut targets = self.targets.iter();
        let (_, target) =
            targets.find(|((of, name), _)| &**of == endpoint && &**name == variant)?;
        Some(target)
    }

    pub(super) fn put_scaling(
        &mut self,
        call: &Call,
        endpoint: &str,
        variant: &str,
        change: &Change,
    ) -> Result<(), ServiceFailure> {
        let before = self.target(endpoint, variant).cloned();
        let target = match (change, before) {
            (Change::Target(wire), before) => {
                self.check_registration(call, endpoint, variant)?;
                registered(before.as_deref(), wire)
            }
            (_, None) => {
                let message = format!("No scalable target registered for {endpoint}/{variant}");
                let code = "ObjectNotFoundException".to_owned();
                let failure = failure(call, FailureKind::NotFound, message);
                return Err(ServiceFailure { code, ..failure });
            }
            (Change::Policy(wire), Some(before)) => {
                let mut target = Target::clone(&before);
                put(&mut target.policies, "PolicyName", wire);
                target
            }
            (Change::ScheduledAction(wire), Some(before)) => {
                let mut target = Target::clone(&before);
                put(&mut target.actions, "ScheduledActionName", wire);
                target
            }
        };
        let key: (Name, Name) = (endpoint.into(), variant.into());
        self.targets.insert(key, Kept::new(target));
        Ok(())
    }

    fn check_registration(
        &self,
        call: &Call,
        endpoint: &str,
        variant: &str,
    ) -> Result<(), ServiceFailure> {
        let refused = |message: String| Err(failure(call, FailureKind::Refused, message));
        let Some(found) = self.endpoints.get(endpoint) else {
            return refused(format!("SageMaker endpoint doesn't exist: {endpoint}"));
        };
        let phase = found.phase();
        let mut variants = phase.live.variants.iter();
        let Some(variant) = variants.find(|found| &*found.name == variant) else {
            return refused(format!(
                "SageMaker endpoint variant doesn't exist: {variant}"
            ));
        };
        if phase.status != EndpointStatus::InService {
            return refused(format!("SageMaker endpoint is {}", phase.status));
        }
        match &variant.instance_type {
            Some(_) => Ok(()),
            None => refused("DesiredInstanceCount cannot be scaled for this variant".to_owned()),
        }
    }

    pub(super) fn deregister(&mut self, endpoint: &str, variant: &str) {
        self.targets
            .retain(|(of, name), _| &**of != endpoint || &**name != variant);
    }

    /// Registers a variant with one policy, as a user does.
    pub(crate) fn scale(&mut self, endpoint: &Name, variant: &str, policy: &Wire) {
        let bounds = Map::from_iter([
            ("MinCapacity".to_owned(), json!(1)),
            ("MaxCapacity".to_owned(), json!(4)),
        ]);
        let mut target = registered(None, &bounds);
        target.policies.push(policy.clone());
        let key = (Arc::clone(endpoint), variant.into());
        self.targets.insert(key, Kept::new(target));
    }
}

fn registered(before: Option<&Target>, wire: &Wire) -> Target {
    let mut target = before.cloned().unwrap_or_else(|| Target {
        registered: Map::new(),
        policies: Vec::new(),
        actions: Vec::new(),
    });
    let mut suspended = SUSPENSIONS
        .map(|member| (member.to_owned(), json!(false)))
        .into_iter()
        .collect::<Map<_, _>>();
    for wire in [&target.registered.clone(), wire] {
        for (member, value) in wire {
            match value {
                Value::Object(given) if member == "SuspendedState" => {
                    suspended.extend(given.clone());
                }
                _ => {
                    target.registered.insert(member.clone(), value.clone());
                }
            }
        }
    }
    target
        .registered
        .insert("SuspendedState".to_owned(), suspended.into());
    target
}

fn put(all: &mut Vec<Wire>, name: &str, wire: &Wire) {
    all.retain(|one| one.get(name) != wire.get(name));
    all.push(wire.clone());
    let text = |wire: &Wire| wire.get(name).map(Value::to_string);
    all.sort_by_key(text);
}
