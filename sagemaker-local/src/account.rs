//! What the account holds.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::alarms::Alarms;
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

/// Resources of one kind by their names' keys; model packages by their ARNs.
pub(crate) type Shelf = BTreeMap<String, Resource>;

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
    /// Tag values by key, by resource ARN.
    pub(crate) tags: BTreeMap<String, BTreeMap<String, Value>>,
    pub(crate) outcomes: Outcomes,
    pub(crate) alarms: Alarms,
    serials: u64,
}

impl Account {
    /// An account that holds nothing.
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            arns: Arns::new(&settings.region, &settings.account),
            settings,
            model_package_groups: Shelf::new(),
            last_versions: BTreeMap::new(),
            model_packages: Shelf::new(),
            models: Shelf::new(),
            endpoint_configs: Shelf::new(),
            endpoints: BTreeMap::new(),
            tags: BTreeMap::new(),
            outcomes: Outcomes::default(),
            alarms: Alarms::default(),
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

    /// Puts the tags of a request beside those that the resource bears.
    pub(crate) fn tag(&mut self, arn: &str, request: &Document) {
        let tags = items(request, "Tags").iter();
        let tags =
            tags.filter_map(|tag| Some((tag["Key"].as_str()?.to_owned(), tag["Value"].clone())));
        self.tags.entry(arn.to_owned()).or_default().extend(tags);
    }

    /// Forgets the tags of a resource that is no longer there.
    pub(crate) fn untag(&mut self, arn: &str) {
        self.tags.remove(arn);
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
