//! Acting: the steps that change something, each made so that doing it twice does no harm.

use tracing::info;

use super::decide::Step;
use super::turn::{Deployment, Turn};
use crate::preflight;
use crate::sagemaker::{Made, ServiceFailure};
use crate::wait::{Begun, Since};

impl Deployment<'_> {
    /// Carries out one step. `None` means that the next step can be decided at once.
    pub(super) async fn act(&mut self, step: &Step) -> Result<Option<Turn>, ServiceFailure> {
        let Some(plan) = &self.plan else {
            return Ok(None);
        };
        let endpoint_name = &self.request.endpoint_name;
        let config = &plan.endpoint_config_name;
        match step {
            Step::CheckPackage => {
                let package_arn = &self.request.package_arn;
                let package = self.sagemaker.find_model_package(package_arn).await?;
                let instance_type = plan.instance_type.as_deref();
                if let Err(error) = preflight::check(self.request, package.as_ref(), instance_type)
                {
                    return Ok(Some(Turn::Failed(error)));
                }
                self.package_checked = true;
            }
            Step::CreateModel => {
                let reply = self.sagemaker.create_model(plan.model.clone()).await;
                self.traces.model |= may_be_there(&reply);
                log_made("model", &plan.model_name, reply?);
                self.made.model = true;
            }
            Step::CreateEndpointConfig => {
                let request = plan.endpoint_config.clone();
                let reply = self.sagemaker.create_endpoint_config(request).await;
                self.traces.endpoint_config |= may_be_there(&reply);
                log_made("endpoint config", config, reply?);
                self.made.endpoint_config = true;
            }
            Step::CreateEndpoint => {
                // Noted before the call: should it be cut off, it may have gone through.
                self.begun = Some(Begun {
                    config_before: String::new(),
                    since: Since::Before(None),
                    certain: false,
                });
                self.sagemaker
                    .create_endpoint(endpoint_name, config, &plan.tags)
                    .await?;
                self.has_begun("creating the endpoint");
                return Ok(Some(Turn::LookAgain));
            }
            Step::TagEndpoint => {
                let arn = self.endpoint.as_ref().map(|endpoint| endpoint.arn.as_str());
                self.sagemaker
                    .add_tags(arn.unwrap_or_default(), &plan.tags)
                    .await?;
                self.endpoint_tagged = true;
            }
            Step::UpdateEndpoint => {
                self.begun = self.endpoint.as_ref().map(|endpoint| Begun {
                    config_before: endpoint.config.clone(),
                    since: Since::Before(endpoint.last_modified),
                    certain: false,
                });
                self.sagemaker
                    .update_endpoint(
                        endpoint_name,
                        config,
                        &plan.retained,
                        plan.deployment_config.clone(),
                    )
                    .await?;
                self.has_begun("updating the endpoint");
                return Ok(Some(Turn::LookAgain));
            }
            Step::DeleteFailedEndpoint => {
                self.sagemaker.delete_endpoint(endpoint_name).await?;
                info!("deleting the failed endpoint, to create it again");
                self.replacing = true;
                return Ok(Some(Turn::LookAgain));
            }
            Step::LookAgain | Step::Done(_) | Step::Fail(_) => {}
        }
        Ok(None)
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

fn log_made(what: &str, name: &str, made: Made) {
    match made {
        Made::Created => info!(resource = name, "created the {what}"),
        Made::Found => info!(resource = name, "found the {what} of an earlier call"),
    }
}
