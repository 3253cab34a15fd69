//! What must hold, whatever happens. Each property is a function with its name, and says what it forbids.

use std::sync::Arc;

use aws_sdk_sagemaker::types::EndpointStatus;
use shared::contract::{DeploymentStatus, OnFailedEndpoint, OnFailure, OnSuccess};
use shared::deploy::{Outcome, Write};
use shared::error::{Error, Failure, LeftBehind, NotUpdatable, Resource};
use shared::failure::ServiceFailure;

use crate::history::{History, Launch, serves};
use crate::lab::{ENDPOINT, Lab, Order};
use crate::region::{Answer, Ending, Endpoint, Kept, Name, Region};
use crate::world::{Act, Fate, RunId, THEIRS, World};

/// Something that must hold does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) property: &'static str,
    /// What happened instead, without names, so that the same violation is told the same.
    pub(crate) what: String,
}

fn violated<T>(property: &'static str, what: impl Into<String>) -> Result<T, Violation> {
    Err(Violation {
        property,
        what: what.into(),
    })
}

type Holds = Result<(), Violation>;

/// Holds a write against what must hold, by how the region was before.
pub(crate) fn of_write(
    before: &Region,
    order: &Order,
    write: &Write,
    answered: &Result<Answer, ServiceFailure>,
    history: &History,
) -> Option<Violation> {
    let holds = || {
        a_dry_run_writes_nothing(order, write)?;
        if answered.is_ok() {
            nothing_in_use_is_deleted(before, write, history)?;
            nothing_of_others_is_deleted(before, order, write, history)?;
        }
        Ok(())
    };
    holds().err()
}

/// A dry run makes no call that could change anything.
fn a_dry_run_writes_nothing(order: &Order, write: &Write) -> Holds {
    if order.request.dry_run {
        let call = shared::deploy::Call::Write(write.clone());
        return violated(
            "a dry run writes nothing",
            format!("{} was called", call.operation()),
        );
    }
    Ok(())
}

