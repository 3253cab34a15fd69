//! Shapes that more than one resource has.

use super::Rule::{self, Each, Items, Length, Members, Pattern, Required};
use super::{Member, tags};
use crate::names;

pub(super) const ENTITY: &[Rule] = &[Length(0, 63), Pattern(names::ENTITY_NAME)];
pub(super) const REQUIRED_ENTITY: &[Rule] = &[Required, Length(0, 63), Pattern(names::ENTITY_NAME)];
pub(super) const MODEL_NAME: &[Rule] = &[Length(0, 63), Pattern(names::MODEL_NAME)];
pub(super) const REQUIRED_MODEL_NAME: &[Rule] =
    &[Required, Length(0, 63), Pattern(names::MODEL_NAME)];
pub(super) const PACKAGE: &[Rule] = &[Length(1, 176), Pattern(names::VERSIONED_ARN_OR_NAME)];
pub(super) const ROLE: &[Rule] = &[Length(20, 2048), Pattern(names::ROLE_ARN)];
pub(super) const KMS_KEY: &[Rule] = &[Length(0, 2048), Pattern(names::KMS_KEY)];
pub(super) const TAGS: &[Rule] = &[Items(0, 50), Each(&[Members(tags::TAG)])];

/// A string of which the service model says nothing more.
pub(super) const TEXT: &[Rule] = &[Length(0, usize::MAX)];

/// A structure, or a map, whose members the server does not look at.
pub(super) const STRUCTURE: &[Rule] = &[Members(&[])];

const SECURITY_GROUPS_OR_SUBNETS: Rule = Each(&[Length(0, 32), Pattern(names::NETWORK_ID)]);
pub(super) const VPC: &[Member] = &[
    (
        "SecurityGroupIds",
        &[Required, Items(1, 5), SECURITY_GROUPS_OR_SUBNETS],
    ),
    (
        "Subnets",
        &[Required, Items(1, 16), SECURITY_GROUPS_OR_SUBNETS],
    ),
];
