//! What an operator does meanwhile.

use std::sync::Arc;

use aws_sdk_sagemaker::types::EndpointStatus;
use shared::deploy::{Call, Write};
use shared::plan::{Guard, Retained};

use super::World;
use crate::lab::{ENDPOINT, Lab};
use crate::region::{Ending, Step};

/// An endpoint config of somebody else's.
pub(crate) const THEIRS: &str = "theirs";

/// An act of the operator's. Each is done once at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Act {
    /// Gives the endpoint another number of instances.
    Scale,
    /// Puts the endpoint onto an endpoint config of somebody else's.
    Replace,
    /// Puts the endpoint onto the endpoint config that it had in the beginning.
    Revert,
    DeleteEndpoint,
    /// Withdraws the approval of the package that the first deployment deploys.
    Reject,
    /// Stops the pipeline whose step waits for the first deployment.
    Stop,
    /// Nobody waits for the first deployment any more.
    Expire,
}

impl Act {
    pub(crate) const ALL: [(&'static str, Self); 7] = [
        ("scale", Self::Scale),
        ("replace", Self::Replace),
        ("revert", Self::Revert),
        ("delete-endpoint", Self::DeleteEndpoint),
        ("reject", Self::Reject),
        ("stop", Self::Stop),
        ("expire", Self::Expire),
    ];
}

impl World {
    /// Does an act of the operator's; whether the service took it.
    pub(super) fn operate(&mut self, act: Act, lab: &Lab) -> bool {
        let mut region = (*self.region).clone();
        let order = &lab.orders[0];
        let done = match act {
            Act::Reject => {
                let arn = &order.request.package_arn;
                let approved = region.is_approved(arn);
                region.approve(arn, false);
                approved
            }
            Act::Stop | Act::Expire => {
                let waits = region.step(&order.token) == Some(Step::Executing);
                let step = if act == Act::Stop {
                    Step::Stopping
                } else {
                    Step::Expired
                };
                if waits {
                    region.set_step(&order.token, step);
                }
                waits
            }
            Act::Scale | Act::Replace | Act::Revert | Act::DeleteEndpoint => {
                let status = region
                    .endpoints
                    .get(ENDPOINT)
                    .map(|found| found.phase().status.clone());
                let may = match act {
                    // What an operator does on purpose.
                    Act::DeleteEndpoint => status.is_some(),
                    _ => status == Some(EndpointStatus::InService),
                };
                may && self.write(act).is_some_and(|write| {
                    let call = Call::Write(write);
                    region.call(&call, Ending::Succeeds).is_ok()
                })
            }
        };
        if !done {
            return false;
        }
        self.region = Arc::new(region);
        self.history.operated(act, &self.region);
        self.observe();
        true
    }

    fn write(&self, act: Act) -> Option<Write> {
        let name = ENDPOINT.to_owned();
        let config = match act {
            Act::Scale => {
                return Some(Write::SetInstanceCount {
                    endpoint_name: name,
                    variant: "AllTraffic".to_owned(),
                    count: 3,
                });
            }
            Act::Replace => THEIRS.to_owned(),
            Act::Revert => self.history.first.as_ref()?.to_string(),
            _ => return Some(Write::DeleteEndpoint { name }),
        };
        let live = &self.region.endpoints.get(ENDPOINT)?.phase().live.config;
        (**live != *config).then_some(Write::UpdateEndpoint {
            name,
            endpoint_config: config,
            retained: Retained {
                all: false,
                but: Vec::new(),
            },
            guard: Guard::None,
        })
    }
}
