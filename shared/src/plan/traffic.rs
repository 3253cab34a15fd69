//! How the service is to move the traffic of an update.

use aws_sdk_sagemaker::types::{
    Alarm, AutoRollbackConfig, BlueGreenUpdatePolicy, CapacitySize, CapacitySizeType,
    DeploymentConfig, RollingUpdatePolicy, TrafficRoutingConfig, TrafficRoutingConfigType,
};

use super::guard::{Footing, Guard};
use crate::contract::{BadKey, Strategy, Traffic, TrafficRouting};

/// The way that guards nothing on what the endpoint runs on, if it is that.
pub(super) fn misfit(traffic: &Traffic, footing: Footing) -> Option<BadKey> {
    let asked = deployment_config(traffic)?;
    // Whose the package is, the plan does not know.
    Guard::Asked(Box::new(asked)).misfit(footing, false)
}

/// The request's part that says how the traffic moves.
pub(super) fn deployment_config(traffic: &Traffic) -> Option<DeploymentConfig> {
    let strategy = traffic.strategy?;
    let alarms = traffic.auto_rollback_alarms.iter();
    let alarms: Vec<_> = alarms
        .map(|name| Alarm::builder().alarm_name(name).build())
        .collect();
    let rollback = AutoRollbackConfig::builder()
        .set_alarms(Some(alarms.clone()))
        .build();
    let config = DeploymentConfig::builder()
        .set_auto_rollback_configuration((!alarms.is_empty()).then_some(rollback));
    let timeout = traffic.maximum_execution_timeout_seconds;
    if strategy.routing == TrafficRouting::Rolling {
        let policy = RollingUpdatePolicy::builder()
            .maximum_batch_size(share(strategy.step_percent))
            .wait_interval_in_seconds(strategy.wait_seconds)
            .set_maximum_execution_timeout_in_seconds(timeout);
        return Some(config.rolling_update_policy(policy.build()).build());
    }
    let policy = BlueGreenUpdatePolicy::builder()
        .traffic_routing_configuration(routing(strategy))
        .set_termination_wait_in_seconds(traffic.termination_wait_seconds)
        .set_maximum_execution_timeout_in_seconds(timeout);
    Some(config.blue_green_update_policy(policy.build()).build())
}

fn routing(strategy: Strategy) -> TrafficRoutingConfig {
    let config = TrafficRoutingConfig::builder().wait_interval_in_seconds(strategy.wait_seconds);
    let step = share(strategy.step_percent);
    let config = match strategy.routing {
        TrafficRouting::Canary => config
            .r#type(TrafficRoutingConfigType::Canary)
            .canary_size(step),
        TrafficRouting::Linear => config
            .r#type(TrafficRoutingConfigType::Linear)
            .linear_step_size(step),
        TrafficRouting::AllAtOnce | TrafficRouting::Rolling => {
            config.r#type(TrafficRoutingConfigType::AllAtOnce)
        }
    };
    config.build()
}

fn share(percent: i32) -> CapacitySize {
    CapacitySize::builder()
        .r#type(CapacitySizeType::CapacityPercent)
        .value(percent)
        .build()
}
