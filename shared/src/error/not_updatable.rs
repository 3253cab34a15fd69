//! Why an endpoint cannot be updated.

/// Why an endpoint cannot be updated, or how it left the deployment's hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotUpdatable {
    /// Another deployment came after this one.
    Replaced {
        /// The endpoint config that it serves now.
        endpoint_config: String,
    },
    /// It is `Failed`.
    Failed {
        /// Whether this update did that.
        by_this: bool,
        /// The service's reason, if it gave one.
        reason: Option<String>,
    },
    /// It is being deleted.
    Deleting,
    /// An update was not rolled back.
    RollbackFailed {
        /// The service's reason, if it gave one.
        reason: Option<String>,
    },
    /// It takes no requests.
    OutOfService,
    /// The endpoint config that it serves was deleted.
    ConfigGone {
        /// Its name.
        endpoint_config: String,
    },
    /// It serves inference components, and has no model of its own.
    InferenceComponents {
        /// Name of the variant.
        variant: String,
    },
    /// The model that it serves was deleted, and what it said is not known.
    ModelGone {
        /// Name of the model.
        model: String,
        /// What is not known, and not said by the event either.
        unknown: LostNetwork,
    },
    /// The package of its model was deleted, and with it what tells the model's own environment variables.
    PackageGone {
        /// ARN of the package.
        package: String,
    },
    /// It has settings that the update has no place for.
    NotCarried {
        /// The settings, in the service's names.
        members: Vec<String>,
    },
    /// Its tags leave no room for what has to be saved.
    TooManyTags {
        /// The tags that it has, with those of the event.
        present: usize,
        /// The tags that are needed besides.
        needed: usize,
    },
}

/// What nobody knows of a deleted model's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostNetwork {
    /// Its subnets and security groups.
    Vpc,
    /// Whether it is isolated.
    Isolation,
    /// Neither of them.
    Both,
}

impl LostNetwork {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Vpc => "VPC",
            Self::Isolation => "network isolation",
            Self::Both => "VPC and network isolation",
        }
    }
}

impl NotUpdatable {
    /// The reason, and what to do.
    pub(super) fn words(&self) -> (String, &'static str) {
        let said = |reason: &Option<String>| {
            let reason = reason.as_deref().unwrap_or("the service gave no reason");
            reason.trim_end_matches('.').to_owned()
        };
        match self {
            Self::Replaced { endpoint_config } => (
                format!(
                    "another deployment replaced this one, and it serves {endpoint_config} now"
                ),
                "Call again to deploy over that.",
            ),
            Self::Failed { by_this, reason } => {
                let which = if *by_this {
                    "this update"
                } else {
                    "an earlier deployment"
                };
                (
                    format!("{which} failed ({})", said(reason)),
                    "To delete it and create it again, call again with replace_failed_endpoint, for which the stack needs AllowReplacingFailedEndpoints.",
                )
            }
            Self::Deleting => (
                "it will soon be gone".to_owned(),
                "Call deploy-new-endpoint, which waits for that and creates it again.",
            ),
            Self::RollbackFailed { reason } => (
                format!(
                    "an update failed and was not rolled back ({}), so that old and new variants may both serve",
                    said(reason)
                ),
                "Ask AWS Support, or delete the endpoint and call deploy-new-endpoint.",
            ),
            Self::OutOfService => (
                "it takes no requests".to_owned(),
                "Bring it back in service, or delete it and call deploy-new-endpoint.",
            ),
            Self::ConfigGone { endpoint_config } => (
                format!(
                    "its endpoint config {endpoint_config} does not exist any more, so that its settings cannot be kept"
                ),
                "Delete the endpoint and call deploy-new-endpoint.",
            ),
            Self::InferenceComponents { variant } => (
                format!(
                    "its variant {variant} has no model of its own and serves inference components, which an update with a model would take away"
                ),
                "Deploy to another endpoint, or update the inference component (UpdateInferenceComponent).",
            ),
            Self::ModelGone { model, unknown } => (
                format!(
                    "its model {model} does not exist any more, so that its {} cannot be kept",
                    unknown.words()
                ),
                "Set subnets, security_group_ids and enable_network_isolation in the event, or create the model again under its name.",
            ),
            Self::PackageGone { package } => (
                format!(
                    "the package {package} of its model does not exist any more, so that nobody knows which environment variables are the model's own"
                ),
                "Delete the endpoint and call deploy-new-endpoint, or deploy to a new endpoint.",
            ),
            Self::NotCarried { members } => (
                format!(
                    "it has settings that the update has no place for: {}",
                    members.join(", ")
                ),
                "Leave out the keys that change the shape of what has them, use a newer version of this program, or deploy to a new endpoint.",
            ),
            Self::TooManyTags { present, needed } => (
                format!(
                    "with the event's tags it has {present} tags of at most 50, and {needed} more are needed to save what it would lose while it is updated"
                ),
                "Remove some tags and call again.",
            ),
        }
    }
}
