//! What a look at the endpoint says about a deployment, and when to look again. Pure.

use std::time::Duration;

use aws_sdk_sagemaker::primitives::DateTime;
use aws_sdk_sagemaker::types::EndpointStatus;
use backon::{BackoffBuilder, ExponentialBuilder};

use crate::sagemaker::Endpoint;

/// Where a deployment stands, by one look at its endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A change is under way, this deployment's or another's; look again.
    Pending,
    /// In service on the config that was asked for.
    Ready,
    /// In service on another config, and nothing of this deployment has begun.
    NotBegun,
    /// In service again on the config that it had before this deployment began.
    RolledBack {
        /// The service's reason, where it gives one.
        reason: Option<String>,
    },
    /// In service on a config that is neither this deployment's nor the one before it.
    Superseded,
    /// The endpoint is `Failed`.
    Failed {
        /// The service's reason, where it gives one.
        reason: Option<String>,
    },
    /// The endpoint is being deleted.
    Deleting,
    /// A status out of which no deployment comes by waiting.
    Unexpected,
}

/// What is known of a deployment that has begun, to tell a rollback from a stale read.
#[derive(Debug, Clone, PartialEq)]
pub struct Begun {
    /// The endpoint config that was live before.
    pub config_before: String,
    /// The endpoint's `LastModifiedTime` as far as it tells something.
    pub since: Since,
    /// Whether the service has confirmed it: by its reply, or by a look at the endpoint. Without, its
    /// beginning was asked for and the reply was lost.
    pub certain: bool,
}

/// What an endpoint's `LastModifiedTime` is held against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Since {
    /// Last seen before the deployment began: only a later time is news.
    Before(Option<DateTime>),
    /// Seen while the deployment was under way: this time or a later one is news.
    UnderWay(Option<DateTime>),
}

impl Begun {
    /// Whether a look shows the endpoint after the deployment began.
    ///
    /// A read right after `UpdateEndpoint` may still show the endpoint as it was. Where the service gives
    /// no times, a look counts as news once the deployment has been seen under way.
    fn is_news(&self, seen: Option<DateTime>) -> bool {
        let as_seconds = |time: DateTime| (time.secs(), time.subsec_nanos());
        match (self.since, seen) {
            (Since::Before(Some(before)), Some(seen)) => as_seconds(seen) > as_seconds(before),
            (Since::UnderWay(Some(then)), Some(seen)) => as_seconds(seen) >= as_seconds(then),
            (Since::Before(_), _) => false,
            (Since::UnderWay(_), _) => true,
        }
    }
}

/// Classifies one look at the endpoint, for a deployment of the endpoint config `asked`.
///
/// `begun` is what is known of the deployment where it has begun. All nine statuses have their place; one
/// that the service invents later is unexpected.
pub fn classify(endpoint: &Endpoint, asked: &str, begun: Option<&Begun>) -> Progress {
    let reason = || endpoint.failure_reason.clone();
    match &endpoint.status {
        EndpointStatus::Creating
        | EndpointStatus::Updating
        | EndpointStatus::SystemUpdating
        | EndpointStatus::RollingBack => Progress::Pending,
        EndpointStatus::InService if endpoint.config == asked => Progress::Ready,
        EndpointStatus::InService => match begun {
            Some(begun)
                if endpoint.config == begun.config_before
                    && begun.is_news(endpoint.last_modified) =>
            {
                Progress::RolledBack { reason: reason() }
            }
            None | Some(Begun { certain: false, .. }) => Progress::NotBegun,
            Some(begun) if endpoint.config == begun.config_before => Progress::Pending,
            Some(_) => Progress::Superseded,
        },
        EndpointStatus::Failed => Progress::Failed { reason: reason() },
        EndpointStatus::Deleting => Progress::Deleting,
        _ => Progress::Unexpected,
    }
}

/// How the pauses between two looks grow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// The shortest pause.
    pub shortest: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// The part of the time waited so far that a pause lasts between those two: 0.06 is 6%.
    pub share: f64,
    /// How long the service may take to see what it has just made. It reads endpoint configs eventually
    /// consistently.
    pub patience: Duration,
}

impl Default for Pace {
    /// Within the contract's bounds (an end is noticed within 2 s or 10% of the wait, never over 15 s),
    /// with room left for the call itself.
    fn default() -> Self {
        Self {
            shortest: Duration::from_secs(1),
            longest: Duration::from_secs(14),
            share: 0.06,
            // It mostly takes a second or two.
            patience: Duration::from_secs(30),
        }
    }
}

impl Pace {
    /// The pause after a look, by the time waited until then.
    pub fn pause(&self, waited: Duration) -> Duration {
        waited
            .mul_f64(self.share)
            .clamp(self.shortest, self.longest)
    }

    /// The pauses after failed calls in a row, without end: from half the shortest, doubling, up to half the longest,
    /// each with a random part of as much again.
    pub fn backoff(&self) -> impl Iterator<Item = Duration> + use<> {
        ExponentialBuilder::new()
            .with_min_delay(self.shortest / 2)
            // The jitter adds up to as much again.
            .with_max_delay(self.longest / 2)
            .with_jitter()
            .without_max_times()
            .build()
    }
}

#[cfg(test)]
mod tests;
