//! One turn of the reconciler: look at the endpoint, then do what the decision table says until only time
//! helps.

use std::time::Duration;

use tokio::time::Instant;
use tracing::{Span, info, warn};

use super::decide::{Situation, Step, begun_after, decide, is_under_way};
use crate::contract::{DeployRequest, DeploymentKind, DeploymentStatus};
use crate::error::Error;
use crate::plan::{Live, Plan, served_model};
use crate::preflight;
use crate::sagemaker::{Endpoint, FailureKind, Made, SageMaker, ServiceFailure};
use crate::wait::{Begun, Since};

/// How long the service may take to see what it has just made. It reads endpoint configs eventually
/// consistently, mostly within a second or two.
const PREREQUISITE_PATIENCE: Duration = Duration::from_secs(30);

/// How a turn ended.
pub(super) enum Turn {
    Done(DeploymentStatus),
    Failed(Error),
    LookAgain,
}

/// The two things that a deployment makes besides the endpoint.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Resources {
    pub(super) model: bool,
    pub(super) endpoint_config: bool,
}

/// A deployment under reconciliation: the last look, and what this process has done since.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact that becomes known by itself"
)]
pub(super) struct Deployment<'a> {
    pub(super) sagemaker: &'a SageMaker,
    pub(super) kind: DeploymentKind,
    pub(super) request: &'a DeployRequest,
    pub(super) endpoint: Option<Endpoint>,
    pub(super) plan: Option<Plan>,
    pub(super) begun: Option<Begun>,
    /// What may be there under this deployment's names.
    pub(super) traces: Resources,
    /// The last failure that time may heal, while it lasts.
    pub(super) trouble: Option<ServiceFailure>,
    /// How many steps have been carried out.
    pub(super) steps_done: u32,
    /// What is known to be there under this deployment's names.
    made: Resources,
    seen_under_way: bool,
    replacing: bool,
    package_checked: bool,
    endpoint_tagged: bool,
    prerequisite_missing_since: Option<Instant>,
    /// Endpoint configs that were made and then planned otherwise, because the live config changed.
    abandoned: Vec<String>,
    looked: bool,
    started: Instant,
}

impl<'a> Deployment<'a> {
    pub(super) fn new(
        sagemaker: &'a SageMaker,
        kind: DeploymentKind,
        request: &'a DeployRequest,
    ) -> Result<Self, Error> {
        let mut deployment = Self {
            sagemaker,
            kind,
            request,
            endpoint: None,
            plan: None,
            begun: None,
            traces: Resources::default(),
            trouble: None,
            steps_done: 0,
            made: Resources::default(),
            seen_under_way: false,
            replacing: false,
            package_checked: false,
            endpoint_tagged: false,
            prerequisite_missing_since: None,
            abandoned: Vec::new(),
            looked: false,
            started: Instant::now(),
        };
        if kind == DeploymentKind::New {
            let plan = Plan::new_endpoint(request);
            deployment.follow(plan.map_err(|bad_keys| Error::InvalidRequest { bad_keys })?);
        }
        Ok(deployment)
    }

    /// Looks at the endpoint once and does everything that can be done by that.
    ///
    /// # Errors
    ///
    /// A failure that the next turn may well not meet again.
    pub(super) async fn turn(&mut self) -> Result<Turn, ServiceFailure> {
        let observed = self.observe().await;
        if let Some(ended) = self.ended(observed, None)? {
            return Ok(ended);
        }
        loop {
            let step = decide(&self.situation());
            match step {
                Step::LookAgain => return Ok(Turn::LookAgain),
                Step::Done(status) => return Ok(Turn::Done(status)),
                Step::Fail(error) => return Ok(Turn::Failed(error)),
                _ => {}
            }
            let begun_before = self.begun.clone();
            let acted = self.act(&step).await;
            self.steps_done += u32::from(acted.is_ok());
            if matches!(&acted, Err(failure) if !failure.may_have_acted()) {
                // This attempt was refused; an earlier one whose reply was lost may still have gone through.
                self.begun = begun_before;
            }
            if let Some(ended) = self.ended(acted, Some(&step))? {
                return Ok(ended);
            }
        }
    }

    /// Whether a look shows that the deployment has begun.
    pub(super) async fn seems_begun(&mut self) -> Result<bool, ServiceFailure> {
        self.observe().await?;
        Ok(match decide(&self.situation()) {
            // With everything made, the next step is to begin only where that has not happened.
            Step::CreateEndpoint | Step::UpdateEndpoint => false,
            _ => true,
        })
    }

    /// Whether this deployment creates the endpoint.
    pub(super) fn creates(&self) -> bool {
        self.kind == DeploymentKind::New || self.replacing
    }

    /// The endpoint's status when it was last looked at.
    pub(super) fn status(&self) -> &str {
        match (&self.endpoint, self.looked) {
            (Some(endpoint), _) => endpoint.status.as_str(),
            (None, true) => "NotFound",
            (None, false) => "Unknown",
        }
    }

