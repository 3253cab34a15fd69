//! Tags of what is deployed.

use aws_sdk_sagemaker::types::Tag;

use super::SageMaker;
use crate::failure::ServiceFailure;

impl SageMaker {
    /// Adds tags to a resource, or gives those that it has other values (`AddTags`). A resource
    /// bears 50 at most.
    ///
    /// # Errors
    ///
    /// Whatever the service says.
    pub async fn add_tags(&self, arn: &str, tags: &[Tag]) -> Result<(), ServiceFailure> {
        let request = self.client.add_tags().resource_arn(arn);
        let reply = request.set_tags(Some(tags.to_vec())).send().await;
        reply
            .map(drop)
            .map_err(|error| ServiceFailure::of("AddTags", arn.to_owned(), &error))
    }

    /// Takes tags off a resource (`DeleteTags`), 50 at most; those that it does not have are fine.
    ///
    /// # Errors
    ///
    /// Whatever the service says.
    pub async fn delete_tags(&self, arn: &str, keys: Vec<String>) -> Result<(), ServiceFailure> {
        let request = self.client.delete_tags().resource_arn(arn);
        let reply = request.set_tag_keys(Some(keys)).send().await;
        reply
            .map(drop)
            .map_err(|error| ServiceFailure::of("DeleteTags", arn.to_owned(), &error))
    }

    /// The tags of a resource (`ListTags`, all pages).
    ///
    /// # Errors
    ///
    /// Whatever the service says.
    pub async fn tags(&self, arn: &str) -> Result<Vec<Tag>, ServiceFailure> {
        let request = self.client.list_tags().resource_arn(arn);
        let tags = request.into_paginator().items().send();
        tags.collect::<Result<_, _>>()
            .await
            .map_err(|error| ServiceFailure::of("ListTags", arn.to_owned(), &error))
    }
}
