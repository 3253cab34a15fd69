//! Whether somebody waits for a deployment, until when, and what becomes of the message.

use super::*;

#[tokio::test]
async fn nothing_begins_that_nobody_waits_for() {
    for kind in [New, Existing] {
        let scene = Scene::before(kind).await;
        let inventory = scene.inventory();
        let waiting = waiting(&scene, &event(&scene.package()));
        scene.server.expire_callback(&waiting.token);
        assert_eq!(deliver_until_done(&scene, kind, &waiting.message).await, 1);
        assert_eq!(scene.inventory(), inventory);
        assert_eq!(
            told(&scene, &waiting.token),
            (
                scene
                    .server
                    .callback_step(&waiting.token)
                    .expect("it stays"),
                0
            )
        );
    }
}

#[tokio::test]
async fn a_pipeline_that_is_stopped_gets_the_answer_that_it_waits_for() {
    let (scene, _) = Scene::serving().await;
    let inventory = scene.inventory();
    let waiting = waiting(&scene, &event(&scene.package()));
    scene.server.stop_callback(&waiting.token);
    assert_eq!(
        deliver_until_done(&scene, Existing, &waiting.message).await,
        1
    );
    let (step, answers) = told(&scene, &waiting.token);
    assert_eq!((&step["status"], answers), (&json!("Failed"), 1));
    let reason = step["failure_reason"].as_str().expect("a reason");
    assert!(reason.contains("before the deployment began"), "{reason}");
    assert_eq!(scene.inventory(), inventory);
}

#[tokio::test]
async fn a_message_whose_answer_may_not_be_given_comes_back() {
    // Given a pipeline that was stopped, and a function that may not answer its step
    let (scene, _) = Scene::serving().await;
    let waiting = waiting(&scene, &event(&scene.package()));
    scene.server.stop_callback(&waiting.token);
    let denied = Fault::once("SendPipelineExecutionStepFailure", FaultKind::Deny);
    scene.server.inject(denied);
    // when the message is delivered, then it is not done with before the step has its answer
    assert_eq!(
        deliver_until_done(&scene, Existing, &waiting.message).await,
        2
    );
    assert_eq!(told(&scene, &waiting.token).0["status"], "Failed");
}

#[tokio::test]
async fn a_message_whose_answer_cannot_be_sent_comes_back() {
    // Given a function that has no credentials
    let (mut scene, _) = Scene::serving().await;
    let waiting = waiting(&scene, &event(&scene.package()));
    let without = scene.client_without_credentials();
    let services = std::mem::replace(&mut scene.services, without);
    // when the message is delivered, then it comes back
    assert_eq!(
        deliver(&scene, Existing, vec![waiting.message.clone()]).await,
        1
    );
    // and is answered by a function that has them
    scene.services = services;
    deliver_until_done(&scene, Existing, &waiting.message).await;
    assert_deployed(&scene, &waiting, "Deployed");
}

#[tokio::test]
async fn a_step_that_stops_waiting_midway_has_its_deployment_followed_to_the_end() {
    let (scene, _) = Scene::serving().await;
    let inventory = scene.inventory();
    rolls_back(&scene);
    let waiting = waiting(&scene, &event(&scene.package()));
    assert_eq!(
        deliver(&scene, Existing, vec![waiting.message.clone()]).await,
        1
    );
    scene.server.expire_callback(&waiting.token);
    deliver_until_done(&scene, Existing, &waiting.message).await;
    assert_eq!(told(&scene, &waiting.token).0["status"], "Stopped");
    assert_eq!(scene.inventory(), inventory);
}

#[tokio::test]
async fn the_age_of_the_message_bounds_the_deployment() {
    for (on_timeout, status) in [("fail", "Failed"), ("return", "Succeeded")] {
        let (scene, _) = Scene::serving_with(Duration::from_secs(60)).await;
        let keys = json!({"max_wait_seconds": 600, "on_timeout": on_timeout});
        let old = SystemTime::now() - Duration::from_secs(601);
        let waiting = sent_at(&scene, &with(event(&scene.package()), &keys), old);
        assert_eq!(
            deliver_until_done(&scene, Existing, &waiting.message).await,
            1
        );
        let (step, _) = told(&scene, &waiting.token);
        assert_eq!(step["status"], status);
        if on_timeout == "fail" {
            let reason = step["failure_reason"].as_str().expect("a reason");
            assert!(reason.starts_with("DeploymentTimedOut"), "{reason}");
            assert!(reason.contains("601 s"), "{reason}");
        } else {
            assert_eq!(step["outputs"]["deployment_status"], "InProgress");
        }
        assert!(scene.has_deleted_nothing());
    }
}

#[tokio::test]
async fn a_message_that_is_about_to_be_a_dead_letter_is_answered() {
    let (scene, _) = Scene::serving_with(Duration::from_secs(60)).await;
    let keys = json!({"max_wait_seconds": 86_400});
    let mut waiting = waiting(&scene, &with(event(&scene.package()), &keys));
    for (receives, comes_back) in [("989", 1), ("990", 0)] {
        let count = "ApproximateReceiveCount".to_owned();
        let attributes = &mut waiting.message.attributes;
        attributes.insert(count, receives.to_owned());
        let back = deliver(&scene, Existing, vec![waiting.message.clone()]).await;
        assert_eq!(back, comes_back, "received {receives} times");
    }
    let (step, _) = told(&scene, &waiting.token);
    let reason = step["failure_reason"].as_str().expect("a reason");
    assert!(reason.starts_with("DeploymentTimedOut"), "{reason}");
    assert!(scene.has_deleted_nothing());
}
