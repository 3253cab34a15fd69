//! An endpoint's status over time: a pure function of what is stored and the present moment.

use std::sync::Arc;
use std::time::Duration;

use crate::alarms::Alarms;
use crate::clock::{Moment, TICK};
use crate::deployed::Deployed;
use crate::outcomes::Outcome;
use crate::rollouts::Share;
use crate::settings::Settings;

mod guarded;

pub(crate) use guarded::Stage;

use guarded::Guard;

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
    /// What may break it off; `None` where nothing does.
    guard: Option<Guard>,
}

/// An endpoint between two changes of its status, or of its traffic.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Phase {
    pub(crate) status: String,
    /// What `EndpointConfigName` names.
    pub(crate) live: Arc<Deployed>,
    /// What a deployment under way is about to make live, or failed to.
    pub(crate) pending: Option<Arc<Deployed>>,
    pub(crate) failure_reason: Option<String>,
    /// What the config of the latest deployment has of the traffic: all of it once that is done, and
    /// nothing once it has failed.
    pub(crate) traffic: Share,
    /// How far an update with a deployment config has come; `None` where none is under way.
    pub(crate) stage: Option<Stage>,
}

/// An endpoint as it is at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    pub(crate) phase: Phase,
    /// When this phase began.
    pub(crate) since: Moment,
    /// The endpoint's `LastModifiedTime`: when it came into its status.
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
            traffic: Share::NONE,
            stage: None,
        }
    }

    fn with_traffic(self, traffic: Share) -> Self {
        Self { traffic, ..self }
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
            _ => Phase::new("InService", config).with_traffic(Share::ALL),
        };
        Self {
            started: now,
            not_before: now,
            passing: vec![(
                settings.create,
                Phase::new("Creating", config).pending(config),
            )],
            lasting: Some(end),
            guard: None,
        }
    }

    /// An endpoint that serves `old` and is updated to `new` at `now`, as the deployment config of
    /// `new` says where it has one. An outcome that was told ahead comes instead.
    pub(crate) fn update(
        now: Moment,
        settings: &Settings,
        old: &Arc<Deployed>,
        new: &Arc<Deployed>,
        outcome: Option<Outcome>,
    ) -> Self {
        if let (Some(config), None) = (&new.deployment_config, &outcome) {
            return Self::guarded_update(now, settings, old, new, config);
        }
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
            Some(Outcome::CreateFails { .. }) | None => {
                Phase::new("InService", new).with_traffic(Share::ALL)
            }
        };
        Self {
            started: now,
            not_before: now,
            passing,
            lasting: Some(end),
            guard: None,
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
            passing: vec![(
                settings.update,
                Phase::new("Updating", old).with_traffic(Share::ALL),
            )],
            lasting: Some(Phase::new("InService", new).with_traffic(Share::ALL)),
            guard: None,
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
            guard: None,
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
        // The live config has the traffic that the forgotten deployment leaves.
        let traffic = match phase.pending {
            Some(_) => Share::NONE,
            None => phase.traffic,
        };
        let forced = Phase::new(status, &phase.live)
            .because(phase.failure_reason.clone())
            .with_traffic(traffic);
        let (passing, lasting) = match duration {
            Some(duration) => (
                vec![(duration, forced)],
                Phase::new("InService", &phase.live).with_traffic(traffic),
            ),
            None => (Vec::new(), forced),
        };
        Self {
            started: now,
            not_before: now,
            passing,
            lasting: Some(lasting),
            guard: None,
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

    /// The endpoint at `now`, the alarms being what they have been; `None` where it is gone.
    pub(crate) fn at(&self, now: Moment, alarms: &Alarms) -> Option<View> {
        if let Some(view) = self.broken_off(now, alarms) {
            return Some(view);
        }
        let mut since = self.started;
        let mut status: Option<(&str, Moment)> = None;
        for (duration, phase) in &self.passing {
            // Several phases of one status are one change.
            let changed = match status {
                Some((status, changed)) if status == phase.status => changed,
                _ => since,
            };
            status = Some((&phase.status, changed));
            let end = since + *duration;
            if now < end {
                return Some(self.view(phase, since, changed));
            }
            since = end;
        }
        let lasting = self.lasting.as_ref();
        lasting.map(|phase| self.view(phase, since, since))
    }

    fn view(&self, phase: &Phase, since: Moment, changed: Moment) -> View {
        View {
            phase: phase.clone(),
            since,
            modified: changed.max(self.not_before),
            started: self.started,
        }
    }
}

#[cfg(test)]
mod tests;
