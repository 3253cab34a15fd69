//! What the launch needs: the checkpoint, the model, the endpoint config.

use std::time::Duration;

use aws_sdk_sagemaker::operation::create_endpoint_config::builders::CreateEndpointConfigInputBuilder;
use aws_sdk_sagemaker::operation::create_model::builders::CreateModelInputBuilder;
use aws_sdk_sagemaker::types::Tag;

use super::call::Write;
use super::decide::Target;
use super::facts::Known;
use super::forward::task;
use super::{Engine, LastPoll, Missing, Presence, Step, Task};
use crate::contract::DeploymentKind;
use crate::moment::Moment;
use crate::plan::{Checkpoint, Route, Stage, Whole, made_by, made_for, replaces, served_model};

impl Engine {
    /// The checkpoint, the model and the endpoint config.
    pub(super) fn make(
        &mut self,
        route: Route,
        target: &Target,
        now: Moment,
    ) -> Known<Option<Step>> {
        use Task::{Checkpoint, Claim, EndpointConfig, Model};
        let Some(plan) = &self.plan else {
            return Ok(None);
        };
        let after_model = route == Route::Create || plan.anchor.is_none();
        // Read before anything is made, so that a denial leaves nothing.
        self.tags_of_live()?;
        // The claim comes before the endpoint config: who finds that the model is being undone leaves nothing new behind.
        let first = [Checkpoint, Model, Claim, EndpointConfig];
        let model_first = [Model, Checkpoint, Claim, EndpointConfig];
        for task in if after_model { model_first } else { first } {
            let is_done = self.done.contains(&task);
            if is_done && (task != Claim || self.done.contains(&EndpointConfig)) {
                continue;
            }
            if task == Claim {
                if self.only_finds_out(now) {
                    continue;
                }
                match self.claim(target, now)? {
                    Some(step) => return Ok(Some(step)),
                    None => continue,
                }
            }
            let step = match task {
                Task::Model => self.make_model(route, target, now)?,
                Task::Checkpoint => self.write_checkpoint(route, target, now)?,
                _ => self.make_endpoint_config(target)?,
            };
            if step.is_some() {
                return Ok(step);
            }
            self.done.insert(task);
        }
        Ok(None)
    }

    fn make_model(&mut self, route: Route, target: &Target, now: Moment) -> Known<Option<Step>> {
        let looks = route == Route::Create || self.may_exist(&self.model);
        if looks && self.facts.model(&target.model)?.is_some() {
            if !matches!(self.model, Presence::Certain { .. }) {
                self.model = Presence::Certain {
                    made: None,
                    arn: None,
                };
            }
            return Ok(None);
        }
        let Some(plan) = &self.plan else {
            return Ok(None);
        };
        // Claimed as it is made: nobody can have announced an undo before.
        let claim = self.notice(target, now).claim(&self.id);
        let mut tags = self.tags_of_live()?.model;
        retain_new(&mut tags, plan.model.get_tags().as_deref());
        tags.extend([made_by(&self.id), claim]);
        if route == Route::Create {
            tags.push(checkpoint(route, target, now).tag(&self.id));
        }
        let request = plan.model.clone();
        let request = request.map(|request| {
            tags.into_iter()
                .fold(request, CreateModelInputBuilder::tags)
        });
        let request = Box::new(request);
        Ok(Some(task(Task::Model, Write::CreateModel { request })))
    }

    fn make_endpoint_config(&mut self, target: &Target) -> Known<Option<Step>> {
        if self.may_exist(&self.endpoint_config)
            && self
                .facts
                .endpoint_config(&target.endpoint_config)?
                .is_some()
        {
            self.endpoint_config = Presence::Certain {
                made: None,
                arn: None,
            };
            return Ok(None);
        }
        let Some(plan) = &self.plan else {
            return Ok(None);
        };
        let mut tags = self.tags_of_live()?.endpoint_config;
        retain_new(&mut tags, plan.endpoint_config.get_tags().as_deref());
        tags.push(made_by(&self.id));
        let replaced = Some(&target.previous).filter(|previous| !previous.is_empty());
        let request = plan.endpoint_config.clone().map(|request| {
            let request = tags
                .into_iter()
                .fold(request, CreateEndpointConfigInputBuilder::tags);
            match replaced {
                Some(previous) => request.tags(replaces(previous)),
                None => request,
            }
        });
        let request = Box::new(request);
        let write = Write::CreateEndpointConfig { request };
        Ok(Some(task(Task::EndpointConfig, write)))
    }

