use std::collections::BTreeSet;
use std::time::Duration;

use super::*;

const EXECUTION: &str = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/shop/execution/abc123";

fn start(steps: &mut CallbackSteps, token: Option<&str>, now: Moment) -> Result<String, String> {
    steps.start(EXECUTION, "Deploy", "https://queue", token, now)
}

#[test]
fn tokens_are_made_up_of_ten_letters_and_digits_each_for_one_step() {
    let mut steps = CallbackSteps::default();
    let mut tokens = BTreeSet::new();
    for millisecond in [0, 0, 0, 1, 1, 2] {
        let now = Duration::from_millis(1_700_000_000_000 + millisecond);
        let token = start(&mut steps, None, now).expect("a token");
        assert!(names::follows("[a-zA-Z0-9]{10}", &token), "{token}");
        tokens.insert(token);
    }
    assert_eq!(tokens.len(), 6);
}

#[test]
fn a_token_that_is_given_has_the_form_and_is_not_taken() {
    let mut steps = CallbackSteps::default();
    let now = Duration::ZERO;
    assert_eq!(
        start(&mut steps, Some("0123456789"), now),
        Ok("0123456789".to_owned())
    );
    for bad in ["0123456789", "012345678", "01234567890", "012345678-", ""] {
        let refused = start(&mut steps, Some(bad), now);
        assert!(refused.is_err(), "{bad}");
    }
}

#[test]
fn a_step_belongs_to_an_execution_and_has_a_name() {
    let mut steps = CallbackSteps::default();
    for (arn, name, good) in [
        (EXECUTION, "Deploy_1-a", true),
        (EXECUTION, "Deploy it", false),
        (EXECUTION, &"x".repeat(65), false),
        (
            "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/shop",
            "Deploy",
            false,
        ),
    ] {
        let started = steps.start(arn, name, "https://queue", None, Duration::ZERO);
        assert_eq!(started.is_ok(), good, "{arn} {name}");
    }
}
