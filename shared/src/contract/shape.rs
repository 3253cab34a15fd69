//! The keys that shape an endpoint: each from the event, else (on an update) from what is live, else from
//! the environment, else the default.

use serde_json::Value;

use super::deployment::DeploymentKind;
use super::fields::{BadKey, Fields, Setting};
use super::{tags, values};

/// How an endpoint takes requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InferenceOption {
    /// On instances, answering at once.
    RealTime,
    /// Without instances.
    Serverless,
    /// On instances, answering through S3.
    Async,
}

impl InferenceOption {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("real-time", Self::RealTime),
        ("serverless", Self::Serverless),
        ("async", Self::Async),
    ];

    /// The contract's word, as the key `inference_option` has it.
    pub fn as_str(self) -> &'static str {
        let word = Self::WORDS.iter().find(|(_, option)| *option == self);
        word.map_or("", |(word, _)| word)
    }
}

/// Concurrent invocations of a serverless variant where nothing else is asked; the service takes 1 to 200.
pub const DEFAULT_SERVERLESS_MAX_CONCURRENCY: i32 = 5;

/// Everything that shapes an endpoint: each field is the contract's key of that name.
///
/// The limits are the service's, and hold before any call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// Name of the production variant: at most 63 letters, digits and inner hyphens. On an update of several, the
    /// one whose model is swapped.
    pub variant_name: Setting<String>,
    /// Instance type, as in `ml.m5.xlarge`. Its form is checked, and not whether the service has it.
    pub instance_type: Setting<String>,
    /// Instances that the variant starts with, at least 1; on an update, the count that is wanted.
    pub initial_instance_count: Setting<i32>,
    /// How long an instance may take to fetch the model: 60 to 3600 seconds.
    pub model_data_download_timeout_seconds: Setting<i32>,
    /// How long a container may take to pass its health check: 60 to 3600 seconds.
    pub container_startup_health_check_timeout_seconds: Setting<i32>,
    /// Size of each instance's volume: 1 to 512 GB.
    pub volume_size_gb: Setting<i32>,
    /// How the endpoint takes requests.
    pub inference_option: Setting<InferenceOption>,
    /// Memory of a serverless variant: 1024 to 6144 MB, in steps of 1024.
    pub serverless_memory_size_mb: Setting<i32>,
    /// Requests that a serverless variant serves at once: 1 to 200.
    pub serverless_max_concurrency: Setting<i32>,
    /// How many of those are kept warm: 1 to 200, and at most all of them.
    pub serverless_provisioned_concurrency: Setting<i32>,
    /// S3 URI that an asynchronous endpoint, which needs one, writes its answers under: at most 1024 characters.
    pub async_s3_output_path: Setting<String>,
    /// S3 URI that it writes failures under: at most 1024 characters.
    pub async_s3_failure_path: Setting<String>,
    /// ARN of the SNS topic that hears of its answers: at most 2048 characters.
    pub async_success_topic: Setting<String>,
    /// ARN of the SNS topic that hears of its failures: at most 2048 characters.
    pub async_error_topic: Setting<String>,
    /// Requests that it hands to an instance at once: 1 to 1000.
    pub async_max_concurrent_invocations_per_instance: Setting<i32>,
    /// S3 URI that requests and answers are captured under: at most 512 characters.
    pub data_capture_s3_uri: Setting<String>,
    /// Share of the requests that is captured: 0 to 100 percent. It needs somewhere to capture to.
    pub data_capture_sampling_percentage: Setting<i32>,
    /// KMS key that encrypts the instances' volumes: its id, alias or ARN, at most 2048 characters.
    pub kms_key_id: Setting<String>,
    /// Subnets of the model's containers: at most 16, and only together with security groups.
    pub subnets: Setting<Vec<String>>,
    /// Security groups of the model's containers: at most 5, and only together with subnets.
    pub security_group_ids: Setting<Vec<String>>,
    /// Whether the model's containers are cut off from every network.
    pub enable_network_isolation: Setting<bool>,
    /// Tags of the model, the endpoint config and the endpoint: at most 30, with keys of 1 to 128 characters and
    /// values of at most 256. The service takes 50; the rest is [`MOST_OWN_TAGS`](super::MOST_OWN_TAGS).
    pub tags: Setting<Vec<(String, String)>>,
}

