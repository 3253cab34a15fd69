//! Endpoints: what is accepted, and what becomes of it in time.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use aws_sdk_sagemaker::types::{EndpointStatus, ProductionVariant, Tag, VariantPropertyType};
use shared::deploy::Call;
use shared::failure::{FailureKind, ServiceFailure};
use shared::plan::Retained;

use super::replies::failure;
use super::{Kept, Millis, Name, Region, Tags, arn, no_model};

/// How long things take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    pub(crate) create: Millis,
    pub(crate) update: Millis,
    pub(crate) rollback: Millis,
    pub(crate) delete: Millis,
    /// How long a poll may show the endpoint as it was before its last change.
    pub(crate) stale: Millis,
}

/// How a launch ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Ending {
    Succeeds,
    /// An update ends in service on the old endpoint config. A creation succeeds.
    RollsBack,
    /// It ends `Failed`.
    Fails,
}

/// A variant of an endpoint config in service.
#[derive(Clone, Debug, PartialEq, Hash)]
pub(crate) struct Variant {
    pub(crate) name: Name,
    pub(crate) instance_type: Option<Name>,
    pub(crate) count: Option<i32>,
}

/// An endpoint config in service, with the models that it had when it was taken up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Deployed {
    pub(crate) config: Name,
    pub(crate) serial: u64,
    pub(crate) models: Vec<(Name, u64)>,
    pub(crate) variants: Vec<Variant>,
}

impl Hash for Deployed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.config, &self.variants).hash(state);
    }
}

/// An endpoint between two changes of its status.
#[derive(Clone, Debug)]
pub(crate) struct Phase {
    pub(crate) status: EndpointStatus,
    pub(crate) live: Arc<Deployed>,
    pub(crate) pending: Option<Arc<Deployed>>,
    pub(crate) reason: Option<&'static str>,
}

impl Hash for Phase {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let status = self.status.as_str();
        (status, &self.live, &self.pending, self.reason).hash(state);
    }
}

impl Phase {
    fn new(status: EndpointStatus, live: &Arc<Deployed>) -> Self {
        Self {
            status,
            live: Arc::clone(live),
            pending: None,
            reason: None,
        }
    }

    fn pending(self, new: &Arc<Deployed>) -> Self {
        let pending = Some(Arc::clone(new));
        Self { pending, ..self }
    }

    fn because(self, reason: &'static str) -> Self {
        let reason = Some(reason);
        Self { reason, ..self }
    }

    /// Whether the service refuses to change or delete the endpoint.
    pub(crate) fn is_in_progress(&self) -> bool {
        use EndpointStatus as S;
        matches!(
            self.status,
            S::Creating | S::Updating | S::SystemUpdating | S::RollingBack | S::Deleting
        )
    }

    /// Whether the endpoint runs on an endpoint config, or is being put onto it.
    pub(crate) fn needs(&self, config: &str) -> bool {
        let needed = [Some(&self.live), self.pending.as_ref()];
        self.status != EndpointStatus::Deleting
            && needed
                .into_iter()
                .flatten()
                .any(|deployed| &*deployed.config == config)
    }
}

/// An endpoint as a poll shows it.
#[derive(Clone, Debug, Hash)]
pub(crate) struct View {
    pub(crate) phase: Phase,
    pub(crate) modified: Millis,
}

/// An endpoint.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Endpoint {
    pub(crate) arn: Name,
    pub(crate) tags: Tags,
    view: View,
    /// What comes by itself, and when; `None` for its end.
    coming: Vec<(Millis, Option<Phase>)>,
    /// Until when a poll may still show what was before, and that.
    stale: Option<(Millis, Option<View>)>,
}

impl Endpoint {
    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    pub(crate) fn phase(&self) -> &Phase {
        &self.view.phase
    }

    /// What a stale poll shows, if one is possible now.
    pub(crate) fn stale(&self) -> Option<&Option<View>> {
        self.stale.as_ref().map(|(_, view)| view)
    }

    /// When it is in a status that stays.
    pub(crate) fn end(&self) -> Option<Millis> {
        self.coming.last().map(|(at, _)| *at)
    }

    pub(super) fn next_change(&self) -> Option<Millis> {
        self.coming.first().map(|(at, _)| *at)
    }

    pub(super) fn changes_by(&self, now: Millis) -> bool {
        let stale = self.stale.as_ref().is_some_and(|(until, _)| *until <= now);
        stale || self.next_change().is_some_and(|at| at <= now)
    }

    /// The endpoint later; `None` if it is gone by then.
    pub(super) fn passed_to(&self, now: Millis) -> Option<Self> {
        let mut endpoint = self.clone();
        while let Some((at, phase)) = endpoint.coming.first().cloned()
            && at <= now
        {
            endpoint.coming.remove(0);
            endpoint.view = View {
                phase: phase?,
                modified: at.max(endpoint.view.modified + 1),
            };
        }
        if endpoint
            .stale
            .as_ref()
            .is_some_and(|(until, _)| *until <= now)
        {
            endpoint.stale = None;
        }
        Some(endpoint)
    }

