//! Pipelines' steps that wait for an answer.

use aws_sdk_sagemaker::types::{OutputParameter, StepStatus};
use uuid::Uuid;

use super::{PAGE_SIZE, SageMaker};
use crate::failure::{FailureKind, ServiceFailure};

/// What a pipeline's step waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// How the deployment ends.
    ForTheDeployment,
    /// Any answer: its pipeline was stopped, and is not over before the step is.
    ToStop,
    /// Nothing: it was answered, or its time was up.
    NoMore,
    /// The pipeline execution does not list the step. It may not list it yet.
    NotListed,
}

impl SageMaker {
    /// Whether a pipeline's step waits for the answer under this token (`ListPipelineExecutionSteps`, all pages).
    ///
    /// # Errors
    ///
    /// Whatever the service says.
    pub async fn waiting_for(
        &self,
        pipeline_execution_arn: &str,
        token: &str,
    ) -> Result<Waiting, ServiceFailure> {
        let request = self.client.list_pipeline_execution_steps();
        let mut steps = request
            .pipeline_execution_arn(pipeline_execution_arn)
            .into_paginator()
            .page_size(PAGE_SIZE)
            .items()
            .send();
        while let Some(step) = steps.next().await {
            let step = step.map_err(|error| {
                let resource = format!("pipeline execution {pipeline_execution_arn}");
                ServiceFailure::of("ListPipelineExecutionSteps", resource, &error)
            });
            let step = match step {
                Err(failure) if failure.kind == FailureKind::NotFound => break,
                step => step?,
            };
            let callback = step.metadata.and_then(|metadata| metadata.callback);
            if callback
                .and_then(|callback| callback.callback_token)
                .as_deref()
                == Some(token)
            {
                return Ok(match step.step_status {
                    Some(StepStatus::Executing | StepStatus::Starting) => Waiting::ForTheDeployment,
                    Some(StepStatus::Stopping) => Waiting::ToStop,
                    _ => Waiting::NoMore,
                });
            }
        }
        Ok(Waiting::NotListed)
    }

    /// Ends a pipeline's callback step well (`SendPipelineExecutionStepSuccess`). The same answer may be sent again.
    ///
    /// `outputs` are names and values: the service takes at most 50, and values of at most 1024 characters.
    ///
    /// # Errors
    ///
    /// Whatever the service says, among it that nobody waits for an answer under this token any more.
    pub async fn send_step_success(
        &self,
        token: &str,
        outputs: Vec<(String, String)>,
    ) -> Result<(), ServiceFailure> {
        let parameter = |(name, value)| OutputParameter::builder().name(name).value(value).build();
        let request = self.client.send_pipeline_execution_step_success();
        let reply = request
            .callback_token(token)
            .set_output_parameters(Some(outputs.into_iter().map(parameter).collect()))
            .client_request_token(answer_id(token, "success"))
            .send()
            .await;
        reply.map(drop).map_err(|error| {
            let resource = format!("callback token {token}");
            ServiceFailure::of("SendPipelineExecutionStepSuccess", resource, &error)
        })
    }

    /// Ends a pipeline's callback step with a failure (`SendPipelineExecutionStepFailure`). The same answer may be sent
    /// again.
    ///
    /// The service takes a `reason` of at most 256 characters.
    ///
    /// # Errors
    ///
    /// Whatever the service says, among it that nobody waits for an answer under this token any more.
    pub async fn send_step_failure(&self, token: &str, reason: &str) -> Result<(), ServiceFailure> {
        let request = self.client.send_pipeline_execution_step_failure();
        let reply = request
            .callback_token(token)
            .failure_reason(reason)
            .client_request_token(answer_id(token, "failure"))
            .send()
            .await;
        reply.map(drop).map_err(|error| {
            let resource = format!("callback token {token}");
            ServiceFailure::of("SendPipelineExecutionStepFailure", resource, &error)
        })
    }
}

/// By which the service knows that an answer is the one that it has already.
fn answer_id(token: &str, answer: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{token} {answer}").as_bytes()).to_string()
}
