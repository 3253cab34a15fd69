//! An update with a deployment config: its steps, and what breaks it off.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::{Course, Phase, View};
use crate::alarms::Alarms;
use crate::clock::Moment;
use crate::deployed::Deployed;
use crate::rollouts::{Rollout, Share};
use crate::settings::Settings;

/// How far an update with a deployment config has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The new fleet is being made.
    Creating,
    /// The new fleet has some or all of the traffic, and the alarms are watched.
    Baking,
    /// The new fleet has all of the traffic, and the old one is about to go.
    Terminating,
    /// The old fleet has all of the traffic again, and the new one goes.
    RollingBack,
}

/// What breaks an update off, and what follows then.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    /// The alarms that break it off.
    alarms: Vec<String>,
    /// When the first shift is: the alarms are watched from then on.
    from: Moment,
    /// The end of the last bake: the alarms are watched no longer.
    until: Moment,
    /// When it has taken too long, where it is going to.
    expires: Option<Moment>,
    /// How long rolling back takes.
    rollback: Duration,
    rolling_back: Phase,
    rolled_back: Phase,
}

/// An update that was broken off.
#[derive(Debug, PartialEq, Eq)]
struct Break {
    at: Moment,
    reason: String,
}

impl Course {
    /// An endpoint that serves `old` and is updated to `new` at `now`, as `config` says.
    pub(super) fn guarded_update(
        now: Moment,
        settings: &Settings,
        old: &Arc<Deployed>,
        new: &Arc<Deployed>,
        config: &Value,
    ) -> Self {
        let rollout = Rollout::of(config, new);
        let scaled = |wait: Duration| {
            let seconds = wait.as_secs_f64() * settings.guardrail_scale;
            // What is no time at all, such as a negative one, passes at once.
            Duration::try_from_secs_f64(seconds).unwrap_or_default()
        };
        let deploying = |status, stage, traffic| Phase {
            stage: Some(stage),
            ..Phase::new(status, old).pending(new).with_traffic(traffic)
        };
        let updating = |stage, traffic| deploying("Updating", stage, traffic);

        let mut passing = vec![(settings.update, updating(Stage::Creating, Share::NONE))];
        let from = now + settings.update;
        let mut until = from;
        // As long as it would take the service, whatever the scale: so the scale does not decide
        // whether the update comes in time.
        let mut unscaled = settings.update;
        for share in rollout.shifts {
            passing.push((scaled(rollout.wait), updating(Stage::Baking, share)));
            until += scaled(rollout.wait);
            unscaled += rollout.wait;
        }
        passing.push((
            scaled(rollout.termination_wait),
            updating(Stage::Terminating, Share::ALL),
        ));
        unscaled += rollout.termination_wait;

        let timeout = rollout.timeout.filter(|timeout| unscaled > *timeout);
        let expires = timeout.map(|timeout| match timeout.checked_sub(settings.update) {
            Some(waiting) => from + scaled(waiting),
            None => now + timeout,
        });
        Self {
            started: now,
            not_before: now,
            passing,
            lasting: Some(Phase::new("InService", new).with_traffic(Share::ALL)),
            guard: Some(Guard {
                alarms: rollout.alarms,
                from,
                until,
                expires,
                rollback: settings.rollback,
                rolling_back: deploying("RollingBack", Stage::RollingBack, Share::NONE),
                rolled_back: Phase::new("InService", old),
            }),
        }
    }

    /// The endpoint at `now`, where its update has been broken off by then.
    pub(super) fn broken_off(&self, now: Moment, alarms: &Alarms) -> Option<View> {
        let guard = self.guard.as_ref()?;
        let Break { at, reason } = guard.breaks(alarms).filter(|broken| broken.at <= now)?;
        let end = at + guard.rollback;
        let (phase, since) = if now < end {
            (guard.rolling_back.clone(), at)
        } else {
            (guard.rolled_back.clone().because(Some(reason)), end)
        };
        Some(self.view(&phase, since, since))
    }
}

impl Guard {
    /// What first breaks the update off. An alarm does so when it goes off, or at the first shift
    /// where it has done so before.
    fn breaks(&self, alarms: &Alarms) -> Option<Break> {
        let alarmed = alarms.first(&self.alarms, self.from, self.until);
        let alarmed = alarmed.map(|(at, names)| Break {
            at,
            reason: format!(
                "One or more of the alarms [{}] went into alarm state during the update. It was rolled back.",
                names.join(", ")
            ),
        });
        let expired = self.expires.map(|at| Break {
            at,
            reason: "The update took longer than its MaximumExecutionTimeoutInSeconds. It was rolled back."
                .to_owned(),
        });
        alarmed
            .into_iter()
            .chain(expired)
            .min_by_key(|broken| broken.at)
    }
}

#[cfg(test)]
mod tests;
