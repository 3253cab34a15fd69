//! What outlives a process: the tags by which a later call or delivery resumes a deployment. Pure.
//!
//! A deployment is told apart by an id of its own, which comes from its event or from its callback's token. Its
//! *anchor* is a resource whose name follows from the request and that id alone, so that every process finds it,
//! whatever the endpoint serves by now and whether it exists at all:
//!
//! | deployment | anchor |
//! |---|---|
//! | of a new endpoint | its model |
//! | of an existing endpoint | an endpoint config that no endpoint ever uses, and that goes with the deployment |
//!
//! | tags | on | say |
//! |---|---|---|
//! | `deployment-<id>`, `accepted-<id>` | the anchor | the [`Checkpoint`]: which model and endpoint config, previous endpoint config, and whether the service accepted the launch |
//! | `claim-<id>-<process>`, `undo-<id>-<process>` | the model | that a process is about to launch, or to undo: of two processes one gives way |
//! | `autoscaling-<id>-<n>` | the endpoint, and the anchor while a failed endpoint is replaced | the suspended autoscaling, which the next deployment of *any* request finds |
//! | `made-by` | model, endpoint config, new endpoint | the deployment that made it and has not succeeded with it yet |
//! | `failure-<n>` | the anchor | why a creation failed whose endpoint is being deleted |

use aws_sdk_sagemaker::primitives::{DateTime, DateTimeFormat};
use aws_sdk_sagemaker::types::Tag;
use aws_smithy_types::base64;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::names::digest;
use super::scaling::Scaling;
use crate::contract::{MOST_OWN_TAGS, OWN_TAGS};
use crate::moment::Moment;

/// The endpoint that a model or an endpoint config was made for. A resource with this tag was made by this product.
const ENDPOINT: &str = "endpoint";
/// The id of the deployment that made a model or an endpoint config and has not succeeded with it yet.
const MADE_BY: &str = "made-by";
/// The endpoint config that was live when an endpoint config was made to update from it.
const REPLACES: &str = "replaces";
/// Before a deployment's id: its checkpoint.
const CHECKPOINT: &str = "deployment-";
/// Before a deployment's id: its checkpoint once the service has accepted the launch. It has a key of its own, so that
/// another process of the deployment, which does not know yet, cannot overwrite it.
const ACCEPTED: &str = "accepted-";
/// Before a deployment's id: who is about to launch it.
const CLAIM: &str = "claim-";
/// Before a deployment's id: who is about to undo it.
const UNDO: &str = "undo-";
/// Before the beginning of a deployment's id and the number of a piece: the autoscaling that it suspended.
const SCALING: &str = "autoscaling-";
/// Before the number of a piece: why a creation failed.
const FAILURE: &str = "failure-";

/// As much of a reason as fits, whatever its letters, in characters.
const LONGEST_FAILURE: usize = 500;

/// The longest value of a tag that the service takes, in characters.
const LONGEST_VALUE: usize = 256;

/// Pieces that there is room for, next to the other own tags of a resource.
const MOST_PIECES: usize = MOST_OWN_TAGS - 4;

/// The most tags that the service takes for a resource.
pub const MOST_TAGS: usize = 50;

/// A notice that is this old belongs to no deployment that still runs: the longest takes a day.
const OBSOLETE: Duration = Duration::from_hours(72);

/// How long a notice holds. A process acts on its own for a third of this at most, so that clocks may differ by a few
/// seconds.
pub const LEASE: Duration = Duration::from_secs(60);

/// A deployment, told apart from every other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeploymentId(String);

impl DeploymentId {
    /// The id of the deployment that a pipeline's step waits for under this token. The token itself is a secret.
    pub fn of_token(token: &str) -> Self {
        Self::of(token)
    }

    /// The id of the deployment that an event asks for, where no step waits under a token: the same event is the same
    /// deployment.
    pub fn of_event(identity: &str) -> Self {
        Self::of(identity)
    }

