//! Names, ARNs and the patterns that they follow.

use std::cell::RefCell;
use std::collections::HashMap;

use regex_lite::Regex;

use crate::settings::ArnCase;

/// The pattern of the names of endpoints, endpoint configs, variants and model package groups.
pub(crate) const ENTITY_NAME: &str = "^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}";
/// The pattern of a model's name.
pub(crate) const MODEL_NAME: &str = r"^[a-zA-Z0-9]([\-a-zA-Z0-9]*[a-zA-Z0-9])?";
/// The pattern of a name, or of the ARN that ends in it.
pub(crate) const ARN_OR_NAME: &str = r"(arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:[a-z\-]*\/)?([a-zA-Z0-9]([a-zA-Z0-9-]){0,62})(?<!-)";
/// The same with the version of a model package behind it.
pub(crate) const VERSIONED_ARN_OR_NAME: &str = r"(arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:[a-z\-]*\/)?([a-zA-Z0-9]([a-zA-Z0-9-]){0,62})(?<!-)(\/[0-9]{1,9})?";
/// The pattern of a model package's ARN.
pub(crate) const MODEL_PACKAGE_ARN: &str =
    r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]{9,16}:[0-9]{12}:model-package/[\S]{1,2048}";
/// The pattern of any SageMaker resource's ARN.
pub(crate) const RESOURCE_ARN: &str = "arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:.+";
/// The pattern of a role's ARN.
pub(crate) const ROLE_ARN: &str = r"^arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+$";
/// The form of an instance type. The service has a list instead, which grows.
pub(crate) const INSTANCE_TYPE: &str = r"ml\.[a-z0-9-]+\.[a-z0-9]+";
/// The pattern of what `NameContains` may hold.
pub(crate) const NAME_CONTAINS: &str = "[a-zA-Z0-9-]+";
/// The pattern of a KMS key.
pub(crate) const KMS_KEY: &str = "[a-zA-Z0-9:/_-]*";
/// The pattern of a place in S3 that is read.
pub(crate) const S3_URI: &str = "^(https|s3)://([^/]+)/?(.*)$";
/// The pattern of a place in S3 that is written to: the service writes it a little otherwise.
pub(crate) const S3_DESTINATION: &str = "^(https|s3)://([^/])/?(.*)$";
/// The pattern of a container image.
pub(crate) const IMAGE: &str = r"[\S]+";
/// The pattern of the id of a security group or subnet.
pub(crate) const NETWORK_ID: &str = "[-0-9a-zA-Z]+";
/// The pattern of an SNS topic.
pub(crate) const SNS_TOPIC: &str = r"arn:aws[a-z\-]*:sns:[a-z0-9\-]*:[0-9]{12}:[a-zA-Z0-9_.-]+";
/// The pattern of the media type of captured data.
pub(crate) const CONTENT_TYPE: &str = r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*\/[a-zA-Z0-9](-*[a-zA-Z0-9.])*";
/// The pattern of a tag's key and value.
pub(crate) const TAG: &str = r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$";

/// The pattern of the token of a callback step.
pub(crate) const CALLBACK_TOKEN: &str = "[a-zA-Z0-9]+";
/// The pattern of the ARN of a pipeline execution.
pub(crate) const PIPELINE_EXECUTION_ARN: &str =
    r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:pipeline\/.*\/execution\/.*";
/// The pattern of the name of a pipeline's step.
pub(crate) const STEP_NAME: &str = r"[A-Za-z0-9\-_]*";
/// The pattern of a scaling policy's name.
pub(crate) const PRINTABLE: &str = r"\p{Print}+";
/// The pattern of a scheduled action's name.
pub(crate) const SCHEDULED_ACTION_NAME: &str =
    r"(?!((^[ ]+.*)|(.*([\u0000-\u001f]|[\u007f-\u009f]|[:/|])+.*)|(.*[ ]+$))).+";

/// The form of a scheduled action's schedule.
pub(crate) const SCHEDULE: &str = r"at\(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\)|rate\([1-9]\d* (minute|hour|day)s?\)|cron\(\S+( +\S+){5}\)";

/// Whether all of `value` follows `pattern`.
///
/// # Panics
/// Panics on a pattern that is no regular expression.
pub(crate) fn follows(pattern: &str, value: &str) -> bool {
    // regex-lite has no classes of Unicode, and no look-ahead.
    match pattern {
        TAG => return value.chars().all(may_stand_in_a_tag),
        PRINTABLE => return !value.is_empty() && value.chars().all(is_printable),
        SCHEDULED_ACTION_NAME => return may_name_a_scheduled_action(value),
        _ => {}
    }
    // Nor has it look-behind. The one that the service uses always follows the name.
    let no_hyphen_at_end = pattern.contains(LOOK_BEHIND);
    let hyphen_at_end = value.ends_with('-') || value.contains("-/");
    is_match(pattern, value) && !(no_hyphen_at_end && hyphen_at_end)
}

