//! The shapes of the requests about endpoint configs.

use super::Member;
use super::Rule::{
    self, Boolean, Each, Items, Length, Members, NotNegative, OneOf, Pattern, Range, Required,
};
use super::common::{KMS_KEY, MODEL_NAME, REQUIRED_ENTITY, ROLE, STRUCTURE, TAGS, TEXT, VPC};
use crate::names;

const S3_DESTINATION: &[Rule] = &[Length(0, 512), Pattern(names::S3_DESTINATION)];
const REQUIRED_S3_DESTINATION: &[Rule] =
    &[Required, Length(0, 512), Pattern(names::S3_DESTINATION)];
const TOPIC: &[Rule] = &[Length(0, 2048), Pattern(names::SNS_TOPIC)];

const SERVERLESS: &[Member] = &[
    ("MemorySizeInMB", &[Required, Range(1024, 6144)]),
    ("MaxConcurrency", &[Required, Range(1, 200)]),
    ("ProvisionedConcurrency", &[Range(1, 200)]),
];
const INSTANCE_POOL: &[Member] = &[
    ("InstanceType", &[Required, Pattern(names::INSTANCE_TYPE)]),
    ("ModelNameOverride", MODEL_NAME),
    ("Priority", &[Required, Range(1, 5)]),
];
const SCALE_IN: &[Member] = &[
    (
        "Strategy",
        &[Required, OneOf(&["IDLE_RELEASE", "CONSOLIDATION"])],
    ),
    ("MaximumStepSize", &[Range(1, 100)]),
    ("CooldownInMinutes", &[Range(5, 1440)]),
];
const MANAGED_SCALING: &[Member] = &[
    ("Status", &[OneOf(&["ENABLED", "DISABLED"])]),
    ("MinInstanceCount", &[Range(0, i64::MAX)]),
    ("MaxInstanceCount", &[Range(1, i64::MAX)]),
    ("ScaleInPolicy", &[Members(SCALE_IN)]),
];
const PREFIX_AWARE: &[Member] = &[
    ("PrefixLength", &[Range(1024, 65536)]),
    ("ConcurrencyThreshold", &[Range(1, 1024)]),
];
const ROUTING: &[Member] = &[
    (
        "RoutingStrategy",
        &[
            Required,
            OneOf(&["LEAST_OUTSTANDING_REQUESTS", "RANDOM", "PREFIX_AWARE"]),
        ],
    ),
    ("PrefixAwareRoutingConfig", &[Members(PREFIX_AWARE)]),
];
const CORE_DUMP: &[Member] = &[
    ("DestinationS3Uri", REQUIRED_S3_DESTINATION),
    ("KmsKeyId", KMS_KEY),
];
/// Instance types, accelerators and machine images are lists that grow, so of them only the form is
/// checked.
const VARIANT: &[Member] = &[
    ("VariantName", REQUIRED_ENTITY),
    ("ModelName", MODEL_NAME),
    ("InitialInstanceCount", &[Range(1, i64::MAX)]),
    ("InstanceType", &[Pattern(names::INSTANCE_TYPE)]),
    (
        "InstancePools",
        &[Items(1, 5), Each(&[Members(INSTANCE_POOL)])],
    ),
    (
        "VariantInstanceProvisionTimeoutInSeconds",
        &[Range(300, 3600)],
    ),
    ("InitialVariantWeight", &[NotNegative]),
    ("AcceleratorType", TEXT),
    ("CoreDumpConfig", &[Members(CORE_DUMP)]),
    ("ServerlessConfig", &[Members(SERVERLESS)]),
    ("VolumeSizeInGB", &[Range(1, 512)]),
    ("ModelDataDownloadTimeoutInSeconds", &[Range(60, 3600)]),
    (
        "ContainerStartupHealthCheckTimeoutInSeconds",
        &[Range(60, 3600)],
    ),
    ("EnableSSMAccess", &[Boolean]),
    ("ManagedInstanceScaling", &[Members(MANAGED_SCALING)]),
    ("RoutingConfig", &[Members(ROUTING)]),
    ("InferenceAmiVersion", TEXT),
    ("CapacityReservationConfig", STRUCTURE),
];

const CAPTURE_OPTION: &[Member] = &[(
    "CaptureMode",
    &[Required, OneOf(&["Input", "Output", "InputAndOutput"])],
)];
const CONTENT_TYPES: &[Rule] = &[
    Items(1, 10),
    Each(&[Length(1, 256), Pattern(names::CONTENT_TYPE)]),
];
const DATA_CAPTURE: &[Member] = &[
    ("EnableCapture", &[Boolean]),
    ("InitialSamplingPercentage", &[Required, Range(0, 100)]),
    ("DestinationS3Uri", REQUIRED_S3_DESTINATION),
    ("KmsKeyId", KMS_KEY),
    (
        "CaptureOptions",
        &[Required, Items(1, 32), Each(&[Members(CAPTURE_OPTION)])],
    ),
    (
        "CaptureContentTypeHeader",
        &[Members(&[
            ("CsvContentTypes", CONTENT_TYPES),
            ("JsonContentTypes", CONTENT_TYPES),
        ])],
    ),
];

const TOPIC_KINDS: &[&str] = &["SUCCESS_NOTIFICATION_TOPIC", "ERROR_NOTIFICATION_TOPIC"];
const NOTIFICATION: &[Member] = &[
    ("SuccessTopic", TOPIC),
    ("ErrorTopic", TOPIC),
    (
        "IncludeInferenceResponseIn",
        &[Items(0, 2), Each(&[OneOf(TOPIC_KINDS)])],
    ),
];
const ASYNC_INFERENCE: &[Member] = &[
    (
        "ClientConfig",
        &[Members(&[(
            "MaxConcurrentInvocationsPerInstance",
            &[Range(1, 1000)],
        )])],
    ),
    (
        "OutputConfig",
        &[
            Required,
            Members(&[
                ("KmsKeyId", KMS_KEY),
                ("S3OutputPath", S3_DESTINATION),
                ("NotificationConfig", &[Members(NOTIFICATION)]),
                ("S3FailurePath", S3_DESTINATION),
            ]),
        ],
    ),
];

const METRICS: &[Member] = &[
    ("EnableEnhancedMetrics", &[Boolean]),
    ("EnableDetailedObservability", &[Boolean]),
    (
        "MetricPublishFrequencyInSeconds",
        &[Range(i64::MIN, i64::MAX)],
    ),
];

pub(super) const CREATE: &[Member] = &[
    ("EndpointConfigName", REQUIRED_ENTITY),
    (
        "ProductionVariants",
        &[Required, Items(1, 10), Each(&[Members(VARIANT)])],
    ),
    (
        "ShadowProductionVariants",
        &[Items(1, 10), Each(&[Members(VARIANT)])],
    ),
    ("DataCaptureConfig", &[Members(DATA_CAPTURE)]),
    ("AsyncInferenceConfig", &[Members(ASYNC_INFERENCE)]),
    // What is in it is the business of the explainer, which there is none of here.
    ("ExplainerConfig", STRUCTURE),
    ("KmsKeyId", KMS_KEY),
    ("ExecutionRoleArn", ROLE),
    ("VpcConfig", &[Members(VPC)]),
    ("EnableNetworkIsolation", &[Boolean]),
    ("MetricsConfig", &[Members(METRICS)]),
    ("Tags", TAGS),
];
pub(super) const CONFIG: &[Member] = &[("EndpointConfigName", REQUIRED_ENTITY)];
