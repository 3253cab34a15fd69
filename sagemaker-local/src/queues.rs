//! Queues of SQS, as far as a consumer goes that asks for its message later: `GetQueueUrl`,
//! `ChangeMessageVisibility`. Every queue is there, and nothing is in it.

use serde_json::{Value, json};

use crate::account::Account;
use crate::requests::{Document, required, text};

/// Gives a queue's URL, in whatever account it is.
pub(crate) fn url(account: &Account, request: &Document) -> Value {
    let arn = account.arns.of("sqs", required(request, "QueueName"));
    let mut parts = arn.split(':').skip(3);
    let (region, own) = (parts.next(), parts.next());
    let owner = text(request, "QueueOwnerAWSAccountId").or(own);
    json!({
        "QueueUrl": format!(
            "https://sqs.{}.amazonaws.com/{}/{}",
            region.unwrap_or_default(),
            owner.unwrap_or_default(),
            required(request, "QueueName"),
        ),
    })
}

/// The ARN of the queue that a request is about, as a denial names it.
pub(crate) fn arn(account: &Account, request: &Document) -> String {
    let url = text(request, "QueueUrl").and_then(|url| url.rsplit('/').next());
    let name = url.unwrap_or_else(|| required(request, "QueueName"));
    account.arns.of("sqs", name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn a_queue_has_a_url_and_an_arn() {
        let account = Account::new(Settings::default());
        let named = json!({ "QueueName": "shop", "QueueOwnerAWSAccountId": "210987654321" });
        let named = named.as_object().expect("an object");
        let found = url(&account, named);
        assert_eq!(
            found["QueueUrl"],
            "https://sqs.eu-west-1.amazonaws.com/210987654321/shop"
        );
        let found = found.as_object().expect("an object");
        for request in [named, found] {
            assert_eq!(
                arn(&account, request),
                "arn:aws:sqs:eu-west-1:123456789012:shop"
            );
        }
    }
}
