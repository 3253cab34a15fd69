//! What to do about a failed call: from the service's own words, and only then from the operation.

use super::denial::Denial;
use super::{FailureKind, ServiceFailure};

/// What to do if SageMaker has no instances left.
pub(crate) const CAPACITY: &str = "SageMaker has no capacity for the instance type now: call again later with the same event, or choose another instance_type.";

/// Whether a reason says that SageMaker has no instances left. No container has started then, and there is no log.
pub(crate) fn is_of_capacity(reason: &str) -> bool {
    reason.contains("InsufficientInstanceCapacity") || reason.contains("InsufficientCapacity")
}

impl ServiceFailure {
    /// What to do next, in a sentence or two.
    pub fn advice(&self) -> String {
        if self.is_foreign() && !self.is_transient() {
            return "The reply is not the service's: check the proxy, the firewall or the VPC endpoint between the function and the service.".to_owned();
        }
        if let Some(denial) = Denial::read(&self.message).filter(|_| !self.is_transient()) {
            return denial.advice();
        }
        if self.is_about_tags() {
            return "A resource has at most 50 tags: remove some of its tags, or send fewer in the event's tags, and call again.".to_owned();
        }
        if is_of_capacity(&self.code) || is_of_capacity(&self.message) {
            return CAPACITY.to_owned();
        }
        match self.kind {
            FailureKind::AccessDenied => self.advice_by_operation(),
            FailureKind::LimitExceeded if self.is_about_scaling() => {
                "Ask for a higher quota of Application Auto Scaling, or remove what is not needed there.".to_owned()
            }
            FailureKind::LimitExceeded => {
                "Ask for a higher quota, or choose another instance_type or a smaller initial_instance_count.".to_owned()
            }
            FailureKind::Throttled => {
                "The account's rate of calls is used up; call again later with the same event.".to_owned()
            }
            FailureKind::ServiceFault | FailureKind::NoReply => {
                "Call again with the same event; what was done is taken up.".to_owned()
            }
            FailureKind::Expired => {
                "Call again with the same event. If it happens again, check the function's credentials and its clock.".to_owned()
            }
            FailureKind::NotSent => {
                "Check the credentials, the endpoint URLs, and the root certificates (SSL_CERT_FILE) that the function is configured with.".to_owned()
            }
            _ => "Correct what the service names and call again.".to_owned(),
        }
    }

    /// The advice for a denial whose text names no action.
    fn advice_by_operation(&self) -> String {
        format!(
            "Allow {}:{} on this resource to the function's role{}.",
            self.service.prefix(),
            self.operation,
            match self.operation {
                "CreateModel" => ", and iam:PassRole on the execution role",
                "RegisterScalableTarget" => {
                    ", and iam:CreateServiceLinkedRole if the account has no role for it yet"
                }
                _ => "",
            }
        )
    }

    /// Whether the resource would have more tags than it may.
    fn is_about_tags(&self) -> bool {
        let words = self.message.to_lowercase();
        let is_of_tags = self.operation == "AddTags" || words.contains("tags");
        let is_limit = self.kind == FailureKind::LimitExceeded
            || words.contains("too many tags")
            || words.contains("tags") && words.contains("less than or equal to 50")
            || self.code.starts_with("TooManyTags");
        is_of_tags && is_limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(operation: &'static str, kind: FailureKind, code: &str, message: &str) -> String {
        let failure = ServiceFailure {
            kind,
            code: code.to_owned(),
            message: message.to_owned(),
            ..ServiceFailure::no_reply(operation, "endpoint churn".to_owned())
        };
        failure.advice()
    }

    #[test]
    fn a_denial_is_advised_from_its_text_and_else_from_the_operation() {
        use FailureKind::AccessDenied;
        let text = "User: arn:aws:sts::123456789012:assumed-role/deployer/x is not authorized to perform: sagemaker:AddTags on resource: arn:x";
        let said = advice("CreateModel", AccessDenied, "AccessDeniedException", text);
        assert_eq!(
            said,
            "Allow sagemaker:AddTags on arn:x to the role deployer."
        );
        let said = advice("CreateModel", AccessDenied, "AccessDeniedException", "No.");
        assert!(said.contains("sagemaker:CreateModel"), "{said}");
        assert!(said.contains("iam:PassRole"), "{said}");
    }

    #[test]
    fn a_reply_of_a_proxy_is_no_matter_of_permissions() {
        let said = advice(
            "CreateModel",
            FailureKind::AccessDenied,
            "HTTP 403",
            "Blocked",
        );
        assert!(said.contains("proxy") && !said.contains("Allow"), "{said}");
        let said = advice("CreateModel", FailureKind::Throttled, "HTTP 429", "");
        assert!(said.contains("call again later"), "{said}");
    }

    #[test]
    fn a_tag_too_many_speaks_of_tags() {
        use FailureKind::{LimitExceeded, Refused};
        for (operation, kind, message) in [
            ("AddTags", LimitExceeded, "The limit is reached."),
            (
                "CreateEndpoint",
                LimitExceeded,
                "The limit of tags is reached.",
            ),
            ("AddTags", Refused, "Too many tags"),
            (
                "CreateModel",
                Refused,
                "Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50",
            ),
        ] {
            let said = advice(operation, kind, "ResourceLimitExceeded", message);
            assert!(said.contains("at most 50 tags"), "{message}: {said}");
        }
        let quota = "The account-level service limit 'ml.m5.xlarge for endpoint usage' is 0";
        let said = advice(
            "CreateEndpoint",
            LimitExceeded,
            "ResourceLimitExceeded",
            quota,
        );
        assert!(said.contains("higher quota"), "{said}");
    }

    #[test]
    fn no_capacity_is_no_quota() {
        let words = "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error.";
        let said = advice(
            "CreateEndpoint",
            FailureKind::Refused,
            "ValidationException",
            words,
        );
        assert_eq!(said, CAPACITY);
    }
}