    /// Starts a change that was accepted.
    fn start(
        &mut self,
        now: Millis,
        phase: Phase,
        coming: Vec<(Millis, Option<Phase>)>,
        stale: Millis,
    ) {
        let before = View {
            phase,
            modified: now.max(self.view.modified + 1),
        };
        let before = std::mem::replace(&mut self.view, before);
        self.stale = (stale > 0).then_some((now + stale, Some(before)));
        self.coming = coming;
    }
}

/// What a stale poll shows.
pub(crate) enum Stale {
    /// There has been no change that it could miss.
    Impossible,
    Absent,
    Shows(Name, View),
}

impl Region {
    /// The endpoint as it is.
    pub(crate) fn view(&self, name: &str) -> Option<(Name, View)> {
        let endpoint = self.endpoints.get(name)?;
        Some((Arc::clone(&endpoint.arn), endpoint.view.clone()))
    }

    /// What a stale poll shows of the endpoint, if one is possible now.
    pub(crate) fn stale_view(&self, name: &str) -> Stale {
        let Some(endpoint) = self.endpoints.get(name) else {
            return Stale::Impossible;
        };
        match endpoint.stale() {
            None => Stale::Impossible,
            Some(None) => Stale::Absent,
            Some(Some(view)) => Stale::Shows(Arc::clone(&endpoint.arn), view.clone()),
        }
    }

    pub(super) fn create_endpoint(
        &mut self,
        call: &Call,
        name: &str,
        config: &str,
        tags: &[Tag],
        ending: Ending,
    ) -> Result<(), ServiceFailure> {
        if self.endpoints.contains_key(name) {
            let message = format!("Cannot create already existing endpoint \"{name}\".");
            return Err(failure(call, FailureKind::AlreadyExists, message));
        }
        let new = Arc::new(self.take_up(call, config)?);
        let (now, timing) = (self.now, self.timing);
        let end = match ending {
            Ending::Fails => Phase::new(EndpointStatus::Failed, &new).because("out of memory"),
            _ => Phase::new(EndpointStatus::InService, &new),
        };
        let endpoint = Endpoint {
            arn: arn("endpoint", name),
            tags: Tags::of(tags),
            view: View {
                phase: Phase::new(EndpointStatus::Creating, &new).pending(&new),
                modified: now,
            },
            coming: vec![(now + timing.create, Some(end))],
            stale: (timing.stale > 0).then_some((now + timing.stale, None)),
        };
        self.endpoints.insert(name.into(), Kept::new(endpoint));
        Ok(())
    }

    pub(super) fn update_endpoint(
        &mut self,
        call: &Call,
        name: &str,
        config: &str,
        retained: &Retained,
        ending: Ending,
    ) -> Result<(), ServiceFailure> {
        let phase = self.changeable(call, name)?;
        if phase.status == EndpointStatus::Failed {
            let message = format!("Cannot update failed endpoint \"{name}\".");
            return Err(failure(call, FailureKind::Refused, message));
        }
        let old = Arc::clone(&phase.live);
        let mut new = self.take_up(call, config)?;
        if let Some(held) = self.registered_and_changed(name, &old, &new) {
            let message = format!(
                "The variant(s) \"[{held}]\" must be deregistered as scalable targets with AWS Auto Scaling before they can be removed or have their instance type updated."
            );
            return Err(failure(call, FailureKind::Refused, message));
        }
        if retained.all
            && !retained
                .but
                .contains(&VariantPropertyType::DesiredInstanceCount)
        {
            for variant in &mut new.variants {
                let before = old
                    .variants
                    .iter()
                    .find(|before| before.name == variant.name);
                if let Some(count) = before.and_then(|before| before.count) {
                    variant.count = variant.count.and(Some(count));
                }
            }
        }
        let new = Arc::new(new);
        let (now, timing) = (self.now, self.timing);
        let updated = now + timing.update;
        let coming = match ending {
            Ending::Succeeds => vec![(updated, Some(Phase::new(EndpointStatus::InService, &new)))],
            Ending::RollsBack => vec![
                (
                    updated,
                    Some(Phase::new(EndpointStatus::RollingBack, &old).pending(&new)),
                ),
                (
                    updated + timing.rollback,
                    Some(Phase::new(EndpointStatus::InService, &old).because("out of memory")),
                ),
            ],
            Ending::Fails => {
                let failed = Phase::new(EndpointStatus::Failed, &old).because("out of memory");
                vec![(updated, Some(failed))]
            }
        };
        let phase = Phase::new(EndpointStatus::Updating, &old).pending(&new);
        self.start(name, phase, coming);
        Ok(())
    }

    pub(super) fn delete_endpoint(
        &mut self,
        call: &Call,
        name: &str,
    ) -> Result<(), ServiceFailure> {
        if !self.endpoints.contains_key(name) {
            return Ok(());
        }
        let deleting = Phase {
            status: EndpointStatus::Deleting,
            ..self.changeable(call, name)?
        };
        let gone = self.now + self.timing.delete;
        self.targets.retain(|(endpoint, _), _| &**endpoint != name);
        self.start(name, deleting, vec![(gone, None)]);
        Ok(())
    }

