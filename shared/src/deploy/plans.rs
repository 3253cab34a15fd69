//! Resuming and planning: which deployment this is, how far it has come, and what it is to make.

use std::collections::BTreeMap;

use aws_sdk_sagemaker::types::EndpointStatus;
use tracing::Span;

use super::decide::{Launch, Target, route, shows_launch};
use super::facts::Known;
use super::{Engine, Presence, Step};
use crate::contract::DeploymentKind;
use crate::error::{Error, NotUpdatable};
use crate::moment::Moment;
use crate::plan::{
    Board, Checkpoint, KnownScaling, Live, Plan, Refused, Route, ScalingPlan, Stage, concerned,
    own_environment, package_to_compare, planned, served_model,
};
use crate::sagemaker::Endpoint;

impl Engine {
    /// Name of the resource that every process of this deployment finds.
    pub(super) fn anchor_name(&self) -> String {
        match (self.asked.kind, &self.plan) {
            (DeploymentKind::New, Some(plan)) => plan.model_name.clone(),
            _ => self.id.anchor(self.name()),
        }
    }

    /// ARN of the anchor, if it is there.
    pub(super) fn anchor_arn(&self) -> Known<Option<String>> {
        if let Presence::Certain { arn: Some(arn), .. } = &self.anchor {
            return Ok(Some(arn.clone()));
        }
        let name = self.anchor_name();
        Ok(match self.asked.kind {
            DeploymentKind::New => self.model_arn(&name)?,
            DeploymentKind::Existing => {
                let anchor = self.facts.endpoint_config(&name)?;
                anchor.and_then(|anchor| anchor.endpoint_config_arn.clone())
            }
        })
    }

    /// ARN of a model, if it is there.
    pub(super) fn model_arn(&self, name: &str) -> Known<Option<String>> {
        if let Presence::Certain { arn: Some(arn), .. } = &self.model
            && self.names().is_some_and(|target| target.model == name)
        {
            return Ok(Some(arn.clone()));
        }
        let model = self.facts.model(name)?;
        Ok(model.and_then(|model| model.model_arn.clone()))
    }

    /// Finds what an earlier process of this deployment wrote down.
    pub(super) fn resume(&mut self) -> Known<()> {
        if self.resumed || self.asked.request.dry_run {
            return Ok(());
        }
        if let Some(arn) = self.anchor_arn()? {
            let board = self.facts.tags(&arn)?;
            self.checkpoint = board.checkpoint(&self.id);
            if self.is_new() && board.is_made_by(&self.id) {
                self.model = Presence::Certain {
                    made: None,
                    arn: None,
                };
            }
        }
        self.resumed = true;
        let Some(checkpoint) = self.checkpoint.clone() else {
            return Ok(());
        };
        self.checkpoint_found = Some(checkpoint.at);
        if self.launch.is_confirmed() {
            return Ok(());
        }
        self.launch = match checkpoint.stage {
            Stage::Planned => Launch::Sent { at: None },
            Stage::Accepted => Launch::Accepted { at: checkpoint.at },
        };
        if checkpoint.stage == Stage::Accepted {
            // What this process made under other names is not what was launched.
            let target = target_of(&checkpoint);
            let other = self.names().filter(|made| {
                made.endpoint_config != target.endpoint_config || made.model != target.model
            });
            if other.is_some() {
                self.model = Presence::Unknown;
                self.endpoint_config = Presence::Unknown;
            }
            self.follow(target);
        }
        Ok(())
    }

    fn follow(&mut self, target: Target) {
        Span::current().record("model_name", &target.model);
        self.target = Some(target);
    }

    /// The route, by what the last poll shows and what an earlier process wrote down.
    pub(super) fn choose_route(&self, endpoint: Option<&Endpoint>) -> Route {
        let on_failed = self.asked.request.on_failed_endpoint;
        let written = self.checkpoint.as_ref();
        route(self.asked.kind, on_failed, written, self.launch, endpoint)
    }

    /// Settles what is deployed: the names, and for an update the plan from the live endpoint config.
    ///
    /// `Some` is what has to come first.
    pub(super) fn aim(&mut self, route: Route, endpoint: Option<&Endpoint>) -> Known<Option<Step>> {
        if self.launch.is_confirmed() {
            return Ok(None);
        }
        let written = self.checkpoint.as_ref().map(target_of);
        match (route, endpoint) {
            (Route::Create, _) => {}
            // The endpoint is gone, and its settings with it: what was planned from them stands.
            (Route::Recreate, None) => {
                self.target = written;
                return Ok(None);
            }
            (_, None) => return Ok(None),
            (_, Some(endpoint)) => {
                // What shows that it was launched needs no plan any more.
                let is_launched = |target: &Target| {
                    endpoint.uses(&target.endpoint_config)
                        && endpoint.status != EndpointStatus::Failed
                };
                if let Some(target) = written.clone().filter(is_launched) {
                    self.follow(target);
                    return Ok(None);
                }
                if let Some(step) = self.plan_from(endpoint)? {
                    return Ok(Some(step));
                }
            }
        }
        let Some(plan) = &self.plan else {
            return Ok(None);
        };
        let planned = Target {
            endpoint_config: plan.endpoint_config_name.clone(),
            model: plan.model_name.clone(),
            previous: endpoint
                .map(|endpoint| endpoint.config.clone())
                .unwrap_or_default(),
            since: endpoint.and_then(|endpoint| endpoint.last_modified),
        };
        let earlier = self.target.clone().or(written);
        let changed = |earlier: &Target| {
            earlier.endpoint_config != planned.endpoint_config || earlier.model != planned.model
        };
        let discarded = earlier.filter(changed);
        self.follow(planned);
        Ok(discarded.map(Step::Discard))
    }

