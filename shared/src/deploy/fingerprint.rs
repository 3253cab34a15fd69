//! A fingerprint of an engine, by which a search over its states knows one that it has met.
//!
//! Everything is in it that decides what comes next. What follows from the rest is not: a model's or an endpoint config's
//! content follows from its name, and a plan's from the request and the live endpoint config.

use std::hash::{DefaultHasher, Hash, Hasher};

use aws_sdk_sagemaker::primitives::DateTime;
use aws_sdk_sagemaker::types::{ModelApprovalStatus, Tag};

use super::call::{Call, Write};
use super::decide::{Launch, Target};
use super::facts::Facts;
use super::{Asked, Engine, LastPoll, Missing, Phase, Presence};
use crate::plan::{Board, Checkpoint, Plan};
use crate::sagemaker::Endpoint;

impl Engine {
    /// Two engines of the same request with the same fingerprint go on alike. Times are in it as they are.
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash_into(&mut hasher);
        hasher.finish()
    }

    fn hash_into(&self, state: &mut impl Hasher) {
        // A new field has to be named here, so that nobody forgets it.
        let Self {
            asked,
            id,
            phase,
            facts,
            resumed,
            checkpoint,
            checkpoint_found,
            plan,
            target,
            launch,
            done,
            anchor,
            model,
            endpoint_config,
            suspended,
            saved,
            put,
            claim,
            announced,
            missing,
            not_launched,
            recreating,
            fate,
            acted_since_poll,
            last_poll,
            serving,
            trouble,
            failures,
            refusals,
            pause_until,
            pending,
            left_behind,
        } = self;
        hash_asked(asked, state);
        id.hash(state);
        hash_phase(phase, state);
        self.hash_facts(facts, state);
        (
            resumed,
            checkpoint_found,
            done,
            suspended,
            claim,
            announced,
            recreating,
        )
            .hash(state);
        hash_presence(anchor, state);
        hash_checkpoint(checkpoint.as_ref(), state);
        hash_plan(plan.as_ref(), state);
        hash_target(target.as_ref(), state);
        hash_launch(*launch, state);
        hash_presence(model, state);
        hash_presence(endpoint_config, state);
        hash_debug(saved, state);
        hash_debug(put, state);
        if let Some(Missing {
            failure,
            since,
            at,
            retry_at,
        }) = missing
        {
            (failure.operation, since, at, retry_at).hash(state);
        }
        fate.map(|fate| fate as u8).hash(state);
        (acted_since_poll, serving, failures, pause_until).hash(state);
        refusals.hash(state);
        match last_poll {
            LastPoll::None => 0.hash(state),
            LastPoll::Absent => 1.hash(state),
            LastPoll::Endpoint(endpoint) => hash_endpoint(endpoint, state),
        }
        if let Some(failure) = not_launched {
            (failure.operation, failure.kind as u8).hash(state);
        }
        if let Some(trouble) = trouble {
            (trouble.operation, &trouble.resource, &trouble.message).hash(state);
        }
        if let Some((call, errand)) = pending {
            hash_call(call, state);
            hash_debug(errand, state);
        }
        for left in left_behind {
            hash_debug(left, state);
        }
    }

    /// The facts by every name that the engine may ask for next.
    fn hash_facts(&self, facts: &Facts, state: &mut impl Hasher) {
        let mut configs = vec![self.id.anchor(self.name())];
        let mut models = Vec::new();
        let mut arns = Vec::new();
        let mut variants = Vec::new();
        let undone = match &self.phase {
            Phase::Undo(undo) => undo.target.as_ref(),
            _ => None,
        };
        for target in [self.target.as_ref(), undone].into_iter().flatten() {
            configs.extend([target.endpoint_config.clone(), target.previous.clone()]);
            models.push(target.model.clone());
        }
        if let Some(checkpoint) = &self.checkpoint {
            configs.extend([
                checkpoint.endpoint_config.clone(),
                checkpoint.previous.clone(),
            ]);
            models.push(checkpoint.model.clone());
        }
        if let Some(plan) = &self.plan {
            configs.push(plan.endpoint_config_name.clone());
            models.push(plan.model_name.clone());
            variants.push(plan.variant.clone());
        }
        if let LastPoll::Endpoint(endpoint) = &self.last_poll {
            configs.push(endpoint.config.clone());
            configs.extend(endpoint.pending_config.clone());
            arns.push(endpoint.arn.clone());
        }
        if let Ok(names) = facts.endpoints_changed_since(None) {
            names.hash(state);
        }
        let endpoint = facts.endpoint(self.name());
        match endpoint {
            Ok(Some(endpoint)) => hash_endpoint(endpoint, state),
            Ok(None) => 1.hash(state),
            Err(_) => 0.hash(state),
        }
        sorted(&mut configs);
        for name in &configs {
            let Ok(found) = facts.endpoint_config(name) else {
                continue;
            };
            name.hash(state);
            if let Some(config) = found {
                hash_time(config.creation_time, state);
                arns.extend(config.endpoint_config_arn.clone());
                for variant in config.production_variants() {
                    models.extend(variant.model_name.clone());
                    variants.extend(variant.variant_name.clone());
                }
            }
        }
        sorted(&mut models);
        for name in &models {
            if let Ok(names) = facts.endpoint_configs_made_since(name, None) {
                names.hash(state);
            }
            let Ok(found) = facts.model(name) else {
                continue;
            };
            name.hash(state);
            if let Some(model) = found {
                hash_time(model.creation_time, state);
                arns.extend(model.model_arn.clone());
            }
        }
        for presence in [&self.anchor, &self.model, &self.endpoint_config] {
            if let Presence::Certain { arn: Some(arn), .. } = presence {
                arns.push(arn.clone());
            }
        }
        sorted(&mut arns);
        for arn in &arns {
            if let Ok(board) = facts.tags(arn) {
                arn.hash(state);
                hash_board(board, state);
            }
        }
        let package = facts.package(&self.asked.request.package_arn);
        if let Ok(package) = package {
            let approval = package.and_then(|package| package.model_approval_status.as_ref());
            approval.map(ModelApprovalStatus::as_str).hash(state);
        }
        if let Some(callback) = &self.asked.callback
            && let Some(arn) = &callback.pipeline_execution_arn
            && let Ok(waiting) = facts.waiting(arn, &callback.token)
        {
            (waiting as u8).hash(state);
        }
        sorted(&mut variants);
        for variant in &variants {
            match facts.scaling(self.own_name(), variant) {
                Ok(scaling) => hash_debug(&scaling, state),
                // How far the reads have come.
                Err(read) => read.operation().hash(state),
            }
        }
    }
}

