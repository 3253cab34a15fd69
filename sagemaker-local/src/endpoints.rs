//! Endpoints: `CreateEndpoint`, `UpdateEndpoint`, `UpdateEndpointWeightsAndCapacities`,
//! `DeleteEndpoint`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::account::{Account, Endpoint, Sight};
use crate::clock::Moment;
use crate::deployed::Deployed;
use crate::deployments;
use crate::endpoint_configs;
use crate::error::ServiceError;
use crate::guardrails;
use crate::lifecycle::{Course, View};
use crate::names;
use crate::registered;
use crate::requests::{Answer, Document, items, required};

/// The endpoint of this name and how it is, where there is one.
pub(crate) fn present<'account>(
    account: &'account Account,
    name: &str,
    now: Moment,
) -> Option<(&'account Endpoint, View)> {
    let endpoint = account.endpoints.get(&names::key(name))?;
    endpoint
        .view(now, Sight::Fresh, &account.alarms)
        .map(|view| (endpoint, view))
}

/// The error for an endpoint that is not there.
pub(crate) fn not_found(account: &Account, name: &str) -> ServiceError {
    ServiceError::validation(format!(
        "Could not find endpoint \"{}\".",
        account.arns.endpoint(name)
    ))
}

pub(crate) fn create(account: &mut Account, request: &Document, now: Moment) -> Answer {
    let name = required(request, "EndpointName");
    let arn = account.arns.endpoint(name);
    if present(account, name, now).is_some() {
        return Err(ServiceError::validation(format!(
            "Cannot create already existing endpoint \"{arn}\"."
        )));
    }
    let config = asked_for(account, request, now)?;
    guardrails::check(None, &config)?;

    let outcome = account.outcomes.take_for_creation(name);
    account.untag(&arn);
    account.tag(&arn, request);
    let endpoint = Endpoint {
        name: name.to_owned(),
        arn: arn.clone(),
        created: now,
        serial: account.next_serial(),
        course: Course::creation(now, &account.settings, &Arc::new(config), outcome),
        before: None,
    };
    account.endpoints.insert(names::key(name), endpoint);
    Ok(json!({ "EndpointArn": arn }))
}

pub(crate) fn update(account: &mut Account, request: &Document, now: Moment) -> Answer {
    let name = required(request, "EndpointName");
    let (endpoint, view) = changeable(account, name, now)?;
    if view.phase.status == "Failed" {
        return Err(ServiceError::validation(format!(
            "Cannot update failed endpoint \"{}\". It can only be deleted.",
            endpoint.arn
        )));
    }
    let (old, modified) = (Arc::clone(&view.phase.live), view.modified);
    let mut new = asked_for(account, request, now)?;
    if request.get("RetainDeploymentConfig") == Some(&Value::Bool(true)) {
        new.deployment_config.clone_from(&old.deployment_config);
    }
    guardrails::check(Some(&old), &new)?;
    if account.settings.refuse_to_serverless {
        guardrails::check_stays_on_instances(&old, &new)?;
    }
    registered::check_update(account, name, &old, &new)?;
    if request.get("RetainAllVariantProperties") == Some(&Value::Bool(true)) {
        let excluded = items(request, "ExcludeRetainedVariantProperties");
        let excluded: Vec<&str> = excluded
            .iter()
            .filter_map(|item| item["VariantPropertyType"].as_str())
            .collect();
        new = new.retaining(&old, &excluded);
    }
    let outcome = account.outcomes.take_for_update(name);
    let course = Course::update(now, &account.settings, &old, &Arc::new(new), outcome);
    Ok(change(account, name, now, course.after(modified)))
}

