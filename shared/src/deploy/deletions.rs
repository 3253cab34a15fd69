//! Deletions: the parts of an undo that delete, each once nobody else needs what goes.

use super::call::Write;
use super::decide::Target;
use super::facts::Known;
use super::undo::{Part, Undo, part};
use super::{Engine, HOLD, Presence, Step};
use crate::error::{Resource, Stays};
use crate::moment::Moment;
use crate::plan::{LEASE, uses_model};
use crate::sagemaker::Endpoint;

/// What others have claimed, and whether this deployment made the model.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Claims {
    pub(super) made: bool,
    pub(super) model: bool,
    pub(super) endpoint_config: bool,
}

impl Engine {
    pub(super) fn arn_of_model(&self, undo: &Undo, target: &Target) -> Known<Option<String>> {
        if undo.done.contains(&Part::DeleteModel) {
            return Ok(None);
        }
        if let Presence::Certain { arn: Some(arn), .. } = &undo.model {
            return Ok(Some(arn.clone()));
        }
        let model = self.facts.model(&target.model)?;
        Ok(model.and_then(|model| model.model_arn.clone()))
    }

    /// Announces the undo on the model, and finds out who has claimed what.
    pub(super) fn announce(
        &mut self,
        undo: &Undo,
        target: &Target,
        arn: &str,
        now: Moment,
    ) -> Known<Result<Claims, Step>> {
        if !self.has_announced(now) && !undo.done.contains(&Part::Announce) {
            let tags = vec![self.notice(target, now).undo(&self.id)];
            let arn = arn.to_owned();
            return Ok(Err(part(Part::Announce, Write::AddTags { arn, tags })));
        }
        let board = self.facts.tags(arn)?;
        let mut claims = Claims {
            made: self.is_own(arn, &undo.model)?,
            ..Claims::default()
        };
        if let Some(failure) = self.facts.unreadable_tags(arn)
            && !claims.made
            && !undo.keeps_model()
        {
            let why = Stays::refused(failure);
            self.leave(Resource::Model(target.model.clone()), &why);
            return Ok(Ok(claims));
        }
        for (id, notice) in board.claims() {
            if notice.process == self.asked.process || notice.is_obsolete(now) {
                continue;
            }
            if id != self.id.as_str() {
                claims.model = true;
                claims.endpoint_config |= notice.endpoint_config == target.endpoint_config;
            } else if notice.holds(now) && !self.launch.is_confirmed() {
                // Another process of this deployment is about to launch. A later poll tells whether it did.
                return Ok(Err(Step::Wait));
            }
        }
        Ok(Ok(claims))
    }

    pub(super) fn delete_endpoint_config(
        &mut self,
        target: &Target,
        claims: Claims,
    ) -> Option<Step> {
        let name = target.endpoint_config.clone();
        if claims.endpoint_config {
            self.leave(Resource::EndpointConfig(name), &Stays::Claimed);
            return None;
        }
        let write = Write::DeleteEndpointConfig { name };
        Some(part(Part::DeleteEndpointConfig, write))
    }

    /// Whether this deployment made an endpoint config that is still there, and has not succeeded with it.
    ///
    /// Another process of this deployment may have succeeded with what this one made. If the tags cannot be read, what
    /// this process knows itself counts; what it cannot know is named.
    pub(super) fn is_made(&mut self, presence: &Presence, name: &str) -> Known<bool> {
        let arn = match presence {
            Presence::Certain { arn: Some(arn), .. } => arn.clone(),
            _ => match self.facts.endpoint_config(name)? {
                Some(config) => config.endpoint_config_arn.clone().unwrap_or_default(),
                None => return Ok(false),
            },
        };
        let is_own = self.is_own(&arn, presence)?;
        if let Some(failure) = self.facts.unreadable_tags(&arn).filter(|_| !is_own) {
            let why = Stays::refused(failure);
            self.leave(Resource::EndpointConfig(name.to_owned()), &why);
        }
        Ok(is_own)
    }

    /// Whether this deployment made a resource and has not succeeded with it: as its tags say, or, if they cannot be read,
    /// as this process knows.
    pub(super) fn is_own(&self, arn: &str, presence: &Presence) -> Known<bool> {
        let board = self.facts.tags(arn)?;
        Ok(match self.facts.unreadable_tags(arn) {
            Some(_) => presence.is_made_here(),
            None => board.is_made_by(&self.id),
        })
    }

    /// The endpoint config of a model that this deployment made is there and not its own: another process of it had
    /// succeeded, and has not released the model any more; or somebody else made it. It refers to the model.
    pub(super) fn keep_what_succeeded(&mut self, undo: &Undo, target: &Target) -> Known<()> {
        if undo.done.contains(&Part::DeleteEndpointConfig)
            || self
                .facts
                .endpoint_config(&target.endpoint_config)?
                .is_none()
        {
            return Ok(());
        }
        let config = Resource::EndpointConfig(target.endpoint_config.clone());
        self.leave(config, &Stays::NotItsOwn);
        self.leave(Resource::Model(target.model.clone()), &Stays::ReferredTo);
        Ok(())
    }

    /// The anchor goes last, in the closing. It tells the next process that the deployment failed.
    pub(super) fn deletes_model_later(&self) -> bool {
        self.is_new()
    }

    /// Whether another process wrote the checkpoint so recently that it may still act on it.
    pub(super) fn is_young(&self, now: Moment) -> bool {
        let at = self.checkpoint_found;
        at.is_some_and(|at| now.since(at) < LEASE) && !self.launch.is_confirmed()
    }

    /// Whether every process that is about to launch sees by now that this one undoes.
    pub(super) fn has_announced(&self, now: Moment) -> bool {
        self.announced.is_some_and(|at| now.since(at) < HOLD)
    }

    pub(super) fn delete_model(
        &mut self,
        undo: &Undo,
        target: &Target,
        endpoint: Option<&Endpoint>,
        claims: Claims,
    ) -> Known<Option<Step>> {
        let name = target.model.clone();
        let config = Resource::EndpointConfig(target.endpoint_config.clone());
        let config_stays = self.is_left(&config);
        if undo.keeps_model() || undo.done.contains(&Part::DeleteModel) || !claims.made {
            return Ok(None);
        }
        if let Some(endpoint) = endpoint {
            let live = self.facts.endpoint_config(&endpoint.config)?;
            if live.is_some_and(|live| uses_model(live, &name)) {
                return Ok(None);
            }
        }
        if claims.model || config_stays {
            let why = if claims.model {
                Stays::Claimed
            } else {
                Stays::ReferredTo
            };
            self.leave(Resource::Model(name), &why);
            return Ok(None);
        }
        if self.deletes_model_later() {
            return Ok(None);
        }
        Ok(Some(part(Part::DeleteModel, Write::DeleteModel { name })))
    }
}