fn sorted(names: &mut Vec<String>) {
    names.sort_unstable();
    names.dedup();
}

fn hash_asked(asked: &Asked, state: &mut impl Hasher) {
    (&asked.process, asked.started).hash(state);
    let deadlines = &asked.deadlines;
    (
        deadlines.wait_until,
        deadlines.undo_until,
        deadlines.answer_by,
    )
        .hash(state);
}

fn hash_phase(phase: &Phase, state: &mut impl Hasher) {
    match phase {
        Phase::Forward => 0.hash(state),
        Phase::Undo(undo) => {
            (1, &undo.done).hash(state);
            hash_debug(&undo.purpose, state);
            hash_target(undo.target.as_ref(), state);
            hash_presence(&undo.model, state);
            hash_presence(&undo.endpoint_config, state);
        }
        Phase::Close(closing) => hash_debug(closing, state),
        Phase::Finished(outcome) => hash_debug(outcome, state),
    }
}

fn hash_plan(plan: Option<&Plan>, state: &mut impl Hasher) {
    if let Some(plan) = plan {
        (
            &plan.model_name,
            &plan.endpoint_config_name,
            &plan.live_endpoint_config,
        )
            .hash(state);
        (&plan.resized, plan.anchor.is_some()).hash(state);
        hash_debug(&plan.autoscaling, state);
    }
}

fn hash_checkpoint(checkpoint: Option<&Checkpoint>, state: &mut impl Hasher) {
    if let Some(checkpoint) = checkpoint {
        (
            checkpoint.route as u8,
            checkpoint.stage as u8,
            checkpoint.at,
        )
            .hash(state);
        (
            &checkpoint.endpoint_config,
            &checkpoint.model,
            &checkpoint.previous,
        )
            .hash(state);
        hash_time(checkpoint.since, state);
    }
}

fn hash_target(target: Option<&Target>, state: &mut impl Hasher) {
    if let Some(target) = target {
        (&target.endpoint_config, &target.model, &target.previous).hash(state);
        hash_time(target.since, state);
    }
}

fn hash_launch(launch: Launch, state: &mut impl Hasher) {
    match launch {
        Launch::NotSent => 0.hash(state),
        Launch::Sent { at } => (1, at).hash(state),
        Launch::Accepted { at } => (2, at).hash(state),
        Launch::Visible { modified, at } => {
            (3, at).hash(state);
            hash_time(modified, state);
        }
    }
}

fn hash_presence(presence: &Presence, state: &mut impl Hasher) {
    match presence {
        Presence::Unknown => 0.hash(state),
        Presence::Maybe => 1.hash(state),
        Presence::Certain { made, arn } => (2, made, arn).hash(state),
    }
}

fn hash_endpoint(endpoint: &Endpoint, state: &mut impl Hasher) {
    (&endpoint.arn, endpoint.status.as_str(), &endpoint.config).hash(state);
    (
        &endpoint.pending_config,
        &endpoint.failure_reason,
        &endpoint.instance_counts,
        endpoint.last_deployment_config.is_some(),
    )
        .hash(state);
    hash_time(endpoint.last_modified, state);
}

fn hash_board(board: &Board, state: &mut impl Hasher) {
    for tag in board.tags() {
        hash_tag(tag, state);
    }
}

fn hash_tag(tag: &Tag, state: &mut impl Hasher) {
    (tag.key(), tag.value()).hash(state);
}

fn hash_call(call: &Call, state: &mut impl Hasher) {
    (call.operation(), call.resource()).hash(state);
    match call {
        Call::Write(Write::AddTags { tags, .. } | Write::CreateEndpoint { tags, .. }) => {
            for tag in tags {
                hash_tag(tag, state);
            }
        }
        Call::Write(Write::DeleteTags { keys, .. }) => keys.hash(state),
        _ => {}
    }
}

fn hash_time(time: Option<DateTime>, state: &mut impl Hasher) {
    time.map(|time| (time.secs(), time.subsec_nanos()))
        .hash(state);
}

/// What is rare, or small.
fn hash_debug(value: &impl std::fmt::Debug, state: &mut impl Hasher) {
    format!("{value:?}").hash(state);
}
