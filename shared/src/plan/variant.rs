//! The production variant that serves the model.

use aws_sdk_sagemaker::types::{
    ProductionVariant, ProductionVariantInstanceType, ProductionVariantServerlessConfig,
};

use crate::contract::{
    BadKey, DEFAULT_SERVERLESS_MAX_CONCURRENCY, InferenceOption, Shape, too_much_provisioned,
};

const DEFAULT_INSTANCE_TYPE: &str = "ml.m5.xlarge";
const DEFAULT_INITIAL_INSTANCE_COUNT: i32 = 1;
const DEFAULT_SERVERLESS_MEMORY_SIZE_MB: i32 = 2048;

/// The weight of a variant that has all the traffic. The service's own default, said aloud because it is
/// given back with the live config, from which a later update is planned.
const WHOLE_WEIGHT: f32 = 1.0;

/// A variant made from the event, the environment and the defaults alone.
pub(super) fn made(
    shape: &Shape,
    name: &str,
    weight: Option<f32>,
    model_name: &str,
    option: InferenceOption,
) -> ProductionVariant {
    let variant = ProductionVariant::builder()
        .variant_name(name)
        .model_name(model_name)
        .initial_variant_weight(weight.unwrap_or(WHOLE_WEIGHT));
    if option == InferenceOption::Serverless {
        return variant.serverless_config(serverless(shape, None)).build();
    }
    let instance_type = shape.instance_type.or(DEFAULT_INSTANCE_TYPE.to_owned());
    let count = shape
        .initial_instance_count
        .or(DEFAULT_INITIAL_INSTANCE_COUNT);
    let bare = variant
        .instance_type(ProductionVariantInstanceType::from(instance_type.as_str()))
        .initial_instance_count(count)
        .build();
    with_instance_keys(shape, bare)
}

/// The live variant with another model, changed by the keys that the event sets, and by the environment's
/// where the live variant says nothing.
pub(super) fn updated(
    shape: &Shape,
    live: &ProductionVariant,
    model_name: &str,
) -> Result<ProductionVariant, Vec<BadKey>> {
    let mut variant = live.clone();
    variant.model_name = Some(model_name.to_owned());
    for pool in variant.instance_pools.iter_mut().flatten() {
        // A pool with a model of its own would go on with the old package.
        if pool.model_name_override.is_some() {
            pool.model_name_override = Some(model_name.to_owned());
        }
    }
    if live.serverless_config.is_none() {
        return Ok(with_instance_keys(shape, variant));
    }
    let config = serverless(shape, live.serverless_config.as_ref());
    let bad = too_much_provisioned(config.provisioned_concurrency, config.max_concurrency);
    variant.serverless_config = Some(config);
    bad.map_or(Ok(variant), |bad| Err(vec![bad]))
}

fn with_instance_keys(shape: &Shape, mut variant: ProductionVariant) -> ProductionVariant {
    if let Some(instance_type) = &shape.instance_type.event {
        variant.instance_type = Some(ProductionVariantInstanceType::from(instance_type.as_str()));
        // One type or a pool of them.
        variant.instance_pools = None;
    }
    if let Some(count) = shape.initial_instance_count.event {
        variant.initial_instance_count = Some(count);
    }
    variant.volume_size_in_gb = shape.volume_size_gb.over(variant.volume_size_in_gb);
    variant.model_data_download_timeout_in_seconds = shape
        .model_data_download_timeout_seconds
        .over(variant.model_data_download_timeout_in_seconds);
    variant.container_startup_health_check_timeout_in_seconds = shape
        .container_startup_health_check_timeout_seconds
        .over(variant.container_startup_health_check_timeout_in_seconds);
    variant
}

fn serverless(
    shape: &Shape,
    live: Option<&ProductionVariantServerlessConfig>,
) -> ProductionVariantServerlessConfig {
    let memory = shape
        .serverless_memory_size_mb
        .over(live.and_then(|live| live.memory_size_in_mb));
    let concurrency = shape
        .serverless_max_concurrency
        .over(live.and_then(|live| live.max_concurrency));
    let provisioned = shape
        .serverless_provisioned_concurrency
        .over(live.and_then(|live| live.provisioned_concurrency));
    ProductionVariantServerlessConfig::builder()
        .memory_size_in_mb(memory.unwrap_or(DEFAULT_SERVERLESS_MEMORY_SIZE_MB))
        .max_concurrency(concurrency.unwrap_or(DEFAULT_SERVERLESS_MAX_CONCURRENCY))
        .set_provisioned_concurrency(provisioned)
        .build()
}