    fn of(text: &str) -> Self {
        Self(
            digest(text)
                .chars()
                .filter(|c| *c != '-')
                .take(16)
                .collect(),
        )
    }

    /// Name of the endpoint config that is the anchor of a deployment to an existing endpoint.
    pub fn anchor(&self, endpoint_name: &str) -> String {
        let name = format!("{} {}", endpoint_name.to_ascii_lowercase(), self.0);
        format!("endpoint-config-{}", digest(&name))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn beginning(&self) -> &str {
        &self.0[..8]
    }
}

/// How far a deployment has come, as far as the next process has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its resources are being made. Whether the launch was sent is not known.
    Planned,
    /// The service has accepted the launch.
    Accepted,
}

/// How a deployment gets its endpoint to serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `CreateEndpoint`.
    Create,
    /// `UpdateEndpoint`.
    Update,
    /// `DeleteEndpoint` of the failed endpoint, then `CreateEndpoint`.
    Recreate,
}

/// What a deployment writes down of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// How it gets there.
    pub route: Route,
    /// How far it is.
    pub stage: Stage,
    /// When this was written; of an accepted launch, when it was accepted.
    pub at: Moment,
    /// Name of the endpoint config that it deploys.
    pub endpoint_config: String,
    /// Name of the model that it deploys.
    pub model: String,
    /// Name of the endpoint config that was live before; empty for a new endpoint.
    pub previous: String,
    /// The endpoint's `LastModifiedTime` before.
    pub since: Option<DateTime>,
}

impl Checkpoint {
    /// The checkpoint as a tag.
    pub fn tag(&self, id: &DeploymentId) -> Tag {
        let route = match self.route {
            Route::Create => "create",
            Route::Update => "update",
            Route::Recreate => "recreate",
        };
        let stage = match self.stage {
            Stage::Planned => "planned",
            Stage::Accepted => "accepted",
        };
        let since = self
            .since
            .and_then(|since| since.fmt(DateTimeFormat::EpochSeconds).ok());
        let value = [
            route,
            stage,
            &self.at.as_secs().to_string(),
            &self.endpoint_config,
            &self.model,
            &self.previous,
            &since.unwrap_or_default(),
        ]
        .join("/");
        let key = match self.stage {
            Stage::Planned => CHECKPOINT,
            Stage::Accepted => ACCEPTED,
        };
        tag(&format!("{key}{}", id.0), &value)
    }

    fn read(value: &str) -> Option<Self> {
        let mut parts = value.split('/');
        let mut next = || parts.next();
        let route = match next()? {
            "create" => Route::Create,
            "update" => Route::Update,
            "recreate" => Route::Recreate,
            _ => return None,
        };
        let stage = match next()? {
            "planned" => Stage::Planned,
            "accepted" => Stage::Accepted,
            _ => return None,
        };
        Some(Self {
            route,
            stage,
            at: moment(next()?)?,
            endpoint_config: next()?.to_owned(),
            model: next()?.to_owned(),
            previous: next()?.to_owned(),
            since: next()
                .and_then(|since| DateTime::from_str(since, DateTimeFormat::EpochSeconds).ok()),
        })
    }
}

/// What a process says on the model before it acts: that it is about to launch, or to undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// When it was said.
    pub at: Moment,
    /// The process that says it.
    pub process: String,
    /// Name of the endpoint config that is launched, or undone.
    pub endpoint_config: String,
}

impl Notice {
    /// The notice of a launch as a tag.
    pub fn claim(&self, id: &DeploymentId) -> Tag {
        self.tag(CLAIM, id)
    }

    /// The notice of an undo as a tag.
    pub fn undo(&self, id: &DeploymentId) -> Tag {
        self.tag(UNDO, id)
    }

    fn tag(&self, key: &str, id: &DeploymentId) -> Tag {
        let at = self.at.as_secs();
        let value = format!("{at}/{}/{}", self.process, self.endpoint_config);
        tag(&format!("{key}{}-{}", id.0, self.process), &value)
    }

