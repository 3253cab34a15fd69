//! Whole deployments against a local `SageMaker`: what is done, what is answered, what is left.

use crate::scene::{DEPLOYMENT, ENDPOINT, Scene, error_type, event, with};
use sagemaker_local::Outcome;
use serde_json::json;
use shared::contract::DeploymentKind::{Existing, New};
use shared::contract::DeploymentStatus;

#[tokio::test]
async fn a_new_endpoint_is_made_in_order_and_serves() {
    // Given a registered package and nothing else
    let scene = Scene::empty().await;
    let event = event(&scene.package());
    // when it is deployed
    let answer = scene.run(New, &event).await.expect("deployed");
    // then the endpoint serves it, and the answer says so
    let live = scene.endpoint(ENDPOINT);
    assert_eq!(live["EndpointStatus"], "InService");
    assert_eq!(live["EndpointConfigName"], answer.endpoint_config.as_str());
    assert_eq!(live["EndpointArn"], answer.endpoint_arn.as_str());
    assert_eq!(answer.endpoint_status, "InService");
    assert_eq!(answer.deployment_status, DeploymentStatus::Deployed);
    assert_eq!(answer.previous_endpoint_config, None);
    assert_eq!(answer.body, event.to_string());
    assert_eq!(
        scene.inventory(),
        [
            vec![answer.model],
            vec![answer.endpoint_config],
            vec![ENDPOINT.to_owned()]
        ]
    );
    // and the endpoint was looked at before anything was made
    let mut operations = scene.operations();
    operations.dedup();
    assert_eq!(
        operations,
        [
            "DescribeEndpoint",
            "DescribeModelPackage",
            "CreateModel",
            "CreateEndpointConfig",
            "CreateEndpoint",
            "DescribeEndpoint"
        ]
    );
}

#[tokio::test]
async fn an_update_swaps_the_model_without_another_endpoint() {
    let (scene, before) = Scene::serving().await;
    let answer = scene
        .run(Existing, &event(&scene.package()))
        .await
        .expect("deployed");
    assert_eq!(answer.deployment_status, DeploymentStatus::Deployed);
    assert_eq!(
        answer.previous_endpoint_config,
        Some(before.endpoint_config.clone())
    );
    assert_ne!(answer.model, before.model);
    assert_eq!(
        scene.endpoint(ENDPOINT)["EndpointConfigName"],
        answer.endpoint_config.as_str()
    );
    let update = &scene.calls_of("UpdateEndpoint")[0].request;
    assert_eq!(update["RetainAllVariantProperties"], true);
    assert!(scene.calls_of("CreateEndpoint").is_empty());
    // What was replaced stays: nothing is deleted that was not made by a failed call.
    let [models, configs, _] = scene.inventory();
    assert!(models.contains(&before.model) && configs.contains(&before.endpoint_config));
}

#[tokio::test]
async fn a_repeated_call_changes_nothing() {
    let (scene, first) = Scene::serving().await;
    let package = scene.calls_of("DescribeModelPackage");
    assert!(
        package.is_empty(),
        "the scene forgets the calls that set it"
    );
    let event = event(&format!(
        "{}/1",
        scene.package().rsplit_once('/').expect("versioned").0
    ));
    for kind in [New, Existing] {
        let again = scene.run(kind, &event).await.expect("it serves already");
        assert_eq!(
            again.deployment_status,
            DeploymentStatus::Unchanged,
            "{kind:?}"
        );
        assert_eq!(
            (&again.model, &again.endpoint_config),
            (&first.model, &first.endpoint_config)
        );
    }
    assert!(scene.has_only_read());
}

#[tokio::test]
async fn going_back_to_an_earlier_package_uses_what_is_still_there() {
    let (scene, a) = Scene::serving().await;
    let package_b = scene.package();
    let package_a = package_b.replace("/2", "/1");
    let b = scene
        .run(Existing, &event(&package_b))
        .await
        .expect("deployed");
    let back = scene
        .run(Existing, &event(&package_a))
        .await
        .expect("deployed");
    assert_eq!(
        (&back.model, &back.endpoint_config),
        (&a.model, &a.endpoint_config)
    );
    assert_eq!(back.previous_endpoint_config, Some(b.endpoint_config));
    let [models, configs, _] = scene.inventory();
    assert_eq!((models.len(), configs.len()), (2, 2));
}

