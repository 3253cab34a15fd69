//! The shapes of the requests, from the service model: what each operation's members must satisfy.

use Rule::{Each, Items, Length, Members, OneOf, Pattern, Range, Required};

use crate::names;

/// What a member must satisfy.
#[derive(Debug)]
pub(crate) enum Rule {
    /// It must be there.
    Required,
    /// A string of so many characters.
    Length(usize, usize),
    /// A string that follows a pattern from `names`.
    Pattern(&'static str),
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// A number within these bounds.
    Range(i64, i64),
    /// A list of so many items.
    Items(usize, usize),
    /// A list whose items each satisfy these rules.
    Each(&'static [Rule]),
    /// A structure with these members.
    Members(&'static [Member]),
}

/// A member's name and what it must satisfy. Members that are not listed are taken as they are.
pub(crate) type Member = (&'static str, &'static [Rule]);

/// What the members of an operation's request must satisfy.
pub(crate) fn request(operation: &str) -> &'static [Member] {
    match operation {
        "CreateModelPackageGroup" => CREATE_MODEL_PACKAGE_GROUP,
        "DescribeModelPackageGroup" | "DeleteModelPackageGroup" => MODEL_PACKAGE_GROUP,
        "CreateModelPackage" => CREATE_MODEL_PACKAGE,
        "UpdateModelPackage" => UPDATE_MODEL_PACKAGE,
        "DescribeModelPackage" | "DeleteModelPackage" => MODEL_PACKAGE,
        "CreateModel" => CREATE_MODEL,
        "DescribeModel" | "DeleteModel" => MODEL,
        "CreateEndpointConfig" => CREATE_ENDPOINT_CONFIG,
        "DescribeEndpointConfig" | "DeleteEndpointConfig" => ENDPOINT_CONFIG,
        "CreateEndpoint" => CREATE_ENDPOINT,
        "UpdateEndpoint" => UPDATE_ENDPOINT,
        "UpdateEndpointWeightsAndCapacities" => UPDATE_WEIGHTS_AND_CAPACITIES,
        "DescribeEndpoint" | "DeleteEndpoint" => ENDPOINT,
        "ListModelPackages" => LIST_MODEL_PACKAGES,
        "ListModels" | "ListEndpointConfigs" => LIST,
        "ListEndpoints" => LIST_ENDPOINTS,
        "AddTags" => ADD_TAGS,
        "ListTags" => RESOURCE,
        "DeleteTags" => DELETE_TAGS,
        _ => &[],
    }
}

const ENTITY: &[Rule] = &[Length(0, 63), Pattern(names::ENTITY_NAME)];
const REQUIRED_ENTITY: &[Rule] = &[Required, Length(0, 63), Pattern(names::ENTITY_NAME)];
const REQUIRED_MODEL: &[Rule] = &[Required, Length(0, 63), Pattern(names::MODEL_NAME)];
const GROUP: &[Rule] = &[Length(1, 170), Pattern(names::ARN_OR_NAME)];
const REQUIRED_GROUP: &[Rule] = &[Required, Length(1, 170), Pattern(names::ARN_OR_NAME)];
const PACKAGE: &[Rule] = &[Length(1, 176), Pattern(names::VERSIONED_ARN_OR_NAME)];
const REQUIRED_PACKAGE: &[Rule] = &[
    Required,
    Length(1, 176),
    Pattern(names::VERSIONED_ARN_OR_NAME),
];
const ROLE: &[Rule] = &[Length(20, 2048), Pattern(names::ROLE_ARN)];
const APPROVAL: &[Rule] = &[OneOf(&["Approved", "Rejected", "PendingManualApproval"])];
const DESCRIPTION: &[Rule] = &[Length(0, 1024)];
const KMS_KEY: &[Rule] = &[Length(0, 2048), Pattern(names::KMS_KEY)];
const S3_PLACE: &[Rule] = &[Length(0, 512), Pattern(names::S3_URI)];
const REQUIRED_S3_PLACE: &[Rule] = &[Required, Length(0, 512), Pattern(names::S3_URI)];
const REQUIRED_RESOURCE_ARN: &[Rule] = &[Required, Length(0, 256), Pattern(names::RESOURCE_ARN)];

const TAG: &[Member] = &[
    ("Key", &[Required, Length(1, 128)]),
    ("Value", &[Required, Length(0, 256)]),
];
const TAGS: &[Rule] = &[Items(0, 50), Each(&[Members(TAG)])];

const CREATE_MODEL_PACKAGE_GROUP: &[Member] = &[
    ("ModelPackageGroupName", REQUIRED_ENTITY),
    ("ModelPackageGroupDescription", DESCRIPTION),
    ("Tags", TAGS),
];
const MODEL_PACKAGE_GROUP: &[Member] = &[("ModelPackageGroupName", REQUIRED_GROUP)];

const CREATE_MODEL_PACKAGE: &[Member] = &[
    ("ModelPackageName", ENTITY),
    ("ModelPackageGroupName", GROUP),
    ("ModelPackageDescription", DESCRIPTION),
    (
        "InferenceSpecification",
        &[Members(&[("Containers", &[Required, Items(1, 15)])])],
    ),
    ("ModelApprovalStatus", APPROVAL),
    ("Tags", TAGS),
];
const UPDATE_MODEL_PACKAGE: &[Member] = &[
    (
        "ModelPackageArn",
        &[Required, Length(1, 2048), Pattern(names::MODEL_PACKAGE_ARN)],
    ),
    ("ModelApprovalStatus", APPROVAL),
    ("ApprovalDescription", DESCRIPTION),
];
const MODEL_PACKAGE: &[Member] = &[("ModelPackageName", REQUIRED_PACKAGE)];

const CONTAINER: &[Member] = &[
    ("ContainerHostname", ENTITY),
    ("Image", &[Length(0, 255)]),
    ("ModelDataUrl", &[Length(0, 1024), Pattern(names::S3_URI)]),
    ("ModelPackageName", PACKAGE),
    ("Mode", &[OneOf(&["SingleModel", "MultiModel"])]),
];
const VPC: &[Member] = &[
    ("SecurityGroupIds", &[Required, Items(1, 5)]),
    ("Subnets", &[Required, Items(1, 16)]),
];
const CREATE_MODEL: &[Member] = &[
    ("ModelName", REQUIRED_MODEL),
    ("PrimaryContainer", &[Members(CONTAINER)]),
    ("Containers", &[Items(0, 15), Each(&[Members(CONTAINER)])]),
    ("ExecutionRoleArn", ROLE),
    ("VpcConfig", &[Members(VPC)]),
    ("Tags", TAGS),
];
const MODEL: &[Member] = &[("ModelName", REQUIRED_MODEL)];

const SERVERLESS: &[Member] = &[
    ("MemorySizeInMB", &[Required, Range(1024, 6144)]),
    ("MaxConcurrency", &[Required, Range(1, 200)]),
    ("ProvisionedConcurrency", &[Range(1, 200)]),
];
const VARIANT: &[Member] = &[
    ("VariantName", REQUIRED_ENTITY),
    ("ModelName", &[Length(0, 63), Pattern(names::MODEL_NAME)]),
    ("InitialInstanceCount", &[Range(1, i64::MAX)]),
    ("InstanceType", &[Pattern(names::INSTANCE_TYPE)]),
    ("ServerlessConfig", &[Members(SERVERLESS)]),
    ("VolumeSizeInGB", &[Range(1, 512)]),
    ("ModelDataDownloadTimeoutInSeconds", &[Range(60, 3600)]),
    (
        "ContainerStartupHealthCheckTimeoutInSeconds",
        &[Range(60, 3600)],
    ),
];
const DATA_CAPTURE: &[Member] = &[
    ("InitialSamplingPercentage", &[Required, Range(0, 100)]),
    ("DestinationS3Uri", REQUIRED_S3_PLACE),
    ("KmsKeyId", KMS_KEY),
    (
        "CaptureOptions",
        &[Required, Items(1, 32), Each(&[Members(CAPTURE_OPTION)])],
    ),
];
const CAPTURE_OPTION: &[Member] = &[(
    "CaptureMode",
    &[Required, OneOf(&["Input", "Output", "InputAndOutput"])],
)];
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
                ("S3OutputPath", S3_PLACE),
                ("S3FailurePath", S3_PLACE),
                ("KmsKeyId", KMS_KEY),
            ]),
        ],
    ),
];
const CREATE_ENDPOINT_CONFIG: &[Member] = &[
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
    ("KmsKeyId", KMS_KEY),
    ("ExecutionRoleArn", ROLE),
    ("VpcConfig", &[Members(VPC)]),
    ("Tags", TAGS),
];
const ENDPOINT_CONFIG: &[Member] = &[("EndpointConfigName", REQUIRED_ENTITY)];

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
const CREATE_ENDPOINT: &[Member] = &[
    ("EndpointName", REQUIRED_ENTITY),
    ("EndpointConfigName", REQUIRED_ENTITY),
    ("DeploymentConfig", &[Members(DEPLOYMENT)]),
    ("Tags", TAGS),
];
const UPDATE_ENDPOINT: &[Member] = &[
    ("EndpointName", REQUIRED_ENTITY),
    ("EndpointConfigName", REQUIRED_ENTITY),
    ("DeploymentConfig", &[Members(DEPLOYMENT)]),
    ("ExcludeRetainedVariantProperties", &[Items(0, 3)]),
];
const DESIRED: &[Member] = &[
    ("VariantName", REQUIRED_ENTITY),
    ("DesiredInstanceCount", &[Range(0, i64::MAX)]),
];
const UPDATE_WEIGHTS_AND_CAPACITIES: &[Member] = &[
    ("EndpointName", REQUIRED_ENTITY),
    (
        "DesiredWeightsAndCapacities",
        &[Required, Items(1, usize::MAX), Each(&[Members(DESIRED)])],
    ),
];
const ENDPOINT: &[Member] = &[("EndpointName", REQUIRED_ENTITY)];

