//! The shapes of the requests to Application Auto Scaling.
//!
//! Namespaces and dimensions of other services are refused by the operations, which know none of
//! them, and so are metrics that do not go with a dimension.

use super::Member;
use super::Rule::{
    self, Boolean, Each, Items, Length, Map, Members, Number, OneOf, Pattern, Range, Required,
};
use super::common::TEXT;
use crate::names;

const REQUIRED_TEXT: &[Rule] = &[Required, Length(1, 1600)];
const NAMES: &[Rule] = &[Items(0, 50), Each(&[Length(1, 1600)])];
/// Whole numbers are of 32 bits in the service model.
const CAPACITY: &[Rule] = &[Range(0, i32::MAX as i64)];
const ADJUSTMENT: &[Rule] = &[Required, Range(i32::MIN as i64, i32::MAX as i64)];
const COOLDOWN: &[Rule] = CAPACITY;

const TAG_KEY: Rule = Length(1, 128);
const TAG_VALUE: Rule = Length(0, 256);
const TAGS: Rule = Map(&[TAG_KEY], &[TAG_VALUE]);
const ARN: &[Rule] = &[Required, Length(1, 1011)];

const SUSPENDED: &[Member] = &[
    ("DynamicScalingInSuspended", &[Boolean]),
    ("DynamicScalingOutSuspended", &[Boolean]),
    ("ScheduledScalingSuspended", &[Boolean]),
];

pub(super) const REGISTER: &[Member] = &[
    ("ServiceNamespace", REQUIRED_TEXT),
    ("ResourceId", REQUIRED_TEXT),
    ("ScalableDimension", REQUIRED_TEXT),
    ("MinCapacity", CAPACITY),
    ("MaxCapacity", CAPACITY),
    ("RoleARN", &[Length(1, 1600)]),
    ("SuspendedState", &[Members(SUSPENDED)]),
    ("Tags", &[TAGS]),
];
pub(super) const TARGET: &[Member] = &[
    ("ServiceNamespace", REQUIRED_TEXT),
    ("ResourceId", REQUIRED_TEXT),
    ("ScalableDimension", REQUIRED_TEXT),
];
pub(super) const DESCRIBE_TARGETS: &[Member] = &[
    ("ServiceNamespace", REQUIRED_TEXT),
    ("ResourceIds", NAMES),
    ("ScalableDimension", TEXT),
    ("MaxResults", &[Range(1, 50)]),
    ("NextToken", TEXT),
];

