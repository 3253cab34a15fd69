//! The shapes of the requests about models.

use super::Member;
use super::Rule::{self, Boolean, Each, Items, Length, Members, OneOf, Pattern, Required};
use super::common::{ENTITY, PACKAGE, REQUIRED_MODEL_NAME, ROLE, STRUCTURE, TAGS, VPC};
use crate::names;

const REQUIRED_S3_MODEL: &[Rule] = &[Required, Length(0, 1024), Pattern(names::S3_URI)];
const S3_DATA_SOURCE: &[Member] = &[
    ("S3Uri", REQUIRED_S3_MODEL),
    ("S3DataType", &[Required, OneOf(&["S3Prefix", "S3Object"])]),
    ("CompressionType", &[Required, OneOf(&["None", "Gzip"])]),
    (
        "ModelAccessConfig",
        &[Members(&[("AcceptEula", &[Required, Boolean])])],
    ),
];
const MODEL_DATA_SOURCE: &[Member] = &[("S3DataSource", &[Members(S3_DATA_SOURCE)])];
const IMAGE_CONFIG: &[Member] = &[(
    "RepositoryAccessMode",
    &[Required, OneOf(&["Platform", "Vpc"])],
)];
const CONTAINER: &[Member] = &[
    ("ContainerHostname", ENTITY),
    ("Image", &[Length(0, 255), Pattern(names::IMAGE)]),
    ("ImageConfig", &[Members(IMAGE_CONFIG)]),
    ("Mode", &[OneOf(&["SingleModel", "MultiModel"])]),
    ("ModelDataUrl", &[Length(0, 1024), Pattern(names::S3_URI)]),
    ("ModelDataSource", &[Members(MODEL_DATA_SOURCE)]),
    (
        "AdditionalModelDataSources",
        &[Items(0, 5), Each(STRUCTURE)],
    ),
    ("Environment", STRUCTURE),
    ("ModelPackageName", PACKAGE),
    (
        "InferenceSpecificationName",
        &[Length(1, 63), Pattern(names::ENTITY_NAME)],
    ),
    (
        "MultiModelConfig",
        &[Members(&[(
            "ModelCacheSetting",
            &[OneOf(&["Enabled", "Disabled"])],
        )])],
    ),
];

pub(super) const CREATE: &[Member] = &[
    ("ModelName", REQUIRED_MODEL_NAME),
    ("PrimaryContainer", &[Members(CONTAINER)]),
    ("Containers", &[Items(0, 15), Each(&[Members(CONTAINER)])]),
    (
        "InferenceExecutionConfig",
        &[Members(&[(
            "Mode",
            &[Required, OneOf(&["Serial", "Direct"])],
        )])],
    ),
    ("ExecutionRoleArn", ROLE),
    ("VpcConfig", &[Members(VPC)]),
    ("EnableNetworkIsolation", &[Boolean]),
    ("Tags", TAGS),
];
pub(super) const MODEL: &[Member] = &[("ModelName", REQUIRED_MODEL_NAME)];
