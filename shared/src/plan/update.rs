//! The plan of an update, from what is live.

use std::collections::BTreeMap;

use aws_sdk_sagemaker::operation::create_endpoint_config::builders::CreateEndpointConfigInputBuilder;
use aws_sdk_sagemaker::operation::describe_endpoint_config::DescribeEndpointConfigOutput;
use aws_sdk_sagemaker::operation::describe_model::DescribeModelOutput;
use aws_sdk_sagemaker::types::{InstancePool, ProductionVariant, VariantPropertyType};
use serde_json::Value;

use super::guard::Footing;
use super::unknown::{Unknown, Whole, put};
use super::{
    Plan, Retained, ScalingPlan, content, endpoint_config_name, instance_type, made_for, model,
    settings, tags, traffic, variant,
};
use crate::contract::{BadKey, DeployRequest, InferenceOption};
use crate::error::{LostNetwork, NotUpdatable};

/// What an endpoint serves.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// The live endpoint config (`DescribeEndpointConfig`).
    pub config: Whole<DescribeEndpointConfigOutput>,
    /// The model of the variant that is updated (`DescribeModel`); `None` if it has been deleted.
    pub model: Option<Whole<DescribeModelOutput>>,
    /// The model's own environment variables, beyond its package's.
    pub environment: BTreeMap<String, String>,
}

/// Why an update cannot be planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// These keys do not fit what is live.
    Keys(Vec<BadKey>),
    /// Whatever the keys are, the update would lose something.
    Live(NotUpdatable),
}

/// Name of the model that the variant to be updated serves; `None` for a variant without one of its own.
///
/// # Errors
///
/// `variant_name`, where the live config has several variants and the request does not say which, or has
/// none of that name.
pub fn served_model<'a>(
    request: &DeployRequest,
    live: &'a DescribeEndpointConfigOutput,
) -> Result<Option<&'a str>, Vec<BadKey>> {
    let chosen = chosen_variant(request, live.production_variants())?;
    Ok(live.production_variants()[chosen].model_name.as_deref())
}

pub(super) fn plan(request: &DeployRequest, live: &Live) -> Result<Plan, Refused> {
    let shape = &request.shape;
    let mut variants = live.config.production_variants.clone().unwrap_or_default();
    let chosen = updatable_variant(request, live, &variants)?;
    let before = option_of(&live.config, &variants[chosen]);
    let option = shape.inference_option.event.unwrap_or(before);
    let mut bad = shape.misfits_of_event(option);
    let opened = shape.enable_network_isolation.event == Some(false);
    bad.extend(impossible_change(
        before,
        option,
        live,
        variants.len(),
        opened,
    ));
    let count_is_asked = shape.initial_instance_count.event.is_some();
    if count_is_asked && request.retain_all_variant_properties && variants.len() > 1 {
        bad.push(BadKey::new(
            "initial_instance_count",
            "cannot be set on one of several production variants without resetting the counts of all; change it with UpdateEndpointWeightsAndCapacities, or set retain_all_variant_properties to false",
        ));
    }

    let (model_name, model) =
        model::updated(request, live.model.as_ref(), &live.environment).map_err(not_carried)?;
    let is_serverless = |option| option == InferenceOption::Serverless;
    let rebuilt = is_serverless(before) != is_serverless(option);
    let old = &variants[chosen];
    let new = if rebuilt {
        let name = old.variant_name.clone().unwrap_or_default();
        Ok(variant::made(
            shape,
            &name,
            old.initial_variant_weight,
            &model_name,
            option,
        ))
    } else {
        variant::updated(shape, old, &model_name)
    };
    match new {
        Ok(new) => variants[chosen] = new,
        Err(more) => bad.extend(more),
    }
    let instance_type = instance_type(&variants[chosen]);
    let variant_name = variants[chosen].variant_name.clone().unwrap_or_default();

    let as_live = carried_over(&live.config);
    let config = as_live.clone().set_production_variants(Some(variants));
    let config =
        settings::applied(config, shape, option, Some(&live.config)).unwrap_or_else(|more| {
            bad.extend(more);
            as_live.clone()
        });
    let footing = footing(&live.config, &config);
    bad.extend(traffic::misfit(&request.traffic, footing));
    if !bad.is_empty() {
        return Err(Refused::Keys(bad));
    }

    let live_name = live.config.endpoint_config_name.clone().unwrap_or_default();
    let unknown = live.config.unknown();
    let whole = whole_content(&config, unknown)?;
    let is_live = whole == whole_content(&as_live, unknown)?;
    let tags = tags(request);
    let config = config.set_tags(tags.clone());
    let endpoint_config_name = if is_live {
        live_name.clone()
    } else {
        endpoint_config_name(request, &whole_content(&config, unknown)?)
    };
    let resized = resized(&live.config, &config);
    Ok(Plan {
        endpoint_config: Whole::new(
            config
                .endpoint_config_name(&endpoint_config_name)
                .tags(made_for(&request.endpoint_name)),
            unknown.to_vec(),
        ),
        model_name,
        endpoint_config_name,
        model,
        instance_type,
        tags: tags.unwrap_or_default(),
        live_endpoint_config: Some(live_name),
        deployment_config: traffic::deployment_config(&request.traffic),
        retained: Retained {
            all: request.retain_all_variant_properties,
            // A count that is asked for is wanted, and one of instances means nothing without any.
            but: (request.retain_all_variant_properties && (count_is_asked || rebuilt))
                .then_some(VariantPropertyType::DesiredInstanceCount)
                .into_iter()
                .collect(),
        },
        variant: variant_name,
        option,
        footing,
        resized,
        autoscaling: ScalingPlan::default(),
        anchor: (live.model.is_some()).then(|| Whole::new(as_live, unknown.to_vec())),
    })
}

