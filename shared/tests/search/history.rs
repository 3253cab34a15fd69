//! What has happened in a scene, as far as what must hold depends on it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_sagemaker::types::EndpointStatus;
use shared::deploy::{Outcome, Write};
use shared::error::Error;

use crate::lab::{ENDPOINT, Order};
use crate::properties::Violation;
use crate::region::{Answer, Ending, Kept, Millis, Name, Region, Target, View};
use crate::world::{Act, Fate, may_go_on};

/// What is still there of what was made for a launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Remains {
    Everything,
    Nothing,
}

/// A launch that the service accepted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Launch {
    /// Of which deployment.
    pub(crate) id: Name,
    process: Name,
    pub(crate) config: Name,
    pub(crate) creates: bool,
    pub(crate) ending: Ending,
    /// When it ends.
    pub(crate) ends: Millis,
    /// Whether the next process can know of it.
    recorded: bool,
    /// Whether its reply was lost, or its process ended before it could write down the acceptance.
    excused: bool,
    /// Whether everything that was made for it has been deleted again.
    remains: Remains,
}

/// Who made a resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Owner {
    pub(crate) id: Name,
    pub(crate) process: Name,
    /// Whether it only stands for the deployment, and no endpoint ever uses it.
    pub(crate) is_anchor: bool,
}

/// What has happened.
#[derive(Clone, Debug, Hash)]
pub(crate) struct History {
    /// Name of the endpoint config that the endpoint served in the beginning.
    pub(crate) first: Option<Name>,
    /// What scaled it in the beginning, unless somebody else took that away.
    pub(crate) scaled: Option<Kept<Target>>,
    /// By resource, as in `model model-…`: the deployment that made it and has not succeeded with it.
    pub(crate) owners: BTreeMap<Name, Owner>,
    /// By resource that is still there: the deployment that made it.
    makers: BTreeMap<Name, Name>,
    /// The launches of deployments that are not over.
    pub(crate) launches: Vec<Launch>,
    /// Deployments that have deleted a failed endpoint, to create it again.
    pub(crate) recreating: BTreeSet<Name>,
    /// What the operator has done.
    pub(crate) acts: BTreeSet<Act>,
    /// When something came to be or went, or the endpoint changed, or somebody asked.
    pub(crate) changed: Millis,
    /// How calls were struck.
    pub(crate) faults: BTreeSet<Fate>,
    /// What could not be removed once a pipeline's step was answered. The log says so; the answer cannot any more.
    unremoved: BTreeSet<Name>,
    /// Whether the log of a deployment that nobody waited for names an anchor that is left.
    pub(crate) named_anchor: bool,
    /// Deployments that have written down that the service accepted a launch, be it another one's of the same names.
    following: BTreeSet<Name>,
    /// Whether a message was delivered while it was being worked on.
    pub(crate) was_doubled: bool,
    /// Whether a process was killed.
    pub(crate) was_killed: bool,
    /// Whether the operator, or another deployment, has put the endpoint onto an endpoint config since.
    pub(crate) moved: BTreeSet<Name>,
}

impl History {
    pub(crate) fn new(region: &Region) -> Self {
        let endpoint = region.endpoints.get(ENDPOINT);
        Self {
            first: endpoint.map(|endpoint| Arc::clone(&endpoint.phase().live.config)),
            scaled: region.target(ENDPOINT, "AllTraffic").cloned(),
            owners: BTreeMap::new(),
            makers: BTreeMap::new(),
            launches: Vec::new(),
            recreating: BTreeSet::new(),
            acts: BTreeSet::new(),
            changed: region.now(),
            faults: BTreeSet::new(),
            unremoved: BTreeSet::new(),
            named_anchor: false,
            following: BTreeSet::new(),
            was_doubled: false,
            was_killed: false,
            moved: BTreeSet::new(),
        }
    }

    /// A deployment is asked for that nobody works on.
    pub(crate) fn asked(&mut self, id: &Name) {
        self.launches.retain(|launch| launch.id != *id);
        self.following.remove(id);
        self.recreating.remove(id);
    }

    pub(crate) fn struck(&mut self, fate: Fate) {
        self.faults.insert(fate);
    }

    pub(crate) fn operated(&mut self, act: Act, region: &Region) {
        self.acts.insert(act);
        self.changed = region.now();
        match act {
            Act::DeleteEndpoint => {
                self.scaled = None;
                self.disown("endpoint", ENDPOINT);
            }
            // It is the operator's from now on.
            Act::Replace | Act::Revert => {
                self.disown("endpoint", ENDPOINT);
                self.move_to(region);
            }
            _ => {}
        }
    }