    fn situation(&self) -> Situation<'_> {
        Situation {
            kind: self.kind,
            endpoint_name: &self.request.endpoint_name,
            endpoint: self.endpoint.as_ref(),
            plan: self.plan.as_ref(),
            begun: self.begun.as_ref(),
            seen_under_way: self.seen_under_way,
            replacing: self.replacing,
            package_checked: self.package_checked,
            model_made: self.made.model,
            endpoint_config_made: self.made.endpoint_config,
            endpoint_tagged: self.endpoint_tagged,
            replace_failed_endpoint: self.request.replace_failed_endpoint,
            dry_run: self.request.dry_run,
        }
    }

    /// Looks at the endpoint, and plans where the live config calls for it.
    async fn observe(&mut self) -> Result<Option<Turn>, ServiceFailure> {
        let name = &self.request.endpoint_name;
        let look = self.sagemaker.find_endpoint(name).await?;
        let before = self.status().to_owned();
        self.looked = true;
        self.endpoint = look;
        if self.status() != before {
            let elapsed_seconds = (self.started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
            info!(status = self.status(), elapsed_seconds, "endpoint status");
        }
        let Some(look) = self.endpoint.clone() else {
            return Ok(None);
        };
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
        let planned_from = self
            .plan
            .as_ref()
            .and_then(|plan| plan.live_endpoint_config.as_ref());
        let has_begun = self.begun.as_ref().is_some_and(|begun| begun.certain);
        if self.creates() || has_begun || planned_from == Some(&look.config) {
            return Ok(None);
        }
        let invalid = |bad_keys| Ok(Some(Turn::Failed(Error::InvalidRequest { bad_keys })));
        let Some(config) = self.sagemaker.find_endpoint_config(&look.config).await? else {
            return Ok(Some(Turn::Failed(Error::EndpointNotUpdatable {
                endpoint_name: self.request.endpoint_name.clone(),
                status: look.status.as_str().to_owned(),
                reason: format!(
                    "its endpoint config {} does not exist any more, so that its settings cannot be kept; delete the endpoint and call deploy-new-endpoint",
                    look.config
                ),
            })));
        };
        let model = match served_model(self.request, &config) {
            Ok(Some(name)) => self.sagemaker.find_model(name).await?,
            Ok(None) => None,
            Err(bad_keys) => return invalid(bad_keys),
        };
        match Plan::update(self.request, &Live { config, model }) {
            Ok(plan) => self.follow(plan),
            Err(bad_keys) => return invalid(bad_keys),
        }
        Ok(None)
    }

    /// Makes a plan the one that is followed.
    fn follow(&mut self, plan: Plan) {
        Span::current().record("model_name", &plan.model_name);
        if let Some(old) = self.plan.take()
            && old.endpoint_config_name != plan.endpoint_config_name
            && std::mem::take(&mut self.traces.endpoint_config)
        {
            self.made.endpoint_config = false;
            self.abandoned.push(old.endpoint_config_name);
        }
        self.plan = Some(plan);
    }

    async fn clear_abandoned(&mut self, look: &Endpoint) -> Result<(), ServiceFailure> {
        while let Some(name) = self.abandoned.pop() {
            if look.config == name || look.pending_config.as_ref() == Some(&name) {
                continue;
            }
            match self.sagemaker.delete_endpoint_config(&name).await {
                Ok(()) => {
                    info!(endpoint_config = %name, "deleted an endpoint config that was planned otherwise");
                }
                Err(failure) if failure.is_transient() => {
                    self.abandoned.push(name);
                    return Err(failure);
                }
                Err(failure) => {
                    warn!(endpoint_config = %name, reason = failure.reason(), "left behind an endpoint config");
                }
            }
        }
        Ok(())
    }

    /// Carries out one step. `None` means that the next step can be decided at once.
    async fn act(&mut self, step: &Step) -> Result<Option<Turn>, ServiceFailure> {
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
                    .update_endpoint(endpoint_name, config, &plan.retained)
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

    /// What a failed call means for the turn: a failure that time may heal stays an error, any other ends
    /// the deployment.
    fn ended(
        &mut self,
        acted: Result<Option<Turn>, ServiceFailure>,
        step: Option<&Step>,
    ) -> Result<Option<Turn>, ServiceFailure> {
        let failure = match acted {
            Ok(turn) => {
                if step.is_some() {
                    self.prerequisite_missing_since = None;
                }
                return Ok(turn);
            }
            Err(failure) => failure,
        };
        if failure.is_transient() {
            return Err(failure);
        }
        match (failure.kind, step) {
            // Somebody else was faster, or the look was stale: look again.
            (FailureKind::AlreadyExists, Some(Step::CreateEndpoint))
            | (FailureKind::InProgress, Some(_))
            | (FailureKind::NotFound, Some(Step::UpdateEndpoint)) => Ok(Some(Turn::LookAgain)),
            (FailureKind::NotFound, Some(Step::CreateModel)) => {
                Ok(Some(Turn::Failed(Error::ModelPackageNotFound {
                    package_arn: self.request.package_arn.clone(),
                })))
            }
            (FailureKind::PrerequisiteNotFound, Some(step)) => {
                let since = *self
                    .prerequisite_missing_since
                    .get_or_insert_with(Instant::now);
                if since.elapsed() > PREREQUISITE_PATIENCE {
                    return Ok(Some(Turn::Failed(Error::Service(failure))));
                }
                // It cannot be seen yet, or somebody deleted it: making it once more answers both.
                match step {
                    Step::CreateEndpointConfig => self.made.model = false,
                    _ => self.made.endpoint_config = false,
                }
                Err(failure)
            }
            // A deployment that is under way is not failed by a look that is; but without permission to
            // look, waiting is pointless.
            (kind, None) if self.begun.is_some() && kind != FailureKind::AccessDenied => {
                Err(failure)
            }
            _ => Ok(Some(Turn::Failed(Error::Service(failure)))),
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