/// Whether a variant serves inference components: it has no model of its own.
fn serves_components(variant: &ProductionVariant) -> bool {
    variant.model_name.is_none() && variant.serverless_config.is_none()
}

/// The index of the variant whose model is swapped, if the endpoint may be updated at all.
fn updatable_variant(
    request: &DeployRequest,
    live: &Live,
    variants: &[ProductionVariant],
) -> Result<usize, Refused> {
    if let Some(variant) = variants.iter().find(|variant| serves_components(variant)) {
        let variant = variant.variant_name.clone().unwrap_or_default();
        return Err(Refused::Live(NotUpdatable::InferenceComponents { variant }));
    }
    let chosen = chosen_variant(request, variants).map_err(Refused::Keys)?;
    match lost_with_the_model(request, live, &variants[chosen]) {
        Some(why) => Err(Refused::Live(why)),
        None => Ok(chosen),
    }
}

/// What an endpoint config says, with the members that the SDK does not know.
fn whole_content(
    config: &CreateEndpointConfigInputBuilder,
    unknown: &[Unknown],
) -> Result<Value, Refused> {
    let mut content = content(config);
    put(unknown, &mut content).map_err(not_carried)?;
    Ok(content)
}

fn not_carried(members: Vec<String>) -> Refused {
    Refused::Live(NotUpdatable::NotCarried { members })
}

/// What nobody knows of a live model that has been deleted, unless the event says it. The environment's word does not
/// count: it says nothing of this endpoint.
fn lost_with_the_model(
    request: &DeployRequest,
    live: &Live,
    variant: &ProductionVariant,
) -> Option<NotUpdatable> {
    if live.model.is_some() {
        return None;
    }
    let shape = &request.shape;
    let has_vpc = shape.subnets.event.is_some() && shape.security_group_ids.event.is_some();
    let unknown = match (has_vpc, shape.enable_network_isolation.event.is_some()) {
        (true, true) => return None,
        (true, false) => LostNetwork::Isolation,
        (false, true) => LostNetwork::Vpc,
        (false, false) => LostNetwork::Both,
    };
    let model = variant.model_name.clone().unwrap_or_default();
    Some(NotUpdatable::ModelGone { model, unknown })
}

/// What the endpoint runs on, before the update and after it.
fn footing(
    live: &DescribeEndpointConfigOutput,
    config: &CreateEndpointConfigInputBuilder,
) -> Footing {
    let before = live.production_variants();
    let after = config.get_production_variants();
    let either = || before.iter().chain(after.iter().flatten());
    Footing {
        is_serverless: either().any(|variant| variant.serverless_config.is_some()),
        has_inf1: either().any(has_inf1),
        variants: before.len(),
    }
}

fn has_inf1(variant: &ProductionVariant) -> bool {
    let pools = variant.instance_pools().iter();
    let types = pools.filter_map(InstancePool::instance_type);
    let mut types = types.chain(variant.instance_type.as_ref());
    types.any(|instance_type| instance_type.as_str().starts_with("ml.inf1."))
}