    /// Plans from the endpoint config that is live, anew if that has changed.
    pub(super) fn plan_from(&mut self, endpoint: &Endpoint) -> Known<Option<Step>> {
        let is_current = self
            .plan
            .as_ref()
            .is_some_and(|plan| plan.live_endpoint_config.as_ref() == Some(&endpoint.config));
        if is_current {
            return Ok(None);
        }
        let refused = |bad_keys| Ok(Some(Step::Fail(self.asked.request.refused(bad_keys))));
        let Some(config) = self.facts.endpoint_config(&endpoint.config)? else {
            let why = NotUpdatable::ConfigGone {
                endpoint_config: endpoint.config.clone(),
            };
            return Ok(Some(Step::Fail(self.not_updatable(endpoint, why))));
        };
        let model = match served_model(&self.asked.request, config) {
            Ok(Some(name)) => self.facts.model(name)?,
            Ok(None) => None,
            Err(bad_keys) => return refused(bad_keys),
        };
        // Which of its environment variables are its own, only its package can tell.
        let compared = model.and_then(|model| Some((model, package_to_compare(model)?)));
        let mut environment = BTreeMap::new();
        if let Some((model, arn)) = compared {
            let Some(package) = self.facts.package(arn)? else {
                let package = arn.to_owned();
                let why = NotUpdatable::PackageGone { package };
                return Ok(Some(Step::Fail(self.not_updatable(endpoint, why))));
            };
            environment = own_environment(model, package);
        }
        let live = Live {
            config: (**config).clone(),
            model: model.map(|model| (**model).clone()),
            environment,
        };
        match Plan::update(&self.asked.request, &live) {
            Ok(plan) => self.plan = Some(plan),
            Err(Refused::Keys(bad_keys)) => return refused(bad_keys),
            Err(Refused::Live(why)) => {
                return Ok(Some(Step::Fail(self.not_updatable(endpoint, why))));
            }
        }
        Ok(None)
    }

    /// What is to be done about autoscaling, by what is registered and what is saved on the endpoint.
    ///
    /// `replaced` says that the endpoint is deleted and made again, and its scalable targets with it.
    pub(super) fn plan_scaling(
        &self,
        endpoint: &Endpoint,
        saved: &Board,
        replaced: bool,
        now: Moment,
    ) -> Known<Result<ScalingPlan, Error>> {
        let Some(plan) = &self.plan else {
            return Ok(Ok(ScalingPlan::default()));
        };
        let replaced: Vec<_> = if replaced {
            let live = self.facts.endpoint_config(&endpoint.config)?;
            let variants = live.into_iter().flat_map(|live| live.production_variants());
            variants
                .filter_map(|variant| variant.variant_name.clone())
                .collect()
        } else {
            Vec::new()
        };
        let asked = &self.asked.request.autoscaling;
        let suspended = saved.suspended(&self.id, now);
        let mut variants = concerned(plan, asked, &replaced);
        variants.extend(suspended.iter().map(|scaling| scaling.variant.clone()));
        variants.sort();
        variants.dedup();
        let mut registered = Vec::new();
        for variant in &variants {
            registered.extend(self.facts.scaling(self.own_name(), variant)?);
        }
        let known = KnownScaling {
            registered,
            taken_off: suspended,
        };
        let scaling = planned(plan, asked, &replaced, &known);
        Ok(scaling.map_err(|bad_keys| self.asked.request.refused(bad_keys)))
    }

    /// Takes in what a poll shows of the launch.
    pub(super) fn watch(&mut self, route: Route, endpoint: Option<&Endpoint>, now: Moment) {
        let is_gone = endpoint.is_none_or(|endpoint| endpoint.status == EndpointStatus::Deleting);
        self.recreating |= route == Route::Recreate && is_gone;
        if let (Some(target), Some(endpoint)) = (&self.target, endpoint)
            && shows_launch(endpoint, target, route)
        {
            self.launch = Launch::Visible {
                modified: endpoint.last_modified,
                at: now,
            };
        }
    }

    pub(super) fn not_updatable(&self, endpoint: &Endpoint, why: NotUpdatable) -> Error {
        Error::EndpointNotUpdatable {
            endpoint_name: self.own_name().to_owned(),
            status: endpoint.status.as_str().to_owned(),
            why,
        }
    }
}

pub(super) fn target_of(checkpoint: &Checkpoint) -> Target {
    Target {
        endpoint_config: checkpoint.endpoint_config.clone(),
        model: checkpoint.model.clone(),
        previous: checkpoint.previous.clone(),
        since: checkpoint.since,
    }
}
