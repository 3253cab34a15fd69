use super::*;

fn scaling() -> Scaling {
    Scaling {
        variant: "AllTraffic".to_owned(),
        target: serde_json::Map::new(),
        policies: Vec::new(),
        scheduled_actions: Vec::new(),
    }
}

#[test]
fn what_scales_a_variant_is_taken_off_once_that_is_noted() {
    let mut plan = plan();
    plan.autoscaling.kept = vec![scaling()];
    let (live, failed) = (look("InService", OTHER), look("Failed", OTHER));
    for (endpoint, last) in [
        (&live, Step::UpdateEndpoint),
        (&failed, Step::DeleteFailedEndpoint),
    ] {
        let mut situation = Situation {
            endpoint: Some(endpoint),
            package_checked: true,
            model_made: true,
            endpoint_config_made: true,
            replace_failed_endpoint: true,
            ..fresh(DeploymentKind::Existing, &plan)
        };
        assert_eq!(decide(&situation), Step::Note);
        situation.noted = true;
        assert_eq!(decide(&situation), Step::TakeScalingOff);
        situation.scaling.is_off = true;
        assert_eq!(decide(&situation), last);
    }
}

#[test]
fn an_endpoint_that_serves_is_scaled_before_what_it_replaced_goes() {
    let mut plan = plan();
    plan.autoscaling.wanted = vec![scaling()];
    let ours = plan.endpoint_config_name.clone();
    let serving = look("InService", &ours);
    let begun = begun(true);
    let mut situation = Situation {
        endpoint: Some(&serving),
        begun: Some(&begun),
        notes_open: true,
        delete_superseded: true,
        ..fresh(DeploymentKind::Existing, &plan)
    };
    assert_eq!(decide(&situation), Step::Scale);
    situation.scaling.is_set = true;
    assert_eq!(decide(&situation), Step::CloseNotes);
    situation.notes_open = false;
    assert_eq!(decide(&situation), Step::DeleteSuperseded);
    situation.superseded_cleared = true;
    assert_eq!(word(&decide(&situation)), "Deployed");
}

#[test]
fn what_serves_already_is_changed_where_its_scaling_is() {
    let mut plan = plan();
    plan.autoscaling.wanted = vec![scaling()];
    let ours = plan.endpoint_config_name.clone();
    let serving = look("InService", &ours);
    let mut situation = Situation {
        endpoint: Some(&serving),
        dry_run: true,
        ..fresh(DeploymentKind::Existing, &plan)
    };
    assert_eq!(word(&decide(&situation)), "DryRun");
    situation.dry_run = false;
    assert_eq!(decide(&situation), Step::Scale);
    situation.scaling.is_set = true;
    assert_eq!(word(&decide(&situation)), "Unchanged");
    situation.scaling.was_changed = true;
    assert_eq!(word(&decide(&situation)), "Deployed");
}