/// The variants whose instance type is another one afterwards, or that have no instances any more.
fn resized(
    live: &DescribeEndpointConfigOutput,
    config: &CreateEndpointConfigInputBuilder,
) -> Vec<String> {
    let after = config
        .get_production_variants()
        .as_deref()
        .unwrap_or_default();
    let same = |before: &ProductionVariant| {
        let same_name = |after: &&ProductionVariant| after.variant_name == before.variant_name;
        let after = after.iter().find(same_name);
        after.is_some_and(|after| after.instance_type == before.instance_type)
    };
    live.production_variants()
        .iter()
        .filter(|before| before.instance_type.is_some() && !same(before))
        .filter_map(|before| before.variant_name.clone())
        .collect()
}

/// How the live endpoint takes requests.
fn option_of(
    config: &DescribeEndpointConfigOutput,
    variant: &ProductionVariant,
) -> InferenceOption {
    if variant.serverless_config.is_some() {
        InferenceOption::Serverless
    } else if config.async_inference_config.is_some() {
        InferenceOption::Async
    } else {
        InferenceOption::RealTime
    }
}

/// What the service cannot do to an endpoint that is live, or only by losing something of it.
fn impossible_change(
    before: InferenceOption,
    asked: InferenceOption,
    live: &Live,
    variants: usize,
    opened: bool,
) -> Option<BadKey> {
    use InferenceOption::{Async, Serverless};
    let refused = |why: &str| Some(BadKey::new("inference_option", why.to_owned()));
    if before == asked {
        return None;
    }
    if before == Async {
        return refused(
            "must stay async: the service cannot take it away from a live endpoint; deploy to a new endpoint",
        );
    }
    if asked != Serverless {
        return None;
    }
    let config = &live.config;
    let capture = config.data_capture_config.as_ref();
    let captures = capture.is_some_and(|capture| capture.enable_capture != Some(false));
    let model = live.model.as_ref();
    let vpc = model.is_some_and(|model| model.vpc_config.is_some());
    let isolated =
        model.is_some_and(|model| model.enable_network_isolation == Some(true)) && !opened;
    let lost = [
        (variants > 1, "several production variants"),
        (
            !config.shadow_production_variants().is_empty(),
            "shadow variants",
        ),
        (config.kms_key_id.is_some(), "a KMS key"),
        (captures, "data capture"),
        (config.explainer_config.is_some(), "an explainer"),
        (vpc, "a VPC"),
        (isolated, "network isolation"),
    ];
    let lost: Vec<_> = lost
        .iter()
        .filter(|(has, _)| *has)
        .map(|(_, what)| *what)
        .collect();
    if lost.is_empty() {
        return None;
    }
    refused(&format!(
        "cannot become serverless: the live endpoint has {}, which serverless endpoints cannot have; deploy to a new endpoint",
        lost.join(", ")
    ))
}

/// The request that would make the live config once more: all that `DescribeEndpointConfig` gives and
/// `CreateEndpointConfig` takes, but the name.
pub(super) fn carried_over(
    live: &DescribeEndpointConfigOutput,
) -> CreateEndpointConfigInputBuilder {
    CreateEndpointConfigInputBuilder::default()
        .set_production_variants(live.production_variants.clone())
        .set_data_capture_config(live.data_capture_config.clone())
        .set_kms_key_id(live.kms_key_id.clone())
        .set_async_inference_config(live.async_inference_config.clone())
        .set_explainer_config(live.explainer_config.clone())
        .set_shadow_production_variants(live.shadow_production_variants.clone())
        .set_execution_role_arn(live.execution_role_arn.clone())
        .set_vpc_config(live.vpc_config.clone())
        .set_enable_network_isolation(live.enable_network_isolation)
        .set_metrics_config(live.metrics_config.clone())
}

/// The index of the variant whose model is swapped.
fn chosen_variant(
    request: &DeployRequest,
    variants: &[ProductionVariant],
) -> Result<usize, Vec<BadKey>> {
    let wanted = &request.shape.variant_name;
    let names: Vec<_> = variants
        .iter()
        .map(|variant| variant.variant_name.as_deref().unwrap_or_default())
        .collect();
    let index_of = |wanted: &String| names.iter().position(|name| name == wanted);
    let listed = names.join(", ");
    let refused = |reason: String| Err(vec![BadKey::new("variant_name", reason)]);
    match (&wanted.event, names.len()) {
        (Some(wanted), _) => index_of(wanted).map_or_else(
            || {
                refused(format!(
                    "must be one of the endpoint's production variants: {listed}"
                ))
            },
            Ok,
        ),
        (None, 1) => Ok(0),
        // The live config does not say which one, so here the environment may.
        (None, _) => match wanted.environment.as_ref().and_then(index_of) {
            Some(index) => Ok(index),
            None => refused(format!(
                "is missing, and the endpoint has several production variants: {listed}"
            )),
        },
    }
}
