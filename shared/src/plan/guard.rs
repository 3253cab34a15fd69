//! What guards an update: how the service moves its traffic, and which alarms roll it back.

use std::fmt;

use aws_sdk_sagemaker::types::{
    CapacitySize, CapacitySizeType, DeploymentConfig, TrafficRoutingConfigType,
};

use crate::contract::BadKey;

/// How the service is asked to move the traffic of an update.
#[derive(Debug, Clone, PartialEq)]
pub enum Guard {
    /// All at once, without a wait.
    None,
    /// As the keys say (`DeploymentConfig`).
    Asked(Box<DeploymentConfig>),
    /// As the endpoint's last update with a deployment config did (`RetainDeploymentConfig`).
    Retained(Box<DeploymentConfig>),
}

impl Guard {
    /// The guard of an update: what the keys ask for, else what the endpoint has. A key that says `all-at-once` is an
    /// answer too.
    pub fn of(
        asked: Option<&DeploymentConfig>,
        any_key: bool,
        last: Option<&DeploymentConfig>,
    ) -> Self {
        match (asked, last) {
            (Some(asked), _) => Self::Asked(Box::new(asked.clone())),
            (None, Some(last)) if !any_key => Self::Retained(Box::new(last.clone())),
            _ => Self::None,
        }
    }

    /// The deployment config by which the traffic moves, wherever it comes from.
    pub fn config(&self) -> Option<&DeploymentConfig> {
        match self {
            Self::None => None,
            Self::Asked(config) | Self::Retained(config) => Some(config),
        }
    }

    /// Who says so.
    pub fn source(&self) -> &'static str {
        match self {
            Self::None => "nobody",
            Self::Asked(_) => "the keys",
            Self::Retained(_) => "the endpoint's last deployment config",
        }
    }

    /// How long the steps and the wait for the end take besides the instances, in seconds; `None` if the number of
    /// steps depends on the number of instances.
    pub fn waits_seconds(&self) -> Option<i32> {
        let Some(config) = self.config() else {
            return Some(0);
        };
        if let Some(rolling) = &config.rolling_update_policy {
            let wait = rolling.wait_interval_in_seconds.unwrap_or(0);
            return Some(steps(rolling.maximum_batch_size.as_ref())? * wait);
        }
        let Some(policy) = &config.blue_green_update_policy else {
            return Some(0);
        };
        let end = policy.termination_wait_in_seconds.unwrap_or(0);
        let Some(routing) = &policy.traffic_routing_configuration else {
            return Some(end);
        };
        let steps = match &routing.r#type {
            Some(TrafficRoutingConfigType::Canary) => 2,
            Some(TrafficRoutingConfigType::Linear) => steps(routing.linear_step_size.as_ref())?,
            _ => 1,
        };
        Some(steps * routing.wait_interval_in_seconds.unwrap_or(0) + end)
    }
}

/// What an endpoint runs on, as far as it decides whether SageMaker moves the traffic step by step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Footing {
    /// Whether a variant is serverless, before the update or after it.
    pub is_serverless: bool,
    /// Whether a variant runs on `ml.inf1` instances, before the update or after it.
    pub has_inf1: bool,
    /// The number of production variants.
    pub variants: usize,
}

/// Why SageMaker would move the traffic all at once, without a word, or not at all.
pub(super) fn unguarded(way: Way, footing: Footing, is_product: bool) -> Option<&'static str> {
    match (way, footing) {
        (Way::AllAtOnce, _) => None,
        (
            Way::Rolling,
            Footing {
                is_serverless: true,
                ..
            },
        ) => Some("a serverless endpoint has no instances to replace"),
        (Way::Rolling, Footing { variants: 2.., .. }) => {
            Some("the service rolls no endpoint of several production variants")
        }
        (
            _,
            Footing {
                is_serverless: true,
                ..
            },
        ) => Some("the service moves the traffic of a serverless endpoint all at once"),
        (_, Footing { has_inf1: true, .. }) => {
            Some("the service moves the traffic of ml.inf1 instances all at once")
        }
        _ if is_product => {
            Some("the service moves the traffic of an AWS Marketplace package all at once")
        }
        _ => None,
    }
}

