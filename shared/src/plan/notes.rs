//! What a deployment notes on its endpoint config for the call that may have to take it up: as tags, because
//! nothing else outlives a killed process and is gone with the deployment. Pure.

use aws_sdk_sagemaker::primitives::{DateTime, DateTimeFormat};
use aws_sdk_sagemaker::types::Tag;
use aws_smithy_types::base64;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::names::digest;
use super::scaling::Scaling;
use crate::contract::{MOST_OWN_TAGS, OWN_TAGS};

/// The endpoint that a model or an endpoint config was made for: who bears it was made by this product.
const ENDPOINT: &str = "endpoint";
/// The endpoint config that was live when the update began.
const REPLACES: &str = "replaces";
/// The endpoint's `LastModifiedTime` before that.
const SINCE: &str = "replaces-since";
/// Whose message's step noted it, where a queue's did.
const BY: &str = "noted-by";
/// What scaled the variants before it was taken off, in pieces.
const SCALING: &str = "autoscaling-";

/// Why the creation failed, in pieces. One that is created has nothing else to note.
const FAILURE: &str = "failure-";

/// As much of a reason as fits, whatever its letters, in characters.
const LONGEST_FAILURE: usize = 500;

/// The longest value of a tag that the service takes, in characters.
const LONGEST_VALUE: usize = 256;
/// Pieces that there is room for, beside the other four.
const MOST_PIECES: usize = MOST_OWN_TAGS - 4;

/// What a deployment notes: an update before it begins, a creation that failed before it is cleared away.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Notes {
    /// Name of the endpoint config that was live.
    pub replaces: Option<String>,
    /// The endpoint's `LastModifiedTime` when that was seen.
    pub since: Option<DateTime>,
    /// Whose message's step noted this, as [`noted_by`] has it; `None` where a call did, whose repetition any call is.
    pub by: Option<String>,
    /// What scaled the variants, where the update takes it off.
    pub scaling: Vec<Scaling>,
    /// Why the creation of the endpoint failed, where that is being cleared away.
    pub failure: Option<String>,
}

/// Who notes for the step of a pipeline that waits under this token: the token itself is nobody else's to see.
pub fn noted_by(token: &str) -> String {
    digest(token)
}

/// The tag that a model or an endpoint config gets that is made for an endpoint.
pub fn made_for(endpoint_name: &str) -> Tag {
    tag(ENDPOINT, endpoint_name)
}

/// Whether tags tell that this product made a resource, for the endpoint of this name.
pub fn is_made_for(tags: &[Tag], endpoint_name: &str) -> bool {
    value(tags, ENDPOINT).is_some_and(|name| name.eq_ignore_ascii_case(endpoint_name))
}

impl Notes {
    /// The notes as tags; `None` where there is more to note than fits into the 16 tags of 256 characters that are left
    /// beside the other four.
    pub fn tags(&self) -> Option<Vec<Tag>> {
        let since = self
            .since
            .and_then(|since| since.fmt(DateTimeFormat::EpochSeconds).ok());
        let replaces = self
            .replaces
            .as_deref()
            .map(|replaces| tag(REPLACES, replaces));
        // Without a name too, so that it stands in place of somebody else's.
        let by = (self.since.is_some() || self.failure.is_some())
            .then(|| tag(BY, self.by.as_deref().unwrap_or_default()));
        let mut tags: Vec<_> = replaces
            .into_iter()
            .chain(since.map(|since| tag(SINCE, &since)))
            .chain(by)
            .collect();
        if !self.scaling.is_empty() {
            tags.extend(pieces(SCALING, &self.scaling)?);
        }
        if let Some(failure) = &self.failure {
            let reason: String = failure.chars().take(LONGEST_FAILURE).collect();
            tags.extend(pieces(FAILURE, &reason)?);
        }
        Some(tags)
    }

    /// The notes that tags bear.
    pub fn read(tags: &[Tag]) -> Self {
        let since = value(tags, SINCE)
            .and_then(|since| DateTime::from_str(since, DateTimeFormat::EpochSeconds).ok());
        Self {
            replaces: value(tags, REPLACES).map(str::to_owned),
            since,
            by: value(tags, BY)
                .filter(|by| !by.is_empty())
                .map(str::to_owned),
            scaling: joined(SCALING, tags).unwrap_or_default(),
            failure: joined(FAILURE, tags),
        }
    }

