//! Many deployments at once, in an account whose rate of calls is limited.

use std::time::Duration;

use sagemaker_local::Settings;
use serde_json::json;
use shared::contract::DeploymentKind::New;
use shared::contract::DeploymentStatus;
use shared::wait::Pace;
use tokio::task::JoinSet;

use crate::scene::{Scene, budget, event, run_at, with};

const DEPLOYMENTS: usize = 200;

/// How much faster time runs here: 150 calls a second stand for 25, and a pause of one sixth of a second for a second.
const HASTE: f64 = 6.0;

#[tokio::test]
async fn two_hundred_deployments_pass_an_account_that_throttles() {
    let fast = |seconds: f64| Duration::from_secs_f64(seconds / HASTE);
    let scene = Scene::with(Settings {
        create: fast(60.0),
        calls_per_second: Some(25.0 * HASTE),
        ..Settings::default()
    })
    .await;
    let package = scene.package();
    let plain = Pace::default();
    let pace = Pace {
        shortest: plain.shortest.div_f64(HASTE),
        longest: plain.longest.div_f64(HASTE),
        share: plain.share,
        patience: plain.patience.div_f64(HASTE),
    };

    let mut deployments = JoinSet::new();
    for number in 0..DEPLOYMENTS {
        let services = scene.services.clone();
        let event = with(
            event(&package),
            &json!({"endpoint_name": format!("churn-{number}")}),
        );
        let budget = budget(fast(540.0));
        deployments.spawn(async move { run_at(pace, &services, New, &event, budget).await });
    }
    while let Some(ended) = deployments.join_next().await {
        let answer = ended.expect("no panic").expect("its budget allows it");
        assert_eq!(answer.deployment_status, DeploymentStatus::Deployed);
    }

    let counts = [DEPLOYMENTS, DEPLOYMENTS, DEPLOYMENTS];
    assert_eq!(scene.inventory().map(|names| names.len()), counts);
    let calls = scene.server.calls();
    let throttled = calls
        .iter()
        .filter(|call| call.error_code.as_deref() == Some("ThrottlingException"));
    let (all, throttled) = (calls.len(), throttled.count());
    // Shown with `--nocapture`, for the figure of calls per deployment.
    #[expect(clippy::print_stdout, reason = "a test's own output")]
    {
        println!("{all} calls for {DEPLOYMENTS} deployments, {throttled} of them throttled");
    }
    assert!(throttled > 0, "the account was to be short of calls");
    assert!(all < DEPLOYMENTS * 100, "{all} calls");
}