/// A look-behind of the service's patterns.
const LOOK_BEHIND: &str = "(?<!-)";

/// Whether a pattern matches all of `value`, without regard to a look-behind.
fn is_match(pattern: &str, value: &str) -> bool {
    thread_local! {
        // To compile a pattern takes longer than all else that a call does.
        static COMPILED: RefCell<HashMap<String, Regex>> = RefCell::default();
    }
    COMPILED.with_borrow_mut(|compiled| {
        if let Some(whole) = compiled.get(pattern) {
            return whole.is_match(value);
        }
        let whole = format!("^(?:{})$", pattern.replace(LOOK_BEHIND, ""));
        let whole = Regex::new(&whole).expect("the patterns in this file are regular expressions");
        let is_match = whole.is_match(value);
        compiled.insert(pattern.to_owned(), whole);
        is_match
    })
}

/// Whether `TAG` has this letter, separator, number or sign. The standard library's letters are a few
/// more than `\p{L}`: vowel signs of some scripts and encircled letters pass as well.
fn may_stand_in_a_tag(character: char) -> bool {
    let is_separator = character.is_whitespace() && !character.is_control();
    character.is_alphanumeric() || is_separator || "_.:/=+-@".contains(character)
}

fn is_printable(character: char) -> bool {
    character.is_ascii_graphic() || character == ' '
}

/// Whether `SCHEDULED_ACTION_NAME` allows the name: no blank at its ends, no control character, and
/// none of the signs that ARNs are made of.
fn may_name_a_scheduled_action(name: &str) -> bool {
    let is_refused = |character: char| character.is_control() || ":/|".contains(character);
    !name.is_empty() && name.trim_matches(' ') == name && !name.contains(is_refused)
}

