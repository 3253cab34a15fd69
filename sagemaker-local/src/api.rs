//! The three services that the server speaks for, and what sets them apart on the wire.

/// A service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    /// Amazon SageMaker AI.
    SageMaker,
    /// Application Auto Scaling.
    ApplicationAutoScaling,
    /// Amazon SQS.
    Sqs,
}

/// The operations of Application Auto Scaling. No service has one of the other's.
const OF_AUTO_SCALING: [&str; 12] = [
    "RegisterScalableTarget",
    "DescribeScalableTargets",
    "DeregisterScalableTarget",
    "PutScalingPolicy",
    "DescribeScalingPolicies",
    "DeleteScalingPolicy",
    "PutScheduledAction",
    "DescribeScheduledActions",
    "DeleteScheduledAction",
    "ListTagsForResource",
    "TagResource",
    "UntagResource",
];

/// The operations of SQS.
const OF_SQS: [&str; 2] = ["GetQueueUrl", "ChangeMessageVisibility"];

impl Api {
    /// The service that an operation is of.
    pub(crate) fn of(operation: &str) -> Self {
        if OF_AUTO_SCALING.contains(&operation) {
            Self::ApplicationAutoScaling
        } else if OF_SQS.contains(&operation) {
            Self::Sqs
        } else {
            Self::SageMaker
        }
    }

    /// What stands before an operation's name where a request names it.
    fn target_prefix(self) -> &'static str {
        match self {
            Self::SageMaker => "SageMaker",
            Self::ApplicationAutoScaling => "AnyScaleFrontendService",
            Self::Sqs => "AmazonSQS",
        }
    }

    /// What stands before an operation's name where a policy allows it.
    pub(crate) fn action_prefix(self) -> &'static str {
        match self {
            Self::SageMaker => "sagemaker",
            Self::ApplicationAutoScaling => "application-autoscaling",
            Self::Sqs => "sqs",
        }
    }

    /// Whether the service model declares an error for these operations. The text of such an error
    /// travels in `Message`, that of the others in `message`.
    pub(crate) fn declares(self, code: &str) -> bool {
        match self {
            Self::SageMaker => matches!(
                code,
                "ConflictException"
                    | "ResourceInUse"
                    | "ResourceLimitExceeded"
                    | "ResourceNotFound"
            ),
            Self::ApplicationAutoScaling => matches!(
                code,
                "ConcurrentUpdateException"
                    | "FailedResourceAccessException"
                    | "InternalServiceException"
                    | "InvalidNextTokenException"
                    | "LimitExceededException"
                    | "ObjectNotFoundException"
                    | "ResourceNotFoundException"
                    | "TooManyTagsException"
                    | "ValidationException"
            ),
            // All of them travel in `message`.
            Self::Sqs => false,
        }
    }
}

/// The operation that a target such as `SageMaker.CreateModel` names. The target of another service
/// stays as it is, which is no operation's name, so that the record tells what was wanted.
pub(crate) fn operation(target: &str) -> &str {
    match target.split_once('.') {
        Some((prefix, operation)) if prefix == Api::of(operation).target_prefix() => operation,
        Some(_) => target,
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_names_an_operation_of_its_own_service() {
        for (target, wanted) in [
            ("SageMaker.CreateModel", "CreateModel"),
            ("SageMaker.MakeTea", "MakeTea"),
            ("AnyScaleFrontendService.TagResource", "TagResource"),
            ("AmazonSQS.GetQueueUrl", "GetQueueUrl"),
            ("SageMaker.TagResource", "SageMaker.TagResource"),
            (
                "AnyScaleFrontendService.CreateModel",
                "AnyScaleFrontendService.CreateModel",
            ),
            ("Other.CreateModel", "Other.CreateModel"),
            ("CreateModel", ""),
        ] {
            assert_eq!(operation(target), wanted);
        }
    }
}
