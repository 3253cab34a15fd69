//! An endpoint's status over time: a pure function of what is stored and the present moment.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Moment, TICK};
use crate::deployed::Deployed;
use crate::outcomes::Outcome;
use crate::settings::Settings;

/// What befalls an endpoint from an accepted request on: its phases, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    /// When the request was accepted and the first phase began.
    started: Moment,
    /// No `LastModifiedTime` of this course is before this.
    not_before: Moment,
    /// Those that end by themselves, in order.
    passing: Vec<(Duration, Phase)>,
    /// What stays; `None` where the endpoint is gone by then.
    lasting: Option<Phase>,
}

/// An endpoint between two changes of its status.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Phase {
    pub(crate) status: String,
    /// What `EndpointConfigName` names.
    pub(crate) live: Arc<Deployed>,
    /// What a deployment under way is about to make live, or failed to.
    pub(crate) pending: Option<Arc<Deployed>>,
    pub(crate) failure_reason: Option<String>,
}

/// An endpoint as it is at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View<'course> {
    pub(crate) phase: &'course Phase,
    /// The endpoint's `LastModifiedTime`: when this phase began.
    pub(crate) modified: Moment,
    /// When the course began: the start time of a deployment under way.
    pub(crate) started: Moment,
}

impl Phase {
    fn new(status: &str, live: &Arc<Deployed>) -> Self {
        Self {
            status: status.to_owned(),
            live: Arc::clone(live),
            pending: None,
            failure_reason: None,
        }
    }

    fn pending(self, new: &Arc<Deployed>) -> Self {
        Self {
            pending: Some(Arc::clone(new)),
            ..self
        }
    }

    fn because(self, reason: Option<String>) -> Self {
        Self {
            failure_reason: reason,
            ..self
        }
    }

    /// Whether the service refuses to update or delete the endpoint meanwhile.
    pub(crate) fn is_in_progress(&self) -> bool {
        matches!(
            self.status.as_str(),
            "Creating" | "Updating" | "SystemUpdating" | "RollingBack" | "Deleting"
        )
    }

    /// Whether there is a deployment that `PendingDeploymentSummary` tells of.
    pub(crate) fn is_deploying(&self) -> bool {
        matches!(
            self.status.as_str(),
            "Creating" | "Updating" | "RollingBack"
        )
    }
}

impl Course {
    /// An endpoint that is created at `now`.
    pub(crate) fn creation(
        now: Moment,
        settings: &Settings,
        config: &Arc<Deployed>,
        outcome: Option<Outcome>,
    ) -> Self {
        let end = match outcome {
            Some(Outcome::CreateFails { reason }) => Phase::new("Failed", config).because(reason),
            _ => Phase::new("InService", config),
        };
        Self {
            started: now,
            not_before: now,
            passing: vec![(
                settings.create,
                Phase::new("Creating", config).pending(config),
            )],
            lasting: Some(end),
        }
    }

    /// An endpoint that serves `old` and is updated to `new` at `now`.
    pub(crate) fn update(
        now: Moment,
        settings: &Settings,
        old: &Arc<Deployed>,
        new: &Arc<Deployed>,
        outcome: Option<Outcome>,
    ) -> Self {
        let mut passing = vec![(settings.update, Phase::new("Updating", old).pending(new))];
        let rolling_back = (
            settings.rollback,
            Phase::new("RollingBack", old).pending(new),
        );
        let end = match outcome {
            Some(Outcome::UpdateRollsBack { reason }) => {
                passing.push(rolling_back);
                Phase::new("InService", old).because(reason)
            }
            Some(Outcome::UpdateRollbackFails { reason }) => {
                passing.push(rolling_back);
                // Both stay in service.
                Phase::new("UpdateRollbackFailed", old)
                    .pending(new)
                    .because(reason)
            }
            Some(Outcome::UpdateFails { reason }) => Phase::new("Failed", old).because(reason),
            Some(Outcome::CreateFails { .. }) | None => Phase::new("InService", new),
        };
        Self {
            started: now,
            not_before: now,
            passing,
            lasting: Some(end),
        }
    }

    /// An endpoint whose variants are scaled at `now`, from `old` to `new` of the same config.
    pub(crate) fn scaling(
        now: Moment,
        settings: &Settings,
        old: &Arc<Deployed>,
        new: &Arc<Deployed>,
    ) -> Self {
        Self {
            started: now,
            not_before: now,
            passing: vec![(settings.update, Phase::new("Updating", old))],
            lasting: Some(Phase::new("InService", new)),
        }
    }

    /// An endpoint that is deleted at `now`, being as `phase` tells.
    pub(crate) fn deletion(now: Moment, settings: &Settings, phase: &Phase) -> Self {
        let deleting = Phase {
            status: "Deleting".to_owned(),
            ..phase.clone()
        };
        Self {
            started: now,
            not_before: now,
            passing: vec![(settings.delete, deleting)],
            lasting: None,
        }
    }

    /// An endpoint that is put into a status at `now`, being as `phase` tells: for a time, and then
    /// `InService`, or for good. A deployment under way is forgotten.
    pub(crate) fn forced(
        now: Moment,
        status: &str,
        duration: Option<Duration>,
        phase: &Phase,
    ) -> Self {
        let forced = Phase::new(status, &phase.live).because(phase.failure_reason.clone());
        let (passing, lasting) = match duration {
            Some(duration) => (
                vec![(duration, forced)],
                Phase::new("InService", &phase.live),
            ),
            None => (Vec::new(), forced),
        };
        Self {
            started: now,
            not_before: now,
            passing,
            lasting: Some(lasting),
        }
    }

    /// The same course, its `LastModifiedTime` later than the one so far: that time moves with
    /// every accepted change, however fast changes follow each other.
    pub(crate) fn after(self, modified: Moment) -> Self {
        Self {
            not_before: modified + TICK,
            ..self
        }
    }

    /// The endpoint at `now`; `None` where it is gone.
    pub(crate) fn at(&self, now: Moment) -> Option<View<'_>> {
        let mut since = self.started;
        for (duration, phase) in &self.passing {
            let end = since + *duration;
            if now < end {
                return Some(self.view(phase, since));
            }
            since = end;
        }
        self.lasting.as_ref().map(|phase| self.view(phase, since))
    }

    fn view<'course>(&self, phase: &'course Phase, since: Moment) -> View<'course> {
        View {
            phase,
            modified: since.max(self.not_before),
            started: self.started,
        }
    }
}

#[cfg(test)]
mod tests;