    /// What of the notes counts for who takes the deployment up: that it was begun, or failed, is for the one that noted
    /// it, where that was a message's step. What scaled the variants has to be put back by whoever comes.
    #[must_use]
    pub fn seen_by(self, reader: Option<&str>) -> Self {
        if self.by.is_none() || self.by.as_deref() == reader {
            return self;
        }
        Self {
            since: None,
            failure: None,
            ..self
        }
    }

    /// The keys of the tags that mean something only until the endpoint serves: all but what it replaces.
    pub fn passing_keys() -> Vec<String> {
        let pieces = (0..MOST_PIECES).map(|number| format!("{OWN_TAGS}{SCALING}{number}"));
        let by = format!("{OWN_TAGS}{BY}");
        pieces.chain([Self::since_key(), by]).collect()
    }

    /// The key of the tag that tells since when an update may have begun.
    pub fn since_key() -> String {
        format!("{OWN_TAGS}{SINCE}")
    }
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder()
        .key(format!("{OWN_TAGS}{key}"))
        .value(value)
        .build()
}

fn value<'a>(tags: &'a [Tag], key: &str) -> Option<&'a str> {
    let own = |tag: &&Tag| tag.key().and_then(|tag| tag.strip_prefix(OWN_TAGS)) == Some(key);
    tags.iter().find(own)?.value()
}

/// Base64 fits a tag's letters. The length goes before it, because pieces of earlier, longer notes may follow.
fn pieces<T: Serialize + ?Sized>(key: &str, content: &T) -> Option<Vec<Tag>> {
    let text = base64::encode(serde_json::to_vec(content).ok()?);
    let text = format!("{}.{text}", text.len());
    let pieces: Vec<_> = text
        .as_bytes()
        .chunks(LONGEST_VALUE)
        .map(String::from_utf8_lossy)
        .enumerate()
        .map(|(number, piece)| tag(&format!("{key}{number}"), &piece))
        .collect();
    (pieces.len() <= MOST_PIECES).then_some(pieces)
}