    fn read(value: &str) -> Option<Self> {
        let mut parts = value.splitn(3, '/');
        Some(Self {
            at: moment(parts.next()?)?,
            process: parts.next()?.to_owned(),
            endpoint_config: parts.next()?.to_owned(),
        })
    }

    /// Whether its deployment is over for certain.
    pub fn is_obsolete(&self, now: Moment) -> bool {
        now.since(self.at) > OBSOLETE
    }

    /// Whether the process that said it may still act on it.
    pub fn holds(&self, now: Moment) -> bool {
        now.since(self.at) < LEASE
    }
}

fn moment(seconds: &str) -> Option<Moment> {
    let seconds = Duration::from_secs(seconds.parse().ok()?);
    Some(Moment::since_epoch(seconds))
}

/// What the tags of a board, or of an endpoint, say to a deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct Board(Vec<Tag>);

impl Board {
    /// Reads tags.
    pub fn of(tags: Vec<Tag>) -> Self {
        Self(tags)
    }

    /// All the tags.
    pub fn tags(&self) -> &[Tag] {
        &self.0
    }

    /// The tags that are not this product's own, nor reserved by AWS.
    pub fn others(&self) -> impl Iterator<Item = &Tag> {
        self.0.iter().filter(|tag| {
            let key = tag.key().unwrap_or_default();
            !key.starts_with(OWN_TAGS) && !key.starts_with("aws:")
        })
    }

    /// The checkpoint of a deployment.
    pub fn checkpoint(&self, id: &DeploymentId) -> Option<Checkpoint> {
        let read = |key: &str| Checkpoint::read(value(&self.0, &format!("{key}{}", id.0))?);
        read(ACCEPTED).or_else(|| read(CHECKPOINT))
    }

    /// Claims of launches: the deployment's id and the notice.
    pub fn claims(&self) -> impl Iterator<Item = (&str, Notice)> {
        self.notices(CLAIM)
    }

    /// Announced undos: the deployment's id and the notice.
    pub fn undos(&self) -> impl Iterator<Item = (&str, Notice)> {
        self.notices(UNDO)
    }

    fn notices(&self, key: &'static str) -> impl Iterator<Item = (&str, Notice)> {
        self.own(key).filter_map(|(rest, value)| {
            let id = rest.split('-').next().unwrap_or_default();
            Some((id, Notice::read(value)?))
        })
    }

    /// The keys of a deployment's claims that no process acts on any more.
    pub fn idle_claims(&self, id: &DeploymentId, now: Moment) -> Vec<String> {
        let own = format!("{CLAIM}{}-", id.0);
        self.keys(|key| {
            let notice = value(&self.0, key).and_then(Notice::read);
            key.starts_with(&own) && notice.is_none_or(|notice| !notice.holds(now))
        })
    }

    /// The suspended autoscaling that a deployment has to restore, of each variant the first that is found: its own, and
    /// that of other deployments unless they have suspended it just now and are about to launch.
    pub fn suspended(&self, id: &DeploymentId, now: Moment) -> Vec<Scaling> {
        let mut suspended: Vec<Scaling> = Vec::new();
        for (_, saved) in self.saved(id, now) {
            for scaling in saved.scaling {
                if suspended.iter().all(|one| one.variant != scaling.variant) {
                    suspended.push(scaling);
                }
            }
        }
        suspended
    }

    /// Whether another deployment has suspended autoscaling just now, and may be about to launch.
    pub fn is_just_suspended_by_others(&self, id: &DeploymentId, now: Moment) -> bool {
        let others = self
            .suspenders()
            .into_iter()
            .filter(|other| other != id.beginning());
        let mut saved =
            others.filter_map(|other| joined::<Saved>(&format!("{SCALING}{other}-"), &self.0));
        saved.any(|saved| now.since(saved.saved_at()) < LEASE)
    }