#[tokio::test]
async fn an_endpoint_of_somebody_else_is_not_touched_by_a_new_deployment() {
    let (scene, _) = Scene::serving().await;
    let before = scene.inventory();
    let ended = scene.run(New, &event(&scene.package())).await;
    assert_eq!(error_type(&ended), "EndpointAlreadyExists");
    assert_eq!(scene.inventory(), before);
    assert_eq!(scene.operations(), ["DescribeEndpoint"]);
}

#[tokio::test]
async fn an_absent_endpoint_is_not_updated() {
    let scene = Scene::empty().await;
    let ended = scene.run(Existing, &event(&scene.package())).await;
    assert_eq!(error_type(&ended), "EndpointNotFound");
    assert_eq!(scene.operations(), ["DescribeEndpoint"]);
}

#[tokio::test]
async fn a_failed_creation_says_why_and_leaves_nothing() {
    let scene = Scene::empty().await;
    let event = event(&scene.package());
    let reason = Some("The primary container did not pass the ping health check.".to_owned());
    scene
        .server
        .set_outcome(ENDPOINT, Outcome::CreateFails { reason });
    let failure = scene
        .run(New, &event)
        .await
        .expect_err("the creation fails");
    assert_eq!(failure.error.error_type(), "EndpointCreationFailed");
    assert!(
        failure
            .to_string()
            .contains("did not pass the ping health check"),
        "{failure}"
    );
    assert_eq!(scene.inventory(), [const { Vec::<String>::new() }; 3]);
    // And a repeated call starts afresh.
    let answer = scene.run(New, &event).await.expect("deployed");
    assert_eq!(answer.deployment_status, DeploymentStatus::Deployed);
}

#[tokio::test]
async fn a_failed_endpoint_is_kept_with_all_it_needs_where_that_is_asked_for() {
    let scene = Scene::empty().await;
    let event = with(event(&scene.package()), &json!({"on_failure": "keep"}));
    scene
        .server
        .set_outcome(ENDPOINT, Outcome::CreateFails { reason: None });
    let failure = scene
        .run(New, &event)
        .await
        .expect_err("the creation fails");
    assert_eq!(failure.error.error_type(), "EndpointCreationFailed");
    assert_eq!(scene.inventory().map(|names| names.len()), [1, 1, 1]);
    assert_eq!(scene.endpoint(ENDPOINT)["EndpointStatus"], "Failed");
}

#[tokio::test]
async fn a_rollback_is_told_with_and_without_a_reason_and_leaves_nothing() {
    for reason in [Some("alarm latency-high went off".to_owned()), None] {
        let (scene, before) = Scene::serving().await;
        let inventory = scene.inventory();
        let outcome = Outcome::UpdateRollsBack {
            reason: reason.clone(),
        };
        scene.server.set_outcome(ENDPOINT, outcome);
        let failure = scene
            .run(Existing, &event(&scene.package()))
            .await
            .expect_err("rolled back");
        assert_eq!(failure.error.error_type(), "UpdateRolledBack");
        assert!(
            failure.to_string().contains(&before.endpoint_config),
            "{failure}"
        );
        assert!(
            failure.to_string().contains(&reason.unwrap_or_default()),
            "{failure}"
        );
        assert_eq!(failure.left_behind, []);
        assert_eq!(scene.inventory(), inventory);
    }
}

#[tokio::test]
async fn an_update_whose_rollback_fails_keeps_what_may_serve() {
    let (scene, _) = Scene::serving().await;
    let outcome = Outcome::UpdateRollbackFails {
        reason: Some("no capacity".to_owned()),
    };
    scene.server.set_outcome(ENDPOINT, outcome);
    let failure = scene
        .run(Existing, &event(&scene.package()))
        .await
        .expect_err("it fails");
    assert_eq!(failure.error.error_type(), "EndpointNotUpdatable");
    assert!(failure.to_string().contains("no capacity"), "{failure}");
    assert_eq!(failure.left_behind.len(), 2, "{failure}");
    assert_eq!(scene.inventory().map(|names| names.len()), [2, 2, 1]);
}

#[tokio::test]
async fn packages_that_may_not_be_deployed_stop_before_anything_is_made() {
    let scene = Scene::empty().await;
    let package = scene.package();
    let update =
        json!({"ModelPackageArn": package, "ModelApprovalStatus": "PendingManualApproval"});
    scene
        .server
        .call("UpdateModelPackage", update)
        .expect("it is there");
    let cases = [
        (event(&package), "ModelPackageNotApproved"),
        (event(&package.replace("/1", "/7")), "ModelPackageNotFound"),
    ];
    for (event, expected) in cases {
        assert_eq!(error_type(&scene.run(New, &event).await), expected);
        assert_eq!(scene.inventory(), [const { Vec::<String>::new() }; 3]);
    }
}

