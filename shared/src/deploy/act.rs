//! Acting: the steps that change something, each made so that doing it twice does no harm.

use tracing::info;

use super::decide::Step;
use super::turn::{Deployment, Turn};
use crate::failure::ServiceFailure;
use crate::plan::Plan;
use crate::preflight;
use crate::sagemaker::{Made, Waiting};
use crate::wait::{Begun, Since};

impl Deployment<'_> {
    /// Carries out one step. `None` means that the next step can be decided at once.
    pub(super) async fn act(&mut self, step: &Step) -> Result<Option<Turn>, ServiceFailure> {
        let Some(plan) = self.plan.clone() else {
            return Ok(None);
        };
        match step {
            Step::FindLeave => {
                let waiting = self.find_leave().await?;
                if waiting != Waiting::ForTheDeployment {
                    return Ok(Some(Turn::Abandoned(waiting)));
                }
                self.has_leave = true;
            }
            Step::CheckPackage => return self.check_package(&plan).await,
            Step::CreateModel => self.make_model(&plan).await?,
            Step::CreateEndpointConfig => self.make_endpoint_config(&plan).await?,
            Step::Note => self.note(&plan).await?,
            Step::TakeScalingOff => self.take_scaling_off().await?,
            Step::TagEndpoint => self.tag_endpoint(&plan).await?,
            Step::CreateEndpoint => {
                self.begin_creation(&plan).await?;
                return Ok(Some(Turn::LookAgain));
            }
            Step::UpdateEndpoint => {
                self.begin_update(&plan).await?;
                return Ok(Some(Turn::LookAgain));
            }
            Step::DeleteFailedEndpoint => {
                let endpoint_name = &self.request.endpoint_name;
                let sagemaker = &self.services.sagemaker;
                sagemaker.delete_endpoint(endpoint_name).await?;
                info!("deleting the failed endpoint, to create it again");
                self.replacing = true;
                return Ok(Some(Turn::LookAgain));
            }
            Step::Scale => {
                self.scaling.serves = true;
                self.scale().await?;
            }
            Step::CloseNotes => self.close_notes().await?,
            Step::DeleteSuperseded => self.delete_superseded(self.finish_by).await,
            Step::LookAgain | Step::Done(_) | Step::Fail(_) => {}
        }
        Ok(None)
    }

    async fn check_package(&mut self, plan: &Plan) -> Result<Option<Turn>, ServiceFailure> {
        let package_arn = &self.request.package_arn;
        let sagemaker = &self.services.sagemaker;
        let package = sagemaker.find_model_package(package_arn).await?;
        let instance_type = plan.instance_type.as_deref();
        if let Err(error) = preflight::check(self.request, package.as_ref(), instance_type) {
            return Ok(Some(Turn::Failed(error)));
        }
        self.package_checked = true;
        Ok(None)
    }

    async fn make_model(&mut self, plan: &Plan) -> Result<(), ServiceFailure> {
        let sagemaker = &self.services.sagemaker;
        let reply = sagemaker.create_model(plan.model.clone()).await;
        self.traces.model |= may_be_there(&reply);
        log_made("model", &plan.model_name, &reply?);
        self.made.model = true;
        Ok(())
    }

    async fn make_endpoint_config(&mut self, plan: &Plan) -> Result<(), ServiceFailure> {
        let request = plan.endpoint_config.clone();
        let sagemaker = &self.services.sagemaker;
        let reply = sagemaker.create_endpoint_config(request).await;
        self.traces.endpoint_config |= may_be_there(&reply);
        let made = reply?;
        log_made("endpoint config", &plan.endpoint_config_name, &made);
        match made {
            Made::Created { arn } => self.endpoint_config_arn = Some(arn),
            Made::Found => {
                if self.endpoint_config_arn.is_none() {
                    self.find_notes(&plan.endpoint_config_name).await?;
                }
                self.take_up_noted();
            }
        }
        self.made.endpoint_config = true;
        Ok(())
    }

    async fn tag_endpoint(&mut self, plan: &Plan) -> Result<(), ServiceFailure> {
        let arn = self.endpoint.as_ref().map(|endpoint| endpoint.arn.as_str());
        let sagemaker = &self.services.sagemaker;
        sagemaker
            .add_tags(arn.unwrap_or_default(), &plan.tags)
            .await?;
        self.endpoint_tagged = true;
        Ok(())
    }

    async fn begin_creation(&mut self, plan: &Plan) -> Result<(), ServiceFailure> {
        // Noted before the call: should it be cut off, it may have gone through.
        self.begun = Some(Begun {
            config_before: String::new(),
            since: Since::Before(None),
            certain: false,
        });
        let endpoint_name = &self.request.endpoint_name;
        let sagemaker = &self.services.sagemaker;
        sagemaker
            .create_endpoint(endpoint_name, &plan.endpoint_config_name, &plan.tags)
            .await?;
        self.has_begun("creating the endpoint");
        Ok(())
    }

    async fn begin_update(&mut self, plan: &Plan) -> Result<(), ServiceFailure> {
        self.begun = self.endpoint.as_ref().map(|endpoint| Begun {
            config_before: endpoint.config.clone(),
            since: Since::Before(endpoint.last_modified),
            certain: false,
        });
        let sagemaker = &self.services.sagemaker;
        sagemaker
            .update_endpoint(
                &self.request.endpoint_name,
                &plan.endpoint_config_name,
                &plan.retained,
                plan.deployment_config.clone(),
            )
            .await?;
        self.has_begun("updating the endpoint");
        Ok(())
    }

    fn has_begun(&mut self, what: &str) {
        info!("{what}");
        if let Some(begun) = &mut self.begun {
            begun.certain = true;
        }
    }
}

/// Whether a create has left something, for all that its reply says.
fn may_be_there(reply: &Result<Made, ServiceFailure>) -> bool {
    reply
        .as_ref()
        .map_or_else(ServiceFailure::may_have_acted, |_| true)
}

fn log_made(what: &str, name: &str, made: &Made) {
    match made {
        Made::Created { .. } => info!(resource = name, "created the {what}"),
        Made::Found => info!(resource = name, "found the {what} of an earlier call"),
    }
}
