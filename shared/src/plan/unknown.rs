//! Members that the service gives and the SDK does not know: found in the raw reply, and put into the request that
//! follows from it, in the same place. A stack is deployed once and runs for a year, in which the service learns more.

use std::fmt;
use std::ops::Deref;

use aws_sdk_sagemaker::operation::create_model::CreateModelInput;
use aws_sdk_sagemaker::operation::create_model::builders::CreateModelInputBuilder;
use aws_sdk_sagemaker::operation::describe_endpoint_config::DescribeEndpointConfigOutput;
use aws_sdk_sagemaker::operation::describe_model::DescribeModelOutput;
use serde_json::Value;

use super::content;
use super::names::wire_form;
use super::update::carried_over;

/// Members of a description that no request has: names, which are given anew, and what the service adds of itself. The
/// last three are those that it adds to descriptions of other kinds.
const OF_REPLIES: [&str; 9] = [
    "EndpointConfigName",
    "EndpointConfigArn",
    "ModelName",
    "ModelArn",
    "DeploymentRecommendation",
    "CreationTime",
    "CreatedBy",
    "LastModifiedTime",
    "LastModifiedBy",
];

/// Members that tell the items of a list apart. Items without one are told apart by their position.
const IDENTITIES: [&str; 2] = ["VariantName", "InstanceType"];

/// A member that the SDK does not know.
#[derive(Debug, Clone, PartialEq)]
pub struct Unknown {
    /// The way to it, from the outermost member to its own name.
    path: Vec<Step>,
    /// Its value, as it came.
    value: Value,
}

/// A step on the way to a member.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// Into the member of an object.
    Member(String),
    /// Into the item of a list that has this identity.
    Named(&'static str, String),
    /// Into the item at a position of a list.
    At(usize),
}

impl fmt::Display for Unknown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.path.iter().enumerate() {
            match step {
                Step::Member(name) if index == 0 => write!(formatter, "{name}")?,
                Step::Member(name) => write!(formatter, ".{name}")?,
                Step::Named(_, name) => write!(formatter, "[{name}]")?,
                Step::At(position) => write!(formatter, "[{position}]")?,
            }
        }
        Ok(())
    }
}

/// A reply or a request of the SDK's, with the members that the SDK does not know.
#[derive(Debug, Clone, PartialEq)]
pub struct Whole<T> {
    known: T,
    unknown: Vec<Unknown>,
}

impl<T> Whole<T> {
    /// These members, next to what the SDK knows.
    pub(super) fn new(known: T, unknown: Vec<Unknown>) -> Self {
        Self { known, unknown }
    }

    /// The same with another known part.
    #[must_use]
    pub fn map(self, change: impl FnOnce(T) -> T) -> Self {
        let known = change(self.known);
        Self { known, ..self }
    }

    /// The part that the SDK knows, and the members that it does not.
    pub fn into_parts(self) -> (T, Vec<Unknown>) {
        (self.known, self.unknown)
    }

    /// The members that the SDK does not know.
    pub fn unknown(&self) -> &[Unknown] {
        &self.unknown
    }
}

impl<T> Deref for Whole<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.known
    }
}

impl<T> From<T> for Whole<T> {
    fn from(known: T) -> Self {
        Self::new(known, Vec::new())
    }
}

impl Whole<DescribeEndpointConfigOutput> {
    /// An endpoint config, with its raw reply.
    pub fn endpoint_config(reply: DescribeEndpointConfigOutput, raw: &Value) -> Self {
        let known = content(&carried_over(&reply));
        Self::new(reply, missing(raw, &known))
    }
}

impl Whole<DescribeModelOutput> {
    /// A model, with its raw reply.
    pub fn model(reply: DescribeModelOutput, raw: &Value) -> Self {
        let known = known_of_model(&reply);
        Self::new(reply, missing(raw, &known))
    }
}

/// The request that would make a model once more.
fn known_of_model(reply: &DescribeModelOutput) -> Value {
    let request = CreateModelInputBuilder::default()
        .set_primary_container(reply.primary_container.clone())
        .set_containers(reply.containers.clone())
        .set_inference_execution_config(reply.inference_execution_config.clone())
        .set_execution_role_arn(reply.execution_role_arn.clone())
        .set_vpc_config(reply.vpc_config.clone())
        .set_enable_network_isolation(reply.enable_network_isolation)
        .build()
        .expect("no member is required here");
    wire_form(CreateModelInput::SCHEMA, &request)
}

/// What a raw description has beyond the members that are known of it.
fn missing(raw: &Value, known: &Value) -> Vec<Unknown> {
    let mut found = Vec::new();
    compare(raw, known, &mut Vec::new(), &mut found);
    found
}

fn compare(raw: &Value, known: &Value, path: &mut Vec<Step>, found: &mut Vec<Unknown>) {
    match (raw, known) {
        (Value::Object(raw), Value::Object(known)) => {
            for (name, value) in raw {
                if value.is_null() || path.is_empty() && OF_REPLIES.contains(&name.as_str()) {
                    continue;
                }
                path.push(Step::Member(name.clone()));
                match known.get(name) {
                    Some(known) => compare(value, known, path, found),
                    None => found.push(Unknown {
                        path: path.clone(),
                        value: value.clone(),
                    }),
                }
                path.pop();
            }
        }
        (Value::Array(raw), Value::Array(known)) => {
            for (position, (raw, known)) in raw.iter().zip(known).enumerate() {
                path.push(step_into(raw, position));
                compare(raw, known, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

fn step_into(item: &Value, position: usize) -> Step {
    let identity = IDENTITIES.iter().find_map(|member| {
        let name = item[*member].as_str()?;
        Some(Step::Named(member, name.to_owned()))
    });
    identity.unwrap_or(Step::At(position))
}

/// Puts members into a request, each in the place that it came from.
///
/// # Errors
///
/// The members that the request has no place for.
pub fn put(unknown: &[Unknown], request: &mut Value) -> Result<(), Vec<String>> {
    let mut homeless = Vec::new();
    for member in unknown {
        if put_one(member, request).is_none() {
            homeless.push(member.to_string());
        }
    }
    if homeless.is_empty() {
        Ok(())
    } else {
        Err(homeless)
    }
}

fn put_one(member: &Unknown, request: &mut Value) -> Option<()> {
    let (last, way) = member.path.split_last()?;
    let mut place = request;
    for step in way {
        place = match step {
            Step::Member(name) => place.get_mut(name)?,
            Step::At(position) => place.get_mut(position)?,
            Step::Named(identity, name) => {
                let mut items = place.as_array_mut()?.iter_mut();
                items.find(|item| item[*identity] == name.as_str())?
            }
        };
    }
    let Step::Member(name) = last else {
        return None;
    };
    let object = place.as_object_mut()?;
    object.insert(name.clone(), member.value.clone());
    Some(())
}

/// The members of a live model for the model that comes after it, whose one container is in another place.
pub(super) fn of_next_model(live: &[Unknown]) -> Vec<Unknown> {
    let mut unknown = live.to_vec();
    for member in &mut unknown {
        let first = Step::Member("Containers".to_owned());
        if member.path.starts_with(&[first, Step::At(0)]) {
            let primary = Step::Member("PrimaryContainer".to_owned());
            member.path.splice(0..2, [primary]);
        }
    }
    unknown
}

#[cfg(test)]
mod tests;