impl Shape {
    /// Reads the keys, and rejects those that do not go together as far as that can be told before the
    /// live config is known.
    pub(super) fn read(fields: &mut Fields<'_>, kind: DeploymentKind) -> Self {
        let topic = || {
            values::text(
                r"arn:aws[a-z\-]*:sns:[a-z0-9\-]*:[0-9]{12}:[a-zA-Z0-9_.\-]+",
                2048,
                "the ARN of an SNS topic",
            )
        };
        let timeout = || values::integer(60..=3600);
        let network_id = |form| values::item(r"[\-0-9a-zA-Z]+", 32, form);
        let shape = Self {
            variant_name: fields.optional("variant_name", values::name),
            // The form and not the membership: the service's list grows faster than this code.
            instance_type: fields.optional(
                "instance_type",
                values::text(
                    r"ml\.[a-z][a-z0-9\-]*\.[a-z0-9\-]+",
                    64,
                    "an instance type like ml.m5.xlarge",
                ),
            ),
            initial_instance_count: fields
                .optional("initial_instance_count", values::integer(1..=i32::MAX)),
            model_data_download_timeout_seconds: fields
                .optional("model_data_download_timeout_seconds", timeout()),
            container_startup_health_check_timeout_seconds: fields
                .optional("container_startup_health_check_timeout_seconds", timeout()),
            volume_size_gb: fields.optional("volume_size_gb", values::integer(1..=512)),
            inference_option: fields
                .optional("inference_option", values::choice(InferenceOption::WORDS)),
            serverless_memory_size_mb: fields.optional(
                "serverless_memory_size_mb",
                values::stepped(1024..=6144, 1024),
            ),
            serverless_max_concurrency: fields
                .optional("serverless_max_concurrency", values::integer(1..=200)),
            serverless_provisioned_concurrency: fields.optional(
                "serverless_provisioned_concurrency",
                values::integer(1..=200),
            ),
            async_s3_output_path: fields.optional("async_s3_output_path", s3_uri(1024)),
            async_s3_failure_path: fields.optional("async_s3_failure_path", s3_uri(1024)),
            async_success_topic: fields.optional("async_success_topic", topic()),
            async_error_topic: fields.optional("async_error_topic", topic()),
            async_max_concurrent_invocations_per_instance: fields.optional(
                "async_max_concurrent_invocations_per_instance",
                values::integer(1..=1000),
            ),
            data_capture_s3_uri: fields.optional("data_capture_s3_uri", s3_uri(512)),
            data_capture_sampling_percentage: fields
                .optional("data_capture_sampling_percentage", values::integer(0..=100)),
            kms_key_id: fields.optional(
                "kms_key_id",
                values::text("[a-zA-Z0-9:/_\\-]+", 2048, "a KMS key's id, alias or ARN"),
            ),
            subnets: fields.optional("subnets", values::list(16, network_id("subnet ids"))),
            security_group_ids: fields.optional(
                "security_group_ids",
                values::list(5, network_id("security group ids")),
            ),
            enable_network_isolation: fields.optional("enable_network_isolation", values::flag),
            tags: fields.optional("tags", tags::parse),
        };
        for bad in shape.misfits_before_looking(kind) {
            fields.reject(&bad.key, bad.reason);
        }
        shape
    }

    fn misfits_before_looking(&self, kind: DeploymentKind) -> Vec<BadKey> {
        let mut bad = Vec::new();
        let mut pair = |key, other, one: bool, two: bool| {
            if one && !two {
                bad.push(BadKey::new(
                    other,
                    format!("is missing, and goes with {key}"),
                ));
            }
        };
        let (subnets, groups) = (&self.subnets, &self.security_group_ids);
        pair(
            "subnets",
            "security_group_ids",
            subnets.event.is_some(),
            groups.event.is_some(),
        );
        pair(
            "security_group_ids",
            "subnets",
            groups.event.is_some(),
            subnets.event.is_some(),
        );
        if kind == DeploymentKind::New {
            let output = self.async_s3_output_path.get().is_some();
            let is_async = self.inference_option.get() == Some(InferenceOption::Async);
            pair(
                "inference_option async",
                "async_s3_output_path",
                is_async,
                output,
            );
            let percentage = self.data_capture_sampling_percentage.event.is_some();
            let uri = self.data_capture_s3_uri.get().is_some();
            pair(
                "data_capture_sampling_percentage",
                "data_capture_s3_uri",
                percentage,
                uri,
            );
        }
        let max = match kind {
            DeploymentKind::New => Some(
                self.serverless_max_concurrency
                    .or(DEFAULT_SERVERLESS_MAX_CONCURRENCY),
            ),
            DeploymentKind::Existing => self.serverless_max_concurrency.event,
        };
        let provisioned = self.serverless_provisioned_concurrency.event;
        bad.extend(too_much_provisioned(provisioned, max));
        match (kind, self.inference_option.event) {
            (DeploymentKind::New, _) => {
                let option = self.inference_option.or(InferenceOption::RealTime);
                bad.extend(
                    self.misfits(option, |key| key.event || (key.guards && key.environment)),
                );
            }
            (DeploymentKind::Existing, Some(option)) => {
                bad.extend(self.misfits(option, |key| key.event));
            }
            (DeploymentKind::Existing, None) => {}
        }
        bad
    }

