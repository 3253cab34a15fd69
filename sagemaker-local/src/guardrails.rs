//! What the service demands of a deployment config, and of an update compared with what is live.

use serde_json::Value;

use crate::deployed::Deployed;
use crate::error::ServiceError;
use crate::requests::{is_set, items};

/// Checks how `new` is to be deployed over `old`, where there is one: as its deployment config says,
/// whether the request gave that or retained it.
pub(crate) fn check(old: Option<&Deployed>, new: &Deployed) -> Result<(), ServiceError> {
    if old.is_some_and(|old| is_async(old) && !is_async(new)) {
        return refuse("An update cannot take the AsyncInferenceConfig away.");
    }
    if old.is_some_and(serves_components) && !serves_components(new) {
        return refuse(
            "An update cannot put a ModelName on an endpoint that serves inference components.",
        );
    }
    let Some(deployment) = &new.deployment_config else {
        return Ok(());
    };
    let blue_green = &deployment["BlueGreenUpdatePolicy"];
    let rolling = &deployment["RollingUpdatePolicy"];
    if !blue_green.is_null() && !rolling.is_null() {
        return refuse("A deployment is either blue/green or rolling.");
    }
    check_traffic(&blue_green["TrafficRoutingConfiguration"])?;
    check_percentage(&rolling["MaximumBatchSize"], "MaximumBatchSize", 5)?;

    let cannot_roll = |config: &Deployed| config.is_serverless() || config.variants.len() > 1;
    if !rolling.is_null() && (cannot_roll(new) || old.is_some_and(cannot_roll)) {
        return refuse("A rolling deployment needs a single variant with instances.");
    }
    let shifts_traffic = matches!(
        blue_green["TrafficRoutingConfiguration"]["Type"].as_str(),
        Some("CANARY" | "LINEAR")
    );
    if (shifts_traffic || !rolling.is_null())
        && old.is_some_and(|old| old.variant_names() != new.variant_names())
    {
        return refuse(
            "A canary, linear or rolling deployment needs the same variant names before and after.",
        );
    }
    Ok(())
}

/// Refuses an update that turns instances into a serverless variant.
pub(crate) fn check_stays_on_instances(old: &Deployed, new: &Deployed) -> Result<(), ServiceError> {
    if new.is_serverless() && !old.is_serverless() {
        return refuse("An update cannot turn an instance-based endpoint into a serverless one.");
    }
    Ok(())
}

/// Whether a production variant has no model of its own: it serves inference components.
fn serves_components(config: &Deployed) -> bool {
    let variants = items(&config.document, "ProductionVariants").iter();
    variants
        .filter_map(Value::as_object)
        .any(|variant| !is_set(variant, "ModelName") && !is_set(variant, "ServerlessConfig"))
}

fn is_async(config: &Deployed) -> bool {
    config.document.contains_key("AsyncInferenceConfig")
}

fn check_traffic(routing: &Value) -> Result<(), ServiceError> {
    let (member, least) = match routing["Type"].as_str() {
        Some("CANARY") => ("CanarySize", 1),
        Some("LINEAR") => ("LinearStepSize", 10),
        _ => return Ok(()),
    };
    if routing[member].is_null() {
        return refuse(&format!("Such a traffic routing needs a {member}."));
    }
    check_percentage(&routing[member], member, least)
}

/// A capacity in percent is at most half of the fleet.
fn check_percentage(size: &Value, member: &str, least: i64) -> Result<(), ServiceError> {
    let in_percent = size["Type"] == "CAPACITY_PERCENT";
    match size["Value"].as_i64() {
        Some(value) if in_percent && !(least..=50).contains(&value) => {
            refuse(&format!("{member} must be between {least} and 50 percent."))
        }
        _ => Ok(()),
    }
}

