//! A process that is killed after a call has acted, and the next one that takes up what it finds.

use std::time::Duration;

use sagemaker_local::{Fault, FaultKind, Outcome};
use serde_json::json;
use shared::contract::DeploymentKind::{self, Existing, New};
use tokio::time::sleep;

use crate::scene::{ENDPOINT, Scene, budget, error_type, event, run, with};

const FOR_EVER: FaultKind = FaultKind::Late {
    milliseconds: 3_600_000,
};

/// Runs a deployment and drops it when its call number `last` has acted and is not answered yet. `false` where the
/// deployment ends before.
pub(crate) async fn killed_after(
    scene: &Scene,
    kind: DeploymentKind,
    event: &serde_json::Value,
    last: usize,
) -> bool {
    scene.server.clear_calls();
    let skip = u32::try_from(last).expect("few calls");
    scene.server.inject(Fault::once("*", FOR_EVER).after(skip));
    let services = scene.patient_client();
    let deployment = run(&services, kind, event, budget(Duration::from_secs(10)));
    let acted = async {
        while scene.server.calls().len() <= last {
            sleep(Duration::from_millis(1)).await;
        }
    };
    let killed = tokio::select! {
        _ = deployment => false,
        () = acted => true,
    };
    scene.server.clear_faults();
    killed
}

#[tokio::test]
async fn what_a_killed_process_has_done_is_taken_up_by_the_next() {
    for kind in [New, Existing] {
        for last in 0.. {
            let scene = Scene::before(kind).await;
            let event = event(&scene.package());
            if !killed_after(&scene, kind, &event, last).await {
                // Everything from the first look to the last poll has been cut off once.
                assert!(last >= 6, "{kind:?}: only {last} calls");
                break;
            }
            let answer = scene.run(kind, &event).await.expect("it is taken up");
            assert_eq!(
                scene.endpoint(ENDPOINT)["EndpointConfigName"],
                answer.endpoint_config.as_str()
            );
            // No second model, no second config, no second fleet.
            let expected = if kind == New { [1, 1, 1] } else { [2, 2, 1] };
            let found = scene.inventory().map(|names| names.len());
            assert_eq!(found, expected, "{kind:?} killed after call {last}");
            let begun = |operation| {
                let calls = scene.calls_of(operation);
                calls.iter().filter(|call| call.acted).count()
            };
            assert_eq!(
                begun("CreateEndpoint") + begun("UpdateEndpoint"),
                1,
                "{kind:?} killed after call {last}"
            );
        }
    }
}

#[tokio::test]
async fn an_update_that_was_rolled_back_after_its_process_was_killed_is_told_as_one() {
    for keys in [json!({}), json!({"instance_type": "ml.c7i.large"})] {
        // given a process that is killed when its update has begun
        let (scene, _) = Scene::serving().await;
        let event = with(event(&scene.package()), &keys);
        let outcome = Outcome::UpdateRollsBack { reason: None };
        scene.server.set_outcome(ENDPOINT, outcome);
        scene.server.inject(Fault::once("UpdateEndpoint", FOR_EVER));
        let services = scene.patient_client();
        tokio::select! {
            _ = run(&services, Existing, &event, budget(Duration::from_secs(10))) => panic!("{keys}: not killed"),
            () = scene.until_called("UpdateEndpoint", 1) => {}
        }
        // when the same event comes after the rollback
        while scene.endpoint(ENDPOINT)["EndpointStatus"] != "InService" {
            sleep(Duration::from_millis(1)).await;
        }
        let ended = scene.run(Existing, &event).await;
        // then it tells, and does not begin once more
        assert_eq!(error_type(&ended), "UpdateRolledBack", "{keys}");
        assert_eq!(scene.calls_of("UpdateEndpoint").len(), 1, "{keys}");
    }
}

#[tokio::test]
async fn an_undo_that_was_killed_is_finished_by_the_next_call_of_the_same_deployment() {
    for last in 0.. {
        let scene = Scene::empty().await;
        let event = event(&scene.package());
        scene
            .server
            .set_outcome(ENDPOINT, Outcome::CreateFails { reason: None });
        if !killed_after(&scene, New, &event, last).await {
            assert!(last >= 9, "only {last} calls");
            break;
        }
        // Whatever was cut off, after at most one told failure the deployment goes through.
        let mut ended = scene.run(New, &event).await;
        if ended.is_err() {
            assert_eq!(
                error_type(&ended),
                "EndpointCreationFailed",
                "killed after call {last}"
            );
            ended = scene.run(New, &event).await;
        }
        ended.unwrap_or_else(|failure| panic!("killed after call {last}: {failure}"));
        let found = scene.inventory().map(|names| names.len());
        assert_eq!(found, [1, 1, 1], "killed after call {last}");
    }
}