/// No endpoint config is deleted that the endpoint serves or is being put onto, and no model of such an endpoint config.
///
/// An operator does not say beforehand what the endpoint is about to be put onto: of that at the same moment nobody knows.
fn nothing_in_use_is_deleted(before: &Region, write: &Write, history: &History) -> Holds {
    let property = "nothing in use is deleted";
    let unannounced = |endpoint: &&Kept<Endpoint>| {
        let is_news = endpoint.view().modified >= before.now();
        let acts = [Act::Revert, Act::Replace];
        is_news && acts.iter().any(|act| history.acts.contains(act))
    };
    let mut endpoints = before
        .endpoints
        .values()
        .filter(|endpoint| !unannounced(endpoint));
    match write {
        Write::DeleteEndpointConfig { name } => {
            let user = endpoints.find(|endpoint| endpoint.phase().needs(name));
            let exists = before.configs.contains_key(name.as_str());
            match user.filter(|_| exists) {
                Some(user) => violated(
                    property,
                    format!(
                        "the endpoint config of an endpoint that is {}",
                        user.phase().status
                    ),
                ),
                None => Ok(()),
            }
        }
        Write::DeleteModel { name } => {
            let exists = before.models.contains_key(name.as_str());
            let user = endpoints.find(|endpoint| {
                let phase = endpoint.phase();
                let deployed = [Some(&phase.live), phase.pending.as_ref()];
                let mut models = deployed
                    .into_iter()
                    .flatten()
                    .flat_map(|deployed| &deployed.models);
                phase.status != EndpointStatus::Deleting
                    && models.any(|(model, _)| **model == **name)
            });
            match user.filter(|_| exists) {
                Some(user) => violated(
                    property,
                    format!("a model of an endpoint that is {}", user.phase().status),
                ),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// Nothing is deleted that this deployment has not made, except the previous model and endpoint config that
/// `delete_superseded` is about, and the failed endpoint of `replace_failed_endpoint`.
fn nothing_of_others_is_deleted(
    before: &Region,
    order: &Order,
    write: &Write,
    history: &History,
) -> Holds {
    let property = "nothing of others is deleted";
    let own = |kind, name: &str| history.owner(kind, name) == Some(&order.id);
    let theirs = |kind, name: &str, tags: Option<&crate::region::Tags>| {
        let made_for = tags.and_then(|tags| tags.get("sagemaker-deployments:endpoint"));
        let may = (order.request.on_success == OnSuccess::DeletePrevious)
            && made_for == Some(ENDPOINT)
            && history.owner(kind, name).is_none();
        // What it had succeeded with, and no endpoint uses any more, is still its own.
        if own(kind, name) || history.maker(kind, name) == Some(&order.id) || may {
            return Ok(());
        }
        let whose = if history.owner(kind, name).is_some() {
            "another deployment's"
        } else {
            "somebody else's"
        };
        violated(property, format!("{whose} {kind}"))
    };
    match write {
        Write::DeleteEndpointConfig { name } => match before.configs.get(name.as_str()) {
            Some(config) => theirs("endpoint config", name, Some(&config.tags)),
            None => Ok(()),
        },
        Write::DeleteModel { name } => match before.models.get(name.as_str()) {
            Some(model) => theirs("model", name, Some(&model.tags)),
            None => Ok(()),
        },
        Write::DeleteEndpoint { name } => match before.endpoints.get(name.as_str()) {
            Some(endpoint) => {
                let failed = endpoint.phase().status == EndpointStatus::Failed;
                if failed
                    && (own("endpoint", name)
                        || order.request.on_failed_endpoint == OnFailedEndpoint::Replace)
                {
                    return Ok(());
                }
                violated(
                    property,
                    format!("an endpoint that is {}", endpoint.phase().status),
                )
            }
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Holds an outcome against what has happened when it is told.
pub(crate) fn of_outcome(
    world: &World,
    id: RunId,
    order: &Order,
    outcome: &Outcome,
) -> Option<Violation> {
    let holds = || {
        the_answer_is_true(world, id, order, outcome)?;
        it_ends_in_time(world, id)
    };
    holds().err()
}

/// The answer says what happened:
///
/// - `Deployed` and `Unchanged`: the endpoint was in service on the endpoint config since the process began, and what has
///   changed since is somebody else's doing,
/// - `UpdateRolledBack`: the service accepted a launch of this deployment and rolled it back,
/// - `InProgress`, and a timeout that says that it has started: the launch was accepted, or the failed endpoint deleted,
/// - `EndpointCreationFailed`: the service accepted a creation, which failed or which somebody ended,
/// - `EndpointNotFound`, `EndpointAlreadyExists`, `EndpointNotUpdatable`: the endpoint was like that,
/// - `ModelPackageNotApproved`: somebody withdrew the approval,
/// - `AccessDenied`, `Throttled`: the service said so.
fn the_answer_is_true(world: &World, id: RunId, order: &Order, outcome: &Outcome) -> Holds {
    let property = "the answer is true";
    let run = world.run(id);
    let (history, now) = (&world.history, world.now());
    let launches = || {
        history
            .launches
            .iter()
            .filter(|launch| launch.id == order.id)
    };
    let has_started = || launches().next().is_some() || history.recreating.contains(&order.id);
    let saw = |status: &str| run.witness.statuses.contains(status);
    let served = |config: &str| run.witness.served.contains(config);
    let only_if = |is_true: bool, what: &str| {
        if is_true {
            Ok(())
        } else {
            violated(property, what)
        }
    };
    let error = match outcome {
        Outcome::Answered(answer) => {
            return match answer.deployment_status {
                DeploymentStatus::Deployed | DeploymentStatus::Unchanged => only_if(
                    served(&answer.endpoint_config),
                    "it says that the endpoint serves what it does not serve",
                ),
                DeploymentStatus::InProgress => only_if(
                    has_started(),
                    "it says that a deployment goes on that has not started",
                ),
                DeploymentStatus::DryRun => only_if(order.request.dry_run, "it was no dry run"),
            };
        }
        Outcome::NotWaitedFor { .. } => {
            let stopped = [Act::Stop, Act::Expire];
            let is_told = !world.actors[id.actor].outcomes.is_empty();
            return only_if(
                is_told || stopped.iter().any(|act| history.acts.contains(act)),
                "it says that nobody waits although somebody does",
            );
        }
        Outcome::Failed(Failure { error, .. }) => error,
    };
    match error {
        Error::UpdateRolledBack {
            endpoint_config, ..
        } => {
            let mut ends = launches();
            let rolled_back =
                ends.any(|launch| launch.ending == Ending::RollsBack && launch.ends <= now);
            // Nobody can tell a revert to the previous endpoint config from a rollback, once it is over.
            let reverted = launches().next().is_some()
                && history
                    .moved
                    .iter()
                    .any(|config| **config == **endpoint_config);
            only_if(
                rolled_back || reverted,
                "it says that an update was rolled back that the service has not accepted or not rolled back",
            )
        }
        Error::DeploymentTimedOut { started, .. } => only_if(
            !*started || has_started(),
            "it says that a deployment goes on that has not started",
        ),
        Error::EndpointNotFound { .. } => only_if(saw("NotFound"), "there is an endpoint"),
        Error::EndpointAlreadyExists { .. } => only_if(
            run.witness
                .statuses
                .iter()
                .any(|status| !["NotFound", "Deleting"].contains(&&**status)),
            "there is no endpoint",
        ),
        Error::EndpointCreationFailed { .. } => {
            // Of another deployment with the same inputs too: that is resumed.
            let same = |launch: &&Launch| {
                launch.id == order.id || order.config.as_deref() == Some(&*launch.config)
            };
            let mut creations = history.launches.iter().filter(same);
            only_if(
                creations.any(|launch| {
                    let failed = launch.ending == Ending::Fails && launch.ends <= now;
                    let deleted = history.acts.contains(&Act::DeleteEndpoint);
                    launch.creates && (failed || deleted || saw("Failed"))
                }),
                "it says that a creation failed that the service has not accepted or that has not failed",
            )
        }
        Error::EndpointNotUpdatable { why, .. } => only_if(
            was_like_that(why, world, id),
            "the endpoint was not like that",
        ),
        Error::ModelPackageNotApproved { .. } => only_if(
            history.acts.contains(&Act::Reject),
            "the package is approved",
        ),
        Error::Service(failure) => service_said(failure, world),
        Error::NotFinished { failure, .. } => service_said(failure, world),
        Error::InvalidRequest { .. } | Error::ModelPackageNotFound { .. } => {
            violated(property, "the request is good")
        }
    }
}

/// Whether the endpoint was as a refusal says.
fn was_like_that(why: &NotUpdatable, world: &World, id: RunId) -> bool {
    let witness = &world.run(id).witness;
    let saw = |status: &str| witness.statuses.contains(status);
    match why {
        NotUpdatable::Replaced { endpoint_config } => {
            witness.served.contains(endpoint_config.as_str())
        }
        NotUpdatable::Failed { .. } => saw("Failed"),
        NotUpdatable::Deleting => saw("Deleting"),
        NotUpdatable::RollbackFailed { .. } => saw("UpdateRollbackFailed"),
        NotUpdatable::OutOfService => saw("OutOfService"),
        NotUpdatable::ConfigGone { endpoint_config } => {
            !world.region.configs.contains_key(endpoint_config.as_str())
        }
        NotUpdatable::TooManyTags { .. } => true,
        NotUpdatable::ModelGone { model, .. } => !world.region.models.contains_key(model.as_str()),
        // No live config of the search has one.
        NotUpdatable::InferenceComponents { .. }
        | NotUpdatable::NotCarried { .. }
        | NotUpdatable::PackageGone { .. } => false,
    }
}

fn service_said(failure: &ServiceFailure, world: &World) -> Holds {
    use shared::failure::FailureKind as K;
    let struck = |fates: &[Fate]| fates.iter().any(|fate| world.history.faults.contains(fate));
    let said = match failure.kind {
        K::AccessDenied => struck(&[Fate::Denied]),
        K::Throttled => struck(&[Fate::Throttled]),
        K::NoReply => struck(&[Fate::LostBefore, Fate::LostAfter, Fate::Late]),
        _ => true,
    };
    if said {
        return Ok(());
    }
    violated(
        "the answer is true",
        format!("the service did not say {:?}", failure.kind),
    )
}

/// A process ends within its budget and one more call.
fn it_ends_in_time(world: &World, id: RunId) -> Holds {
    const ONE_CALL: u64 = 10_000;
    if world.now() > world.run(id).limits.answer_by + ONE_CALL {
        return violated(
            "it ends in time",
            "it ended later than its budget and one more call",
        );
    }
    Ok(())
}

/// Nothing waits for what does not come: when nothing has changed for minutes, longer than any notice of a process holds,
/// no process has anything to wait for. (A message that is not listed yet is none of these scenes'.)
pub(crate) fn nothing_waits_in_vain(world: &World) -> Option<Violation> {
    const LONGEST: u64 = 240_000;
    let now = world.now();
    let is_in_progress = |region: &Region| {
        let mut endpoints = region.endpoints.values();
        endpoints.any(|endpoint| endpoint.phase().is_in_progress())
    };
    let quiet = now.saturating_sub(world.history.changed);
    (quiet > LONGEST && !is_in_progress(&world.region)).then(|| Violation {
        property: "nothing waits in vain",
        what: "nothing has changed for minutes, and a deployment still waits".to_owned(),
    })
}

/// Holds what is left against what must hold, once everything is over and nothing is under way.
pub(crate) fn at_the_end(world: &World, lab: &Lab) -> Vec<Violation> {
    let mut broken = Vec::new();
    for (actor, order) in lab.orders.iter().enumerate() {
        broken.extend(every_message_is_answered(world, order).err());
        broken.extend(nothing_is_left_of_a_failure(world, actor, lab).err());
        broken.extend(nothing_is_left_of_a_success(world, actor, lab).err());
    }
    broken.extend(what_scaled_scales(world, lab).err());
    broken.extend(what_was_superseded_is_deleted(world, lab).err());
    broken
}

/// A message that does not come back has had its step answered, or nobody waits for it.
fn every_message_is_answered(world: &World, order: &Order) -> Holds {
    use crate::region::Step;
    match world.region.step(&order.token) {
        Some(Step::Executing | Step::Stopping) => violated(
            "every message is answered",
            "the message is gone and its step still waits",
        ),
        _ => Ok(()),
    }
}

/// What a failed deployment made is deleted, or the error names it; and none of its tags is on what is there. A
/// deployment that goes on keeps what it made.
fn nothing_is_left_of_a_failure(world: &World, actor: usize, lab: &Lab) -> Holds {
    let property = "nothing is left of a failure";
    let order = &lab.orders[actor];
    let outcomes = || {
        let same = |other: &usize| lab.orders[*other].id == order.id;
        let actors = (0..lab.orders.len()).filter(same);
        actors.flat_map(|actor| world.actors[actor].outcomes.iter())
    };
    let left_by = |outcome: &Arc<Outcome>| match &**outcome {
        outcome if serves(outcome) => None,
        Outcome::Failed(failure) => Some(failure.left_behind.clone()),
        Outcome::NotWaitedFor { left_behind, .. } => Some(left_behind.clone()),
        Outcome::Answered(_) => None,
    };
    let Some(left) = outcomes().map(left_by).collect::<Option<Vec<_>>>() else {
        return Ok(());
    };
    if outcomes().next().is_none() {
        return Ok(());
    }
    let goes_on = outcomes().any(|outcome| world.history.goes_on(&order.id, outcome));
    if goes_on || order.request.on_failure == OnFailure::Keep {
        return Ok(());
    }
    let left: Vec<LeftBehind> = left.into_iter().flatten().collect();
    let is_named = |resource: &str| {
        let names = |left: &LeftBehind| {
            left.resource.to_string() == resource
                || checkpoint_names(&world.region, order, &left.resource, resource)
        };
        left.iter().any(names) || world.history.is_unremoved(resource)
    };
    let last = world.actors[actor].last_process();
    for (resource, owner) in &world.history.owners {
        if owner.id == order.id && !is_named(resource) && !is_in_use(&world.region, resource) {
            let kind = resource
                .rsplit_once(' ')
                .map_or(&**resource, |(kind, _)| kind);
            let what = if owner.is_anchor { "anchor" } else { kind };
            let whose = if owner.process == last {
                ""
            } else {
                ", which an earlier process made,"
            };
            return violated(property, format!("its {what}{whose} is left and not named"));
        }
    }
    for (resource, key) in own_tags(&world.region, &order.id) {
        // While the endpoint does not scale, they are for the next deployment.
        let scaled = world.history.scaled.as_ref();
        let is_needed = scaled.is_some_and(|scaled| !scales(&world.region, scaled));
        let names_scaling = |left: &LeftBehind| {
            matches!(left.resource, Resource::Autoscaling(_))
                || left.resource == Resource::EndpointConfig(order.anchor.clone())
        };
        let is_saved = key == "autoscaling" && (is_needed || left.iter().any(names_scaling));
        // It says nothing any more, and nobody can know that it is there.
        let is_unreadable = key == "made"
            && resource.starts_with("endpoint ")
            && world.history.faults.contains(&Fate::Denied);
        if !is_named(&resource) && !is_saved && !is_unreadable {
            let kind = resource
                .rsplit_once(' ')
                .map_or(&*resource, |(kind, _)| kind);
            return violated(property, format!("its tag {key} is left on the {kind}"));
        }
    }
    Ok(())
}

/// Whether an anchor that is left says by its checkpoint that a resource is left as well.
fn checkpoint_names(region: &Region, order: &Order, left: &Resource, resource: &str) -> bool {
    let Resource::EndpointConfig(name) = left else {
        return false;
    };
    let anchor = region.configs.get(name.as_str());
    let Some(anchor) = anchor.filter(|_| *name == order.anchor) else {
        return false;
    };
    let (_, name) = resource.rsplit_once(' ').unwrap_or_default();
    let mut checkpoints = anchor
        .tags
        .keys()
        .filter(|key| key.ends_with(&*order.id))
        .filter_map(|key| anchor.tags.get(key));
    checkpoints.any(|checkpoint| checkpoint.split('/').any(|part| part == name))
}

/// Whether the endpoint runs on a resource.
fn is_in_use(region: &Region, resource: &str) -> bool {
    region.endpoints.values().any(|endpoint| {
        let live = &endpoint.phase().live;
        let mut models = live.models.iter();
        resource == format!("endpoint config {}", live.config)
            || models.any(|(model, _)| resource == format!("model {model}"))
    })
}

/// The previous endpoint config and its models are deleted if that is asked for, unless something went wrong.
fn what_was_superseded_is_deleted(world: &World, lab: &Lab) -> Holds {
    let [order] = lab.orders.as_slice() else {
        return Ok(());
    };
    let outcome = world.actors[0].outcomes.last().map(|outcome| &**outcome);
    let Some(Outcome::Answered(answer)) = outcome else {
        return Ok(());
    };
    let history = &world.history;
    let went_well = history.faults.is_empty()
        && !history.was_killed
        && !history.was_doubled
        && history.acts.is_empty();
    let deployed = answer.deployment_status == DeploymentStatus::Deployed;
    if order.request.on_success != OnSuccess::DeletePrevious || !went_well || !deployed {
        return Ok(());
    }
    let previous = answer
        .previous_endpoint_config
        .as_deref()
        .unwrap_or_default();
    if previous != THEIRS && world.region.configs.contains_key(previous) {
        return violated(
            "what was superseded is deleted",
            "the endpoint config is left",
        );
    }
    // Of this product's models there is the one that serves.
    let own = world
        .region
        .models
        .values()
        .filter(|model| model.tags.get("sagemaker-deployments:endpoint") == Some(ENDPOINT));
    if own.count() > 1 {
        return violated("what was superseded is deleted", "the model is left");
    }
    Ok(())
}

/// After success nothing is left that only stood for the deployment, unless something went wrong at the very end.
fn nothing_is_left_of_a_success(world: &World, actor: usize, lab: &Lab) -> Holds {
    let property = "nothing is left of a success";
    let order = &lab.orders[actor];
    let outcomes = &world.actors[actor].outcomes;
    let succeeded = outcomes
        .last()
        .is_some_and(|outcome| matches!(**outcome, Outcome::Answered(_)))
        && !outcomes
            .iter()
            .any(|outcome| world.history.goes_on(&order.id, outcome));
    let went_well = world.history.faults.is_empty() && !world.history.was_killed;
    if !succeeded || !went_well {
        return Ok(());
    }
    if world
        .history
        .owners
        .values()
        .any(|owner| owner.id == order.id)
    {
        return violated(property, "its anchor is left");
    }
    if let Some((resource, key)) = own_tags(&world.region, &order.id).first() {
        let kind = resource
            .rsplit_once(' ')
            .map_or(&**resource, |(kind, _)| kind);
        return violated(property, format!("its tag {key} is left on the {kind}"));
    }
    Ok(())
}

/// The tags of a deployment that are there: on which resource, and which, without the id.
fn own_tags(region: &Region, id: &Name) -> Vec<(String, String)> {
    let short = &id[..8];
    let mut found = Vec::new();
    let models = region
        .models
        .iter()
        .map(|(name, model)| ("model", name, &model.tags));
    let configs = region.configs.iter();
    let configs = configs.map(|(name, config)| ("endpoint config", name, &config.tags));
    let endpoints = region.endpoints.iter();
    let endpoints = endpoints.map(|(name, endpoint)| ("endpoint", name, &endpoint.tags));
    for (kind, name, tags) in models.chain(configs).chain(endpoints) {
        for key in tags.keys() {
            let Some(own) = key.strip_prefix("sagemaker-deployments:") else {
                continue;
            };
            let scales = own
                .strip_prefix("autoscaling-")
                .is_some_and(|own| own.starts_with(short));
            let is_own = own.ends_with(&**id) || scales || tags.get(key) == Some(id);
            if is_own {
                let word = own.split('-').next().unwrap_or_default();
                found.push((format!("{kind} {name}"), word.to_owned()));
            }
        }
    }
    found
}

/// What scaled the endpoint in the beginning scales it again: now, or the error says that it does not, or the endpoint's
/// tags hold it for the next deployment.
fn what_scaled_scales(world: &World, _lab: &Lab) -> Holds {
    let Some(endpoint) = world.region.endpoints.get(ENDPOINT) else {
        return Ok(());
    };
    let Some(scaled) = &world.history.scaled else {
        return Ok(());
    };
    if endpoint.phase().status != EndpointStatus::InService || scales(&world.region, scaled) {
        return Ok(());
    }
    let saved = endpoint
        .tags
        .keys()
        .any(|key| key.starts_with("sagemaker-deployments:autoscaling-"));
    let mut outcomes = world.actors.iter().flat_map(|actor| &actor.outcomes);
    let is_told = outcomes.any(|outcome| match &**outcome {
        Outcome::Failed(failure) => {
            let left = failure.left_behind.iter();
            matches!(failure.error, Error::NotFinished { .. })
                || left
                    .map(|left| &left.resource)
                    .any(|left| matches!(left, Resource::Autoscaling(_)))
        }
        _ => false,
    });
    if saved || is_told {
        return Ok(());
    }
    violated(
        "what scaled scales again",
        "it does not scale, nothing says so, and nothing of it is saved",
    )
}

/// Whether the endpoint scales as it did.
fn scales(region: &Region, wanted: &crate::region::Target) -> bool {
    region
        .target(ENDPOINT, "AllTraffic")
        .is_some_and(|target| **target == *wanted)
}

/// Holds the outcome of a deployment that somebody asks for after everything is over: it succeeds, and what scaled the
/// endpoint scales it again, whatever was left before.
pub(crate) fn of_the_next(before: &World, after: &World) -> Vec<Violation> {
    let property = "the next deployment restores everything";
    let mut broken = Vec::new();
    let outcome = after.actors[0].outcomes.last();
    let deployed = outcome.is_some_and(|outcome| match &**outcome {
        Outcome::Answered(answer) => answer.deployment_status == DeploymentStatus::Deployed,
        _ => false,
    });
    if !deployed {
        let word = outcome.map_or("no outcome", |outcome| word(outcome));
        let what = format!("it ended in {word}");
        broken.push(Violation { property, what });
        return broken;
    }
    if let Some(scaled) = &before.history.scaled
        && !scales(&after.region, scaled)
        && !is_anchor_named(before)
    {
        let what = "the endpoint does not scale as it did".to_owned();
        broken.push(Violation { property, what });
    }
    broken.extend(after.violations.iter().cloned());
    broken
}

/// Whether somebody was told what holds everything that was suspended.
pub(crate) fn is_anchor_named(world: &World) -> bool {
    let mut outcomes = world.actors.iter().flat_map(|actor| &actor.outcomes);
    world.history.named_anchor || outcomes.any(|outcome| names_an_anchor(&world.history, outcome))
}

/// Whether an error names an anchor that is left.
pub(crate) fn names_an_anchor(history: &History, outcome: &Outcome) -> bool {
    let left = match outcome {
        Outcome::Failed(failure) => failure.left_behind.as_slice(),
        _ => &[],
    };
    left.iter().any(|left| {
        let owner = history.owners.get(&*left.resource.to_string());
        owner.is_some_and(|owner| owner.is_anchor)
    })
}

/// The contract's word for an outcome.
pub(crate) fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Answered(answer) => answer.deployment_status.as_str(),
        Outcome::Failed(failure) => failure.error.error_type(),
        Outcome::NotWaitedFor { .. } => "NotWaitedFor",
    }
}