#[tokio::test]
async fn somebody_elses_change_is_waited_for_and_then_updated() {
    for status in ["Updating", "SystemUpdating", "RollingBack", "Creating"] {
        let (scene, _) = Scene::serving().await;
        scene
            .server
            .force_status(ENDPOINT, status, Some(DEPLOYMENT));
        let answer = scene
            .run(Existing, &event(&scene.package()))
            .await
            .expect("deployed");
        assert_eq!(
            answer.deployment_status,
            DeploymentStatus::Deployed,
            "{status}"
        );
    }
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_updated_stops_before_anything_is_made() {
    for status in ["Failed", "OutOfService", "UpdateRollbackFailed", "Deleting"] {
        let (scene, _) = Scene::serving().await;
        let event = event(&scene.package());
        let before = scene.inventory();
        scene.server.force_status(ENDPOINT, status, None);
        let ended = scene.run(Existing, &event).await;
        assert_eq!(error_type(&ended), "EndpointNotUpdatable", "{status}");
        assert_eq!(scene.inventory(), before, "{status}");
        assert!(scene.has_only_read());
    }
}

#[tokio::test]
async fn an_endpoint_whose_config_is_gone_is_not_updated_by_guesses() {
    let (scene, before) = Scene::serving().await;
    let gone = json!({"EndpointConfigName": before.endpoint_config});
    scene
        .server
        .call("DeleteEndpointConfig", gone)
        .expect("the service lets it go");
    let ended = scene.run(Existing, &event(&scene.package())).await;
    assert_eq!(error_type(&ended), "EndpointNotUpdatable");
    let message = ended.expect_err("an error").to_string();
    for words in [
        before.endpoint_config.as_str(),
        "its settings cannot be kept",
        "deploy-new-endpoint",
    ] {
        assert!(message.contains(words), "{message}");
    }
    assert!(scene.calls_of("CreateModel").is_empty());
}

#[tokio::test]
async fn a_failed_endpoint_is_replaced_where_that_is_asked_for() {
    let (scene, before) = Scene::serving().await;
    let event = with(
        event(&scene.package()),
        &json!({"replace_failed_endpoint": true}),
    );
    scene.server.force_status(ENDPOINT, "Failed", None);
    let answer = scene.run(Existing, &event).await.expect("deployed");
    assert_eq!(answer.deployment_status, DeploymentStatus::Deployed);
    assert_eq!(
        answer.previous_endpoint_config,
        Some(before.endpoint_config)
    );
    assert_eq!(
        scene.endpoint(ENDPOINT)["EndpointConfigName"],
        answer.endpoint_config.as_str()
    );
    assert_eq!(scene.calls_of("DeleteEndpoint").len(), 1);
}

#[tokio::test]
async fn a_name_that_is_being_deleted_is_waited_for() {
    let (scene, _) = Scene::serving().await;
    let event = event(&scene.package());
    scene
        .server
        .call("DeleteEndpoint", json!({"EndpointName": ENDPOINT}))
        .expect("it serves");
    let answer = scene.run(New, &event).await.expect("deployed");
    assert_eq!(answer.deployment_status, DeploymentStatus::Deployed);
}

#[tokio::test]
async fn a_dry_run_reads_and_plans_and_changes_nothing() {
    let (scene, before) = Scene::serving().await;
    let inventory = scene.inventory();
    let event = with(event(&scene.package()), &json!({"dry_run": true}));
    let planned = scene.run(Existing, &event).await.expect("planned");
    assert_eq!(planned.deployment_status, DeploymentStatus::DryRun);
    assert_eq!(
        planned.previous_endpoint_config,
        Some(before.endpoint_config)
    );
    assert_eq!(scene.inventory(), inventory);
    // The names are the ones that the deployment then has.
    let event = with(event, &json!({"dry_run": false}));
    let deployed = scene.run(Existing, &event).await.expect("deployed");
    assert_eq!(
        (planned.model, planned.endpoint_config),
        (deployed.model, deployed.endpoint_config)
    );
}

#[tokio::test]
async fn a_new_fleet_is_not_started_by_a_change_of_the_endpoint_names_case() {
    let (scene, _) = Scene::serving().await;
    let package = scene.package().replace("/2", "/1");
    let event = with(event(&package), &json!({"endpoint_name": "Churn"}));
    let answer = scene.run(New, &event).await.expect("it serves already");
    assert_eq!(answer.deployment_status, DeploymentStatus::Unchanged);
}
