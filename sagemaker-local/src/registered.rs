//! Which variants of an endpoint are registered as scalable targets, and what that means to the
//! endpoint.

use serde_json::Value;

use crate::account::{Account, TargetKey};
use crate::deployed::Deployed;
use crate::error::ServiceError;
use crate::names;
use crate::requests::{Document, is_set, items, text};

/// A variant as a resource id names it: `endpoint/<its name>/variant/<its name>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VariantId<'id> {
    pub(crate) endpoint: &'id str,
    pub(crate) variant: &'id str,
}

impl<'id> VariantId<'id> {
    /// Reads a resource id; `None` where it names something else.
    pub(crate) fn read(resource_id: &'id str) -> Option<Self> {
        let (endpoint, variant) = resource_id
            .strip_prefix("endpoint/")?
            .split_once("/variant/")?;
        let is_name = |name| names::follows(names::ENTITY_NAME, name);
        (is_name(endpoint) && is_name(variant)).then_some(Self { endpoint, variant })
    }
}

/// A production variant of a config.
pub(crate) fn production_variant<'config>(
    config: &'config Deployed,
    name: &str,
) -> Option<&'config Document> {
    items(&config.document, "ProductionVariants")
        .iter()
        .filter_map(Value::as_object)
        .find(|variant| text(variant, "VariantName") == Some(name))
}

/// Refuses an update from `old` to `new` that takes a registered variant away, or puts it on other
/// instances. Another model is no harm.
pub(crate) fn check_update(
    account: &Account,
    endpoint: &str,
    old: &Deployed,
    new: &Deployed,
) -> Result<(), ServiceError> {
    let mut held: Vec<&str> = keys_of(account, endpoint)
        .filter_map(|(resource_id, _)| VariantId::read(resource_id))
        .map(|id| id.variant)
        .filter(|name| {
            let variant = production_variant(old, name);
            variant.is_some_and(|variant| {
                let wanted = production_variant(new, name);
                wanted.is_none_or(|wanted| hardware(wanted) != hardware(variant))
            })
        })
        .collect();
    held.sort_unstable();
    held.dedup();
    if held.is_empty() {
        return Ok(());
    }
    Err(ServiceError::validation(format!(
        "The variant(s) \"[{}]\" must be deregistered as scalable targets with AWS Auto Scaling before they can be \
         removed or have their instance type updated.",
        held.join(", ")
    )))
}

/// Forgets the scalable targets of an endpoint that is being deleted, with their policies and
/// scheduled actions.
pub(crate) fn forget(account: &mut Account, endpoint: &str) {
    let keys: Vec<TargetKey> = keys_of(account, endpoint).cloned().collect();
    for key in keys {
        if let Some(target) = account.scalable_targets.remove(&key) {
            account.untag(&target.arn);
        }
    }
}

/// The scalable targets of an endpoint, in whatever case their resource ids spell its name.
fn keys_of<'account>(
    account: &'account Account,
    endpoint: &str,
) -> impl Iterator<Item = &'account TargetKey> {
    let endpoint = names::key(endpoint);
    account
        .scalable_targets
        .keys()
        .filter(move |(resource_id, _)| {
            VariantId::read(resource_id).is_some_and(|id| names::key(id.endpoint) == endpoint)
        })
}

/// What a variant runs on: its types of instances, or none of its own.
fn hardware(variant: &Document) -> (bool, Vec<&Value>) {
    let pools = items(variant, "InstancePools").iter();
    let types = pools.filter_map(|pool| pool.get("InstanceType"));
    (
        is_set(variant, "ServerlessConfig"),
        variant
            .get("InstanceType")
            .into_iter()
            .chain(types)
            .collect(),
    )
}

#[cfg(test)]
mod tests;
