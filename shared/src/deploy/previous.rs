//! The previous endpoint config and its models, once an update has succeeded: they are deleted if this product made them
//! for this endpoint and nothing uses them. Nothing here fails a deployment.

use tracing::warn;

use super::call::Write;
use super::decide::SETTLING;
use super::facts::Known;
use super::forward::task;
use super::{Engine, HOLD, Step, Task};
use crate::moment::Moment;
use crate::plan::{Notice, is_made_for, models, uses_model};

impl Engine {
    /// The next call that deletes what the update replaced; `None` once that is done, or has to stay.
    ///
    /// The endpoint config goes last: as long as it is there, a process that resumes this finds the models by it.
    pub(super) fn delete_previous(&mut self, now: Moment) -> Known<Option<Step>> {
        let Some(target) = self.names() else {
            return Ok(None);
        };
        let previous = target.previous.clone();
        if previous.is_empty() || previous == target.endpoint_config {
            return Ok(None);
        }
        // Somebody may have started to go back to it, and the last poll may be stale.
        let (first, latest) = self.serving.unwrap_or((now, now));
        let settled = first + SETTLING;
        // Whatever takes too long is left to the next update.
        if settled.max(now) >= self.asked.deadlines.wait_until {
            return Ok(None);
        }
        if now < settled {
            return Ok(Some(Step::Pause(settled)));
        }
        if latest < settled {
            let name = self.name().to_owned();
            self.facts.poll_again(&name);
            self.facts.endpoint(&name)?;
        }
        let Some(config) = self.facts.endpoint_config(&previous)?.cloned() else {
            return Ok(None);
        };
        let arn = config.endpoint_config_arn.clone().unwrap_or_default();
        if !is_made_for(self.facts.tags(&arn)?.tags(), self.name()) {
            keep(&previous, "this product did not make it for this endpoint");
            return Ok(None);
        }
        let since = config.creation_time;
        let endpoints = self.facts.endpoints_changed_since(since)?.to_vec();
        for endpoint in endpoints {
            let endpoint = self.facts.endpoint(&endpoint)?;
            if endpoint.is_some_and(|endpoint| endpoint.uses(&previous)) {
                keep(&previous, "an endpoint uses it");
                return Ok(None);
            }
        }
        let models = models(&config);
        // The same announcement as before an undo: another deployment may be about to go back to them.
        for model in &models {
            if let Some(step) = self.announce_on(model, &previous, now)? {
                return Ok(Some(step));
            }
            if self.is_claimed(model, now)? {
                keep(&previous, "another deployment uses it");
                return Ok(None);
            }
        }
        for model in models {
            if let Some(step) = self.delete_previous_model(model, &previous)? {
                return Ok(Some(step));
            }
        }
        let write = Write::DeleteEndpointConfig { name: previous };
        Ok(Some(task(Task::Previous, write)))
    }

    fn announce_on(&self, model: &str, previous: &str, now: Moment) -> Known<Option<Step>> {
        let Some(model) = self.facts.model(model)? else {
            return Ok(None);
        };
        let arn = model.model_arn.clone().unwrap_or_default();
        let board = self.facts.tags(&arn)?;
        let is_announced = board
            .undos()
            .any(|(_, notice)| notice.process == self.asked.process && now.since(notice.at) < HOLD);
        if is_announced || !is_made_for(board.tags(), self.name()) {
            return Ok(None);
        }
        let notice = Notice {
            at: now,
            process: self.asked.process.clone(),
            endpoint_config: previous.to_owned(),
        };
        let tags = vec![notice.undo(&self.id)];
        Ok(Some(task(Task::Previous, Write::AddTags { arn, tags })))
    }

    fn is_claimed(&self, model: &str, now: Moment) -> Known<bool> {
        let Some(model) = self.facts.model(model)? else {
            return Ok(false);
        };
        let board = self.facts.tags(model.model_arn().unwrap_or_default())?;
        Ok(board.is_claimed(&self.id, &self.asked.process, now))
    }

    /// Deletes a model that nothing uses but the endpoint config that goes with it.
    fn delete_previous_model(&mut self, name: &str, previous: &str) -> Known<Option<Step>> {
        let Some(model) = self.facts.model(name)?.cloned() else {
            return Ok(None);
        };
        let arn = model.model_arn.clone().unwrap_or_default();
        let board = self.facts.tags(&arn)?.clone();
        if !is_made_for(board.tags(), self.name()) {
            keep(name, "this product did not make it for this endpoint");
            return Ok(None);
        }
        let others: Vec<_> = self
            .facts
            .endpoint_configs_made_since(name, model.creation_time)?
            .iter()
            .filter(|config| *config != previous && **config != self.anchor_name())
            .cloned()
            .collect();
        for config in others {
            let config = self.facts.endpoint_config(&config)?;
            if config.is_some_and(|config| uses_model(config, name)) {
                keep(name, "an endpoint config uses it");
                return Ok(None);
            }
        }
        let name = name.to_owned();
        Ok(Some(task(Task::Previous, Write::DeleteModel { name })))
    }
}

fn keep(name: &str, reason: &str) {
    warn!(resource = name, reason, "kept a previous resource");
}
