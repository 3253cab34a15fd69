//! The queue that pipelines put their callback steps' messages into: the only file that makes calls to SQS.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;

use crate::failure::ServiceFailure;

/// The calls to SQS that the deploy functions make.
#[derive(Debug, Clone)]
pub struct Queues {
    configuration: SdkConfig,
    /// Made by the first call: who does not come through a queue makes none.
    client: OnceLock<Client>,
    /// The URLs of the queues met so far, by ARN.
    urls: Arc<Mutex<HashMap<String, String>>>,
}

impl Queues {
    /// Makes its calls with a client of this configuration.
    pub fn new(configuration: SdkConfig) -> Self {
        Self {
            configuration,
            client: OnceLock::new(),
            urls: Arc::default(),
        }
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| Client::new(&self.configuration))
    }

    /// Has a message that is being received come back after this time (`ChangeMessageVisibility`), in whole
    /// seconds; the service takes 0 to 43200.
    ///
    /// # Errors
    ///
    /// Whatever the service says, to this call or to the one for the queue's URL (`GetQueueUrl`).
    pub async fn bring_back(
        &self,
        queue_arn: &str,
        receipt_handle: &str,
        after: Duration,
    ) -> Result<(), ServiceFailure> {
        let url = self.url(queue_arn).await?;
        let seconds = i32::try_from(after.as_secs()).unwrap_or(i32::MAX);
        let request = self
            .client()
            .change_message_visibility()
            .queue_url(url)
            .receipt_handle(receipt_handle)
            .visibility_timeout(seconds);
        request.send().await.map(drop).map_err(|error| {
            let resource = format!("queue {queue_arn}");
            ServiceFailure::of("ChangeMessageVisibility", resource, &error).of_queues()
        })
    }

    /// A queue's URL (`GetQueueUrl`, once): how it is made of the ARN differs between partitions.
    async fn url(&self, queue_arn: &str) -> Result<String, ServiceFailure> {
        let urls = || self.urls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(url) = urls().get(queue_arn) {
            return Ok(url.clone());
        }
        let mut parts = queue_arn.split(':').skip(4);
        let (account, name) = (parts.next(), parts.next());
        let request = self
            .client()
            .get_queue_url()
            .set_queue_name(name.map(str::to_owned))
            .set_queue_owner_aws_account_id(account.map(str::to_owned));
        let reply = request.send().await.map_err(|error| {
            let resource = format!("queue {queue_arn}");
            ServiceFailure::of("GetQueueUrl", resource, &error).of_queues()
        })?;
        let url = reply.queue_url.unwrap_or_default();
        urls().insert(queue_arn.to_owned(), url.clone());
        Ok(url)
    }
}