    /// Refusals of the event's keys that do not go with the way in which the endpoint takes requests; empty for none.
    pub fn misfits_of_event(&self, option: InferenceOption) -> Vec<BadKey> {
        self.misfits(option, |key| key.event)
    }

    fn misfits(&self, option: InferenceOption, counts: impl Fn(&Key) -> bool) -> Vec<BadKey> {
        let keys = self.particular_keys();
        let misfits = keys
            .iter()
            .filter(|key| !key.goes_with.contains(&option) && counts(key));
        misfits
            .map(|key| {
                let options: Vec<_> = key.goes_with.iter().map(|option| option.as_str()).collect();
                let reason = format!(
                    "goes with inference_option {} and not with {}",
                    options.join(" or "),
                    option.as_str()
                );
                if key.event {
                    BadKey::new(key.name, reason)
                } else {
                    let variable = key.name.to_ascii_uppercase();
                    BadKey::new(format!("environment variable {variable}"), reason)
                }
            })
            .collect()
    }

    /// The keys that do not go with every way of taking requests.
    fn particular_keys(&self) -> Vec<Key> {
        use InferenceOption::{Async, RealTime, Serverless};
        const INSTANCES: &[InferenceOption] = &[RealTime, Async];
        fn key<T>(
            name: &'static str,
            goes_with: &'static [InferenceOption],
            setting: &Setting<T>,
        ) -> Key {
            Key {
                name,
                goes_with,
                event: setting.event.is_some(),
                environment: setting.environment.is_some(),
                guards: false,
            }
        }
        // A stack that guards its endpoints so must not find one without; that it has a default size for
        // instances does not keep anybody from going without any.
        fn guard<T>(name: &'static str, setting: &Setting<T>) -> Key {
            Key {
                guards: true,
                ..key(name, INSTANCES, setting)
            }
        }
        let isolation = Setting {
            event: self.enable_network_isolation.event.filter(|on| *on),
            environment: self.enable_network_isolation.environment.filter(|on| *on),
        };
        vec![
            key("instance_type", INSTANCES, &self.instance_type),
            key(
                "initial_instance_count",
                INSTANCES,
                &self.initial_instance_count,
            ),
            key(
                "model_data_download_timeout_seconds",
                INSTANCES,
                &self.model_data_download_timeout_seconds,
            ),
            key(
                "container_startup_health_check_timeout_seconds",
                INSTANCES,
                &self.container_startup_health_check_timeout_seconds,
            ),
            key("volume_size_gb", INSTANCES, &self.volume_size_gb),
            key(
                "serverless_memory_size_mb",
                &[Serverless],
                &self.serverless_memory_size_mb,
            ),
            key(
                "serverless_max_concurrency",
                &[Serverless],
                &self.serverless_max_concurrency,
            ),
            key(
                "serverless_provisioned_concurrency",
                &[Serverless],
                &self.serverless_provisioned_concurrency,
            ),
            key("async_s3_output_path", &[Async], &self.async_s3_output_path),
            key(
                "async_s3_failure_path",
                &[Async],
                &self.async_s3_failure_path,
            ),
            key("async_success_topic", &[Async], &self.async_success_topic),
            key("async_error_topic", &[Async], &self.async_error_topic),
            key(
                "async_max_concurrent_invocations_per_instance",
                &[Async],
                &self.async_max_concurrent_invocations_per_instance,
            ),
            guard("data_capture_s3_uri", &self.data_capture_s3_uri),
            key(
                "data_capture_sampling_percentage",
                INSTANCES,
                &self.data_capture_sampling_percentage,
            ),
            guard("kms_key_id", &self.kms_key_id),
            guard("subnets", &self.subnets),
            guard("security_group_ids", &self.security_group_ids),
            guard("enable_network_isolation", &isolation),
        ]
    }
}

/// A key that goes with some ways of taking requests only, and where it is set.
struct Key {
    name: &'static str,
    goes_with: &'static [InferenceOption],
    event: bool,
    environment: bool,
    /// Whether leaving it out unsaid would leave the endpoint less guarded than its stack asks for.
    guards: bool,
}

/// The refusal of a serverless variant's provisioned concurrency that is more than its concurrency, of which it is a
/// part; `None` where it is not, or either is not known.
pub fn too_much_provisioned(provisioned: Option<i32>, max: Option<i32>) -> Option<BadKey> {
    let (provisioned, max) = (provisioned?, max?);
    (provisioned > max).then(|| {
        let reason = format!(
            "must be at most serverless_max_concurrency, which is {max}, not {provisioned}"
        );
        BadKey::new("serverless_provisioned_concurrency", reason)
    })
}

fn s3_uri(longest: usize) -> impl Fn(&Value) -> Result<String, String> {
    values::text(
        "(https|s3)://[^/]+/?.*",
        longest,
        "an S3 URI, s3://<bucket>/<prefix>",
    )
}

#[cfg(test)]
mod tests;