fn refuse(message: &str) -> Result<(), ServiceError> {
    Err(ServiceError::validation(message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requests::Document;
    use serde_json::json;

    fn config(variants: &[&str], more: &Value) -> Deployed {
        Deployed {
            variants: variants
                .iter()
                .map(|name| json!({ "VariantName": name }))
                .collect(),
            document: more.as_object().cloned().unwrap_or_else(Document::new),
            ..Deployed::named("config")
        }
    }

    /// Whether `new` may be deployed over `old` so.
    fn checked(deployment: Option<&Value>, old: Option<&Deployed>, new: &Deployed) -> bool {
        let new = Deployed {
            deployment_config: deployment.cloned(),
            ..new.clone()
        };
        check(old, &new).is_ok()
    }

    fn canary(kind: &str, value: i64) -> Value {
        json!({ "BlueGreenUpdatePolicy": { "TrafficRoutingConfiguration": {
            "Type": "CANARY", "CanarySize": { "Type": kind, "Value": value },
        } } })
    }

    fn linear(value: i64) -> Value {
        json!({ "BlueGreenUpdatePolicy": { "TrafficRoutingConfiguration": {
            "Type": "LINEAR", "LinearStepSize": { "Type": "CAPACITY_PERCENT", "Value": value },
        } } })
    }

    fn rolling(value: i64) -> Value {
        json!({ "RollingUpdatePolicy": { "MaximumBatchSize": { "Type": "CAPACITY_PERCENT", "Value": value } } })
    }

    #[test]
    fn a_step_is_within_its_percentages() {
        let same = config(&["v"], &Value::Null);
        for (deployment, good) in [
            (canary("CAPACITY_PERCENT", 1), true),
            (canary("CAPACITY_PERCENT", 50), true),
            (canary("CAPACITY_PERCENT", 51), false),
            (canary("INSTANCE_COUNT", 60), true),
            (linear(9), false),
            (linear(10), true),
            (linear(51), false),
            (rolling(4), false),
            (rolling(5), true),
            (rolling(51), false),
        ] {
            assert_eq!(
                checked(Some(&deployment), Some(&same), &same),
                good,
                "{deployment}"
            );
        }
    }

    #[test]
    fn a_step_must_be_told() {
        let same = config(&["v"], &Value::Null);
        for kind in ["CANARY", "LINEAR"] {
            let routing = json!({ "BlueGreenUpdatePolicy": { "TrafficRoutingConfiguration": { "Type": kind } } });
            assert!(!checked(Some(&routing), Some(&same), &same), "{kind}");
        }
    }

    #[test]
    fn a_deployment_is_blue_green_or_rolling() {
        let same = config(&["v"], &Value::Null);
        let mut both = rolling(10);
        both["BlueGreenUpdatePolicy"] =
            canary("CAPACITY_PERCENT", 10)["BlueGreenUpdatePolicy"].clone();
        assert!(!checked(Some(&both), Some(&same), &same));
    }

    #[test]
    fn traffic_is_shifted_between_variants_of_the_same_names() {
        let (old, new) = (
            config(&["a", "b"], &Value::Null),
            config(&["b", "c"], &Value::Null),
        );
        let reordered = config(&["b", "a"], &Value::Null);
        for deployment in [canary("CAPACITY_PERCENT", 10), linear(10)] {
            assert!(
                !checked(Some(&deployment), Some(&old), &new),
                "{deployment}"
            );
            assert!(checked(Some(&deployment), Some(&old), &reordered));
            assert!(
                checked(Some(&deployment), None, &new),
                "nothing to shift from"
            );
        }
        let one = config(&["a"], &Value::Null);
        let other = config(&["b"], &Value::Null);
        assert!(!checked(Some(&rolling(10)), Some(&one), &other));

        let at_once = json!({ "BlueGreenUpdatePolicy": { "TrafficRoutingConfiguration": { "Type": "ALL_AT_ONCE" } } });
        assert!(checked(Some(&at_once), Some(&old), &new));
        assert!(checked(None, Some(&old), &new));
    }

    #[test]
    fn a_rolling_deployment_is_of_one_variant_with_instances() {
        let one = config(&["v"], &Value::Null);
        let two = config(&["a", "b"], &Value::Null);
        let serverless = config(
            &["v"],
            &json!({ "ProductionVariants": [{ "ServerlessConfig": {} }] }),
        );
        for (old, new, good) in [
            (&one, &one, true),
            (&two, &two, false),
            (&serverless, &serverless, false),
            (&serverless, &one, false),
            (&one, &serverless, false),
        ] {
            assert_eq!(checked(Some(&rolling(10)), Some(old), new), good);
        }
    }

    #[test]
    fn instances_stay_instances_where_that_is_asked_for() {
        let instances = config(&["v"], &Value::Null);
        let serverless = config(
            &["v"],
            &json!({ "ProductionVariants": [{ "ServerlessConfig": {} }] }),
        );
        for (old, new, good) in [
            (&instances, &serverless, false),
            (&instances, &instances, true),
            (&serverless, &instances, true),
            (&serverless, &serverless, true),
        ] {
            assert_eq!(check_stays_on_instances(old, new).is_ok(), good);
        }
    }

    #[test]
    fn an_endpoint_of_inference_components_takes_no_model() {
        let variants = |variant: Value| json!({ "ProductionVariants": [variant] });
        let components = config(&["v"], &variants(json!({ "VariantName": "v" })));
        let model = config(&["v"], &variants(json!({ "ModelName": "m" })));
        assert!(check(Some(&components), &model).is_err());
        assert_eq!(check(Some(&components), &components), Ok(()));
        assert_eq!(check(None, &components), Ok(()));
    }

    #[test]
    fn asynchronous_inference_stays() {
        let real_time = config(&["v"], &Value::Null);
        let asynchronous = config(&["v"], &json!({ "AsyncInferenceConfig": {} }));
        assert!(check(Some(&asynchronous), &real_time).is_err());
        assert_eq!(check(Some(&real_time), &asynchronous), Ok(()));
        assert_eq!(check(Some(&asynchronous), &asynchronous), Ok(()));
    }
}
