//! The shapes of tags and of the requests about them.

use super::Member;
use super::Rule::{self, Each, Items, Length, Members, Pattern, Range, Required};
use crate::names;

pub(super) const TAG: &[Member] = &[
    ("Key", &[Required, Length(1, 128), Pattern(names::TAG)]),
    ("Value", &[Required, Length(0, 256), Pattern(names::TAG)]),
];

const RESOURCE: &[Rule] = &[Required, Length(0, 256), Pattern(names::RESOURCE_ARN)];

pub(super) const ADD: &[Member] = &[
    ("ResourceArn", RESOURCE),
    ("Tags", &[Required, Items(0, 50), Each(&[Members(TAG)])]),
];
pub(super) const LIST: &[Member] = &[
    ("ResourceArn", RESOURCE),
    ("NextToken", &[Length(0, 8192)]),
    ("MaxResults", &[Range(50, i64::MAX)]),
];
pub(super) const DELETE: &[Member] = &[
    ("ResourceArn", RESOURCE),
    (
        "TagKeys",
        &[
            Required,
            Items(1, 50),
            Each(&[Length(1, 128), Pattern(names::TAG)]),
        ],
    ),
];
