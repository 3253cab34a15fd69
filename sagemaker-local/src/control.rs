//! The paths below `/_local`: misbehaviour and the record, for tests that are not written in Rust.

use std::time::Duration;

use hyper::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::faults::Fault;
use crate::outcomes::Outcome;
use crate::service::Service;

#[derive(Deserialize)]
struct OutcomeOf {
    endpoint_name: String,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Deserialize)]
struct StatusOf {
    endpoint_name: String,
    status: String,
    seconds: Option<f64>,
}

#[derive(Deserialize)]
struct AlarmState {
    alarm_name: String,
    tripped: bool,
}

#[derive(Deserialize)]
struct StepOf {
    pipeline_execution_arn: String,
    step_name: String,
    queue_url: String,
    token: Option<String>,
}

/// What a control request comes to: a body, or a status and why.
type Acted = Result<Value, (u16, String)>;

/// Does what a control request asks; `path` is what follows `/_local/`. Returns the HTTP status and
/// the body.
pub(crate) fn handle(
    service: &Service,
    method: &Method,
    path: &str,
    query: &str,
    body: &[u8],
) -> (u16, Value) {
    match act(service, method, path, query, body) {
        Ok(body) => (200, body),
        Err((status, message)) => (status, json!({ "message": message })),
    }
}

fn act(service: &Service, method: &Method, path: &str, query: &str, body: &[u8]) -> Acted {
    match (method.as_str(), path) {
        ("POST", "faults") => {
            let fault: Fault = read(body)?;
            service.state().faults.inject(fault);
        }
        ("DELETE", "faults") => service.state().faults.clear(),
        ("POST", "outcomes") => {
            let OutcomeOf {
                endpoint_name,
                outcome,
            } = read(body)?;
            service
                .state()
                .account
                .outcomes
                .set(&endpoint_name, outcome);
        }
        ("POST", "statuses") => force_status(service, &read(body)?)?,
        ("POST", "alarms") => {
            let AlarmState {
                alarm_name,
                tripped,
            } = read(body)?;
            service.trip_alarm(&alarm_name, tripped);
        }
        ("POST", "callback-steps") => return start_callback_step(service, &read(body)?),
        ("GET", "callback-steps") => {
            let token = member(query, "token")?;
            return service.callback_step(token).ok_or_else(|| no_step(token));
        }
        ("DELETE", "callback-steps") => {
            let token = member(query, "token")?;
            if !service.expire_callback(token) {
                return Err(no_step(token));
            }
        }
        ("GET", "traffic") => return traffic(service, query),
        ("GET", "calls") => {
            let state = service.state();
            return serde_json::to_value(&state.calls).map_err(|error| (500, error.to_string()));
        }
        ("DELETE", "calls") => service.state().calls.clear(),
        ("POST", "reset") => service.reset(),
        ("GET", "health") => {}
        _ => return Err((404, format!("There is no {method} /_local/{path}"))),
    }
    Ok(json!({}))
}

fn force_status(service: &Service, wanted: &StatusOf) -> Result<(), (u16, String)> {
    let lasting = wanted.seconds.map(Duration::try_from_secs_f64).transpose();
    let lasting = lasting.map_err(|error| (400, format!("seconds: {error}")))?;
    if service.force_status(&wanted.endpoint_name, &wanted.status, lasting) {
        Ok(())
    } else {
        Err(no_endpoint(&wanted.endpoint_name))
    }
}

fn traffic(service: &Service, query: &str) -> Acted {
    let name = member(query, "endpoint_name")?;
    let percent = service.traffic(name).ok_or_else(|| no_endpoint(name))?;
    Ok(json!({ "percent": percent }))
}

fn start_callback_step(service: &Service, wanted: &StepOf) -> Acted {
    let started = service.start_callback_step(
        &wanted.pipeline_execution_arn,
        &wanted.step_name,
        &wanted.queue_url,
        wanted.token.as_deref(),
    );
    let token = started.map_err(|wrong| (400, wrong))?;
    Ok(json!({ "token": token }))
}

/// A member of the query. Neither a name nor a token has anything in it that a URL would have to
/// escape.
fn member<'query>(query: &'query str, name: &str) -> Result<&'query str, (u16, String)> {
    let mut members = query.split('&').filter_map(|member| member.split_once('='));
    let found = members.find(|(member, _)| *member == name);
    found
        .map(|(_, value)| value)
        .ok_or_else(|| (400, format!("Which {name}?")))
}

fn no_step(token: &str) -> (u16, String) {
    (400, format!("There is no callback step {token}"))
}

fn no_endpoint(name: &str) -> (u16, String) {
    (400, format!("There is no endpoint {name}"))
}

fn read<Wanted: DeserializeOwned>(body: &[u8]) -> Result<Wanted, (u16, String)> {
    serde_json::from_slice(body).map_err(|error| (400, error.to_string()))
}