fn joined<T: DeserializeOwned>(key: &str, tags: &[Tag]) -> Option<T> {
    let pieces = (0..MOST_PIECES).map_while(|number| value(tags, &format!("{key}{number}")));
    let text = pieces.collect::<String>();
    let (length, text) = text.split_once('.')?;
    let text = text.get(..length.parse().ok()?)?;
    serde_json::from_slice(&base64::decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn scaling(variant: &str, filling: usize) -> Scaling {
        let target = json!({"MinCapacity": 1, "MaxCapacity": 4});
        let policy = json!({"PolicyName": "x".repeat(filling), "TargetValue": 70.5});
        let wire = |value: serde_json::Value| value.as_object().cloned().expect("an object");
        Scaling {
            variant: variant.to_owned(),
            target: wire(target),
            policies: vec![wire(policy)],
            scheduled_actions: Vec::new(),
        }
    }

    #[test]
    fn a_time_is_noted_to_the_last_digit() {
        // Cut, it would be taken for an earlier one, and the endpoint for one that has changed since.
        for nanoseconds in [0, 1, 123_000_000, 999_999_999] {
            let notes = Notes {
                replaces: Some("endpoint-config-1".to_owned()),
                since: Some(DateTime::from_secs_and_nanos(1_800_000_000, nanoseconds)),
                ..Notes::default()
            };
            assert_eq!(Notes::read(&notes.tags().expect("little")), notes);
        }
        assert_eq!(Notes::read(&[]), Notes::default());
        assert_eq!(Notes::default().tags(), Some(vec![]));
    }

    #[test]
    fn what_is_too_much_to_note_is_told_and_not_cut() {
        let notes = |filling| Notes {
            scaling: vec![scaling("AllTraffic", filling)],
            ..Notes::default()
        };
        let longest = (0..5000)
            .rev()
            .find(|filling| notes(*filling).tags().is_some());
        let longest = notes(longest.expect("little fits"));
        let tags = longest.tags().expect("it fits");
        assert_eq!(tags.len(), MOST_PIECES);
        assert_eq!(Notes::read(&tags), longest);
    }

    #[test]
    fn what_passes_when_the_endpoint_serves_is_all_but_what_was_replaced() {
        let notes = Notes {
            replaces: Some("endpoint-config-1".to_owned()),
            since: Some(DateTime::from_secs(1_800_000_000)),
            by: Some(noted_by("token")),
            scaling: vec![scaling("AllTraffic", 2850)],
            failure: None,
        };
        let tags = notes.tags().expect("it fits");
        assert_eq!(tags.len(), MOST_PIECES + 3);
        let without = |keys: &[String]| -> Vec<Tag> {
            let stays = |tag: &&Tag| keys.iter().all(|key| tag.key() != Some(key));
            tags.iter().filter(stays).cloned().collect()
        };
        let left = without(&Notes::passing_keys());
        assert_eq!(left, [tag(REPLACES, "endpoint-config-1")]);
        let unbegun = Notes {
            since: None,
            ..notes
        };
        assert_eq!(Notes::read(&without(&[Notes::since_key()])), unbegun);
    }

    #[test]
    fn what_a_messages_step_noted_is_for_that_message_but_for_what_has_to_be_put_back() {
        let notes = |by: Option<&str>| Notes {
            replaces: Some("endpoint-config-1".to_owned()),
            since: Some(DateTime::from_secs(1_800_000_000)),
            by: by.map(noted_by),
            scaling: vec![scaling("AllTraffic", 10)],
            failure: Some("out of memory".to_owned()),
        };
        let seen = |by, reader: Option<&str>| {
            let reader = reader.map(noted_by);
            let read = Notes::read(&notes(by).tags().expect("it fits"));
            read.seen_by(reader.as_deref())
        };
        let of_another = Notes {
            since: None,
            failure: None,
            ..notes(Some("one"))
        };
        for (by, reader, expected) in [
            (None, None, notes(None)),
            (None, Some("one"), notes(None)),
            (Some("one"), Some("one"), notes(Some("one"))),
            (Some("one"), Some("other"), of_another.clone()),
            (Some("one"), None, of_another),
        ] {
            assert_eq!(seen(by, reader), expected, "{by:?} {reader:?}");
        }
        assert_ne!(noted_by("one"), noted_by("other"));
        assert!(!noted_by("one").contains("one"));
    }

    #[test]
    fn a_failure_is_noted_whatever_its_letters() {
        for reason in ["", "out of memory: \"x\"", &"\u{1F980}".repeat(2000)] {
            let notes = Notes {
                failure: Some(reason.to_owned()),
                ..Notes::default()
            };
            let tags = notes.tags().expect("it is cut");
            let read = Notes::read(&tags).failure.expect("noted");
            assert!(
                reason.starts_with(&read)
                    && read.chars().count() >= reason.chars().count().min(500)
            );
        }
    }

    #[test]
    fn a_resource_is_known_by_its_tag_and_not_by_its_name() {
        let own = made_for("Churn");
        assert!(is_made_for(std::slice::from_ref(&own), "churn"));
        assert!(!is_made_for(&[own], "shop"));
        let theirs = Tag::builder().key("endpoint").value("churn").build();
        assert!(!is_made_for(&[theirs], "churn"));
    }

    proptest! {
        #[test]
        fn notes_come_back_whole_whatever_was_noted_before(
            fillings in proptest::collection::vec(0_usize..700, 0..3), earlier in 0_usize..700,
        ) {
            let notes = Notes {
                replaces: Some("a".to_owned()),
                since: None,
                by: None,
                failure: None,
                scaling: fillings.into_iter().map(|filling| scaling("AllTraffic", filling)).collect(),
            };
            let mut tags = notes.tags().expect("it fits");
            let before = Notes { scaling: vec![scaling("Other", earlier)], ..Notes::default() };
            for tag in before.tags().expect("it fits") {
                // As the service does: a tag that is put again has the new value.
                if !notes.scaling.is_empty() && tags.iter().all(|newer| newer.key != tag.key) {
                    tags.push(tag);
                }
            }
            for tag in &tags {
                let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_.:/=+-@".contains(letter);
                prop_assert!(tag.value().is_some_and(|value| value.len() <= 256 && value.chars().all(allowed)));
            }
            prop_assert_eq!(Notes::read(&tags), notes);
        }
    }
}
