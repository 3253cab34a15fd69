//! How a deployment that has yet to begin will end.

use std::collections::HashMap;

use serde::Deserialize;

use crate::names;

/// How the next creation or update of an endpoint ends, where it does not end well.
///
/// A reason becomes the endpoint's `FailureReason`; `None` leaves that member out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// The creation ends `Failed`.
    CreateFails {
        /// The `FailureReason`.
        reason: Option<String>,
    },
    /// The update goes through `RollingBack` and ends `InService` on the old endpoint config.
    UpdateRollsBack {
        /// The `FailureReason`.
        reason: Option<String>,
    },
    /// The update goes through `RollingBack` and ends `UpdateRollbackFailed`, with both endpoint
    /// configs in service.
    UpdateRollbackFails {
        /// The `FailureReason`.
        reason: Option<String>,
    },
    /// The update ends `Failed`.
    UpdateFails {
        /// The `FailureReason`.
        reason: Option<String>,
    },
}

impl Outcome {
    fn is_of_creation(&self) -> bool {
        matches!(self, Self::CreateFails { .. })
    }
}

/// The outcomes that wait for their deployments, by endpoint name.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    waiting: HashMap<String, Vec<Outcome>>,
}

impl Outcomes {
    /// Adds an outcome behind those that wait already.
    pub(crate) fn set(&mut self, endpoint_name: &str, outcome: Outcome) {
        self.waiting
            .entry(names::key(endpoint_name))
            .or_default()
            .push(outcome);
    }

    /// Takes the outcome of a creation that begins now.
    pub(crate) fn take_for_creation(&mut self, endpoint_name: &str) -> Option<Outcome> {
        self.take(endpoint_name, Outcome::is_of_creation)
    }

    /// Takes the outcome of an update that begins now.
    pub(crate) fn take_for_update(&mut self, endpoint_name: &str) -> Option<Outcome> {
        self.take(endpoint_name, |outcome| !outcome.is_of_creation())
    }

    fn take(&mut self, endpoint_name: &str, fits: impl Fn(&Outcome) -> bool) -> Option<Outcome> {
        let waiting = self.waiting.get_mut(&names::key(endpoint_name))?;
        let first = waiting.iter().position(fits)?;
        Some(waiting.remove(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_wait_for_their_kind_of_deployment_in_order_and_without_regard_to_case() {
        let rolls_back = |reason: &str| Outcome::UpdateRollsBack {
            reason: Some(reason.to_owned()),
        };
        let mut outcomes = Outcomes::default();
        outcomes.set("Shop", rolls_back("first"));
        outcomes.set("shop", Outcome::CreateFails { reason: None });
        outcomes.set("SHOP", rolls_back("second"));

        assert_eq!(outcomes.take_for_creation("other"), None);
        assert_eq!(
            outcomes.take_for_creation("shop"),
            Some(Outcome::CreateFails { reason: None })
        );
        assert_eq!(outcomes.take_for_creation("shop"), None);
        assert_eq!(outcomes.take_for_update("shop"), Some(rolls_back("first")));
        assert_eq!(outcomes.take_for_update("shop"), Some(rolls_back("second")));
        assert_eq!(outcomes.take_for_update("shop"), None);
    }
}