    fn move_to(&mut self, region: &Region) {
        let endpoint = region.endpoints.get(ENDPOINT);
        let pending = endpoint.and_then(|endpoint| endpoint.phase().pending.clone());
        self.moved
            .extend(pending.map(|pending| Arc::clone(&pending.config)));
    }

    /// A write of a process was carried out.
    #[expect(clippy::too_many_arguments, reason = "all that is known of the write")]
    pub(crate) fn wrote(
        &mut self,
        order: &Order,
        process: &Name,
        write: &Write,
        answered: &Result<Answer, shared::failure::ServiceFailure>,
        ending: Ending,
        is_lost: bool,
        region: &Region,
    ) -> Option<Violation> {
        let id = &order.id;
        let made = matches!(answered, Ok(Answer::Created(_)));
        if !matches!(write, Write::AddTags { .. } | Write::DeleteTags { .. }) {
            self.changed = region.now();
        }
        match write {
            Write::CreateModel { request } if made => {
                let name = request.get_model_name().clone().unwrap_or_default();
                self.own("model", &name, order, process);
            }
            Write::CreateEndpointConfig { request } if made => {
                let name = request.get_endpoint_config_name().clone();
                self.own("endpoint config", &name.unwrap_or_default(), order, process);
            }
            // It has succeeded, and what it made is nobody's to undo.
            Write::DeleteTags { arn, keys }
                if keys
                    .iter()
                    .any(|key| key == "sagemaker-deployments:made-by") =>
            {
                let resource = tagged(arn);
                self.owners.retain(|owned, owner| {
                    *owned != resource || owner.id != *id || owner.is_anchor
                });
            }
            Write::DeleteModel { name } => self.disown("model", name),
            Write::DeleteEndpointConfig { name } => self.disown("endpoint config", name),
            Write::DeleteEndpoint { name } => {
                if self.owner("endpoint", name) == Some(id) {
                    // It could not be created again. The error says so, and there is nothing to scale.
                    self.scaled = None;
                } else {
                    self.recreating.insert(Arc::clone(id));
                }
                self.disown("endpoint", name);
            }
            Write::CreateEndpoint {
                name,
                endpoint_config,
                ..
            } => {
                self.own("endpoint", name, order, process);
                return self.launched(
                    order,
                    process,
                    endpoint_config,
                    true,
                    ending,
                    is_lost,
                    region,
                );
            }
            Write::UpdateEndpoint {
                name,
                endpoint_config,
                ..
            } => {
                // Whoever updates an endpoint that another deployment has made takes it over.
                if self
                    .owner("endpoint", name)
                    .is_some_and(|owner| owner != id)
                {
                    self.disown("endpoint", name);
                }
                return self.launched(
                    order,
                    process,
                    endpoint_config,
                    false,
                    ending,
                    is_lost,
                    region,
                );
            }
            Write::AddTags { tags, .. } => {
                let key = format!("sagemaker-deployments:accepted-{id}");
                if tags.iter().any(|tag| tag.key() == Some(&key)) {
                    let own = self.launches.iter_mut().filter(|launch| launch.id == *id);
                    own.for_each(|launch| launch.recorded = true);
                    self.following.insert(Arc::clone(id));
                }
            }
            _ => {}
        }
        None
    }

    #[expect(clippy::too_many_arguments, reason = "all that is known of the launch")]
    fn launched(
        &mut self,
        order: &Order,
        process: &Name,
        config: &str,
        creates: bool,
        ending: Ending,
        is_lost: bool,
        region: &Region,
    ) -> Option<Violation> {
        let id = &order.id;
        let mut before = self.launches.iter().filter(|launch| launch.id == *id);
        let again = before.any(|launch| !launch.excused && launch.remains == Remains::Everything);
        self.move_to(region);
        let endpoint = region.endpoints.get(ENDPOINT);
        let ends = endpoint.and_then(|endpoint| endpoint.end());
        self.launches.push(Launch {
            id: Arc::clone(id),
            process: Arc::clone(process),
            config: config.into(),
            creates,
            ending,
            ends: ends.unwrap_or(region.now()),
            recorded: false,
            excused: is_lost,
            remains: Remains::Everything,
        });
        again.then(|| Violation {
            property: "a deployment is launched once",
            what: "it was launched again although no reply was lost and no process killed before it could write down the acceptance".to_owned(),
        })
    }

