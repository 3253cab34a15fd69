//! Steps of pipeline executions that wait until somebody answers their token.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::clock::Moment;
use crate::names;
use crate::requests::{Document, is_set, items, required, text};

/// The operation that answers a step well. The other one makes it fail.
pub(crate) const SUCCEED: &str = "SendPipelineExecutionStepSuccess";
/// The operation that makes a step fail.
pub(crate) const FAIL: &str = "SendPipelineExecutionStepFailure";

/// The characters of tokens that are made here.
const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
/// How many characters a token has.
const TOKEN_LENGTH: usize = 10;
/// How far apart two tokens are that follow each other. It has no factor in common with the number
/// of letters, so that every token comes before one comes again, and is large, so that they do not
/// look alike.
const STRIDE: u128 = 2_654_435_769_127;

/// A step that waits for an answer, or had it.
#[derive(Clone, Debug)]
pub(crate) struct CallbackStep {
    pub(crate) token: String,
    pub(crate) execution_arn: String,
    pub(crate) name: String,
    pub(crate) queue_url: String,
    pub(crate) started: Moment,
    /// Puts the steps in the order of their creation.
    pub(crate) serial: u64,
    /// Whether its pipeline is being stopped, which is over once the step is answered.
    stopping: bool,
    /// Until when the list of its execution's steps does not show it.
    hidden_until: Option<Moment>,
    end: Option<(Moment, End)>,
    /// What came in for the token, as the control paths tell it.
    attempts: Vec<Value>,
}

/// How a step ended.
#[derive(Clone, Debug)]
enum End {
    /// By an answer: the operation and its request.
    Answered(String, Document),
    /// Nobody waits for an answer any more.
    Expired,
}

impl CallbackStep {
    /// The step's status, as the service spells it.
    pub(crate) fn status(&self) -> &'static str {
        match &self.end {
            None if self.stopping => "Stopping",
            None => "Executing",
            Some((_, End::Answered(operation, _))) if operation == SUCCEED => "Succeeded",
            Some((_, End::Answered(..))) => "Failed",
            Some((_, End::Expired)) => "Stopped",
        }
    }

    /// When it ended, where it has.
    pub(crate) fn ended(&self) -> Option<Moment> {
        self.end.as_ref().map(|(moment, _)| *moment)
    }

    /// Whether the list of its execution's steps shows it.
    pub(crate) fn is_listed(&self, now: Moment) -> bool {
        self.hidden_until.is_none_or(|until| now >= until)
    }

    /// The output parameters that a good answer gave.
    pub(crate) fn outputs(&self) -> Option<&[Value]> {
        let request = self.accepted()?;
        (self.status() == "Succeeded").then(|| items(request, "OutputParameters"))
    }

    /// The reason that a bad answer gave, where it gave one.
    pub(crate) fn failure_reason(&self) -> Option<&str> {
        text(self.accepted()?, "FailureReason")
    }

    /// Takes an answer; tells whether it counts. A step takes one, and the same again where its
    /// client token says that it is the same.
    pub(crate) fn take(&mut self, operation: &str, request: &Document, now: Moment) -> bool {
        match &self.end {
            None => {
                let answer = End::Answered(operation.to_owned(), request.clone());
                self.end = Some((now, answer));
                true
            }
            Some((_, End::Answered(taken, before))) => {
                taken == operation
                    && is_set(request, "ClientRequestToken")
                    && content(before) == content(request)
            }
            Some((_, End::Expired)) => false,
        }
    }

    /// Has its pipeline stopped; it still waits for an answer.
    fn stop(&mut self) {
        self.stopping = true;
    }

    /// Stops waiting; an answer that was taken stays.
    fn expire(&mut self, now: Moment) {
        self.end.get_or_insert((now, End::Expired));
    }

    /// The step as the control paths tell it.
    pub(crate) fn told(&self) -> Value {
        let mut told = json!({
            "step_name": self.name,
            "status": self.status(),
            "answers": self.attempts,
        });
        if let Some(outputs) = self.outputs() {
            let outputs = outputs.iter().filter_map(Value::as_object);
            told["outputs"] = outputs
                .map(|output| (required(output, "Name").to_owned(), output["Value"].clone()))
                .collect::<Document>()
                .into();
        }
        if let Some(reason) = self.failure_reason() {
            told["failure_reason"] = reason.into();
        }
        told
    }

    fn accepted(&self) -> Option<&Document> {
        match &self.end {
            Some((_, End::Answered(_, request))) => Some(request),
            _ => None,
        }
    }
}

