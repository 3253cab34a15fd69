//! The shapes of the requests about queues.

use super::Member;
use super::Rule::{Length, Range, Required};

pub(super) const URL: &[Member] = &[("QueueName", &[Required, Length(1, 80)])];
pub(super) const CHANGE_VISIBILITY: &[Member] = &[
    ("QueueUrl", &[Required, Length(1, 2048)]),
    ("ReceiptHandle", &[Required, Length(1, 2048)]),
    ("VisibilityTimeout", &[Required, Range(0, 43_200)]),
];