    /// Saved autoscaling by the beginning of the deployment's id, its own first.
    fn saved(&self, id: &DeploymentId, now: Moment) -> Vec<(String, Saved)> {
        let mut ids = self.suspenders();
        ids.sort_by_key(|other| other != id.beginning());
        let read = |other: String| {
            let saved: Saved = joined(&format!("{SCALING}{other}-"), &self.0)?;
            let holds = other != id.beginning() && now.since(saved.saved_at()) < LEASE;
            (!holds).then_some((other, saved))
        };
        ids.into_iter().filter_map(read).collect()
    }

    /// The autoscaling that a deployment suspended.
    pub fn suspended_by(&self, id: &DeploymentId) -> Vec<Scaling> {
        let saved: Option<Saved> = joined(&format!("{SCALING}{}-", id.beginning()), &self.0);
        saved.map(|saved| saved.scaling).unwrap_or_default()
    }

    /// The tags with suspended autoscaling.
    pub fn suspended_tags(&self) -> impl Iterator<Item = &Tag> {
        let own = |tag: &&Tag| {
            let key = tag.key().and_then(|key| key.strip_prefix(OWN_TAGS));
            key.is_some_and(|key| key.starts_with(SCALING))
        };
        self.0.iter().filter(own)
    }

    /// The keys of the tags with the autoscaling that a deployment suspended.
    pub fn suspended_keys_of(&self, id: &DeploymentId) -> Vec<String> {
        let own = format!("{SCALING}{}-", id.beginning());
        self.keys(|key| key.starts_with(&own))
    }

    /// The keys of the tags with the autoscaling that [`Board::suspended`] gives.
    pub fn suspended_keys(&self, id: &DeploymentId, now: Moment) -> Vec<String> {
        let ids: Vec<_> = self.saved(id, now).into_iter().map(|(id, _)| id).collect();
        self.keys(|key| {
            let id = key
                .strip_prefix(SCALING)
                .and_then(|rest| rest.split('-').next());
            id.is_some_and(|id| ids.iter().any(|known| known == id))
        })
    }

    fn suspenders(&self) -> Vec<String> {
        let mut ids: Vec<_> = self
            .own(SCALING)
            .filter_map(|(rest, _)| Some(rest.split_once('-')?.0.to_owned()))
            .collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// Why a creation failed whose endpoint is being deleted.
    pub fn failure(&self) -> Option<String> {
        joined(FAILURE, &self.0)
    }

    /// Whether a deployment made the resource and has not succeeded with it.
    pub fn is_made_by(&self, id: &DeploymentId) -> bool {
        self.made_by() == Some(id.as_str())
    }

    /// The deployment that made the resource and has not succeeded with it.
    pub fn made_by(&self) -> Option<&str> {
        value(&self.0, MADE_BY)
    }

    /// The keys of the tags that go when a deployment ends: its own, and everybody's that are obsolete.
    pub fn passing_keys(&self, id: &DeploymentId, now: Moment) -> Vec<String> {
        self.keys(|key| {
            let of = [CHECKPOINT, ACCEPTED, CLAIM, UNDO]
                .iter()
                .find_map(|beginning| key.strip_prefix(beginning));
            let own = of.is_some_and(|of| of.split('-').next() == Some(id.as_str()));
            own || key == MADE_BY || key.starts_with(FAILURE) || self.is_obsolete(key, now)
        })
    }

    /// The same without the tag that tells whose the resource is: it stays on what a failed deployment leaves behind.
    pub fn resumption_keys(&self, id: &DeploymentId, now: Moment) -> Vec<String> {
        let mut keys = self.passing_keys(id, now);
        keys.retain(|key| *key != made_by_key());
        keys
    }

    /// Whether another process of a deployment is about to launch.
    pub fn is_claimed_by_own(&self, id: &DeploymentId, process: &str, now: Moment) -> bool {
        self.claims()
            .any(|(of, notice)| of == id.as_str() && notice.process != process && notice.holds(now))
    }

    /// Whether somebody else than this process needs the model: another deployment has claimed it, or another process of
    /// this deployment is about to launch.
    pub fn is_claimed(&self, id: &DeploymentId, process: &str, now: Moment) -> bool {
        self.claims().any(|(of, notice)| {
            if of == id.as_str() {
                notice.process != process && notice.holds(now)
            } else {
                !notice.is_obsolete(now)
            }
        })
    }

    fn is_obsolete(&self, key: &str, now: Moment) -> bool {
        let notice = key.starts_with(CLAIM) || key.starts_with(UNDO);
        let written = value(&self.0, key)
            .filter(|_| notice)
            .and_then(Notice::read);
        written.is_some_and(|notice| notice.is_obsolete(now))
    }

    fn keys(&self, counts: impl Fn(&str) -> bool) -> Vec<String> {
        self.own("")
            .filter(|(key, _)| counts(key))
            .map(|(key, _)| format!("{OWN_TAGS}{key}"))
            .collect()
    }

    /// The own tags whose key begins like this: the rest of the key, and the value.
    fn own(&self, beginning: &str) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(move |tag| {
            let key = tag.key()?.strip_prefix(OWN_TAGS)?;
            Some((key.strip_prefix(beginning)?, tag.value()?))
        })
    }
}

