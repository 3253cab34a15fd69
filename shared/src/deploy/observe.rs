//! Observing: one look at the endpoint, and the plan of an update from what is live there.

use aws_sdk_sagemaker::operation::describe_endpoint_config::DescribeEndpointConfigOutput;
use tracing::{Span, info, warn};

use super::decide::{begun_after, is_under_way};
use super::turn::{Abandoned, Deployment, Turn};
use crate::error::Error;
use crate::failure::ServiceFailure;
use crate::metrics;
use crate::plan::{Live, Notes, Plan, served_model, uses_model};
use crate::sagemaker::Endpoint;

impl Deployment<'_> {
    /// Looks at the endpoint, and plans where the live config calls for it.
    pub(super) async fn observe(&mut self) -> Result<Option<Turn>, ServiceFailure> {
        let name = &self.request.endpoint_name;
        metrics::polled();
        let look = self.services.sagemaker.find_endpoint(name).await?;
        let before = self.status().to_owned();
        self.looked = true;
        self.acted_since_look = false;
        self.endpoint = look;
        if self.status() != before {
            let elapsed_seconds = (self.started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
            info!(status = self.status(), elapsed_seconds, "endpoint status");
        }
        let Some(look) = self.endpoint.clone() else {
            return Ok(None);
        };
        // What is noted has to be of the endpoint as it is when the update begins.
        self.noted &= self.begun.is_some() || self.notes.since == look.last_modified;
        if let Some(ended) = self.plan_update(&look).await? {
            return Ok(Some(ended));
        }
        if let Some(plan) = &self.plan {
            let asked = &plan.endpoint_config_name;
            self.begun = begun_after(&look, asked, self.kind, self.begun.take());
            self.seen_under_way |= is_under_way(&look, asked);
        }
        self.clear_abandoned(&look).await?;
        Ok(None)
    }

    /// Plans an update from the live config, anew where somebody else has changed that meanwhile.
    async fn plan_update(&mut self, look: &Endpoint) -> Result<Option<Turn>, ServiceFailure> {
        let planned = self.plan.as_ref().is_some_and(|plan| {
            plan.live_endpoint_config.as_ref() == Some(&look.config)
                || plan.endpoint_config_name == look.config
        });
        let has_begun = self.begun.as_ref().is_some_and(|begun| begun.certain);
        if self.creates() || has_begun || planned {
            return Ok(None);
        }
        let invalid = |bad_keys| Ok(Some(Turn::Failed(self.request.refused(bad_keys))));
        let live = self.services.sagemaker.find_endpoint_config(&look.config);
        let Some(config) = live.await? else {
            return Ok(Some(Turn::Failed(Error::EndpointNotUpdatable {
                endpoint_name: self.request.endpoint_name.clone(),
                status: look.status.as_str().to_owned(),
                reason: format!(
                    "its endpoint config {} does not exist any more, so that its settings cannot be kept",
                    look.config
                ),
                advice: "Delete the endpoint and call deploy-new-endpoint.",
            })));
        };
        let model = match served_model(self.request, &config) {
            Ok(Some(name)) => self.services.sagemaker.find_model(name).await?,
            Ok(None) => None,
            Err(bad_keys) => return invalid(bad_keys),
        };
        let live = Live { config, model };
        let plan = match Plan::update(self.request, &live) {
            Ok(plan) => plan,
            Err(bad_keys) => return invalid(bad_keys),
        };
        self.read_live_notes(&plan, &live).await?;
        match self.plan_scaling(plan, look, &live).await? {
            Ok(plan) => {
                self.abandon(&plan, &live.config);
                self.follow(plan);
            }
            Err(bad_keys) => return invalid(bad_keys),
        }
        Ok(None)
    }

    /// Makes a plan the one that is followed.
    pub(super) fn follow(&mut self, plan: Plan) {
        Span::current().record("model_name", &plan.model_name);
        self.plan = Some(plan);
    }

    /// Notes what was made for the plan so far and is no part of the next one.
    fn abandon(&mut self, next: &Plan, live: &DescribeEndpointConfigOutput) {
        let Some(old) = &self.plan else {
            return;
        };
        if old.endpoint_config_name != next.endpoint_config_name {
            self.made.endpoint_config = false;
            self.endpoint_config_arn = None;
            self.notes = Notes::default();
            self.noted = false;
            self.scaling.is_off = false;
            if std::mem::take(&mut self.traces.endpoint_config) {
                let name = old.endpoint_config_name.clone();
                self.abandoned.push(Abandoned::EndpointConfig(name));
            }
        }
        if old.model_name != next.model_name {
            self.made.model = false;
            if std::mem::take(&mut self.traces.model) && !uses_model(live, &old.model_name) {
                let name = old.model_name.clone();
                // Below the config, which refers to it: the last goes first.
                self.abandoned.insert(0, Abandoned::Model(name));
            }
        }
    }

    async fn clear_abandoned(&mut self, look: &Endpoint) -> Result<(), ServiceFailure> {
        // What was taken off is noted on what was planned before, until it is noted anew.
        if self.scaling.may_be_off && !self.noted {
            return Ok(());
        }
        while let Some(abandoned) = self.abandoned.pop() {
            let (name, deleted) = match &abandoned {
                Abandoned::EndpointConfig(name) if look.uses(name) => continue,
                Abandoned::EndpointConfig(name) => (
                    name,
                    self.services.sagemaker.delete_endpoint_config(name).await,
                ),
                Abandoned::Model(name) => (name, self.services.sagemaker.delete_model(name).await),
            };
            match deleted {
                Ok(()) => info!(resource = %name, "deleted what was planned otherwise"),
                Err(failure) if failure.is_transient() => {
                    self.abandoned.push(abandoned);
                    return Err(failure);
                }
                Err(failure) => {
                    warn!(resource = %name, reason = failure.reason(), "left behind what was planned otherwise");
                }
            }
        }
        Ok(())
    }
}