/// Scales variants: an update that keeps the config.
pub(crate) fn update_weights_and_capacities(
    account: &mut Account,
    request: &Document,
    now: Moment,
) -> Answer {
    let name = required(request, "EndpointName");
    let (_, view) = changeable(account, name, now)?;
    let (old, modified) = (Arc::clone(&view.phase.live), view.modified);
    let desired = items(request, "DesiredWeightsAndCapacities")
        .iter()
        .filter_map(Value::as_object);
    let new = desired
        .into_iter()
        .try_fold(Deployed::clone(&old), Deployed::scaled)?;
    let course = Course::scaling(now, &account.settings, &old, &Arc::new(new));
    Ok(change(account, name, now, course.after(modified)))
}

pub(crate) fn delete(account: &mut Account, request: &Document, now: Moment) -> Answer {
    let name = required(request, "EndpointName");
    let (_, view) = changeable(account, name, now)?;
    let course = Course::deletion(now, &account.settings, &view.phase).after(view.modified);
    registered::forget(account, name);
    if let Some(endpoint) = account.endpoints.get_mut(&names::key(name)) {
        endpoint.course = course;
    }
    Ok(json!({}))
}

/// Puts an endpoint into a status; tells whether there is such an endpoint.
pub(crate) fn force_status(
    account: &mut Account,
    name: &str,
    status: &str,
    lasting: Option<Duration>,
    now: Moment,
) -> bool {
    let Some((_, view)) = present(account, name, now) else {
        return false;
    };
    let course = Course::forced(now, status, lasting, &view.phase).after(view.modified);
    if let Some(endpoint) = account.endpoints.get_mut(&names::key(name)) {
        endpoint.course = course;
    }
    true
}

/// What the config of an endpoint's latest deployment has of the traffic, in percent; `None` where
/// there is no such endpoint.
pub(crate) fn traffic(account: &Account, name: &str, now: Moment) -> Option<f64> {
    present(account, name, now).map(|(_, view)| view.phase.traffic.percent())
}

/// The names of the endpoints whose live or pending config, or a model of it, is no longer there.
/// One that is being deleted needs neither.
pub(crate) fn serving_deleted(account: &Account, now: Moment) -> Vec<String> {
    let broken = account.endpoints.values().filter(|endpoint| {
        let view = endpoint.view(now, Sight::Fresh, &account.alarms);
        view.is_some_and(|view| {
            let configs = [Some(&view.phase.live), view.phase.pending.as_ref()];
            view.phase.status != "Deleting"
                && configs
                    .iter()
                    .flatten()
                    .any(|config| !deployments::stands(account, config))
        })
    });
    broken.map(|endpoint| endpoint.name.clone()).collect()
}

/// An endpoint that the service would change now.
fn changeable<'account>(
    account: &'account Account,
    name: &str,
    now: Moment,
) -> Result<(&'account Endpoint, View), ServiceError> {
    let (endpoint, view) = present(account, name, now).ok_or_else(|| not_found(account, name))?;
    if view.phase.is_in_progress() {
        return Err(ServiceError::validation(format!(
            "Cannot update in-progress endpoint \"{}\".",
            endpoint.arn
        )));
    }
    Ok((endpoint, view))
}

/// The config that a request wants deployed.
fn asked_for(account: &Account, request: &Document, now: Moment) -> Result<Deployed, ServiceError> {
    let name = required(request, "EndpointConfigName");
    let config = account
        .endpoint_config(name)
        .ok_or_else(|| endpoint_configs::not_found(account, name))?;
    let mut deployed = deployments::take_up(account, config, now)?;
    deployed.deployment_config = request
        .get("DeploymentConfig")
        .filter(|config| !config.is_null())
        .cloned();
    Ok(deployed)
}

/// Puts an accepted update in the place of the course so far, which stale reads still see.
fn change(account: &mut Account, name: &str, now: Moment, course: Course) -> Value {
    let Some(endpoint) = account.endpoints.get_mut(&names::key(name)) else {
        return json!({});
    };
    let old = std::mem::replace(&mut endpoint.course, course);
    endpoint.before = Some((now, old));
    json!({ "EndpointArn": endpoint.arn })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod update_tests;
