//! The shapes of the requests about endpoints.

use super::Member;
use super::Rule::{
    self, Boolean, Each, Items, Length, Members, NotNegative, OneOf, Range, Required,
};
use super::common::{REQUIRED_ENTITY, TAGS};

const WAIT: &[Rule] = &[Required, Range(0, 3600)];
const EXECUTION_TIMEOUT: &[Rule] = &[Range(600, 28800)];
const CAPACITY: &[Member] = &[
    (
        "Type",
        &[Required, OneOf(&["INSTANCE_COUNT", "CAPACITY_PERCENT"])],
    ),
    ("Value", &[Required, Range(1, i64::MAX)]),
];
const TRAFFIC_ROUTING: &[Member] = &[
    (
        "Type",
        &[Required, OneOf(&["ALL_AT_ONCE", "CANARY", "LINEAR"])],
    ),
    ("WaitIntervalInSeconds", WAIT),
    ("CanarySize", &[Members(CAPACITY)]),
    ("LinearStepSize", &[Members(CAPACITY)]),
];
const BLUE_GREEN: &[Member] = &[
    (
        "TrafficRoutingConfiguration",
        &[Required, Members(TRAFFIC_ROUTING)],
    ),
    ("TerminationWaitInSeconds", &[Range(0, 3600)]),
    ("MaximumExecutionTimeoutInSeconds", EXECUTION_TIMEOUT),
];
const ROLLING: &[Member] = &[
    ("MaximumBatchSize", &[Required, Members(CAPACITY)]),
    ("WaitIntervalInSeconds", WAIT),
    ("MaximumExecutionTimeoutInSeconds", EXECUTION_TIMEOUT),
    ("RollbackMaximumBatchSize", &[Members(CAPACITY)]),
];
const ALARMS: &[Rule] = &[
    Items(1, 10),
    Each(&[Members(&[("AlarmName", &[Length(1, 255)])])]),
];
const DEPLOYMENT: &[Member] = &[
    ("BlueGreenUpdatePolicy", &[Members(BLUE_GREEN)]),
    ("RollingUpdatePolicy", &[Members(ROLLING)]),
    (
        "AutoRollbackConfiguration",
        &[Members(&[("Alarms", ALARMS)])],
    ),
];

const VARIANT_PROPERTY: &[Member] = &[(
    "VariantPropertyType",
    &[
        Required,
        OneOf(&["DesiredInstanceCount", "DesiredWeight", "DataCaptureConfig"]),
    ],
)];

pub(super) const CREATE: &[Member] = &[
    ("EndpointName", REQUIRED_ENTITY),
    ("EndpointConfigName", REQUIRED_ENTITY),
    ("DeploymentConfig", &[Members(DEPLOYMENT)]),
    ("Tags", TAGS),
];
pub(super) const UPDATE: &[Member] = &[
    ("EndpointName", REQUIRED_ENTITY),
    ("EndpointConfigName", REQUIRED_ENTITY),
    ("RetainAllVariantProperties", &[Boolean]),
    (
        "ExcludeRetainedVariantProperties",
        &[Items(0, 3), Each(&[Members(VARIANT_PROPERTY)])],
    ),
    ("DeploymentConfig", &[Members(DEPLOYMENT)]),
    ("RetainDeploymentConfig", &[Boolean]),
];

const SERVERLESS_UPDATE: &[Member] = &[
    ("MaxConcurrency", &[Range(1, 200)]),
    ("ProvisionedConcurrency", &[Range(1, 200)]),
];
const DESIRED: &[Member] = &[
    ("VariantName", REQUIRED_ENTITY),
    ("DesiredWeight", &[NotNegative]),
    ("DesiredInstanceCount", &[Range(0, i64::MAX)]),
    ("ServerlessUpdateConfig", &[Members(SERVERLESS_UPDATE)]),
];
pub(super) const UPDATE_WEIGHTS_AND_CAPACITIES: &[Member] = &[
    ("EndpointName", REQUIRED_ENTITY),
    (
        "DesiredWeightsAndCapacities",
        &[Required, Items(1, usize::MAX), Each(&[Members(DESIRED)])],
    ),
];
pub(super) const ENDPOINT: &[Member] = &[("EndpointName", REQUIRED_ENTITY)];
