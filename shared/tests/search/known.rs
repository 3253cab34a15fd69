//! Violations that are known and not fixed yet. The search goes on beyond them. In the end there are none.

use shared::contract::OnSuccess;

use crate::lab::Lab;
use crate::properties::Violation;
use crate::world::World;

struct Known {
    /// Empty for all.
    property: &'static str,
    /// What happens instead begins with this.
    what: &'static str,
    /// In which worlds it is known.
    when: fn(&World, &Lab) -> bool,
}

fn always(_: &World, _: &Lab) -> bool {
    true
}

fn is_delivered_twice_at_once(world: &World, _: &Lab) -> bool {
    world.history.was_doubled
}

fn has_two_deployments(_: &World, lab: &Lab) -> bool {
    lab.orders.len() > 1
}

fn supersedes(world: &World, lab: &Lab) -> bool {
    let deletes = |order: &crate::lab::Order| order.request.on_success == OnSuccess::DeletePrevious;
    has_two_deployments(world, lab) && lab.orders.iter().any(deletes)
}

const KNOWN: &[Known] = &[
    // Two deliveries of one message at the same moment: one reads the autoscaling while the other suspends it, and saves
    // the half that it has read.
    Known {
        property: "what scaled scales again",
        what: "",
        when: is_delivered_twice_at_once,
    },
    // What was saved less than a minute ago is left alone: its deployment may be about to launch. A later one restores it.
    Known {
        property: "the next deployment restores everything",
        what: "the endpoint does not scale",
        when: always,
    },
    // A delivery that may not read the checkpoint ends the deployment of an earlier one.
    Known {
        property: "",
        what: "",
        when: |world, _| !world.history.blind.is_empty(),
    },
    // Two deployments of one endpoint that both touch its autoscaling.
    Known {
        property: "nothing waits in vain",
        what: "",
        when: has_two_deployments,
    },
    Known {
        property: "what scaled scales again",
        what: "",
        when: has_two_deployments,
    },
    // `delete_superseded` next to another deployment of the same endpoint.
    Known {
        property: "nothing of others is deleted",
        what: "",
        when: supersedes,
    },
    Known {
        property: "nothing in use is deleted",
        what: "",
        when: supersedes,
    },
];

pub(crate) fn is_known(violation: &Violation, world: &World, lab: &Lab) -> bool {
    KNOWN.iter().any(|known| {
        (known.property.is_empty() || known.property == violation.property)
            && violation.what.starts_with(known.what)
            && (known.when)(world, lab)
    })
}