const MAX_RESULTS: &[Rule] = &[Range(1, 100)];
const NAME_CONTAINS: &[Rule] = &[Length(0, 63), Pattern(names::NAME_CONTAINS)];
const SORT_ORDER: &[Rule] = &[OneOf(&["Ascending", "Descending"])];
const SORT_BY: &[Rule] = &[OneOf(&["Name", "CreationTime"])];
const NEXT_TOKEN: &[Rule] = &[Length(0, 8192)];
const LIST: &[Member] = &[
    ("MaxResults", MAX_RESULTS),
    ("NameContains", NAME_CONTAINS),
    ("NextToken", NEXT_TOKEN),
    ("SortBy", SORT_BY),
    ("SortOrder", SORT_ORDER),
];
const LIST_MODEL_PACKAGES: &[Member] = &[
    ("MaxResults", MAX_RESULTS),
    ("ModelApprovalStatus", APPROVAL),
    ("ModelPackageGroupName", GROUP),
    (
        "ModelPackageType",
        &[OneOf(&["Versioned", "Unversioned", "Both"])],
    ),
    ("NameContains", NAME_CONTAINS),
    ("NextToken", NEXT_TOKEN),
    ("SortBy", SORT_BY),
    ("SortOrder", SORT_ORDER),
];
const LIST_ENDPOINTS: &[Member] = &[
    ("MaxResults", MAX_RESULTS),
    ("NameContains", NAME_CONTAINS),
    ("NextToken", NEXT_TOKEN),
    ("SortBy", &[OneOf(&["Name", "CreationTime", "Status"])]),
    ("SortOrder", SORT_ORDER),
    (
        "StatusEquals",
        &[OneOf(&[
            "OutOfService",
            "Creating",
            "Updating",
            "SystemUpdating",
            "RollingBack",
            "InService",
            "Deleting",
            "Failed",
            "UpdateRollbackFailed",
        ])],
    ),
];

const ADD_TAGS: &[Member] = &[
    ("ResourceArn", REQUIRED_RESOURCE_ARN),
    ("Tags", &[Required, Items(0, 50), Each(&[Members(TAG)])]),
];
const RESOURCE: &[Member] = &[("ResourceArn", REQUIRED_RESOURCE_ARN)];
const DELETE_TAGS: &[Member] = &[
    ("ResourceArn", REQUIRED_RESOURCE_ARN),
    (
        "TagKeys",
        &[Required, Items(1, 50), Each(&[Length(1, 128)])],
    ),
];
