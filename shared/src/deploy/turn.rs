//! One turn of the reconciler: look at the endpoint, then do what the decision table says until only time
//! helps.

use std::time::Duration;

use tokio::time::Instant;

use super::decide::{ScalingState, Situation, Step, decide};
use super::{Callback, Services};
use crate::contract::{DeployRequest, DeploymentKind, DeploymentStatus};
use crate::error::Error;
use crate::failure::{FailureKind, ServiceFailure};
use crate::plan::{Notes, Plan};
use crate::sagemaker::{Endpoint, Waiting};
use crate::wait::{Begun, Pace};

/// How a turn ended.
pub(super) enum Turn {
    Done(DeploymentStatus),
    Failed(Error),
    LookAgain,
    /// Nobody waits for the deployment itself any more, and it has not begun.
    Abandoned(Waiting),
}

/// The two things that a deployment makes besides the endpoint.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Resources {
    pub(super) model: bool,
    pub(super) endpoint_config: bool,
}

/// Something that was made and will not be used.
#[derive(Debug)]
pub(super) enum Abandoned {
    EndpointConfig(String),
    Model(String),
}

/// A deployment under reconciliation: the last look, and what this process has done since.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact that becomes known by itself"
)]
pub(super) struct Deployment<'a> {
    pub(super) services: &'a Services,
    pub(super) kind: DeploymentKind,
    pub(super) request: &'a DeployRequest,
    /// Who waits for the deployment, where that comes in steps.
    pub(super) callback: Option<&'a Callback>,
    /// Whether the deployment may begin.
    pub(super) has_leave: bool,
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
    pub(super) made: Resources,
    pub(super) seen_under_way: bool,
    pub(super) replacing: bool,
    pub(super) package_checked: bool,
    pub(super) endpoint_tagged: bool,
    /// ARN of the endpoint config that the plan names, once it is known, and what is noted there.
    pub(super) endpoint_config_arn: Option<String>,
    pub(super) notes: Notes,
    /// Whether this process has noted what it is about to do.
    pub(super) noted: bool,
    pub(super) notes_closed: bool,
    /// ARN of the live endpoint config, where that still bears notes of the update that brought it.
    pub(super) stale_notes: Option<String>,
    pub(super) scaling: ScalingState,
    pub(super) superseded_cleared: bool,
    /// What was made and then planned otherwise, because the live config changed.
    pub(super) abandoned: Vec<Abandoned>,
    pub(super) looked: bool,
    pub(super) acted_since_look: bool,
    pub(super) started: Instant,
    /// When what goes on after success gives up.
    pub(super) finish_by: Instant,
    /// How long a prerequisite may be missing, and since when one is.
    patience: Duration,
    prerequisite_missing_since: Option<Instant>,
}

impl<'a> Deployment<'a> {
    pub(super) fn new(
        services: &'a Services,
        kind: DeploymentKind,
        request: &'a DeployRequest,
        pace: Pace,
        finish_by: Instant,
    ) -> Result<Self, Error> {
        let mut deployment = Self {
            services,
            kind,
            request,
            callback: None,
            has_leave: true,
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
            endpoint_config_arn: None,
            notes: Notes::default(),
            noted: false,
            notes_closed: false,
            stale_notes: None,
            scaling: ScalingState::default(),
            superseded_cleared: false,
            abandoned: Vec::new(),
            looked: false,
            acted_since_look: false,
            started: Instant::now(),
            finish_by,
            patience: pace.patience,
            prerequisite_missing_since: None,
        };
        if kind == DeploymentKind::New {
            let plan = Plan::new_endpoint(request);
            deployment.follow(plan.map_err(|bad_keys| request.refused(bad_keys))?);
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
                // What was prepared took its time, in which the same deployment may have been made by another
                // call: to begin it once more would be a second fleet.
                Step::UpdateEndpoint if self.acted_since_look => {
                    let observed = self.observe().await;
                    if let Some(ended) = self.ended(observed, None)? {
                        return Ok(ended);
                    }
                    continue;
                }
                _ => {}
            }
            let begun_before = self.begun.clone();
            let acted = self.act(&step).await;
            self.acted_since_look = true;
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
            noted: self.noted,
            has_leave: self.has_leave,
            failure_noted: self.notes.failure.as_deref(),
            was_begun_before: self.was_begun_before(),
            notes_open: self.notes_open(),
            scaling: self.scaling,
            superseded_cleared: self.superseded_cleared,
            delete_superseded: self.request.delete_superseded,
            replace_failed_endpoint: self.request.replace_failed_endpoint,
            dry_run: self.request.dry_run,
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
            Ok(turn) => return Ok(turn),
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
            (_, Some(Step::Scale)) => Ok(Some(Turn::Failed(self.not_scaled(failure)))),
            (FailureKind::PrerequisiteNotFound, Some(step)) => {
                let since = *self
                    .prerequisite_missing_since
                    .get_or_insert_with(Instant::now);
                if since.elapsed() > self.patience {
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