/// What makes two answers the same, in whatever order their outputs stand.
fn content(request: &Document) -> (Option<&str>, Option<&str>, BTreeMap<&str, &Value>) {
    let outputs = items(request, "OutputParameters").iter();
    let outputs = outputs.filter_map(Value::as_object);
    (
        text(request, "ClientRequestToken"),
        text(request, "FailureReason"),
        outputs
            .map(|output| (required(output, "Name"), &output["Value"]))
            .collect(),
    )
}

/// The steps that there are, by their tokens.
#[derive(Debug, Default)]
pub(crate) struct CallbackSteps {
    steps: BTreeMap<String, CallbackStep>,
}

impl CallbackSteps {
    /// Starts a step of an execution, with this token or one that is made up; the token. What is
    /// wrong with the names otherwise.
    pub(crate) fn start(
        &mut self,
        execution_arn: &str,
        name: &str,
        queue_url: &str,
        token: Option<&str>,
        now: Moment,
    ) -> Result<String, String> {
        if !names::follows(names::PIPELINE_EXECUTION_ARN, execution_arn) {
            return Err(format!(
                "{execution_arn} is not the ARN of a pipeline execution"
            ));
        }
        if !names::follows(names::STEP_NAME, name) || name.len() > 64 {
            return Err(format!("{name} cannot be a step's name"));
        }
        let token = match token {
            Some(token) => self.unused(token)?,
            None => self.fresh(now),
        };
        let step = CallbackStep {
            token: token.clone(),
            execution_arn: execution_arn.to_owned(),
            name: name.to_owned(),
            queue_url: queue_url.to_owned(),
            started: now,
            serial: self.steps.len() as u64,
            stopping: false,
            hidden_until: None,
            end: None,
            attempts: Vec::new(),
        };
        self.steps.insert(token.clone(), step);
        Ok(token)
    }

    /// The step of this token.
    pub(crate) fn get(&self, token: &str) -> Option<&CallbackStep> {
        self.steps.get(token)
    }

    /// The same, to be answered.
    pub(crate) fn get_mut(&mut self, token: &str) -> Option<&mut CallbackStep> {
        self.steps.get_mut(token)
    }

    /// The steps of an execution; its ARN regards no case.
    pub(crate) fn of(&self, execution_arn: &str) -> Vec<&CallbackStep> {
        let wanted = names::key(execution_arn);
        let steps = self.steps.values();
        steps
            .filter(|step| names::key(&step.execution_arn) == wanted)
            .collect()
    }

    /// Has a step's pipeline stopped; tells whether there is such a step.
    pub(crate) fn stop(&mut self, token: &str) -> bool {
        let step = self.steps.get_mut(token);
        step.map(CallbackStep::stop).is_some()
    }

    /// Keeps a step off the list of its execution's steps until a moment; tells whether there is such a step.
    pub(crate) fn hide(&mut self, token: &str, until: Moment) -> bool {
        let step = self.steps.get_mut(token);
        step.map(|step| step.hidden_until = Some(until)).is_some()
    }

    /// Stops the waiting of a step; tells whether there is such a step.
    pub(crate) fn expire(&mut self, token: &str, now: Moment) -> bool {
        let step = self.steps.get_mut(token);
        step.map(|step| step.expire(now)).is_some()
    }

    /// Remembers that somebody tried to answer, and whether that was accepted.
    pub(crate) fn note(&mut self, operation: &str, request: &Document, error_code: Option<&str>) {
        if let Some(step) = self.steps.get_mut(required(request, "CallbackToken")) {
            step.attempts.push(json!({
                "operation": operation,
                "request": request,
                "accepted": error_code.is_none(),
                "error_code": error_code,
            }));
        }
    }

    fn unused(&self, token: &str) -> Result<String, String> {
        if token.len() != TOKEN_LENGTH || !names::follows(names::CALLBACK_TOKEN, token) {
            return Err(format!(
                "{token} is not a token of {TOKEN_LENGTH} letters and digits"
            ));
        }
        if self.steps.contains_key(token) {
            return Err(format!("the token {token} is taken"));
        }
        Ok(token.to_owned())
    }

    /// A token that no step has. It comes from the time, so that a server that forgot its steps does
    /// not give their tokens to others.
    fn fresh(&self, now: Moment) -> String {
        let mut number = now.as_millis() * STRIDE;
        loop {
            let token = spelled(number);
            if !self.steps.contains_key(&token) {
                return token;
            }
            number += STRIDE;
        }
    }
}

/// A number as a token; larger ones than there are tokens begin anew.
fn spelled(mut number: u128) -> String {
    let base = LETTERS.len() as u128;
    let mut token = String::with_capacity(TOKEN_LENGTH);
    for _ in 0..TOKEN_LENGTH {
        let digit = usize::try_from(number % base).unwrap_or_default();
        token.push(char::from(LETTERS[digit]));
        number /= base;
    }
    token
}

#[cfg(test)]
mod tests;
