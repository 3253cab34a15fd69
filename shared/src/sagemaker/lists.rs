//! Lists of endpoints and endpoint configs.

use aws_sdk_sagemaker::primitives::DateTime;
use aws_sdk_sagemaker::types::EndpointStatus;

use super::{PAGE_SIZE, SageMaker};
use crate::failure::ServiceFailure;

impl SageMaker {
    /// The status of the endpoint of this name, without regard to ASCII case (`ListEndpoints`).
    ///
    /// Reads pages of 100 until one has the name. The service's own `NameContains` is left out: it is
    /// applied after the page is cut, so that it saves no call, and whether it minds case is not
    /// documented.
    ///
    /// # Errors
    ///
    /// Whatever the service says; a failed call is never taken for an absent endpoint.
    pub async fn find_endpoint_status(
        &self,
        endpoint_name: &str,
    ) -> Result<Option<EndpointStatus>, ServiceFailure> {
        let mut endpoints = self
            .client
            .list_endpoints()
            .into_paginator()
            .page_size(PAGE_SIZE)
            .items()
            .send();
        while let Some(endpoint) = endpoints.next().await {
            let endpoint = endpoint.map_err(|error| {
                ServiceFailure::of("ListEndpoints", format!("endpoint {endpoint_name}"), &error)
            })?;
            let same = endpoint
                .endpoint_name
                .is_some_and(|name| name.eq_ignore_ascii_case(endpoint_name));
            if same {
                return Ok(endpoint.endpoint_status);
            }
        }
        Ok(None)
    }

    /// The names of the endpoints that have changed since a time (`ListEndpoints`, all pages).
    ///
    /// # Errors
    ///
    /// Whatever the service says.
    pub async fn endpoints_changed_since(
        &self,
        since: Option<DateTime>,
    ) -> Result<Vec<String>, ServiceFailure> {
        let request = self.client.list_endpoints();
        let endpoints = request
            .set_last_modified_time_after(since.map(earlier))
            .into_paginator()
            .page_size(PAGE_SIZE)
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await;
        let endpoints = endpoints.map_err(|error| {
            ServiceFailure::of("ListEndpoints", "the endpoints".to_owned(), &error)
        })?;
        let names = endpoints
            .into_iter()
            .filter_map(|endpoint| endpoint.endpoint_name);
        Ok(names.collect())
    }

    /// The names of the endpoint configs that have been made since a time (`ListEndpointConfigs`, all pages).
    ///
    /// # Errors
    ///
    /// Whatever the service says.
    pub async fn endpoint_configs_made_since(
        &self,
        since: Option<DateTime>,
    ) -> Result<Vec<String>, ServiceFailure> {
        let request = self.client.list_endpoint_configs();
        let configs = request
            .set_creation_time_after(since.map(earlier))
            .into_paginator()
            .page_size(PAGE_SIZE)
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await;
        let configs = configs.map_err(|error| {
            ServiceFailure::of(
                "ListEndpointConfigs",
                "the endpoint configs".to_owned(),
                &error,
            )
        })?;
        let names = configs
            .into_iter()
            .filter_map(|config| config.endpoint_config_name);
        Ok(names.collect())
    }
}

/// A second earlier, because the service's times are cut and its filters leave out the time itself.
fn earlier(time: DateTime) -> DateTime {
    DateTime::from_secs(time.secs() - 1)
}
