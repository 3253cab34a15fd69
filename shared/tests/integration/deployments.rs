//! Whole deployments through both doors: the calls, the answer, and the resources that are left.

use sagemaker_local::Outcome;
use serde_json::json;
use shared::contract::DeploymentKind::{Existing, New};

use crate::scene::{DEPLOYMENT, Door, ENDPOINT, Scene, event, with};

#[tokio::test(start_paused = true)]
async fn a_new_endpoint_is_created_in_order_and_serves() {
    for door in Door::BOTH {
        // Given a registered package and nothing else
        let scene = Scene::empty();
        let event = event(&scene.package());
        // when it is deployed
        let answer = scene.through(door, New, &event).await.deployed();
        // then the endpoint serves it, and the answer says so
        let live = scene.endpoint(ENDPOINT);
        assert_eq!(live["EndpointStatus"], "InService");
        assert_eq!(live["EndpointConfigName"], answer.endpoint_config.as_str());
        assert_eq!(live["EndpointArn"], answer.endpoint_arn.as_str());
        assert_eq!(answer.endpoint_status, "InService");
        assert_eq!(answer.deployment_status, "Deployed");
        assert_eq!(answer.previous_endpoint_config, "");
        assert_eq!(answer.body, event.to_string());
        assert_eq!(
            scene.inventory(),
            [
                vec![answer.model],
                vec![answer.endpoint_config],
                vec![ENDPOINT.to_owned()]
            ]
        );
        // and the endpoint was observed before anything was created
        let operations = scene.operations();
        let at = |wanted: &str| operations.iter().position(|operation| operation == wanted);
        assert!(at("DescribeEndpoint") < at("CreateModel"), "{door:?}");
        let creates = operations
            .iter()
            .filter(|operation| operation.starts_with("Create"));
        assert_eq!(
            creates.collect::<Vec<_>>(),
            ["CreateModel", "CreateEndpointConfig", "CreateEndpoint"],
            "{door:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_swaps_the_model_without_another_endpoint() {
    for door in Door::BOTH {
        let (scene, before) = Scene::serving().await;
        let event = event(&scene.package());
        let answer = scene.through(door, Existing, &event).await.deployed();
        assert_eq!(answer.deployment_status, "Deployed");
        assert_eq!(answer.previous_endpoint_config, before.endpoint_config);
        assert_ne!(answer.model, before.model);
        assert_eq!(
            scene.endpoint(ENDPOINT)["EndpointConfigName"],
            answer.endpoint_config.as_str()
        );
        let update = &scene.calls_of("UpdateEndpoint")[0].request;
        assert_eq!(update["RetainAllVariantProperties"], true);
        assert!(scene.calls_of("CreateEndpoint").is_empty());
        // The previous model and config stay: nothing is deleted that was not made by a failed deployment.
        let [models, configs, _] = scene.inventory();
        assert!(models.contains(&before.model) && configs.contains(&before.endpoint_config));
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeated_deployment_changes_nothing() {
    for door in Door::BOTH {
        let (scene, first) = Scene::serving().await;
        let event = event(&scene.package().replace("/2", "/1"));
        for kind in [New, Existing] {
            let again = scene.through(door, kind, &event).await.deployed();
            assert_eq!(again.deployment_status, "Unchanged", "{door:?} {kind:?}");
            assert_eq!(
                (&again.model, &again.endpoint_config),
                (&first.model, &first.endpoint_config)
            );
            assert_eq!(again.previous_endpoint_config, "", "{door:?} {kind:?}");
        }
        assert!(scene.has_only_read(), "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deployment_of_an_earlier_package_uses_the_model_and_config_that_are_still_there() {
    for door in Door::BOTH {
        let (scene, a) = Scene::serving().await;
        let package_b = scene.package();
        let package_a = package_b.replace("/2", "/1");
        let b = scene.through(door, Existing, &event(&package_b)).await;
        let b = b.deployed();
        let back = scene.through(door, Existing, &event(&package_a)).await;
        let back = back.deployed();
        assert_eq!(back.deployment_status, "Deployed", "{door:?}");
        assert_eq!(
            (&back.model, &back.endpoint_config),
            (&a.model, &a.endpoint_config)
        );
        assert_eq!(back.previous_endpoint_config, b.endpoint_config);
        let [models, configs, _] = scene.inventory();
        assert_eq!((models.len(), configs.len()), (2, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_of_somebody_else_is_not_touched_by_a_new_deployment() {
    for door in Door::BOTH {
        let (scene, _) = Scene::serving().await;
        let before = scene.inventory();
        let ended = scene.through(door, New, &event(&scene.package())).await;
        assert_eq!(ended.word(), "EndpointAlreadyExists", "{door:?}");
        assert_eq!(scene.inventory(), before);
        assert!(scene.has_only_read(), "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_absent_endpoint_is_not_updated() {
    for door in Door::BOTH {
        let scene = Scene::empty();
        let event = event(&scene.package());
        let ended = scene.through(door, Existing, &event).await;
        assert_eq!(ended.word(), "EndpointNotFound", "{door:?}");
        assert!(scene.has_only_read(), "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_creation_reports_the_reason_and_cleans_up() {
    for door in Door::BOTH {
        let scene = Scene::empty();
        let event = event(&scene.package());
        let reason = Some("The primary container did not pass the ping health check.".to_owned());
        scene
            .server
            .set_outcome(ENDPOINT, Outcome::CreateFails { reason });
        let failed = scene.through(door, New, &event).await;
        assert_eq!(failed.word(), "EndpointCreationFailed", "{door:?}");
        let message = failed.message();
        assert!(
            message.contains("did not pass the ping health check"),
            "{door:?}: {message}"
        );
        assert_eq!(scene.inventory(), [const { Vec::<String>::new() }; 3]);
        // And a repeated deployment starts afresh.
        let answer = scene.through(door, New, &event).await.deployed();
        assert_eq!(answer.deployment_status, "Deployed", "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_endpoint_is_kept_with_its_model_and_config_if_the_event_asks_for_that() {
    for door in Door::BOTH {
        let scene = Scene::empty();
        let event = with(event(&scene.package()), &json!({"on_failure": "keep"}));
        scene
            .server
            .set_outcome(ENDPOINT, Outcome::CreateFails { reason: None });
        let failed = scene.through(door, New, &event).await;
        assert_eq!(failed.word(), "EndpointCreationFailed", "{door:?}");
        assert_eq!(scene.inventory().map(|names| names.len()), [1, 1, 1]);
        assert_eq!(scene.endpoint(ENDPOINT)["EndpointStatus"], "Failed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rolled_back_update_reports_the_reason_and_cleans_up() {
    for door in Door::BOTH {
        for reason in [Some("alarm latency-high went off".to_owned()), None] {
            let (scene, before) = Scene::serving().await;
            let inventory = scene.inventory();
            let outcome = Outcome::UpdateRollsBack {
                reason: reason.clone(),
            };
            scene.server.set_outcome(ENDPOINT, outcome);
            let event = event(&scene.package());
            let failed = scene.through(door, Existing, &event).await;
            assert_eq!(failed.word(), "UpdateRolledBack", "{door:?}");
            let message = failed.message();
            for words in [&before.endpoint_config, &reason.unwrap_or_default()] {
                assert!(message.contains(words.as_str()), "{door:?}: {message}");
            }
            assert!(!message.contains("Left behind"), "{door:?}: {message}");
            assert_eq!(scene.inventory(), inventory, "{door:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_whose_rollback_fails_keeps_what_may_serve() {
    for door in Door::BOTH {
        let (scene, _) = Scene::serving().await;
        let outcome = Outcome::UpdateRollbackFails {
            reason: Some("no capacity".to_owned()),
        };
        scene.server.set_outcome(ENDPOINT, outcome);
        let event = event(&scene.package());
        let failed = scene.through(door, Existing, &event).await;
        assert_eq!(failed.word(), "EndpointNotUpdatable", "{door:?}");
        let message = failed.message();
        assert!(message.contains("no capacity"), "{door:?}: {message}");
        if door == Door::Call {
            // A step's reason has no room for it.
            let [models, configs, _] = scene.inventory();
            let made = [&models[..], &configs[..]].concat();
            let named = made.iter().filter(|name| message.contains(*name));
            assert_eq!(named.count(), 2, "{message}");
        }
        let left = scene.inventory().map(|names| names.len());
        assert_eq!(left, [2, 2, 1], "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn packages_that_may_not_be_deployed_stop_before_anything_is_made() {
    for door in Door::BOTH {
        let scene = Scene::empty();
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
            let ended = scene.through(door, New, &event).await;
            assert_eq!(ended.word(), expected, "{door:?}");
            assert_eq!(scene.inventory(), [const { Vec::<String>::new() }; 3]);
            assert!(scene.has_only_read(), "{door:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_change_of_somebody_else_is_waited_for_and_then_updated() {
    for door in Door::BOTH {
        for status in ["Updating", "SystemUpdating", "RollingBack", "Creating"] {
            let (scene, _) = Scene::serving().await;
            let lasting = Some(DEPLOYMENT / 3);
            scene.server.force_status(ENDPOINT, status, lasting);
            let event = event(&scene.package());
            let answer = scene.through(door, Existing, &event).await.deployed();
            assert_eq!(answer.deployment_status, "Deployed", "{door:?} {status}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_cannot_be_updated_stops_before_anything_is_made() {
    for door in Door::BOTH {
        for status in ["Failed", "OutOfService", "UpdateRollbackFailed", "Deleting"] {
            let (scene, _) = Scene::serving().await;
            let event = event(&scene.package());
            let before = scene.inventory();
            scene.server.force_status(ENDPOINT, status, None);
            let ended = scene.through(door, Existing, &event).await;
            assert_eq!(ended.word(), "EndpointNotUpdatable", "{door:?} {status}");
            assert_eq!(scene.inventory(), before, "{door:?} {status}");
            assert!(scene.has_only_read(), "{door:?} {status}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_whose_config_was_deleted_is_not_updated_by_guesses() {
    for door in Door::BOTH {
        let (scene, before) = Scene::serving().await;
        let gone = json!({"EndpointConfigName": before.endpoint_config});
        scene
            .server
            .call("DeleteEndpointConfig", gone)
            .expect("the service does not mind");
        let event = event(&scene.package());
        let ended = scene.through(door, Existing, &event).await;
        assert_eq!(ended.word(), "EndpointNotUpdatable", "{door:?}");
        let message = ended.message();
        assert!(
            message.contains(&before.endpoint_config),
            "{door:?}: {message}"
        );
        assert!(scene.calls_of("CreateModel").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_endpoint_is_replaced_if_the_event_asks_for_that() {
    for door in Door::BOTH {
        let (scene, before) = Scene::serving().await;
        let event = with(
            event(&scene.package()),
            &json!({"replace_failed_endpoint": true}),
        );
        scene.server.force_status(ENDPOINT, "Failed", None);
        let answer = scene.through(door, Existing, &event).await.deployed();
        assert_eq!(answer.deployment_status, "Deployed", "{door:?}");
        assert_eq!(
            answer.previous_endpoint_config, before.endpoint_config,
            "{door:?}"
        );
        assert_eq!(
            scene.endpoint(ENDPOINT)["EndpointConfigName"],
            answer.endpoint_config.as_str()
        );
        assert_eq!(scene.calls_of("DeleteEndpoint").len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_fails_is_a_failed_creation_and_cleans_up() {
    for door in Door::BOTH {
        let (scene, before) = Scene::serving().await;
        let event = with(
            event(&scene.package()),
            &json!({"replace_failed_endpoint": true}),
        );
        scene.server.force_status(ENDPOINT, "Failed", None);
        let reason = Some("no such image".to_owned());
        scene
            .server
            .set_outcome(ENDPOINT, Outcome::CreateFails { reason });
        let failed = scene.through(door, Existing, &event).await;
        assert_eq!(failed.word(), "EndpointCreationFailed", "{door:?}");
        assert!(
            failed.message().contains("no such image"),
            "{door:?}: {failed:?}"
        );
        let left = [vec![before.model], vec![before.endpoint_config], vec![]];
        assert_eq!(scene.inventory(), left, "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_being_deleted_is_waited_for() {
    for door in Door::BOTH {
        let (scene, _) = Scene::serving().await;
        let event = event(&scene.package());
        scene
            .server
            .call("DeleteEndpoint", json!({"EndpointName": ENDPOINT}))
            .expect("it serves");
        let answer = scene.through(door, New, &event).await.deployed();
        assert_eq!(answer.deployment_status, "Deployed", "{door:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_reads_and_plans_and_changes_nothing() {
    for door in Door::BOTH {
        let (scene, before) = Scene::serving().await;
        let inventory = scene.inventory();
        let event = with(event(&scene.package()), &json!({"dry_run": true}));
        let planned = scene.through(door, Existing, &event).await.deployed();
        assert_eq!(planned.deployment_status, "DryRun", "{door:?}");
        assert_eq!(planned.previous_endpoint_config, before.endpoint_config);
        assert_eq!(scene.inventory(), inventory);
        assert!(scene.has_only_read(), "{door:?}");
        // The names are the ones that the deployment then has.
        let event = with(event, &json!({"dry_run": false}));
        let deployed = scene.through(door, Existing, &event).await.deployed();
        assert_eq!(
            (planned.model, planned.endpoint_config),
            (deployed.model, deployed.endpoint_config)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_writes_nothing_whatever_it_finds() {
    for door in Door::BOTH {
        for (kind, status, lasting) in [
            (Existing, "Failed", None),
            (Existing, "Updating", Some(DEPLOYMENT)),
            (Existing, "InService", None),
            (New, "Deleting", Some(DEPLOYMENT)),
            (New, "Failed", None),
        ] {
            let (scene, _) = Scene::serving().await;
            let package = match kind {
                New => scene.package().replace("/2", "/1"),
                Existing => scene.package(),
            };
            let keys = json!({
                "dry_run": true, "tags": "team=growth", "replace_failed_endpoint": true,
                "delete_superseded": true, "autoscaling_max_capacity": 3,
                "autoscaling_target_invocations_per_instance": 70,
            });
            let keys = match kind {
                New => json!({"dry_run": true}),
                Existing => keys,
            };
            scene.server.force_status(ENDPOINT, status, lasting);
            let ended = scene
                .through(door, kind, &with(event(&package), &keys))
                .await;
            assert!(
                scene.has_only_read(),
                "{door:?} {kind:?} {status}: {ended:?} {:?}",
                scene.operations()
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn another_case_of_the_endpoints_name_is_the_same_endpoint() {
    for door in Door::BOTH {
        let (scene, _) = Scene::serving().await;
        let package = scene.package().replace("/2", "/1");
        let event = with(event(&package), &json!({"endpoint_name": "Churn"}));
        let answer = scene.through(door, New, &event).await.deployed();
        assert_eq!(answer.deployment_status, "Unchanged", "{door:?}");
    }
}
