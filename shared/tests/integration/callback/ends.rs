//! Whether somebody waits for a deployment, until when, and what becomes of the message.

use std::time::Duration;

use super::*;
use crate::scene::Process;

#[tokio::test(start_paused = true)]
async fn nothing_starts_that_nobody_waits_for() {
    for kind in [New, Existing] {
        let scene = Scene::before(kind).await;
        let inventory = scene.inventory();
        let mut asked = ask(&scene, kind, &event(&scene.package()));
        scene.server.expire_callback(asked.token());
        assert_eq!(asked.deliver().await, Delivered::Done);
        assert_eq!(asked.ended(), Ended::Unanswered);
        assert_eq!(scene.inventory(), inventory);
        assert_eq!(step(&scene, &asked).1, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_that_is_stopped_gets_the_answer_that_it_waits_for() {
    let (scene, _) = Scene::serving().await;
    let inventory = scene.inventory();
    let mut asked = ask(&scene, Existing, &event(&scene.package()));
    scene.server.stop_callback(asked.token());
    assert_eq!(asked.deliver().await, Delivered::Done);
    let (step, answers) = step(&scene, &asked);
    assert_eq!((&step["status"], answers), (&json!("Failed"), 1));
    let reason = step["failure_reason"].as_str().expect("a reason");
    assert!(reason.contains("nothing of it is left"), "{reason}");
    assert_eq!(scene.inventory(), inventory);
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_answer_may_not_be_given_comes_back() {
    // Given a pipeline that was stopped, and a function that may not answer its step
    let (scene, _) = Scene::serving().await;
    let mut asked = ask(&scene, Existing, &event(&scene.package()));
    scene.server.stop_callback(asked.token());
    let denied = Fault::once("SendPipelineExecutionStepFailure", FaultKind::Deny);
    scene.server.inject(denied);
    // when the message is delivered, then it is not done with before the step has its answer
    assert_eq!(asked.deliver().await, Delivered::Back);
    assert_eq!(asked.deliver().await, Delivered::Done);
    assert_eq!(step(&scene, &asked).0["status"], "Failed");
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_answer_cannot_be_sent_comes_back() {
    // Given a function that has no credentials
    let (scene, _) = Scene::serving().await;
    let mut asked = ask(&scene, Existing, &event(&scene.package()));
    let without = Process::start_without_credentials(&scene.server);
    // when the message is delivered, then it comes back
    assert_eq!(asked.deliver_to(&without).await, Delivered::Back);
    // and is answered by a function that has them
    asked.until_ended().await;
    assert_deployed(&scene, &asked, "Deployed");
}

#[tokio::test(start_paused = true)]
async fn a_step_that_stops_waiting_midway_has_its_deployment_followed_to_the_end() {
    let (scene, _) = Scene::serving().await;
    let inventory = scene.inventory();
    rolls_back(&scene);
    let mut asked = ask(&scene, Existing, &event(&scene.package()));
    assert_eq!(asked.deliver().await, Delivered::Back);
    scene.server.expire_callback(asked.token());
    assert_eq!(asked.until_ended().await, Ended::Unanswered);
    assert_eq!(step(&scene, &asked).0["status"], "Stopped");
    assert_eq!(scene.inventory(), inventory);
}

#[tokio::test(start_paused = true)]
async fn the_age_of_the_message_bounds_the_deployment() {
    for (on_timeout, word) in [("fail", "DeploymentTimedOut"), ("return", "InProgress")] {
        // Given an update that takes an hour, and an event that allows it ten minutes
        let (scene, _) = Scene::serving_with(Duration::from_secs(3600)).await;
        let keys = json!({"max_wait_seconds": 600, "on_timeout": on_timeout});
        let event = with(event(&scene.package()), &keys);
        let started = Instant::now();
        let ended = scene.through(Door::Queue, Existing, &event).await;
        let took = started.elapsed().as_secs();
        assert_eq!(ended.word(), word, "{ended:?}");
        assert!((600..=661).contains(&took), "{took} s");
        if on_timeout == "fail" {
            assert!(
                ended.message().contains(&format!("{took} s")),
                "{took} s: {ended:?}"
            );
        }
        assert!(scene.has_deleted_nothing());
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_would_soon_be_put_aside_is_answered() {
    // Given a deployment that outlasts the thousand receives of its message
    let (scene, _) = Scene::serving_with(Duration::from_secs(100_000)).await;
    let keys = json!({"max_wait_seconds": 86_400});
    let mut asked = ask(&scene, Existing, &with(event(&scene.package()), &keys));
    asked.deliver().await;
    asked.set_received(988);
    // then it is answered shortly before
    assert_eq!(asked.deliver().await, Delivered::Back);
    assert_eq!(asked.deliver().await, Delivered::Done);
    let ended = asked.ended();
    assert_eq!(ended.word(), "DeploymentTimedOut", "{ended:?}");
    assert!(scene.has_deleted_nothing());
}
