//! The undo of a failed deployment: what bears its own names is taken away, newest first.
//!
//! Nothing goes before the endpoint is confirmed not to use it, nothing that the live endpoint config
//! refers to goes at all, and what could not be taken away is reported: it never replaces the error that
//! made the undo necessary.

use aws_sdk_sagemaker::types::EndpointStatus;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{info, warn};

use crate::contract::OnFailure;
use crate::error::LeftBehind;
use crate::failure::ServiceFailure;
use crate::plan::{Plan, uses_model};
use crate::sagemaker::{Endpoint, SageMaker};
use crate::wait::Pace;

/// What a failed deployment has made, or adopted under its own names, and what is still there of it.
#[derive(Debug)]
pub(crate) struct Traces<'a> {
    pub(crate) endpoint_name: &'a str,
    pub(crate) plan: &'a Plan,
    pub(crate) model: bool,
    pub(crate) endpoint_config: bool,
    /// Whether the endpoint has been seen to be one that goes.
    pub(crate) endpoint: bool,
    /// Whether the deployment creates the endpoint, and what then becomes of one that failed.
    pub(crate) creates: Option<OnFailure>,
}

/// What has to happen to the endpoint before the rest may go.
#[derive(Debug, PartialEq, Eq)]
enum Clearing {
    /// It is confirmed not to use the deployment's config.
    Clear,
    /// It is the failed endpoint that the deployment made.
    DeleteEndpoint,
    /// It cannot be told yet.
    LookAgain,
    /// It uses the deployment's config, or may.
    Keep(&'static str),
    /// The event asks to keep it.
    AskedToKeep,
}

/// What one look at the endpoint means for the undo. Pure.
fn clearing(endpoint: Option<&Endpoint>, traces: &Traces<'_>) -> Clearing {
    use EndpointStatus as S;
    let Some(endpoint) = endpoint else {
        return Clearing::Clear;
    };
    let used = endpoint.uses(&traces.plan.endpoint_config_name);
    match (&endpoint.status, used, traces.creates) {
        (S::Failed, true, Some(OnFailure::Delete)) => Clearing::DeleteEndpoint,
        (S::Failed, true, Some(OnFailure::Keep)) => Clearing::AskedToKeep,
        // Old and new variants are both in service here, whatever config it names.
        (S::UpdateRollbackFailed, ..) => Clearing::Keep("the endpoint may still use it"),
        (S::InService | S::OutOfService | S::Failed, true, _) => {
            Clearing::Keep("the endpoint uses it")
        }
        (S::InService | S::OutOfService | S::Failed, false, _) => Clearing::Clear,
        _ => Clearing::LookAgain,
    }
}

/// What an undo came to.
#[derive(Debug, Default)]
pub(crate) struct Undone {
    /// What is still there, and why.
    pub(crate) left_behind: Vec<LeftBehind>,
    /// Whether more time would have helped.
    pub(crate) needs_time: bool,
}

/// How far one turn of the undo came.
enum Turn {
    Finished,
    NotYet,
    Kept(&'static str),
}

/// Takes away what a failed deployment left, until `give_up`.
pub(crate) async fn undo(
    sagemaker: &SageMaker,
    mut traces: Traces<'_>,
    pace: Pace,
    give_up: Instant,
) -> Undone {
    let began = Instant::now();
    let mut backoff = pace.backoff();
    let mut reason = "the endpoint could not be seen to have let go of it in time".to_owned();
    loop {
        let pause = match timeout_at(give_up, traces.take_away(sagemaker)).await {
            Ok(Ok(Turn::Finished)) => return Undone::default(),
            Ok(Ok(Turn::NotYet)) => Some(pace.pause(began.elapsed())),
            Ok(Ok(Turn::Kept(why))) => {
                why.clone_into(&mut reason);
                None
            }
            Ok(Err(failure)) => {
                reason = format!("{} failed: {}", failure.operation, failure.reason());
                failure.is_passing().then(|| backoff.next()).flatten()
            }
            Err(_) => Some(pace.shortest),
        };
        match pause {
            Some(pause) if Instant::now() + pause < give_up => sleep(pause).await,
            _ => {
                return Undone {
                    left_behind: traces.left_behind(&reason),
                    needs_time: pause.is_some(),
                };
            }
        }
    }
}

impl Traces<'_> {
    async fn take_away(&mut self, sagemaker: &SageMaker) -> Result<Turn, ServiceFailure> {
        let endpoint = sagemaker.find_endpoint(self.endpoint_name).await?;
        match clearing(endpoint.as_ref(), self) {
            Clearing::Clear => self.endpoint = false,
            Clearing::LookAgain => return Ok(Turn::NotYet),
            Clearing::Keep(why) => return Ok(Turn::Kept(why)),
            Clearing::AskedToKeep => return Ok(Turn::Finished),
            Clearing::DeleteEndpoint => {
                self.endpoint = true;
                sagemaker.delete_endpoint(self.endpoint_name).await?;
                info!("deleted the failed endpoint");
                return Ok(Turn::NotYet);
            }
        }
        if self.endpoint_config {
            let name = &self.plan.endpoint_config_name;
            sagemaker.delete_endpoint_config(name).await?;
            info!(endpoint_config = %name, "deleted the failed deployment's endpoint config");
            self.endpoint_config = false;
        }
        if self.model && !self.model_is_live(sagemaker, endpoint.as_ref()).await? {
            let name = &self.plan.model_name;
            sagemaker.delete_model(name).await?;
            info!(model = %name, "deleted the failed deployment's model");
        }
        Ok(Turn::Finished)
    }