/// An id in the form of a UUID.
pub(crate) fn uuid(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

/// What names, and ARNs, are told apart by: the service ignores case when it looks an endpoint up.
pub(crate) fn key(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// Makes the ARNs of one account in one region.
#[derive(Clone, Debug)]
pub(crate) struct Arns {
    region: String,
    account: String,
    case: ArnCase,
}

impl Arns {
    pub(crate) fn new(region: &str, account: &str, case: ArnCase) -> Self {
        Self {
            region: region.to_owned(),
            account: account.to_owned(),
            case,
        }
    }

    pub(crate) fn endpoint(&self, name: &str) -> String {
        self.resource("endpoint", name)
    }

    pub(crate) fn endpoint_config(&self, name: &str) -> String {
        self.resource("endpoint-config", name)
    }

    pub(crate) fn model(&self, name: &str) -> String {
        self.resource("model", name)
    }

    pub(crate) fn model_package_group(&self, name: &str) -> String {
        self.resource("model-package-group", name)
    }

    /// The ARN of a model package given by its name, by `group/version` or by its ARN.
    pub(crate) fn model_package(&self, name_or_arn: &str) -> String {
        if name_or_arn.starts_with("arn:") {
            self.spelled(name_or_arn)
        } else {
            self.resource("model-package", name_or_arn)
        }
    }

    /// The ARN that stands for all resources of a kind, as in a denial of a list operation.
    pub(crate) fn all(&self, kind: &str) -> String {
        self.resource(kind, "*")
    }

    /// The ARN of what another service has in the account and region.
    pub(crate) fn of(&self, service: &str, resource: &str) -> String {
        let Self {
            region, account, ..
        } = self;
        format!("arn:aws:{service}:{region}:{account}:{resource}")
    }

    /// The ARN of a role, which is of no region.
    pub(crate) fn role(&self, path: &str) -> String {
        format!("arn:aws:iam::{}:role/{path}", self.account)
    }

    /// Who the caller is, as a denial names them.
    pub(crate) fn caller(&self) -> String {
        format!(
            "arn:aws:sts::{}:assumed-role/sagemaker-local/caller",
            self.account
        )
    }

    fn resource(&self, kind: &str, name: &str) -> String {
        self.of("sagemaker", &format!("{kind}/{}", self.spelled(name)))
    }

    fn spelled(&self, name: &str) -> String {
        match self.case {
            ArnCase::Kept => name.to_owned(),
            ArnCase::Lower => key(name),
        }
    }
}

/// The name in an ARN, or the name itself.
pub(crate) fn name_in(name_or_arn: &str) -> &str {
    match name_or_arn.split_once('/') {
        Some((_, name)) if name_or_arn.starts_with("arn:") => name,
        _ => name_or_arn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_names_have_letters_digits_and_inner_hyphens_up_to_63() {
        for good in ["a", "A-b", "a--b", "x1", &"x".repeat(63)] {
            assert!(follows(ENTITY_NAME, good), "{good}");
        }
        for bad in [
            "",
            "-a",
            "a-",
            "a_b",
            "a.b",
            "a b",
            "é",
            "a\n",
            &"x".repeat(64),
        ] {
            assert!(!follows(ENTITY_NAME, bad), "{bad}");
        }
    }

    #[test]
    fn a_model_package_is_named_by_name_version_or_arn() {
        let arn = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/shop/3";
        for good in ["shop", "shop/3", arn] {
            assert!(follows(VERSIONED_ARN_OR_NAME, good), "{good}");
        }
        for bad in [
            "shop-",
            "shop-/3",
            "shop/",
            "shop/1234567890",
            "arn:aws:s3:::shop",
        ] {
            assert!(!follows(VERSIONED_ARN_OR_NAME, bad), "{bad}");
        }
        assert!(follows(ARN_OR_NAME, "shop"));
        assert!(!follows(ARN_OR_NAME, "shop/3"));
    }

    #[test]
    fn every_pattern_compiles_and_tells_good_from_bad() {
        for (pattern, good, bad) in [
            (MODEL_NAME, "model--1", "model-"),
            (
                MODEL_PACKAGE_ARN,
                "arn:aws:sagemaker:eu-west-1:123456789012:model-package/a/1",
                "a/1",
            ),
            (
                RESOURCE_ARN,
                "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/a",
                "endpoint/a",
            ),
            (
                ROLE_ARN,
                "arn:aws:iam::123456789012:role/service-role/Run",
                "arn:aws:iam::12:role/Run",
            ),
            (INSTANCE_TYPE, "ml.p6-b200.48xlarge", "m5.xlarge"),
            (NAME_CONTAINS, "-a-", "a_b"),
            (KMS_KEY, "arn:aws:kms:eu-west-1:123456789012:key/a-b", "a b"),
            (S3_URI, "s3://bucket/key", "bucket/key"),
            (S3_DESTINATION, "s3://bucket/key", "s3:///key"),
            (S3_DESTINATION, "https://bucket", "file://bucket/key"),
            (
                IMAGE,
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com/i:1",
                "an image",
            ),
            (NETWORK_ID, "sg-0a1B", "sg_1"),
            (
                SNS_TOPIC,
                "arn:aws-cn:sns:cn-north-1:123456789012:Done_1.fifo",
                "arn:aws:sqs:eu-west-1:123456789012:done",
            ),
            (CONTENT_TYPE, "application/x-ndjson", "csv"),
            (TAG, "Größe 1\u{3000}_.:/=+-@", "a,b"),
            (TAG, "", "a\tb"),
            (TAG, "²½", "a\n"),
            (CALLBACK_TOKEN, "aZ09", "a-b"),
            (
                PIPELINE_EXECUTION_ARN,
                "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/shop/execution/abc",
                "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/shop",
            ),
            (STEP_NAME, "Deploy_1-a", "Deploy it"),
            (SCHEDULE, "at(2026-01-31T09:00:00)", "at(tomorrow)"),
            (SCHEDULE, "rate(5 minutes)", "rate(0 minutes)"),
            (SCHEDULE, "cron(0 9 ? * MON-FRI *)", "cron(0 9 * * *)"),
            (PRINTABLE, "at 9: scale/out", "größer"),
            (PRINTABLE, " ", ""),
            (SCHEDULED_ACTION_NAME, "at 9, größer", "at 9: more"),
            (SCHEDULED_ACTION_NAME, "a", " a"),
            (SCHEDULED_ACTION_NAME, "a b", "a "),
            (SCHEDULED_ACTION_NAME, "-", "a\tb"),
        ] {
            assert!(follows(pattern, good), "{pattern} {good}");
            assert!(!follows(pattern, bad), "{pattern} {bad}");
        }
    }

    #[test]
    fn arns_spell_names_as_created_or_in_lower_case() {
        for (case, endpoint, package) in [
            (ArnCase::Kept, "AutoGluonEndpoint", "Shop/3"),
            (ArnCase::Lower, "autogluonendpoint", "shop/3"),
        ] {
            let arns = Arns::new("eu-west-1", "123456789012", case);
            assert_eq!(
                arns.endpoint("AutoGluonEndpoint"),
                format!("arn:aws:sagemaker:eu-west-1:123456789012:endpoint/{endpoint}")
            );
            let arn = format!("arn:aws:sagemaker:eu-west-1:123456789012:model-package/{package}");
            assert_eq!(arns.model_package("Shop/3"), arn);
            assert_eq!(arns.model_package(&arn), arn);
        }
    }

    #[test]
    fn the_name_is_read_out_of_an_arn() {
        assert_eq!(name_in("shop"), "shop");
        assert_eq!(name_in("shop/3"), "shop/3");
        assert_eq!(
            name_in("arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/shop"),
            "shop"
        );
    }
}
