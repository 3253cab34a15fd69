//! What an update replaced: its endpoint config and its model go, where this product made them for this endpoint
//! and nothing uses them. Nothing here fails a deployment.

use tokio::time::{Instant, timeout_at};
use tracing::{info, warn};

use super::turn::Deployment;
use crate::failure::ServiceFailure;
use crate::plan::{is_made_for, uses_model};

/// Why something that was replaced stays.
enum Kept {
    /// It is somebody else's, or in use.
    Because(&'static str),
    Failed(ServiceFailure),
}

impl From<ServiceFailure> for Kept {
    fn from(failure: ServiceFailure) -> Self {
        Self::Failed(failure)
    }
}

impl Deployment<'_> {
    /// Deletes the endpoint config that the update replaced, and its model, until `give_up`.
    pub(super) async fn delete_superseded(&mut self, give_up: Instant) {
        self.superseded_cleared = true;
        let Some(superseded) = self.superseded() else {
            return;
        };
        let reason = match timeout_at(give_up, self.delete_config_and_models(&superseded)).await {
            Ok(Ok(())) => return,
            Ok(Err(Kept::Because(reason))) => reason.to_owned(),
            Ok(Err(Kept::Failed(failure))) => {
                format!("{} failed: {}", failure.operation, failure.reason())
            }
            Err(_) => "the time was up before it was seen that nothing uses it".to_owned(),
        };
        warn!(endpoint_config = %superseded, reason, "kept what the update replaced");
    }

    /// Name of the endpoint config that the update replaced.
    fn superseded(&self) -> Option<String> {
        let plan = self.plan.as_ref()?;
        let replaced = self.notes.replaces.clone();
        replaced
            .or_else(|| plan.live_endpoint_config.clone())
            .filter(|replaced| *replaced != plan.endpoint_config_name)
    }

    async fn delete_config_and_models(&self, name: &str) -> Result<(), Kept> {
        let sagemaker = &self.services.sagemaker;
        let Some(config) = sagemaker.find_endpoint_config(name).await? else {
            return Ok(());
        };
        let arn = config.endpoint_config_arn().unwrap_or_default();
        self.check_ours(arn).await?;
        let since = config.creation_time;
        for endpoint in sagemaker.endpoints_changed_since(since).await? {
            let look = sagemaker.find_endpoint(&endpoint).await?;
            if look.is_some_and(|look| look.uses(name)) {
                return Err(Kept::Because("an endpoint uses it"));
            }
        }
        // The config goes last: as long as it is there, a call that takes this up finds the models by it.
        let shadows = config.shadow_production_variants().iter();
        for variant in config.production_variants().iter().chain(shadows) {
            let Some(model_name) = variant.model_name() else {
                continue;
            };
            match self.delete_model(model_name, name).await {
                Ok(()) => {}
                Err(Kept::Because(reason)) => {
                    warn!(model = %model_name, reason, "kept a model that the update replaced");
                }
                Err(failed) => return Err(failed),
            }
        }
        sagemaker.delete_endpoint_config(name).await?;
        info!(endpoint_config = %name, "deleted the endpoint config that the update replaced");
        Ok(())
    }

    /// Deletes a model that nothing uses but the endpoint config that goes with it.
    async fn delete_model(&self, name: &str, goes: &str) -> Result<(), Kept> {
        let sagemaker = &self.services.sagemaker;
        let Some(model) = sagemaker.find_model(name).await? else {
            return Ok(());
        };
        self.check_ours(model.model_arn().unwrap_or_default())
            .await?;
        // A config that refers to the model is younger than it.
        let configs = sagemaker
            .endpoint_configs_made_since(model.creation_time)
            .await?;
        for config in configs.into_iter().filter(|config| config != goes) {
            let config = sagemaker.find_endpoint_config(&config).await?;
            if config.is_some_and(|config| uses_model(&config, name)) {
                return Err(Kept::Because("an endpoint config uses it"));
            }
        }
        sagemaker.delete_model(name).await?;
        info!(model = %name, "deleted the model that the update replaced");
        Ok(())
    }

    async fn check_ours(&self, arn: &str) -> Result<(), Kept> {
        let tags = self.services.sagemaker.tags(arn).await?;
        if is_made_for(&tags, &self.request.endpoint_name) {
            Ok(())
        } else {
            Err(Kept::Because(
                "this product did not make it for this endpoint",
            ))
        }
    }
}
