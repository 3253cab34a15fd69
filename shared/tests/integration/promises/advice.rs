//! The advice follows from the service's own words, not from the operation that failed.

use sagemaker_local::{Fault, Outcome};
use shared::contract::DeploymentKind::{Existing, New};

use super::error;
use crate::scene::{Door, ENDPOINT, Scene, event};

const ROLE: &str = "User: arn:aws:sts::123456789012:assumed-role/deployer/session is";

#[tokio::test(start_paused = true)]
async fn a_denial_is_advised_by_its_action_its_role_and_its_policy() {
    let model = "arn:aws:sagemaker:eu-west-1:123456789012:model/model-1";
    for (end, expected) in [
        (
            "because no identity-based policy allows the sagemaker:AddTags action",
            format!("Allow sagemaker:AddTags on {model} to the role deployer."),
        ),
        (
            "with an explicit deny in a service control policy",
            "An allow does not help: that service control policy has to except the role deployer."
                .to_owned(),
        ),
    ] {
        for door in Door::BOTH {
            let scene = Scene::empty();
            let text = format!(
                "{ROLE} not authorized to perform: sagemaker:AddTags on resource: {model} {end}"
            );
            let denied = error("AccessDeniedException", &text);
            scene
                .server
                .inject(Fault::once("CreateModel", denied).always());
            let event = event(&scene.package());
            let ended = scene.through(door, New, &event).await;
            assert_eq!(ended.word(), "AccessDenied", "{door:?}: {ended:?}");
            assert!(ended.message().contains("sagemaker:AddTags"), "{ended:?}");
            // The message of a step is short: what to do gives way.
            if door == Door::Call {
                assert!(ended.message().ends_with(&expected), "{ended:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lack_of_capacity_points_at_no_log() {
    let reason = "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error.";
    let reason = Some(reason.to_owned());
    for door in Door::BOTH {
        for (kind, word, outcome) in [
            (
                New,
                "EndpointCreationFailed",
                Outcome::CreateFails {
                    reason: reason.clone(),
                },
            ),
            (
                Existing,
                "UpdateRolledBack",
                Outcome::UpdateRollsBack {
                    reason: reason.clone(),
                },
            ),
        ] {
            let scene = Scene::before(kind).await;
            scene.server.set_outcome(ENDPOINT, outcome);
            let ended = scene.through(door, kind, &event(&scene.package())).await;
            assert_eq!(ended.word(), word, "{door:?}: {ended:?}");
            assert!(!ended.message().contains("log group"), "{ended:?}");
            if door == Door::Call {
                let advice = "choose another instance_type";
                assert!(ended.message().contains(advice), "{ended:?}");
            }
        }
    }
}
