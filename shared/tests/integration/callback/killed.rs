//! Processes that are killed in the middle of a delivery.

use super::*;

/// Delivers a message and drops it when its call number `last` has acted; `false` where the delivery ends before.
async fn killed_in_delivery(
    scene: &Scene,
    kind: DeploymentKind,
    message: &SqsMessage,
    last: usize,
) -> bool {
    let before = scene.server.calls().len();
    let skip = u32::try_from(last).expect("few calls");
    let never = FaultKind::Late {
        milliseconds: 3_600_000,
    };
    scene.server.inject(Fault::once("*", never).after(skip));
    let services = scene.patient_client();
    let environment = Environment::new();
    let mut batch = SqsEvent::default();
    batch.records = vec![message.clone()];
    let acted = async {
        while scene.server.calls().len() <= before + last {
            sleep(Duration::from_millis(1)).await;
        }
    };
    let killed = tokio::select! {
        _ = answer_batch(&services, kind, &environment, batch, PACE) => false,
        () = acted => true,
    };
    scene.server.clear_faults();
    killed
}

/// Where in a deployment's life a delivery is killed.
#[derive(Debug, Clone, Copy)]
enum Phase {
    Beginning,
    UnderWay,
    /// Once it has come to its end, after so many more deliveries.
    Ending(usize),
}

/// A deployment of which one delivery is killed after one call; `None` where that delivery has no such call.
async fn killed_once(
    kind: DeploymentKind,
    fails: bool,
    phase: Phase,
    last: usize,
) -> Option<(Scene, Waiting, [Vec<String>; 3])> {
    let scene = Scene::before(kind).await;
    let inventory = scene.inventory();
    if fails && kind == New {
        let reason = Some("no such image".to_owned());
        let outcome = Outcome::CreateFails { reason };
        scene.server.set_outcome(ENDPOINT, outcome);
    } else if fails {
        rolls_back(&scene);
    }
    let waiting = waiting(&scene, &event(&scene.package()));
    let before = match phase {
        Phase::Beginning => 0,
        Phase::UnderWay => 1,
        Phase::Ending(more) => 1 + more,
    };
    for _ in 0..before {
        if deliver(&scene, kind, vec![waiting.message.clone()]).await == 0 {
            return None;
        }
        if matches!(phase, Phase::Ending(_)) {
            until_settled(&scene).await;
        }
    }
    let killed = killed_in_delivery(&scene, kind, &waiting.message, last).await;
    killed.then_some((scene, waiting, inventory))
}

#[tokio::test]
async fn a_process_that_is_killed_after_any_call_of_any_delivery_is_taken_up() {
    let phases = [
        Phase::Beginning,
        Phase::UnderWay,
        Phase::Ending(0),
        Phase::Ending(1),
    ];
    for (kind, fails) in [
        (New, false),
        (New, true),
        (Existing, false),
        (Existing, true),
    ] {
        let mut cases = 0;
        for phase in phases {
            for last in 0.. {
                let Some((scene, waiting, inventory)) = killed_once(kind, fails, phase, last).await
                else {
                    break;
                };
                cases += 1;
                deliver_until_done(&scene, kind, &waiting.message).await;
                let case = format!("{kind:?}, fails: {fails}, {phase:?}, call {last}");
                let begun =
                    scene.calls_of("CreateEndpoint").len() + scene.calls_of("UpdateEndpoint").len();
                assert_eq!(begun, 1, "{case}");
                let (step, _) = told(&scene, &waiting.token);
                let status = if fails { "Failed" } else { "Succeeded" };
                assert_eq!(step["status"], status, "{case}");
                if fails {
                    assert_eq!(scene.inventory(), inventory, "{case}");
                } else {
                    assert_eq!(step["outputs"]["deployment_status"], "Deployed", "{case}");
                }
            }
        }
        // Each of them has several calls at its beginning and some at its end.
        assert!(cases >= 10, "{kind:?}, fails: {fails}: {cases} cases");
    }
}
