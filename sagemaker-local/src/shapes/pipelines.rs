//! The shapes of the requests about pipeline executions.

use super::Member;
use super::Rule::{self, Each, Items, Length, Members, OneOf, Pattern, Range, Required};
use crate::names;

const TOKEN: &[Rule] = &[Required, Length(10, 10), Pattern(names::CALLBACK_TOKEN)];
const CLIENT_TOKEN: &[Rule] = &[Length(32, 128)];
const OUTPUT: &[Member] = &[
    ("Name", &[Required, Length(0, 256)]),
    ("Value", &[Required, Length(0, 1024)]),
];
const EXECUTION: &[Rule] = &[
    Required,
    Length(0, 2048),
    Pattern(names::PIPELINE_EXECUTION_ARN),
];

pub(super) const SUCCEED: &[Member] = &[
    ("CallbackToken", TOKEN),
    (
        "OutputParameters",
        &[Items(0, 50), Each(&[Members(OUTPUT)])],
    ),
    ("ClientRequestToken", CLIENT_TOKEN),
];
pub(super) const FAIL: &[Member] = &[
    ("CallbackToken", TOKEN),
    ("FailureReason", &[Length(0, 256)]),
    ("ClientRequestToken", CLIENT_TOKEN),
];
pub(super) const LIST_STEPS: &[Member] = &[
    ("PipelineExecutionArn", EXECUTION),
    ("NextToken", &[Length(0, 8192)]),
    ("MaxResults", &[Range(1, 100)]),
    ("SortOrder", &[OneOf(&["Ascending", "Descending"])]),
];
pub(super) const DESCRIBE: &[Member] = &[("PipelineExecutionArn", EXECUTION)];
