//! What a denial says: who may not do what to which resource, and which kind of policy is behind that.

/// A denial, as the service words it:
/// `User: … is not authorized to perform: … on resource: … because no identity-based policy allows the … action`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Denial<'a> {
    /// ARN of who called, if the text has it.
    user: Option<&'a str>,
    /// The action, as in `sagemaker:AddTags`.
    action: &'a str,
    /// ARN of the resource, if the text has it.
    resource: Option<&'a str>,
    verdict: Verdict<'a>,
}

/// Why it was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict<'a> {
    /// No policy of this kind allows it; the kind is empty if the text has none.
    NotAllowed { by: &'a str },
    /// A policy of this kind denies it, whatever another one allows.
    Denied { by: &'a str },
}

impl<'a> Denial<'a> {
    /// Reads a message; `None` if it is no denial of an action.
    pub(super) fn read(message: &'a str) -> Option<Self> {
        let (before, after) = message.split_once("not authorized to perform: ")?;
        let action = word(after);
        if !action.contains(':') {
            return None;
        }
        let user = before.split_once("User: ").map(|(_, user)| word(user));
        let resource = after
            .split_once("on resource: ")
            .map(|(_, resource)| word(resource));
        let is_named = |name: &&str| !name.is_empty();
        Some(Self {
            user: user.filter(is_named),
            action,
            resource: resource.filter(is_named),
            verdict: Verdict::read(after),
        })
    }

    /// What to do.
    pub(super) fn advice(&self) -> String {
        let Self { action, .. } = self;
        let role = self.role();
        let on = format!("on {}", self.resource.unwrap_or("this resource"));
        match self.verdict {
            Verdict::Denied { by } => {
                let policy = if by.is_empty() { "policy" } else { by };
                format!(
                    "An explicit deny in a {policy} forbids {action} {on}. An allow does not help: that {policy} has to except {role}."
                )
            }
            Verdict::NotAllowed { by } if self.is_of_another_registry(by) => {
                let owner = self.resource.and_then(account).unwrap_or_default();
                format!(
                    "The package is in the account {owner}: its owner has to allow {action} to {role} in the resource policy of the model package group. The policies of {role} have to allow it too."
                )
            }
            Verdict::NotAllowed { by } if by.is_empty() || by == "identity-based policy" => {
                format!("Allow {action} {on} to {role}.")
            }
            Verdict::NotAllowed { by } => format!("Allow {action} {on} to {role} in the {by}."),
        }
    }

    /// Who has to be allowed.
    fn role(&self) -> String {
        let assumed = self
            .user
            .and_then(|user| user.split_once(":assumed-role/"))
            .and_then(|(_, role)| role.split('/').next());
        match (assumed, self.user) {
            (Some(role), _) => format!("the role {role}"),
            (None, Some(user)) => user.to_owned(),
            (None, None) => "the function's role".to_owned(),
        }
    }

    /// Whether it is about a model package that another account owns.
    fn is_of_another_registry(&self, by: &str) -> bool {
        let Some(package) = self.resource.filter(|arn| arn.contains(":model-package")) else {
            return false;
        };
        let is_other = self.user.and_then(account) != account(package) && self.user.is_some();
        is_other || by == "resource-based policy"
    }
}

impl<'a> Verdict<'a> {
    fn read(text: &'a str) -> Self {
        if let Some((_, by)) = text.split_once("explicit deny") {
            let by = by
                .strip_prefix(" in a ")
                .or_else(|| by.strip_prefix(" in an "));
            let by = by.map(policy).unwrap_or_default();
            return Self::Denied { by };
        }
        let by = text.split_once("because no ").map(|(_, by)| policy(by));
        Self::NotAllowed {
            by: by.unwrap_or_default(),
        }
    }
}

/// The kind of policy that a text begins with, such as `service control policy`.
fn policy(text: &str) -> &str {
    ["policy", "boundary"]
        .iter()
        .filter_map(|end| Some(text.find(end)? + end.len()))
        .min()
        .map_or("", |end| &text[..end])
}

/// The first word of a text, without the sentence's end.
fn word(text: &str) -> &str {
    let word = text.split_whitespace().next().unwrap_or_default();
    word.trim_end_matches(['.', ',', ';', '"', '\''])
        .trim_start_matches(['"', '\''])
}

/// The account of an ARN.
fn account(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: &str = "User: arn:aws:sts::123456789012:assumed-role/deployer/session is";
    const MODEL: &str = "arn:aws:sagemaker:eu-west-1:123456789012:model/model-1";
    const THEIRS: &str = "arn:aws:sagemaker:eu-west-1:999999999999:model-package/churn/1";

    fn advice(message: &str) -> String {
        Denial::read(message).expect("a denial").advice()
    }

    #[test]
    fn the_advice_names_the_action_the_resource_and_the_role_of_the_text() {
        assert_eq!(
            advice(&format!(
                "{USER} not authorized to perform: sagemaker:AddTags on resource: {MODEL} because no identity-based policy allows the sagemaker:AddTags action"
            )),
            format!("Allow sagemaker:AddTags on {MODEL} to the role deployer.")
        );
        assert_eq!(
            advice(
                "User: arn:aws:iam::123456789012:user/jo is not authorized to perform: kms:CreateGrant."
            ),
            "Allow kms:CreateGrant on this resource to arn:aws:iam::123456789012:user/jo."
        );
        assert_eq!(
            advice("You are not authorized to perform: iam:PassRole on resource: *"),
            "Allow iam:PassRole on * to the function's role."
        );
    }

    #[test]
    fn an_explicit_deny_names_the_kind_of_policy_and_that_no_allow_helps() {
        for (end, policy) in [
            ("in a service control policy", "service control policy"),
            ("in an identity-based policy", "identity-based policy"),
            ("in a permissions boundary", "permissions boundary"),
            ("in a VPC endpoint policy: arn:x", "VPC endpoint policy"),
            ("", "policy"),
        ] {
            let said = advice(&format!(
                "{USER} not authorized to perform: sagemaker:CreateModel on resource: {MODEL} with an explicit deny {end}"
            ));
            assert_eq!(
                said,
                format!(
                    "An explicit deny in a {policy} forbids sagemaker:CreateModel on {MODEL}. An allow does not help: that {policy} has to except the role deployer."
                )
            );
        }
    }

    #[test]
    fn a_policy_that_is_not_the_roles_is_named() {
        let said = advice(&format!(
            "{USER} not authorized to perform: sagemaker:CreateModel on resource: {MODEL} because no VPC endpoint policy allows the sagemaker:CreateModel action"
        ));
        assert!(
            said.ends_with("to the role deployer in the VPC endpoint policy."),
            "{said}"
        );
    }

    #[test]
    fn a_package_of_another_account_points_at_its_groups_resource_policy() {
        for because in ["resource-based", "identity-based"] {
            let said = advice(&format!(
                "{USER} not authorized to perform: sagemaker:DescribeModelPackage on resource: {THEIRS} because no {because} policy allows the sagemaker:DescribeModelPackage action"
            ));
            assert!(said.contains("account 999999999999"), "{said}");
            assert!(
                said.contains("resource policy of the model package group"),
                "{said}"
            );
        }
    }

    #[test]
    fn other_words_are_no_denial_of_an_action() {
        for words in [
            "",
            "No.",
            "You are not authorized to perform: this",
            "Access Denied",
        ] {
            assert_eq!(Denial::read(words), None, "{words}");
        }
    }
}
