//! The shapes of the requests, from the service model: what each operation's members must satisfy.

mod common;
mod endpoint_configs;
mod endpoints;
mod lists;
mod model_packages;
mod models;
mod pipelines;
mod queues;
mod scaling;
mod tags;

/// What a member must satisfy.
#[derive(Debug)]
pub(crate) enum Rule {
    /// It must be there.
    Required,
    /// A string of so many characters.
    Length(usize, usize),
    /// A string that follows a pattern from `names`.
    Pattern(&'static str),
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// A whole number within these bounds.
    Range(i64, i64),
    /// A number, whole or not, from zero on.
    NotNegative,
    /// Any number.
    Number,
    /// True or false.
    Boolean,
    /// A list of so many items.
    Items(usize, usize),
    /// A list whose items each satisfy these rules.
    Each(&'static [Rule]),
    /// A structure with these members.
    Members(&'static [Member]),
    /// A map whose keys and whose values each satisfy these rules.
    Map(&'static [Rule], &'static [Rule]),
}

/// A member's name and what it must satisfy. Members that are not listed are taken as they are.
pub(crate) type Member = (&'static str, &'static [Rule]);

/// What the members of an operation's request must satisfy.
pub(crate) fn request(operation: &str) -> &'static [Member] {
    match operation {
        "CreateModelPackageGroup" => model_packages::CREATE_GROUP,
        "DescribeModelPackageGroup" | "DeleteModelPackageGroup" => model_packages::GROUP,
        "CreateModelPackage" => model_packages::CREATE,
        "UpdateModelPackage" => model_packages::UPDATE,
        "DescribeModelPackage" | "DeleteModelPackage" => model_packages::PACKAGE,
        "CreateModel" => models::CREATE,
        "DescribeModel" | "DeleteModel" => models::MODEL,
        "CreateEndpointConfig" => endpoint_configs::CREATE,
        "DescribeEndpointConfig" | "DeleteEndpointConfig" => endpoint_configs::CONFIG,
        "CreateEndpoint" => endpoints::CREATE,
        "UpdateEndpoint" => endpoints::UPDATE,
        "UpdateEndpointWeightsAndCapacities" => endpoints::UPDATE_WEIGHTS_AND_CAPACITIES,
        "DescribeEndpoint" | "DeleteEndpoint" => endpoints::ENDPOINT,
        "ListModelPackages" => lists::MODEL_PACKAGES,
        "ListModels" | "ListEndpointConfigs" => lists::MODELS_OR_CONFIGS,
        "ListEndpoints" => lists::ENDPOINTS,
        "AddTags" => tags::ADD,
        "ListTags" => tags::LIST,
        "DeleteTags" => tags::DELETE,
        "SendPipelineExecutionStepSuccess" => pipelines::SUCCEED,
        "SendPipelineExecutionStepFailure" => pipelines::FAIL,
        "ListPipelineExecutionSteps" => pipelines::LIST_STEPS,
        "DescribePipelineExecution" => pipelines::DESCRIBE,
        "RegisterScalableTarget" => scaling::REGISTER,
        "DescribeScalableTargets" => scaling::DESCRIBE_TARGETS,
        "DeregisterScalableTarget" => scaling::TARGET,
        "PutScalingPolicy" => scaling::PUT_POLICY,
        "DescribeScalingPolicies" => scaling::DESCRIBE_POLICIES,
        "DeleteScalingPolicy" => scaling::POLICY,
        "PutScheduledAction" => scaling::PUT_ACTION,
        "DescribeScheduledActions" => scaling::DESCRIBE_ACTIONS,
        "DeleteScheduledAction" => scaling::SCHEDULED_ACTION,
        "ListTagsForResource" => scaling::LIST_TAGS,
        "TagResource" => scaling::TAG,
        "UntagResource" => scaling::UNTAG,
        "GetQueueUrl" => queues::URL,
        "ChangeMessageVisibility" => queues::CHANGE_VISIBILITY,
        _ => &[],
    }
}