/// Whether the traffic moves in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It does not.
    AllAtOnce,
    /// As a canary or linearly.
    InSteps,
    /// Batch by batch.
    Rolling,
}

impl Way {
    fn of(config: &DeploymentConfig) -> Self {
        if config.rolling_update_policy.is_some() {
            return Self::Rolling;
        }
        let policy = config.blue_green_update_policy.as_ref();
        let routing = policy.and_then(|policy| policy.traffic_routing_configuration.as_ref());
        match routing.and_then(|routing| routing.r#type.as_ref()) {
            Some(TrafficRoutingConfigType::Canary | TrafficRoutingConfigType::Linear) => {
                Self::InSteps
            }
            _ => Self::AllAtOnce,
        }
    }
}

impl Guard {
    /// The key that has to say another way, if this guard would be none.
    ///
    /// `is_product` says that the model package is one of AWS Marketplace.
    pub fn misfit(&self, footing: Footing, is_product: bool) -> Option<BadKey> {
        let way = Way::of(self.config()?);
        let why = unguarded(way, footing, is_product)?;
        let reason = match self {
            Self::Retained(_) => format!(
                "is missing, and the endpoint's own way ({self}) would guard nothing: {why}; set all-at-once"
            ),
            _ => format!("would guard nothing here: {why}"),
        };
        Some(BadKey::new("traffic_routing", reason))
    }
}

/// How many steps of a size make the whole.
fn steps(size: Option<&CapacitySize>) -> Option<i32> {
    let size = size?;
    let value = size.value.filter(|value| *value > 0)?;
    let in_percent = size.r#type == Some(CapacitySizeType::CapacityPercent);
    in_percent.then_some((100 + value - 1) / value)
}

impl fmt::Display for Guard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(config) = self.config() else {
            return formatter.write_str("all at once, without a wait");
        };
        let blue_green = config.blue_green_update_policy.as_ref();
        let routing = blue_green.and_then(|policy| policy.traffic_routing_configuration.as_ref());
        let rolling = config.rolling_update_policy.as_ref();
        let (way, wait) = match (rolling, routing) {
            (Some(rolling), _) => {
                let size = sized(rolling.maximum_batch_size.as_ref());
                (
                    format!("rolling in batches of {size}"),
                    rolling.wait_interval_in_seconds,
                )
            }
            (None, Some(routing)) => {
                let way = match &routing.r#type {
                    Some(TrafficRoutingConfigType::Canary) => {
                        format!("canary of {}", sized(routing.canary_size.as_ref()))
                    }
                    Some(TrafficRoutingConfigType::Linear) => {
                        let size = sized(routing.linear_step_size.as_ref());
                        format!("linear in steps of {size}")
                    }
                    _ => "all at once".to_owned(),
                };
                (way, routing.wait_interval_in_seconds)
            }
            (None, None) => ("all at once".to_owned(), None),
        };
        write!(formatter, "{way}, {} s after each step", wait.unwrap_or(0))?;
        let end = blue_green.and_then(|policy| policy.termination_wait_in_seconds);
        if let Some(end) = end {
            write!(formatter, ", the old instances stay {end} s")?;
        }
        let rollback = config.auto_rollback_configuration.as_ref();
        let alarms: Vec<_> = rollback
            .iter()
            .flat_map(|rollback| rollback.alarms())
            .filter_map(|alarm| alarm.alarm_name())
            .collect();
        if !alarms.is_empty() {
            write!(formatter, ", rolled back by {}", alarms.join(", "))?;
        }
        Ok(())
    }
}