    /// Another config of the same deployment inputs may serve the same model: an update that changes no
    /// more than the instance type, say.
    async fn model_is_live(
        &self,
        sagemaker: &SageMaker,
        endpoint: Option<&Endpoint>,
    ) -> Result<bool, ServiceFailure> {
        let Some(endpoint) = endpoint else {
            return Ok(false);
        };
        let live = sagemaker.find_endpoint_config(&endpoint.config).await?;
        Ok(live.is_some_and(|live| uses_model(&live, &self.plan.model_name)))
    }

    fn left_behind(&self, reason: &str) -> Vec<LeftBehind> {
        let endpoint = (self.endpoint).then(|| format!("endpoint {}", self.endpoint_name));
        let config = (self.endpoint_config)
            .then(|| format!("endpoint config {}", self.plan.endpoint_config_name));
        let model = self
            .model
            .then(|| format!("model {}", self.plan.model_name));
        let left: Vec<_> = [endpoint, config, model]
            .into_iter()
            .flatten()
            .map(|resource| LeftBehind {
                resource,
                reason: reason.to_owned(),
            })
            .collect();
        for left in &left {
            warn!(resource = %left.resource, reason = %left.reason, "left behind by a failed deployment");
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::tests::new;

    #[test]
    fn nothing_is_cleared_that_the_endpoint_uses_or_may_use() {
        let plan = new(&json!({}));
        let ours = plan.endpoint_config_name.as_str();
        let traces = |creates| Traces {
            endpoint_name: "churn",
            plan: &plan,
            model: true,
            endpoint_config: true,
            endpoint: false,
            creates,
        };
        let look = |status: &str, live: &str, pending: Option<&str>| Endpoint {
            arn: String::new(),
            status: EndpointStatus::from(status),
            config: live.to_owned(),
            pending_config: pending.map(str::to_owned),
            failure_reason: None,
            last_modified: None,
            created: None,
        };
        let (delete, keep) = (Some(OnFailure::Delete), Some(OnFailure::Keep));
        let in_use = Clearing::Keep("the endpoint uses it");
        let cases = [
            (look("InService", "other", None), None, Clearing::Clear),
            (look("OutOfService", "other", None), None, Clearing::Clear),
            (look("InService", ours, None), None, in_use),
            (
                look("InService", "other", Some(ours)),
                None,
                Clearing::Keep("the endpoint uses it"),
            ),
            (
                look("Failed", ours, None),
                None,
                Clearing::Keep("the endpoint uses it"),
            ),
            (look("Failed", ours, None), delete, Clearing::DeleteEndpoint),
            (look("Failed", ours, None), keep, Clearing::AskedToKeep),
            // Somebody else's failed endpoint is not touched, whatever this deployment was to create.
            (look("Failed", "other", None), delete, Clearing::Clear),
            (
                look("Updating", "other", Some(ours)),
                None,
                Clearing::LookAgain,
            ),
            (
                look("RollingBack", "other", None),
                None,
                Clearing::LookAgain,
            ),
            (look("Deleting", ours, None), delete, Clearing::LookAgain),
            (
                look("SystemUpdating", "other", None),
                None,
                Clearing::LookAgain,
            ),
            (
                look("UpdateRollbackFailed", "other", None),
                None,
                Clearing::Keep("the endpoint may still use it"),
            ),
            (look("Levitating", "other", None), None, Clearing::LookAgain),
        ];
        for (look, creates, expected) in cases {
            assert_eq!(
                clearing(Some(&look), &traces(creates)),
                expected,
                "{look:?}"
            );
        }
        assert_eq!(clearing(None, &traces(None)), Clearing::Clear);
    }
}
