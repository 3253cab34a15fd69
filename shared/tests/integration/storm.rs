//! Many deployments at once, in an account whose rate of calls is limited.

use std::time::Duration;

use sagemaker_local::Settings;
use serde_json::json;
use shared::contract::DeploymentKind::New;
use tokio::task::JoinSet;

use crate::scene::{Door, Network, Scene, event, with};

const DEPLOYMENTS: usize = 200;

/// Each delivery reads the checkpoint anew, so that fewer messages keep the account short of calls.
const MESSAGES: usize = 60;

/// Deploys as many endpoints at once; returns the number of calls.
async fn storm(door: Door, deployments_in_all: usize) -> usize {
    let mut scene = Scene::with(Settings {
        create: Duration::from_secs(60),
        calls_per_second: Some(25.0),
        ..Settings::default()
    });
    scene.network = Network::jittery(1, Duration::from_millis(200));
    let package = scene.package();
    let mut deployments = JoinSet::new();
    for number in 0..deployments_in_all {
        let event = with(
            event(&package),
            &json!({"endpoint_name": format!("churn-{number}")}),
        );
        let mut asked = scene.ask_for(door, New, &event, Duration::from_secs(3600));
        deployments.spawn(async move { asked.until_ended().await });
    }
    for ended in deployments.join_all().await {
        assert_eq!(ended.word(), "Deployed", "{door:?}: {ended:?}");
    }

    let counts = [deployments_in_all; 3];
    assert_eq!(scene.inventory().map(|names| names.len()), counts);
    let is_throttled = |code: &String| code == "ThrottlingException";
    let throttled = scene.count(|call| call.error_code.as_ref().is_some_and(is_throttled));
    let all = scene.count(|_| true);
    // Shown with `--nocapture`, for the figure of calls per deployment.
    #[expect(clippy::print_stdout, reason = "a test's own output")]
    {
        println!(
            "{door:?}: {all} calls for {deployments_in_all} deployments, {throttled} of them throttled"
        );
    }
    assert!(throttled > 0, "the account was to be short of calls");
    all
}

#[tokio::test(start_paused = true)]
async fn two_hundred_calls_pass_an_account_that_throttles() {
    let calls = storm(Door::Call, DEPLOYMENTS).await;
    assert!(calls < DEPLOYMENTS * 100, "{calls} calls");
}

#[tokio::test(start_paused = true)]
async fn sixty_messages_pass_an_account_that_throttles() {
    let calls = storm(Door::Queue, MESSAGES).await;
    // Half of them and more are throttled, as each delivery tries its first call a few times.
    assert!(calls < MESSAGES * 500, "{calls} calls");
}