    /// The tags of the live endpoint config and of its model that a deployment carries over: all but this product's own and
    /// those of AWS. They are no part of the names.
    fn tags_of_live(&self) -> Known<LiveTags> {
        let LastPoll::Endpoint(endpoint) = &self.last_poll else {
            return Ok(LiveTags::default());
        };
        if self.is_new() {
            return Ok(LiveTags::default());
        }
        let Some(config) = self.facts.endpoint_config(&endpoint.config)? else {
            return Ok(LiveTags::default());
        };
        let others = |arn: Option<&str>| -> Known<Vec<Tag>> {
            let board = self.facts.tags(arn.unwrap_or_default())?;
            Ok(board.others().cloned().collect())
        };
        let endpoint_config = others(config.endpoint_config_arn())?;
        let served = served_model(&self.asked.request, config).ok().flatten();
        let model = match served {
            Some(name) => self.facts.model(name)?,
            None => None,
        };
        let model = match model {
            Some(model) => others(model.model_arn())?,
            None => Vec::new(),
        };
        Ok(LiveTags {
            model,
            endpoint_config,
        })
    }

    /// Whether something may be there that this process does not know of: a create was not answered, by it or by an
    /// earlier process. A read is surer than another create.
    fn may_exist(&self, presence: &Presence) -> bool {
        let is_resumed = self.checkpoint_found.is_some() && *presence == Presence::Unknown;
        is_resumed || *presence == Presence::Maybe
    }

    /// Puts the checkpoint on the anchor, and makes the anchor if that is an endpoint config of its own.
    pub(super) fn write_checkpoint(
        &mut self,
        route: Route,
        target: &Target,
        now: Moment,
    ) -> Known<Option<Step>> {
        let next = checkpoint(route, target, now);
        let is_written = self.checkpoint.as_ref().is_some_and(|written| {
            let same_names = written.endpoint_config == next.endpoint_config
                && written.model == next.model
                && written.previous == next.previous;
            same_names && written.route == route && written.stage == Stage::Planned
        });
        if is_written {
            return Ok(None);
        }
        let tag = next.tag(&self.id);
        let write = match (self.anchor_arn()?, self.asked.kind) {
            (Some(arn), _) => Write::AddTags {
                arn,
                tags: vec![tag],
            },
            (None, DeploymentKind::New) => return Ok(None),
            (None, DeploymentKind::Existing) => Write::CreateEndpointConfig {
                request: Box::new(self.anchor(tag)),
            },
        };
        Ok(Some(task(Task::Checkpoint, write)))
    }

    /// The request that makes the anchor. No endpoint ever uses it; it says what the live endpoint config says.
    fn anchor(&self, checkpoint: Tag) -> Whole<CreateEndpointConfigInputBuilder> {
        let plan = self.plan.as_ref();
        let content = plan.map(|plan| plan.anchor.clone().unwrap_or(plan.endpoint_config.clone()));
        content
            .unwrap_or_else(|| CreateEndpointConfigInputBuilder::default().into())
            .map(|request| {
                request
                    .endpoint_config_name(self.anchor_name())
                    .set_tags(Some(vec![made_for(self.name()), checkpoint]))
            })
    }

    /// How long the prerequisite has existed that the service does not find.
    pub(super) fn age_of_prerequisite(
        &self,
        missing: &Missing,
        target: &Target,
        now: Moment,
    ) -> Known<Duration> {
        let is_model = missing.failure.operation == "CreateEndpointConfig";
        let presence = if is_model {
            &self.model
        } else {
            &self.endpoint_config
        };
        if let Presence::Certain {
            made: Some(made), ..
        } = presence
        {
            return Ok(now.since(*made));
        }
        let created = if is_model {
            let model = self.facts.model(&target.model)?;
            model.and_then(|model| model.creation_time)
        } else {
            let config = self.facts.endpoint_config(&target.endpoint_config)?;
            config.and_then(|config| config.creation_time)
        };
        // The service says that it exists, and does not show it.
        let noticed = self.checkpoint_found.unwrap_or(missing.since);
        Ok(created.map_or(now.since(noticed), |created| now.since_time(created)))
    }
}

/// Tags that are carried over.
#[derive(Debug, Default)]
struct LiveTags {
    model: Vec<Tag>,
    endpoint_config: Vec<Tag>,
}

/// Keeps the tags whose keys the request does not set.
fn retain_new(tags: &mut Vec<Tag>, set: Option<&[Tag]>) {
    let set = set.unwrap_or_default();
    tags.retain(|tag| set.iter().all(|other| other.key() != tag.key()));
}

pub(super) fn checkpoint(route: Route, target: &Target, now: Moment) -> Checkpoint {
    Checkpoint {
        route,
        stage: Stage::Planned,
        at: now,
        endpoint_config: target.endpoint_config.clone(),
        model: target.model.clone(),
        previous: target.previous.clone(),
        since: target.since,
    }
}