    /// A write was refused after the step was answered.
    pub(crate) fn refused_after_the_answer(&mut self, write: &Write) {
        match write {
            Write::DeleteModel { name } => self.unremoved.insert(resource("model", name)),
            Write::DeleteEndpointConfig { name } => {
                self.unremoved.insert(resource("endpoint config", name))
            }
            Write::DeleteTags { arn, .. } => self.unremoved.insert(tagged(arn)),
            _ => false,
        };
    }

    /// Whether something could not be removed after the step was answered.
    pub(crate) fn is_unremoved(&self, resource: &str) -> bool {
        self.unremoved.contains(resource)
    }

    /// Whether nothing has gone wrong, and nobody else has done anything.
    pub(crate) fn went_well(&self) -> bool {
        let succeeds = |launch: &Launch| launch.ending == Ending::Succeeds;
        let undisturbed = self.faults.is_empty() && self.acts.is_empty() && !self.was_killed;
        undisturbed && self.launches.iter().all(succeeds)
    }

    /// A process was killed, or ended with an error.
    pub(crate) fn died(&mut self, process: &Name) {
        for launch in &mut self.launches {
            launch.excused |= launch.process == *process && !launch.recorded;
        }
    }

    /// Whether a deployment goes on although its caller has an answer.
    pub(crate) fn goes_on(&self, id: &Name, outcome: &Outcome) -> bool {
        may_go_on(outcome)
            && (self.launches.iter().any(|launch| launch.id == *id)
                || self.following.contains(id)
                || self.recreating.contains(id))
    }

    /// A deployment has ended. What it succeeded with is nobody's to undo.
    pub(crate) fn ended(&mut self, id: &Name, outcome: &Outcome, is_alone: bool) {
        let goes_on = self.goes_on(id, outcome);
        if serves(outcome) && !goes_on {
            self.owners
                .retain(|_, owner| owner.id != *id || owner.is_anchor);
        }
        // What an earlier answer said goes on still does.
        if is_alone && !goes_on && !matches!(outcome, Outcome::NotWaitedFor { .. }) {
            self.asked(id);
        }
    }

    fn own(&mut self, kind: &str, name: &str, order: &Order, process: &Name) {
        let owner = Owner {
            id: Arc::clone(&order.id),
            process: Arc::clone(process),
            is_anchor: order.anchor == name,
        };
        self.makers
            .insert(resource(kind, name), Arc::clone(&order.id));
        self.owners.insert(resource(kind, name), owner);
    }

    fn disown(&mut self, kind: &str, name: &str) {
        self.makers.remove(&*resource(kind, name));
        let Some(owner) = self.owners.remove(&*resource(kind, name)) else {
            return;
        };
        if !self.owners.values().any(|other| other.id == owner.id) {
            let own = self
                .launches
                .iter_mut()
                .filter(|launch| launch.id == owner.id);
            own.for_each(|launch| launch.remains = Remains::Nothing);
        }
    }

    /// The deployment that made a resource, and may have succeeded with it.
    pub(crate) fn maker(&self, kind: &str, name: &str) -> Option<&Name> {
        self.makers.get(&*resource(kind, name))
    }

    /// The deployment that made a resource and has not succeeded with it.
    pub(crate) fn owner(&self, kind: &str, name: &str) -> Option<&Name> {
        self.owners
            .get(&*resource(kind, name))
            .map(|owner| &owner.id)
    }
}

/// Whether an outcome says that the endpoint serves what was asked for.
pub(crate) fn serves(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Answered(_) => true,
        Outcome::Failed(failure) => matches!(failure.error, Error::NotFinished { .. }),
        Outcome::NotWaitedFor { .. } => false,
    }
}

/// The resource of an ARN.
fn tagged(arn: &str) -> Name {
    let path = arn.rsplit(':').next().unwrap_or_default();
    let (kind, name) = path.split_once('/').unwrap_or_default();
    resource(&kind.replace("endpoint-config", "endpoint config"), name)
}

fn resource(kind: &str, name: &str) -> Name {
    format!("{kind} {name}").into()
}

/// The endpoint's status, and the endpoint config that it is in service on.
pub(crate) fn seen(endpoint: Option<&View>) -> (Name, Option<Name>) {
    let Some(View { phase, .. }) = endpoint else {
        return ("NotFound".into(), None);
    };
    let serves = phase.status == EndpointStatus::InService;
    let config = serves.then(|| Arc::clone(&phase.live.config));
    (phase.status.as_str().into(), config)
}
