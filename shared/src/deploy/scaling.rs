//! What scales the endpoint's variants: found before an update is planned to its end, taken off where the service
//! refuses the update otherwise, set once the endpoint serves, and put back where it does not come to that.

use aws_sdk_sagemaker::types::EndpointStatus;
use tokio::time::Instant;
use tracing::{info, warn};

use super::ending::until_it_passes;
use super::turn::Deployment;
use crate::contract::BadKey;
use crate::error::{Error, LeftBehind};
use crate::failure::ServiceFailure;
use crate::plan::{KnownScaling, Live, Plan, Scaling, changes, concerned, planned};
use crate::sagemaker::Endpoint;
use crate::wait::Pace;

impl Deployment<'_> {
    /// Completes the plan of an update with what it does about scaling.
    pub(super) async fn plan_scaling(
        &mut self,
        plan: Plan,
        look: &Endpoint,
        live: &Live,
    ) -> Result<Result<Plan, Vec<BadKey>>, ServiceFailure> {
        let asked = &self.request.autoscaling;
        let replaced = self.variants_replaced(look, live);
        let name = &self.request.endpoint_name;
        let variants = concerned(&plan, asked, &replaced);
        let registered = self.services.autoscaling.find(name, &variants).await?;
        let goes = !plan.resized.is_empty() || !replaced.is_empty();
        if goes && self.notes.scaling.is_empty() && plan.endpoint_config_name != look.config {
            self.find_notes(&plan.endpoint_config_name).await?;
        }
        let off_before = self.plan.as_ref().map(|plan| plan.autoscaling.kept.clone());
        let known = KnownScaling {
            registered,
            taken_off: match off_before {
                Some(kept) if self.scaling.may_be_off => kept,
                _ => self.notes.scaling.clone(),
            },
        };
        let scaling = planned(&plan, &self.request.autoscaling, &replaced, &known);
        Ok(scaling.map(|autoscaling| Plan {
            autoscaling,
            ..plan
        }))
    }

    /// The variants of a failed endpoint that is deleted and made again: what scales them goes with it.
    fn variants_replaced(&self, look: &Endpoint, live: &Live) -> Vec<String> {
        if !self.request.replace_failed_endpoint || look.status != EndpointStatus::Failed {
            return Vec::new();
        }
        let variants = live.config.production_variants().iter();
        variants
            .filter_map(|variant| variant.variant_name.clone())
            .collect()
    }

    /// Takes off what scales the variants that are resized. It is noted on the endpoint config before.
    pub(super) async fn take_scaling_off(&mut self) -> Result<(), ServiceFailure> {
        self.scaling.may_be_off = true;
        for scaling in self.kept() {
            let name = &self.request.endpoint_name;
            let autoscaling = &self.services.autoscaling;
            autoscaling.deregister(name, &scaling.variant).await?;
            info!(variant = %scaling.variant, "took off what scales the variant, until it is updated");
        }
        self.scaling.is_off = true;
        Ok(())
    }

    /// Has the variants of the endpoint scale as they should, now that it serves.
    pub(super) async fn scale(&mut self) -> Result<(), ServiceFailure> {
        let wanted = self
            .plan
            .as_ref()
            .map(|plan| plan.autoscaling.wanted.clone());
        for scaling in wanted.unwrap_or_default() {
            self.scaling.was_changed |= self.set_scaling(&scaling).await?;
        }
        self.scaling.is_set = true;
        Ok(())
    }

    /// Puts right what differs from how a variant should scale; tells whether anything did.
    async fn set_scaling(&self, wanted: &Scaling) -> Result<bool, ServiceFailure> {
        let name = &self.request.endpoint_name;
        let variants = std::slice::from_ref(&wanted.variant);
        let now = self.services.autoscaling.find(name, variants).await?;
        let changes = changes(now.first(), wanted);
        for change in &changes {
            let autoscaling = &self.services.autoscaling;
            autoscaling.put(name, &wanted.variant, change).await?;
        }
        if !changes.is_empty() {
            info!(variant = %wanted.variant, changes = changes.len(), "set what scales the variant");
        }
        Ok(!changes.is_empty())
    }

    /// The error of an endpoint that serves what was asked for, and does not scale as it should.
    pub(super) fn not_scaled(&self, failure: ServiceFailure) -> Error {
        let plan = self.plan.as_ref();
        Error::AutoscalingNotSet {
            endpoint_name: self.request.endpoint_name.clone(),
            model_name: plan.map(|plan| plan.model_name.clone()).unwrap_or_default(),
            failure: Box::new(failure),
        }
    }

    /// That error, where the time is up while that is being put right.
    pub(super) fn serves_unscaled(&self) -> Option<Error> {
        let trouble = self.trouble.as_ref()?;
        trouble
            .is_about_scaling()
            .then_some(())
            .filter(|()| self.scaling.serves)?;
        Some(self.not_scaled(trouble.clone()))
    }

    /// Puts back what was taken off for an update that failed, until `give_up`.
    ///
    /// # Errors
    ///
    /// What could not be put back. It stays noted on the endpoint config, so that a repeated call has it.
    pub(super) async fn put_scaling_back(
        &self,
        pace: Pace,
        give_up: Instant,
    ) -> Result<(), Vec<LeftBehind>> {
        if !self.scaling.may_be_off {
            return Ok(());
        }
        let mut left_behind = Vec::new();
        for scaling in self.kept() {
            if let Err(reason) = self.put_back(&scaling, pace, give_up).await {
                let resource = format!("autoscaling of the variant {}", scaling.variant);
                warn!(%resource, reason, "not put back after a failed deployment");
                left_behind.push(LeftBehind { resource, reason });
            }
        }
        if left_behind.is_empty() {
            Ok(())
        } else {
            Err(left_behind)
        }
    }

    async fn put_back(
        &self,
        scaling: &Scaling,
        pace: Pace,
        give_up: Instant,
    ) -> Result<(), String> {
        let noted = "its endpoint config has it noted; call again with the same event";
        let set = async || self.set_scaling(scaling).await.map(|_| ());
        match until_it_passes(pace, give_up, set).await {
            Ok(()) => Ok(()),
            Err(None) => Err(format!("it could not be put back in time; {noted}")),
            Err(Some(failure)) => Err(format!(
                "{} failed: {}; {noted}",
                failure.operation,
                failure.reason()
            )),
        }
    }

    fn kept(&self) -> Vec<Scaling> {
        let plan = self.plan.as_ref();
        plan.map(|plan| plan.autoscaling.kept.clone())
            .unwrap_or_default()
    }
}
