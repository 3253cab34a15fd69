//! The shapes of the requests about model packages and their groups.

use super::Member;
use super::Rule::{self, Boolean, Items, Length, Members, OneOf, Pattern, Required};
use super::common::{ENTITY, REQUIRED_ENTITY, TAGS};
use crate::names;

pub(super) const GROUP_NAME: &[Rule] = &[Length(1, 170), Pattern(names::ARN_OR_NAME)];
pub(super) const APPROVAL: &[Rule] = &[OneOf(&["Approved", "Rejected", "PendingManualApproval"])];
const DESCRIPTION: &[Rule] = &[Length(0, 1024)];

pub(super) const CREATE_GROUP: &[Member] = &[
    ("ModelPackageGroupName", REQUIRED_ENTITY),
    ("ModelPackageGroupDescription", DESCRIPTION),
    ("Tags", TAGS),
];
pub(super) const GROUP: &[Member] = &[(
    "ModelPackageGroupName",
    &[Required, Length(1, 170), Pattern(names::ARN_OR_NAME)],
)];

pub(super) const CREATE: &[Member] = &[
    ("ModelPackageName", ENTITY),
    ("ModelPackageGroupName", GROUP_NAME),
    ("ModelPackageDescription", DESCRIPTION),
    (
        "InferenceSpecification",
        &[Members(&[("Containers", &[Required, Items(1, 15)])])],
    ),
    ("CertifyForMarketplace", &[Boolean]),
    ("ModelApprovalStatus", APPROVAL),
    ("Tags", TAGS),
];
pub(super) const UPDATE: &[Member] = &[
    (
        "ModelPackageArn",
        &[Required, Length(1, 2048), Pattern(names::MODEL_PACKAGE_ARN)],
    ),
    ("ModelApprovalStatus", APPROVAL),
    ("ApprovalDescription", DESCRIPTION),
];
pub(super) const PACKAGE: &[Member] = &[(
    "ModelPackageName",
    &[
        Required,
        Length(1, 176),
        Pattern(names::VERSIONED_ARN_OR_NAME),
    ],
)];
