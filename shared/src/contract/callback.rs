//! What a pipeline's `CallbackStep` puts into the queue, and what it takes for an answer.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::answer::DeployAnswer;

/// The longest value that the service takes for an output parameter of a step, in characters.
const LONGEST_OUTPUT: usize = 1024;

/// A message of a `CallbackStep`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallbackMessage {
    /// What the step's answer is given under (`CallbackToken`); the service's have 10 characters.
    pub token: String,
    /// ARN of the pipeline execution whose step waits; without it, nobody can be asked whether it still does.
    pub pipeline_execution_arn: Option<String>,
    /// The step's name in its pipeline.
    pub step_name: Option<String>,
    /// The event, as a `LambdaStep` would send it.
    #[serde(default)]
    arguments: Option<Box<RawValue>>,
}

impl CallbackMessage {
    /// Reads a message's body.
    ///
    /// # Errors
    ///
    /// What the body is, where it has no token to answer under.
    pub fn parse(body: &str) -> Result<Self, String> {
        let message: Self = serde_json::from_str(body).map_err(|error| error.to_string())?;
        if message.token.trim().is_empty() {
            return Err("its token is empty".to_owned());
        }
        Ok(message)
    }

    /// The event's text, to the letter; `null` where the message has none.
    pub fn event(&self) -> &str {
        self.arguments
            .as_ref()
            .map_or("null", |arguments| arguments.get())
    }
}

impl DeployAnswer {
    /// The answer as a step's output parameters (`OutputParameters`): a name and a string for each key, cut to the 1024
    /// characters that the service takes.
    pub fn output_parameters(&self) -> Vec<(String, String)> {
        let Ok(Value::Object(answer)) = serde_json::to_value(self) else {
            return Vec::new();
        };
        let text = |value: Value| match value {
            Value::String(text) => text.chars().take(LONGEST_OUTPUT).collect(),
            other => other.to_string(),
        };
        answer
            .into_iter()
            .map(|(name, value)| (name, text(value)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::contract::DeploymentStatus;

    #[test]
    fn a_message_has_a_token_and_the_event_to_the_letter() {
        let message = CallbackMessage::parse(
            r#"{"token": "abcdefghij", "pipelineExecutionArn": "arn", "stepName": "Deploy",
                "arguments": {"endpoint_name":  "churn"}, "more": 1}"#,
        )
        .expect("a message");
        assert_eq!(message.token, "abcdefghij");
        assert_eq!(message.pipeline_execution_arn.as_deref(), Some("arn"));
        assert_eq!(message.event(), r#"{"endpoint_name":  "churn"}"#);
        let least = CallbackMessage::parse(r#"{"token": "abcdefghij"}"#).expect("a message");
        assert_eq!(least.event(), "null");
    }

    #[test]
    fn a_body_without_a_token_is_no_message() {
        for body in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"token": ""}"#,
            r#"{"token": 7}"#,
        ] {
            assert!(CallbackMessage::parse(body).is_err(), "{body}");
        }
    }

    #[test]
    fn outputs_are_strings_that_a_step_takes() {
        let answer = DeployAnswer {
            status_code: 200,
            body: "x".repeat(3000),
            model: "model-1".to_owned(),
            endpoint_name: "churn".to_owned(),
            endpoint_arn: String::new(),
            endpoint_config: "endpoint-config-1".to_owned(),
            endpoint_status: "InService".to_owned(),
            previous_endpoint_config: None,
            deployment_status: DeploymentStatus::Deployed,
            elapsed: Duration::from_millis(2_400_500),
        };
        let outputs = answer.output_parameters();
        let output = |name: &str| {
            let found = outputs.iter().find(|(output, _)| output == name);
            found.map(|(_, value)| value.as_str())
        };
        assert_eq!(output("model"), Some("model-1"));
        assert_eq!(output("statusCode"), Some("200"));
        assert_eq!(output("deployment_status"), Some("Deployed"));
        assert_eq!(output("elapsed_seconds"), Some("2400.5"));
        assert_eq!(output("body").map(str::len), Some(1024));
    }
}