const PREDEFINED: &[Member] = &[
    ("PredefinedMetricType", &[Required, Length(1, usize::MAX)]),
    ("ResourceLabel", &[Length(1, 1023)]),
];
const DIMENSION: &[Member] = &[
    ("Name", &[Required, Length(0, usize::MAX)]),
    ("Value", &[Required, Length(0, usize::MAX)]),
];
const CUSTOMIZED: &[Member] = &[
    ("MetricName", TEXT),
    ("Namespace", TEXT),
    ("Dimensions", &[Each(&[Members(DIMENSION)])]),
    (
        "Statistic",
        &[OneOf(&[
            "Average",
            "Minimum",
            "Maximum",
            "SampleCount",
            "Sum",
        ])],
    ),
    ("Unit", TEXT),
    (
        "Metrics",
        &[Each(&[Members(&[("Id", &[Required, Length(1, 255)])])])],
    ),
];
const TARGET_TRACKING: &[Member] = &[
    ("TargetValue", &[Required, Number]),
    ("PredefinedMetricSpecification", &[Members(PREDEFINED)]),
    ("CustomizedMetricSpecification", &[Members(CUSTOMIZED)]),
    ("ScaleOutCooldown", COOLDOWN),
    ("ScaleInCooldown", COOLDOWN),
    ("DisableScaleIn", &[Boolean]),
];
const STEP: &[Member] = &[
    ("MetricIntervalLowerBound", &[Number]),
    ("MetricIntervalUpperBound", &[Number]),
    ("ScalingAdjustment", ADJUSTMENT),
];
const STEP_SCALING: &[Member] = &[
    (
        "AdjustmentType",
        &[OneOf(&[
            "ChangeInCapacity",
            "PercentChangeInCapacity",
            "ExactCapacity",
        ])],
    ),
    ("StepAdjustments", &[Each(&[Members(STEP)])]),
    ("MinAdjustmentMagnitude", CAPACITY),
    ("Cooldown", COOLDOWN),
    (
        "MetricAggregationType",
        &[OneOf(&["Average", "Minimum", "Maximum"])],
    ),
];
pub(super) const PUT_POLICY: &[Member] = &[
    (
        "PolicyName",
        &[Required, Length(1, 256), Pattern(names::PRINTABLE)],
    ),
    ("ServiceNamespace", REQUIRED_TEXT),
    ("ResourceId", REQUIRED_TEXT),
    ("ScalableDimension", REQUIRED_TEXT),
    (
        "PolicyType",
        &[OneOf(&[
            "PredictiveScaling",
            "StepScaling",
            "TargetTrackingScaling",
        ])],
    ),
    ("StepScalingPolicyConfiguration", &[Members(STEP_SCALING)]),
    (
        "TargetTrackingScalingPolicyConfiguration",
        &[Members(TARGET_TRACKING)],
    ),
];
pub(super) const POLICY: &[Member] = &[
    ("PolicyName", REQUIRED_TEXT),
    ("ServiceNamespace", REQUIRED_TEXT),
    ("ResourceId", REQUIRED_TEXT),
    ("ScalableDimension", REQUIRED_TEXT),
];
pub(super) const DESCRIBE_POLICIES: &[Member] = &[
    ("PolicyNames", NAMES),
    ("ServiceNamespace", REQUIRED_TEXT),
    ("ResourceId", &[Length(1, 1600)]),
    ("ScalableDimension", TEXT),
    ("MaxResults", &[Range(1, 10)]),
    ("NextToken", TEXT),
];

const ACTION: &[Member] = &[("MinCapacity", CAPACITY), ("MaxCapacity", CAPACITY)];
pub(super) const PUT_ACTION: &[Member] = &[
    ("ServiceNamespace", REQUIRED_TEXT),
    ("Schedule", &[Length(1, 1600)]),
    ("Timezone", &[Length(1, 1600)]),
    (
        "ScheduledActionName",
        &[
            Required,
            Length(1, 256),
            Pattern(names::SCHEDULED_ACTION_NAME),
        ],
    ),
    ("ResourceId", REQUIRED_TEXT),
    ("ScalableDimension", REQUIRED_TEXT),
    ("StartTime", &[Number]),
    ("EndTime", &[Number]),
    ("ScalableTargetAction", &[Members(ACTION)]),
];
pub(super) const SCHEDULED_ACTION: &[Member] = &[
    ("ServiceNamespace", REQUIRED_TEXT),
    ("ScheduledActionName", REQUIRED_TEXT),
    ("ResourceId", REQUIRED_TEXT),
    ("ScalableDimension", REQUIRED_TEXT),
];
pub(super) const DESCRIBE_ACTIONS: &[Member] = &[
    ("ScheduledActionNames", NAMES),
    ("ServiceNamespace", REQUIRED_TEXT),
    ("ResourceId", &[Length(1, 1600)]),
    ("ScalableDimension", TEXT),
    ("MaxResults", &[Range(1, 50)]),
    ("NextToken", TEXT),
];

pub(super) const LIST_TAGS: &[Member] = &[("ResourceARN", ARN)];
pub(super) const TAG: &[Member] = &[("ResourceARN", ARN), ("Tags", &[Required, TAGS])];
pub(super) const UNTAG: &[Member] = &[
    ("ResourceARN", ARN),
    ("TagKeys", &[Required, Items(0, 200), Each(&[TAG_KEY])]),
];