    pub(super) fn set_instance_count(
        &mut self,
        call: &Call,
        name: &str,
        variant: &str,
        count: i32,
    ) -> Result<(), ServiceFailure> {
        let phase = self.changeable(call, name)?;
        let old = Arc::clone(&phase.live);
        let mut new = Deployed::clone(&old);
        let scaled = new
            .variants
            .iter_mut()
            .find(|scaled| &*scaled.name == variant);
        let Some(scaled) = scaled else {
            let message = format!("Could not find variant \"{variant}\".");
            return Err(failure(call, FailureKind::NotFound, message));
        };
        scaled.count = Some(count);
        let end = Phase::new(EndpointStatus::InService, &Arc::new(new));
        let coming = vec![(self.now + self.timing.update, Some(end))];
        self.start(name, Phase::new(EndpointStatus::Updating, &old), coming);
        Ok(())
    }

    /// Puts the endpoint into a status for good.
    pub(crate) fn force(&mut self, name: &str, status: EndpointStatus) {
        if let Some(endpoint) = self.endpoints.get_mut(name) {
            endpoint.change(|endpoint| {
                let live = Arc::clone(&endpoint.view.phase.live);
                endpoint.view.phase = Phase::new(status, &live);
                endpoint.view.modified += 1;
                endpoint.coming.clear();
                endpoint.stale = None;
            });
        }
    }

    fn start(&mut self, name: &str, phase: Phase, coming: Vec<(Millis, Option<Phase>)>) {
        let (now, stale) = (self.now, self.timing.stale);
        if let Some(endpoint) = self.endpoints.get_mut(name) {
            endpoint.change(|endpoint| endpoint.start(now, phase, coming, stale));
        }
    }

    /// An endpoint that the service would change now.
    fn changeable(&self, call: &Call, name: &str) -> Result<Phase, ServiceFailure> {
        let Some(endpoint) = self.endpoints.get(name) else {
            let message = format!("Could not find endpoint \"{}\".", arn("endpoint", name));
            return Err(failure(call, FailureKind::NotFound, message));
        };
        if endpoint.phase().is_in_progress() {
            let message = format!("Cannot update in-progress endpoint \"{}\".", endpoint.arn);
            return Err(failure(call, FailureKind::InProgress, message));
        }
        Ok(endpoint.phase().clone())
    }

    fn take_up(&self, call: &Call, name: &str) -> Result<Deployed, ServiceFailure> {
        let Some((name, config)) = self.configs.get_key_value(name) else {
            return Err(unseen_config(call, name));
        };
        let mut models = Vec::new();
        for model in config.models() {
            let Some((model, found)) = self.models.get_key_value(model) else {
                return Err(no_model(call, model));
            };
            models.push((Arc::clone(model), found.serial));
        }
        let variant = |variant: &ProductionVariant| Variant {
            name: variant.variant_name().unwrap_or_default().into(),
            instance_type: variant.instance_type().map(|name| name.as_str().into()),
            count: variant.initial_instance_count(),
        };
        Ok(Deployed {
            config: Arc::clone(name),
            serial: config.serial,
            models,
            variants: config
                .described
                .production_variants()
                .iter()
                .map(variant)
                .collect(),
        })
    }

    /// Whether an endpoint config in service and its models are all still there, and not others of the same names.
    pub(crate) fn stands(&self, deployed: &Deployed) -> bool {
        let config = self.configs.get(&deployed.config);
        let stands = |(name, serial): &(Name, u64)| {
            self.models
                .get(name)
                .is_some_and(|model| model.serial == *serial)
        };
        config.is_some_and(|config| config.serial == deployed.serial)
            && deployed.models.iter().all(stands)
    }

    /// A registered variant that an update takes away or puts on other instances.
    fn registered_and_changed(&self, name: &str, old: &Deployed, new: &Deployed) -> Option<Name> {
        let changed = |variant: &&Variant| {
            let after = new.variants.iter().find(|after| after.name == variant.name);
            after.is_none_or(|after| after.instance_type != variant.instance_type)
        };
        let mut changed = old.variants.iter().filter(changed);
        let held = changed.find(|variant| self.target(name, &variant.name).is_some())?;
        Some(Arc::clone(&held.name))
    }
}

/// The failure of a launch whose endpoint config is not there, or cannot be seen yet.
pub(crate) fn unseen_config(call: &Call, name: &str) -> ServiceFailure {
    let arn = arn("endpoint-config", name);
    let message = format!("Could not find endpoint configuration \"{arn}\".");
    failure(call, FailureKind::PrerequisiteNotFound, message)
}

/// The counts of a view, as the functions read them.
pub(super) fn counts(deployed: &Deployed) -> BTreeMap<String, i32> {
    let variants = deployed.variants.iter();
    variants
        .filter_map(|variant| Some((variant.name.to_string(), variant.count?)))
        .collect()
}
