//! Each call of the engine as the call of a service's module.

use super::Services;
use crate::deploy::{Call, Read, Reply, Write};
use crate::failure::ServiceFailure;
use crate::metrics;

/// Carries out one call.
///
/// # Errors
///
/// Whatever the service says.
pub(super) async fn call(services: &Services, call: &Call) -> Result<Reply, ServiceFailure> {
    match call {
        Call::Read(read) => self::read(services, read).await,
        Call::Write(write) => self::write(services, write).await,
    }
}

async fn read(services: &Services, read: &Read) -> Result<Reply, ServiceFailure> {
    let (sagemaker, autoscaling) = (&services.sagemaker, &services.autoscaling);
    Ok(match read {
        Read::Endpoint { name } => {
            metrics::polled();
            Reply::Endpoint(sagemaker.find_endpoint(name).await?)
        }
        Read::EndpointConfig { name } => {
            Reply::EndpointConfig(sagemaker.find_endpoint_config(name).await?.map(Box::new))
        }
        Read::Model { name } => Reply::Model(sagemaker.find_model(name).await?.map(Box::new)),
        Read::ModelPackage { arn } => {
            Reply::ModelPackage(sagemaker.find_model_package(arn).await?.map(Box::new))
        }
        Read::Tags { arn } => Reply::Tags(sagemaker.tags(arn).await?),
        Read::Waiting {
            pipeline_execution_arn,
            token,
        } => Reply::Waiting(sagemaker.waiting_for(pipeline_execution_arn, token).await?),
        Read::ScalableTarget {
            endpoint_name,
            variant,
        } => Reply::ScalableTarget(autoscaling.find_target(endpoint_name, variant).await?),
        Read::ScalingPolicies {
            endpoint_name,
            variant,
        } => Reply::Scaling(autoscaling.policies(endpoint_name, variant).await?),
        Read::ScheduledActions {
            endpoint_name,
            variant,
        } => Reply::Scaling(
            autoscaling
                .scheduled_actions(endpoint_name, variant)
                .await?,
        ),
        Read::EndpointsChangedSince { since } => {
            Reply::Names(sagemaker.endpoints_changed_since(*since).await?)
        }
        Read::EndpointConfigsMadeSince { since, .. } => {
            Reply::Names(sagemaker.endpoint_configs_made_since(*since).await?)
        }
    })
}

async fn write(services: &Services, write: &Write) -> Result<Reply, ServiceFailure> {
    let (sagemaker, autoscaling) = (&services.sagemaker, &services.autoscaling);
    match write {
        Write::CreateModel { request } => {
            let made = sagemaker.create_model((**request).clone()).await?;
            return Ok(Reply::Made(made));
        }
        Write::CreateEndpointConfig { request } => {
            let made = sagemaker
                .create_endpoint_config((**request).clone())
                .await?;
            return Ok(Reply::Made(made));
        }
        Write::DeleteModel { name } => sagemaker.delete_model(name).await?,
        Write::DeleteEndpointConfig { name } => sagemaker.delete_endpoint_config(name).await?,
        Write::CreateEndpoint {
            name,
            endpoint_config,
            tags,
        } => {
            sagemaker
                .create_endpoint(name, endpoint_config, tags)
                .await?;
        }
        Write::UpdateEndpoint {
            name,
            endpoint_config,
            retained,
            guard,
        } => {
            sagemaker
                .update_endpoint(name, endpoint_config, retained, guard)
                .await?;
        }
        Write::DeleteEndpoint { name } => sagemaker.delete_endpoint(name).await?,
        Write::SetInstanceCount {
            endpoint_name,
            variant,
            count,
        } => {
            sagemaker
                .set_instance_count(endpoint_name, variant, *count)
                .await?;
        }
        Write::AddTags { arn, tags } => sagemaker.add_tags(arn, tags).await?,
        Write::DeleteTags { arn, keys } => sagemaker.delete_tags(arn, keys.clone()).await?,
        Write::PutScaling {
            endpoint_name,
            variant,
            change,
        } => autoscaling.put(endpoint_name, variant, change).await?,
        Write::Deregister {
            endpoint_name,
            variant,
        } => autoscaling.deregister(endpoint_name, variant).await?,
    }
    Ok(Reply::Done)
}