fn sized(size: Option<&CapacitySize>) -> String {
    let value = size.and_then(|size| size.value).unwrap_or_default();
    match size.and_then(|size| size.r#type.as_ref()) {
        Some(CapacitySizeType::InstanceCount) => format!("{value} instances"),
        _ => format!("{value} percent"),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sagemaker::types::{
        Alarm, AutoRollbackConfig, BlueGreenUpdatePolicy, RollingUpdatePolicy, TrafficRoutingConfig,
    };

    use super::*;

    fn size(kind: CapacitySizeType, value: i32) -> CapacitySize {
        CapacitySize::builder().r#type(kind).value(value).build()
    }

    fn canary() -> DeploymentConfig {
        let routing = TrafficRoutingConfig::builder()
            .r#type(TrafficRoutingConfigType::Canary)
            .wait_interval_in_seconds(300)
            .canary_size(size(CapacitySizeType::CapacityPercent, 10));
        let policy = BlueGreenUpdatePolicy::builder()
            .traffic_routing_configuration(routing.build())
            .termination_wait_in_seconds(60);
        let alarm = Alarm::builder().alarm_name("churn-errors").build();
        DeploymentConfig::builder()
            .blue_green_update_policy(policy.build())
            .auto_rollback_configuration(AutoRollbackConfig::builder().alarms(alarm).build())
            .build()
    }

    fn rolling(kind: CapacitySizeType, value: i32) -> DeploymentConfig {
        let policy = RollingUpdatePolicy::builder()
            .maximum_batch_size(size(kind, value))
            .wait_interval_in_seconds(30);
        DeploymentConfig::builder()
            .rolling_update_policy(policy.build())
            .build()
    }

    #[test]
    fn the_endpoints_own_guard_is_retained_if_no_key_says_another() {
        let (asked, last) = (rolling(CapacitySizeType::CapacityPercent, 20), canary());
        let of = |asked, any_key, last| Guard::of(asked, any_key, last).source();
        assert_eq!(of(Some(&asked), true, Some(&last)), "the keys");
        assert_eq!(
            of(None, false, Some(&last)),
            "the endpoint's last deployment config"
        );
        assert_eq!(of(None, true, Some(&last)), "nobody");
        assert_eq!(of(None, false, None), "nobody");
    }

    #[test]
    fn a_guard_that_would_be_none_is_refused_whoever_says_it() {
        let plain = Footing {
            variants: 1,
            ..Footing::default()
        };
        let serverless = Footing {
            is_serverless: true,
            ..plain
        };
        let inf1 = Footing {
            has_inf1: true,
            ..plain
        };
        let two = Footing {
            variants: 2,
            ..plain
        };
        let all_at_once = DeploymentConfig::builder().build();
        let rolling = rolling(CapacitySizeType::CapacityPercent, 20);
        for (config, footing, is_product, refused) in [
            (canary(), plain, false, false),
            (canary(), plain, true, true),
            (canary(), serverless, false, true),
            (canary(), inf1, false, true),
            (canary(), two, false, false),
            (rolling.clone(), two, false, true),
            (rolling, plain, false, false),
            (all_at_once, serverless, true, false),
        ] {
            let config = Box::new(config);
            for guard in [Guard::Asked(config.clone()), Guard::Retained(config)] {
                let bad = guard.misfit(footing, is_product);
                assert_eq!(bad.is_some(), refused, "{guard} {footing:?}");
                assert!(bad.is_none_or(|bad| bad.key == "traffic_routing"));
            }
        }
        assert_eq!(Guard::None.misfit(serverless, true), None);
    }

    #[test]
    fn a_guard_says_how_it_moves_the_traffic_and_how_long_that_takes() {
        let told = |config| {
            let guard = Guard::Retained(Box::new(config));
            (guard.to_string(), guard.waits_seconds())
        };
        let (words, waits) = told(canary());
        assert_eq!(
            words,
            "canary of 10 percent, 300 s after each step, the old instances stay 60 s, rolled back by churn-errors"
        );
        assert_eq!(waits, Some(660));
        assert_eq!(
            told(rolling(CapacitySizeType::CapacityPercent, 30)),
            (
                "rolling in batches of 30 percent, 30 s after each step".to_owned(),
                Some(120)
            )
        );
        assert_eq!(
            told(rolling(CapacitySizeType::InstanceCount, 3)).1,
            None,
            "of how many?"
        );
        assert_eq!(Guard::None.waits_seconds(), Some(0));
    }
}
