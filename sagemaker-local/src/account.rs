//! What the account holds.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::alarms::Alarms;
use crate::callback_steps::CallbackSteps;
use crate::clock::Moment;
use crate::lifecycle::{Course, View};
use crate::names::{self, Arns};
use crate::outcomes::Outcomes;
use crate::requests::{Document, items, without};
use crate::settings::Settings;

/// A resource that does not change by itself: a model package group, a model package, a model or an
/// endpoint config.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) created: Moment,
    /// Tells resources apart that bore the same name one after the other, and puts them in the
    /// order of their creation.
    pub(crate) serial: u64,
    /// The request that made it, without its name and tags.
    pub(crate) document: Document,
}

/// An endpoint, or what is left of one that is gone.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    /// In the case in which it was created.
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) created: Moment,
    pub(crate) serial: u64,
    pub(crate) course: Course,
    /// The course that the last update ended, and when; `None` where there was no update.
    pub(crate) before: Option<(Moment, Course)>,
}

/// Which state of things a read sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Things as they are.
    Fresh,
    /// Things just before the last creation or update of each endpoint.
    Stale,
}

impl Endpoint {
    /// The endpoint as a read at `now` sees it; `None` where that sees none.
    pub(crate) fn view(&self, now: Moment, sight: Sight, alarms: &Alarms) -> Option<View> {
        match sight {
            Sight::Fresh => self.course.at(now, alarms),
            Sight::Stale => self
                .before
                .as_ref()
                .and_then(|(moment, course)| course.at(*moment, alarms)),
        }
    }
}

/// Resources of one kind by the keys of their names; model packages by the keys of their ARNs.
pub(crate) type Shelf = BTreeMap<String, Resource>;

/// A variant of an endpoint that Application Auto Scaling may scale.
#[derive(Clone, Debug)]
pub(crate) struct ScalableTarget {
    pub(crate) resource_id: String,
    pub(crate) dimension: String,
    pub(crate) arn: String,
    pub(crate) created: Moment,
    pub(crate) serial: u64,
    pub(crate) min_capacity: i64,
    pub(crate) max_capacity: i64,
    pub(crate) suspended: Document,
    /// By their names, to the letter.
    pub(crate) policies: Shelf,
    /// Likewise.
    pub(crate) scheduled_actions: Shelf,
}

/// What tells scalable targets apart: the resource id, to the letter, and the dimension.
pub(crate) type TargetKey = (String, String);

/// One account in one region.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) settings: Settings,
    pub(crate) arns: Arns,
    pub(crate) model_package_groups: Shelf,
    /// The last version in each model package group, by the group's key.
    pub(crate) last_versions: BTreeMap<String, u64>,
    pub(crate) model_packages: Shelf,
    pub(crate) models: Shelf,
    pub(crate) endpoint_configs: Shelf,
    pub(crate) endpoints: BTreeMap<String, Endpoint>,
    pub(crate) scalable_targets: BTreeMap<TargetKey, ScalableTarget>,
    /// Tag values by key, by the key of the resource's ARN.
    pub(crate) tags: BTreeMap<String, BTreeMap<String, Value>>,
    pub(crate) outcomes: Outcomes,
    pub(crate) alarms: Alarms,
    pub(crate) callback_steps: CallbackSteps,
    serials: u64,
}

impl Account {
    /// An account that holds nothing.
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            arns: Arns::new(&settings.region, &settings.account, settings.arn_case),
            settings,
            model_package_groups: Shelf::new(),
            last_versions: BTreeMap::new(),
            model_packages: Shelf::new(),
            models: Shelf::new(),
            endpoint_configs: Shelf::new(),
            endpoints: BTreeMap::new(),
            scalable_targets: BTreeMap::new(),
            tags: BTreeMap::new(),
            outcomes: Outcomes::default(),
            alarms: Alarms::default(),
            callback_steps: CallbackSteps::default(),
            serials: 0,
        }
    }

    /// The next serial number.
    pub(crate) fn next_serial(&mut self) -> u64 {
        self.serials += 1;
        self.serials
    }

    /// A resource that a request makes, its tags put beside it.
    pub(crate) fn make(
        &mut self,
        name: &str,
        arn: String,
        request: &Document,
        name_member: &str,
        now: Moment,
    ) -> Resource {
        self.tag(&arn, request);
        Resource {
            name: name.to_owned(),
            arn,
            created: now,
            serial: self.next_serial(),
            document: without(request, &[name_member, "Tags", "ClientToken"]),
        }
    }

    /// Puts the tags of a request, a list or a map, beside those that the resource bears.
    pub(crate) fn tag(&mut self, arn: &str, request: &Document) {
        let listed = items(request, "Tags").iter();
        let listed =
            listed.filter_map(|tag| Some((tag["Key"].as_str()?.to_owned(), tag["Value"].clone())));
        let mapped = request.get("Tags").and_then(Value::as_object);
        let mapped = mapped.cloned().unwrap_or_default();
        let tags = self.tags.entry(names::key(arn)).or_default();
        tags.extend(listed.chain(mapped));
    }

    /// Forgets the tags of a resource that is no longer there.
    pub(crate) fn untag(&mut self, arn: &str) {
        self.tags.remove(&names::key(arn));
    }

    /// The tags that a resource bears; `None` if it never bore one.
    pub(crate) fn tags(&self, arn: &str) -> Option<&BTreeMap<String, Value>> {
        self.tags.get(&names::key(arn))
    }

    /// The same, to be changed.
    pub(crate) fn tags_mut(&mut self, arn: &str) -> Option<&mut BTreeMap<String, Value>> {
        self.tags.get_mut(&names::key(arn))
    }

    /// The model of this name.
    pub(crate) fn model(&self, name: &str) -> Option<&Resource> {
        self.models.get(&names::key(name))
    }

    /// The endpoint config of this name.
    pub(crate) fn endpoint_config(&self, name: &str) -> Option<&Resource> {
        self.endpoint_configs.get(&names::key(name))
    }
}
