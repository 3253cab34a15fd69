//! The keys of an event that no function knows. They are ignored, and a misspelt one is among them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::Value;

use super::check::CheckRequest;
use super::deployment::{DeployRequest, DeploymentKind};
use super::fields::{Fields, is_set};
use super::values::shortened;

/// How many unknown keys are named at most.
const NAMED: usize = 20;

/// The keys that an event sets and no function knows, each with the known key that it probably means; `None` where there
/// are none.
///
/// What one of the functions knows is no news to the others: a pipeline hands all of them the same keys.
pub fn unknown_keys(event: &str) -> Option<String> {
    let mut event: BTreeMap<String, Value> = serde_json::from_str(event).ok()?;
    event.retain(|_, value| is_set(value));
    let known = &*KNOWN_KEYS;
    let unknown = event.keys().filter(|key| !known.contains(key.as_str()));
    let unknown: Vec<_> = unknown.map(|key| shortened(key)).collect();
    // What the event sets in the right spelling, it does not mean by another.
    let unset: Vec<_> = known
        .iter()
        .copied()
        .filter(|key| !event.contains_key(*key))
        .collect();
    let named = unknown
        .iter()
        .take(NAMED)
        .map(|key| match meant(key, &unset) {
            Some(meant) => format!("{key}: did you mean {meant}?"),
            None => key.clone(),
        });
    let more = unknown.len().saturating_sub(NAMED);
    let more = (more > 0).then(|| format!("and {more} more"));
    let named: Vec<_> = named.chain(more).collect();
    (!named.is_empty()).then(|| named.join("; "))
}

/// Every key that a function asks for. They are not listed anywhere: reading is asking.
static KNOWN_KEYS: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let asked = Fields::asked_by(|fields| {
        CheckRequest::read(fields);
        for kind in [DeploymentKind::New, DeploymentKind::Existing] {
            DeployRequest::read(fields, kind, None);
        }
    });
    asked.into_iter().collect()
});

/// The key that is most like the given one, where at most a third of the letters are others: as near as the Rust compiler
/// takes a name to be meant.
fn meant<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let key = letters(key);
    let near = known.iter().filter_map(|known| {
        let letters = letters(known);
        let distance = strsim::osa_distance(&key, &letters);
        (distance * 3 <= key.len().max(letters.len())).then_some((distance, *known))
    });
    near.min().map(|(_, known)| known)
}

/// What of a key counts: `trafficRouting` and `TRAFFIC-ROUTING` are `traffic_routing` in another spelling.
fn letters(key: &str) -> String {
    let letters = key.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn unknown(event: &Value) -> Option<String> {
        unknown_keys(&event.to_string())
    }

    #[test]
    fn a_key_that_no_function_knows_is_named_with_what_it_probably_means() {
        let deployment = json!({
            "role": "arn", "endpoint_name": "churn", "package_arn": "arn", "traffic_routing": "canary",
        });
        let cases = [
            (json!({}), None),
            (deployment.clone(), None),
            (
                json!({"endpoint_name": "churn", "package_arn": "arn"}),
                None,
            ),
            (json!({"comment": "x"}), Some("comment")),
            (
                json!({"trafic_routing": "canary"}),
                Some("trafic_routing: did you mean traffic_routing?"),
            ),
            (
                json!({"traffic_rotuing": "canary"}),
                Some("traffic_rotuing: did you mean traffic_routing?"),
            ),
            (
                json!({"trafficRouting": "canary", "comment": "x", "Endpoint-Name": "churn"}),
                Some(
                    "Endpoint-Name: did you mean endpoint_name?; comment; trafficRouting: did you mean traffic_routing?",
                ),
            ),
            (
                json!({"auto_rollback_alarm": "churn-5xx"}),
                Some("auto_rollback_alarm: did you mean auto_rollback_alarms?"),
            ),
            (
                json!({"endpoint": "churn"}),
                Some("endpoint: did you mean endpoint_name?"),
            ),
            // Another tool's keys, beside the ones that they are like.
            (
                json!({"endpoint_name": "churn", "endpoint_config_name": "churn-1", "model_name": "churn-1"}),
                Some("endpoint_config_name; model_name"),
            ),
            // What counts as not set asks for nothing.
            (
                json!({"trafic_routing": "", "tag": null, "subnet": " "}),
                None,
            ),
            (json!({"Records": []}), Some("Records")),
            (json!({"": 1}), Some("")),
            (json!(["trafic_routing"]), None),
            (json!("trafic_routing"), None),
        ];
        for (event, expected) in cases {
            assert_eq!(unknown(&event).as_deref(), expected, "{event}");
        }
        assert_eq!(unknown_keys("{"), None);
        assert_eq!(unknown_keys("null"), None);
    }

    #[test]
    fn keys_without_number_and_end_are_named_in_a_line_that_can_be_read() {
        let many: Value = (0..1000)
            .map(|number| (format!("{number:03}{}", "x".repeat(5000)), json!(number)))
            .collect();
        let named = unknown(&many).expect("all are unknown");
        assert_eq!(named.split("; ").count(), NAMED + 1);
        assert!(named.starts_with("000x"), "{named}");
        assert!(named.ends_with("; and 980 more"), "{named}");
        assert!(named.chars().count() < 1500, "{named}");
    }

    fn known_key() -> impl Strategy<Value = &'static str> {
        proptest::sample::select(KNOWN_KEYS.iter().copied().collect::<Vec<_>>())
    }

    proptest! {
        #[test]
        fn what_a_function_knows_is_never_reported(keys in proptest::collection::vec(known_key(), 0..50)) {
            let event: Value = keys.into_iter().map(|key| (key.to_owned(), json!("x"))).collect();
            prop_assert_eq!(unknown(&event), None);
        }

        #[test]
        fn another_case_is_told_the_right_one(key in known_key(), upper in any::<u64>()) {
            let spelt: String = key
                .chars()
                .enumerate()
                .map(|(at, letter)| if upper >> (at % 64) & 1 == 1 { letter.to_ascii_uppercase() } else { letter })
                .collect();
            let expected = (spelt != key).then(|| format!("{spelt}: did you mean {key}?"));
            prop_assert_eq!(unknown(&json!({spelt: 1})), expected);
        }

        #[test]
        fn a_slip_of_one_letter_is_told_the_right_key(key in known_key(), at in any::<usize>(), letter in "[a-z]") {
            let at = at % key.len();
            let (before, after) = (&key[..at], &key[at + 1..]);
            for spelt in [format!("{before}{after}"), format!("{before}{letter}{after}"), format!("{before}{letter}{}", &key[at..])] {
                if letters(&spelt) != letters(key) {
                    let expected = format!("{spelt}: did you mean {key}?");
                    prop_assert_eq!(unknown(&json!({spelt: 1})), Some(expected));
                }
            }
        }

        #[test]
        fn no_text_is_too_much(event in ".*") {
            let _ = unknown_keys(&event);
        }
    }
}
