//! What the call that takes a deployment up finds noted on its endpoint config.

use tokio::time::Instant;
use tracing::warn;

use super::ending::until_it_passes;
use super::turn::Deployment;
use crate::contract::DeploymentKind;
use crate::failure::ServiceFailure;
use crate::plan::{Live, Notes, Plan, noted_by};
use crate::sagemaker::Waiting;
use crate::wait::{Begun, Pace, Since};

impl Deployment<'_> {
    /// Reads what an earlier call has noted on the endpoint config that the plan names, if there is one.
    pub(super) async fn find_notes(&mut self, endpoint_config: &str) -> Result<(), ServiceFailure> {
        let sagemaker = &self.services.sagemaker;
        let found = sagemaker.find_endpoint_config(endpoint_config).await?;
        match found.and_then(|config| config.endpoint_config_arn) {
            Some(arn) => self.read_notes(arn).await,
            None => Ok(()),
        }
    }

    /// Reads the notes on the live endpoint config: this deployment's own where it serves that already, else those
    /// that nobody has removed since an earlier update brought it.
    pub(super) async fn read_live_notes(
        &mut self,
        plan: &Plan,
        live: &Live,
    ) -> Result<(), ServiceFailure> {
        let Some(arn) = live.config.endpoint_config_arn.clone() else {
            return Ok(());
        };
        if live.config.endpoint_config_name.as_ref() == Some(&plan.endpoint_config_name) {
            return self.read_notes(arn).await;
        }
        let notes = Notes::read(&self.services.sagemaker.tags(&arn).await?);
        // Those of a message may be waited for by its next step, and mean nothing to anybody else.
        let is_stale = notes.since.is_some() && notes.by.is_none();
        self.stale_notes = is_stale.then_some(arn);
        Ok(())
    }

    /// Reads the notes on the endpoint config that the plan names, whose ARN is this.
    pub(super) async fn read_notes(&mut self, arn: String) -> Result<(), ServiceFailure> {
        let notes = Notes::read(&self.services.sagemaker.tags(&arn).await?);
        let notes = notes.seen_by(self.noted_by().as_deref());
        self.scaling.may_be_off |= !notes.scaling.is_empty();
        self.notes = notes;
        self.endpoint_config_arn = Some(arn);
        Ok(())
    }

    /// Takes up an update that an earlier call noted: whether it has begun, and been rolled back since, is told
    /// by the endpoint's times.
    pub(super) fn take_up_noted(&mut self) {
        let (Some(endpoint), Some(replaces), Some(since)) =
            (&self.endpoint, &self.notes.replaces, self.notes.since)
        else {
            return;
        };
        if self.begun.is_none() && !self.noted {
            self.begun = Some(Begun {
                config_before: replaces.clone(),
                since: Since::Before(Some(since)),
                // On a third config, the endpoint has been through this update, or past it.
                certain: endpoint.config != *replaces,
            });
        }
    }

    /// For a deployment that comes in steps, each in a process that knows nothing of the others: reads what an
    /// earlier step has noted. Where none has, the deployment may begin only while somebody waits for it; tells
    /// who does.
    pub(super) async fn find_leave(&mut self) -> Result<Waiting, ServiceFailure> {
        let (Some(callback), Some(plan)) = (self.callback, &self.plan) else {
            return Ok(Waiting::ForTheDeployment);
        };
        let endpoint_config = plan.endpoint_config_name.clone();
        self.find_notes(&endpoint_config).await?;
        self.take_up_noted();
        // What is there under these names is this deployment's to take away, should it come to that.
        let there = self.endpoint_config_arn.is_some();
        self.traces.model |= there;
        self.traces.endpoint_config |= there;
        let noted = self.notes.since.is_some() || self.notes.failure.is_some();
        match &callback.pipeline_execution_arn {
            Some(arn) if !noted => {
                let sagemaker = &self.services.sagemaker;
                sagemaker.waiting_for(arn, &callback.token).await
            }
            _ => Ok(Waiting::ForTheDeployment),
        }
    }

    /// Notes why the creation failed, before the endpoint that tells it is deleted.
    pub(super) async fn note_failure(&mut self, reason: &str) -> Result<(), ServiceFailure> {
        if self.endpoint_config_arn.is_none()
            && let Some(plan) = &self.plan
        {
            let endpoint_config = plan.endpoint_config_name.clone();
            self.find_notes(&endpoint_config).await?;
        }
        let Some(arn) = self.endpoint_config_arn.clone() else {
            return Ok(());
        };
        let notes = Notes {
            by: self.noted_by(),
            failure: Some(reason.to_owned()),
            ..Notes::default()
        };
        let tags = notes.tags().unwrap_or_default();
        self.services.sagemaker.add_tags(&arn, &tags).await
    }

    /// Whether the endpoint came to serve what was asked for by this deployment, though in an earlier call.
    pub(super) fn was_begun_before(&self) -> bool {
        match self.kind {
            DeploymentKind::Existing => self.notes.since.is_some(),
            DeploymentKind::New => {
                let asked_at = self.callback.and_then(|callback| callback.asked_at);
                let created = self.endpoint.as_ref().and_then(|endpoint| endpoint.created);
                matches!((asked_at, created), (Some(asked), Some(created)) if created >= asked)
            }
        }
    }

    /// Notes what is about to be replaced, and taken off, on the endpoint config that comes.
    ///
    /// # Errors
    ///
    /// [`FailureKind::PrerequisiteNotFound`] where the service has the endpoint config but does not see it yet, so
    /// that its ARN is not known.
    pub(super) async fn note(&mut self, plan: &Plan) -> Result<(), ServiceFailure> {
        let (Some(arn), Some(endpoint)) = (&self.endpoint_config_arn, &self.endpoint) else {
            let name = &plan.endpoint_config_name;
            return Err(ServiceFailure::unseen(
                "DescribeEndpointConfig",
                format!("endpoint config {name}"),
            ));
        };
        let notes = Notes {
            replaces: Some(endpoint.config.clone()),
            since: endpoint.last_modified,
            by: self.noted_by(),
            scaling: plan.autoscaling.kept.clone(),
            failure: None,
        };
        // The plan has seen to it that they fit.
        let tags = notes.tags().unwrap_or_default();
        self.services.sagemaker.add_tags(arn, &tags).await?;
        if let Some(live) = self.stale_notes.take() {
            self.remove_notes(&live).await;
        }
        self.notes = notes;
        self.noted = true;
        Ok(())
    }

    /// Who notes, where a message's step does.
    fn noted_by(&self) -> Option<String> {
        self.callback.map(|callback| noted_by(&callback.token))
    }

    /// Whether there are notes, or may be, that are of no use once the endpoint serves.
    pub(super) fn notes_open(&self) -> bool {
        let updates = self.kind == DeploymentKind::Existing;
        let noted = self.notes.since.is_some() || !self.notes.scaling.is_empty();
        // Where the answer is yet to be given, the notes tell a repeated message what it was.
        let is_told = self.callback.is_none();
        updates && is_told && !self.notes_closed && (noted || self.begun.is_some())
    }

    /// Removes the notes that would mislead a later deployment of the same endpoint config. That they stay where
    /// this fails is no harm before the next update, which removes them too.
    pub(super) async fn close_notes(&mut self) -> Result<(), ServiceFailure> {
        if self.endpoint_config_arn.is_none()
            && let Some(endpoint) = self.endpoint.clone()
        {
            self.find_notes(&endpoint.config).await?;
        }
        if let Some(arn) = self.endpoint_config_arn.clone() {
            self.remove_notes(&arn).await;
        }
        self.notes_closed = true;
        Ok(())
    }

    /// Has a failure that has been told not be told again by the next call, where the endpoint config stays.
    pub(super) async fn forget_beginning(&self, pace: Pace, give_up: Instant) {
        let noted = self.noted || self.notes.since.is_some();
        let Some(arn) = self.endpoint_config_arn.as_ref().filter(|_| noted) else {
            return;
        };
        let sagemaker = &self.services.sagemaker;
        let since = || sagemaker.delete_tags(arn, vec![Notes::since_key()]);
        let removed = until_it_passes(pace, give_up, since);
        if removed.await.is_err() {
            warn!(
                resource = arn,
                "left the note of a failed update, which will be told once more"
            );
        }
    }

    async fn remove_notes(&self, arn: &str) {
        let keys = Notes::passing_keys();
        if let Err(failure) = self.services.sagemaker.delete_tags(arn, keys).await {
            warn!(
                resource = arn,
                reason = failure.reason(),
                "left notes of a finished update on its endpoint config"
            );
        }
    }
}
