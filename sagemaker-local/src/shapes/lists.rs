//! The shapes of the requests for lists.

use super::Member;
use super::Rule::{self, Length, OneOf, Pattern, Range};
use super::model_packages::{APPROVAL, GROUP_NAME};
use crate::names;

const MAX_RESULTS: &[Rule] = &[Range(1, 100)];
const NAME_CONTAINS: &[Rule] = &[Length(0, 63), Pattern(names::NAME_CONTAINS)];
const SORT_ORDER: &[Rule] = &[OneOf(&["Ascending", "Descending"])];
const SORT_BY: &[Rule] = &[OneOf(&["Name", "CreationTime"])];
const NEXT_TOKEN: &[Rule] = &[Length(0, 8192)];

pub(super) const MODELS_OR_CONFIGS: &[Member] = &[
    ("MaxResults", MAX_RESULTS),
    ("NameContains", NAME_CONTAINS),
    ("NextToken", NEXT_TOKEN),
    ("SortBy", SORT_BY),
    ("SortOrder", SORT_ORDER),
];
pub(super) const MODEL_PACKAGES: &[Member] = &[
    ("MaxResults", MAX_RESULTS),
    ("ModelApprovalStatus", APPROVAL),
    ("ModelPackageGroupName", GROUP_NAME),
    (
        "ModelPackageType",
        &[OneOf(&["Versioned", "Unversioned", "Both"])],
    ),
    ("NameContains", NAME_CONTAINS),
    ("NextToken", NEXT_TOKEN),
    ("SortBy", SORT_BY),
    ("SortOrder", SORT_ORDER),
];
pub(super) const ENDPOINTS: &[Member] = &[
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