/// The tag of a model or an endpoint config that is made for an endpoint.
pub fn made_for(endpoint_name: &str) -> Tag {
    tag(ENDPOINT, endpoint_name)
}

/// The tag of a model or an endpoint config that a deployment makes.
pub fn made_by(id: &DeploymentId) -> Tag {
    tag(MADE_BY, &id.0)
}

/// The key of that tag.
pub fn made_by_key() -> String {
    format!("{OWN_TAGS}{MADE_BY}")
}

/// The tag of an endpoint config that an update makes.
pub fn replaces(endpoint_config: &str) -> Tag {
    tag(REPLACES, endpoint_config)
}

/// The keys of the tags with a process's own notices.
pub fn notice_keys(id: &DeploymentId, process: &str) -> Vec<String> {
    [UNDO, CLAIM]
        .iter()
        .map(|key| format!("{OWN_TAGS}{key}{}-{process}", id.0))
        .collect()
}

/// The keys of the tags by which the next process would resume a deployment.
pub fn checkpoint_keys(id: &DeploymentId) -> Vec<String> {
    let failure = (0..MOST_PIECES).map(|number| format!("{OWN_TAGS}{FAILURE}{number}"));
    [CHECKPOINT, ACCEPTED]
        .iter()
        .map(|key| format!("{OWN_TAGS}{key}{}", id.0))
        .chain(failure)
        .collect()
}

/// Whether tags tell that this product made a resource, for the endpoint of this name.
pub fn is_made_for(tags: &[Tag], endpoint_name: &str) -> bool {
    value(tags, ENDPOINT).is_some_and(|name| name.eq_ignore_ascii_case(endpoint_name))
}

/// Suspended autoscaling, with the time at which it was saved.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Saved {
    at: u64,
    scaling: Vec<Scaling>,
}

impl Saved {
    fn saved_at(&self) -> Moment {
        Moment::since_epoch(Duration::from_secs(self.at))
    }
}

/// Suspended autoscaling as tags; `None` if it is more than fits into 16 tags of 256 characters.
pub fn suspended_tags(id: &DeploymentId, scaling: &[Scaling], now: Moment) -> Option<Vec<Tag>> {
    if scaling.is_empty() {
        return Some(Vec::new());
    }
    let saved = Saved {
        at: now.as_secs(),
        scaling: scaling.to_vec(),
    };
    pieces(&format!("{SCALING}{}-", id.beginning()), &saved)
}

/// The reason of a failed creation as tags, cut to what fits.
pub fn failure_tags(reason: &str) -> Vec<Tag> {
    let reason: String = reason.chars().take(LONGEST_FAILURE).collect();
    pieces(FAILURE, &reason).unwrap_or_default()
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

/// Base64 fits a tag's letters. The length goes first, because pieces of an earlier, longer text may follow.
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
mod tests;
