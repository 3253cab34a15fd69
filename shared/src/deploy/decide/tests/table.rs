//! The decision table as a page, which a person can review: `docs/decision-table.md`.
//!
//! This file has the situations, in words that belong to no implementation. `adapter` asks the code what comes next in
//! each, and `markdown` prints the tables.

use std::path::Path;
use std::{env, fs};

mod adapter;
mod markdown;

use markdown::{NONE, Table};

/// What stands on the page before the tables.
const INTRODUCTION: &str = "\
# The decision table

The functions poll the endpoint and decide by this table. A test prints this page from the code and fails if it differs. To
print it again, run `UPDATE_SNAPSHOTS=1 cargo test -p shared --lib decide`, and review the difference.

The poll is ten seconds after the launch: later than a poll may be stale, and sooner than SageMaker has to show a new endpoint.

- **deployment**: `new` is `deploy-new-endpoint`, `existing` is `deploy-existing-endpoint`. `replacing` is the latter with
  `replace_failed_endpoint`: before it deletes the failed endpoint, or after it.
- **endpoint status**: the status that SageMaker returns. `absent`: there is no endpoint. `unknown`: a status that SageMaker
  does not document today.
- **endpoint config**: the endpoint's config is the one that the deployment asked for, the previous one, which the endpoint
  had before the launch, or another one. `pending` is the config in the endpoint's `PendingDeploymentSummary`.
- **launch**: the call that creates or updates the endpoint. A repeated call knows of an earlier launch only by the checkpoint
  and by the poll.
- **`LastModifiedTime` since the launch**: the time that the poll returns, compared with the time before the launch.
- **any**: the column makes no difference. **–**: the column has no value.
";

/// Which deployment it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deployment {
    New,
    Existing,
    ReplacementRequested,
    ReplacementDeleted,
}

/// Which endpoint config the endpoint names, and which one is pending there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Config {
    Asked,
    Previous,
    Another,
    PreviousAskedPending,
    AnotherAskedPending,
}

/// How far the call that creates or updates the endpoint is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Launch {
    NotSent,
    ReplyLost,
    Accepted,
    Seen,
}

/// The endpoint's `LastModifiedTime`, compared with the time before the launch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Modified {
    Same,
    Later,
}

/// What a poll of the endpoint returns.
#[derive(Clone, Copy)]
struct Poll {
    status: &'static str,
    config: Config,
    modified: Modified,
}

/// What failed and is undone.
#[derive(Clone, Copy)]
enum Undo {
    Update,
    /// A creation with `on_failure` `delete`.
    CreationToDelete,
    /// A creation with `on_failure` `keep`.
    CreationToKeep,
}

impl Undo {
    fn can_have(self, config: Config) -> bool {
        match self {
            Self::Update => Deployment::Existing.can_have(config),
            Self::CreationToDelete | Self::CreationToKeep => {
                Deployment::ReplacementDeleted.can_have(config)
            }
        }
    }
}

/// A value and its name on the page.
type Named<T> = (&'static str, T);

const DEPLOYMENTS: [Named<Deployment>; 4] = [
    ("new", Deployment::New),
    ("existing", Deployment::Existing),
    (
        "existing, replacing: requested, not deleted yet",
        Deployment::ReplacementRequested,
    ),
    (
        "existing, replacing: deleted",
        Deployment::ReplacementDeleted,
    ),
];

const STATUSES: [&str; 10] = [
    "Creating",
    "Updating",
    "SystemUpdating",
    "RollingBack",
    "InService",
    "OutOfService",
    "Failed",
    "UpdateRollbackFailed",
    "Deleting",
    "unknown",
];

const CONFIGS: [Named<Config>; 5] = [
    ("asked for", Config::Asked),
    ("previous", Config::Previous),
    ("previous; pending: asked for", Config::PreviousAskedPending),
    ("another", Config::Another),
    ("another; pending: asked for", Config::AnotherAskedPending),
];

const LAUNCHES: [Named<Launch>; 4] = [
    ("not sent", Launch::NotSent),
    ("sent, reply lost", Launch::ReplyLost),
    ("accepted, not seen yet", Launch::Accepted),
    ("seen under way", Launch::Seen),
];

const MODIFIED: [Named<Modified>; 2] = [("same", Modified::Same), ("later", Modified::Later)];

const UNDOES: [Named<Undo>; 3] = [
    ("update", Undo::Update),
    ("creation, `on_failure`: `delete`", Undo::CreationToDelete),
    ("creation, `on_failure`: `keep`", Undo::CreationToKeep),
];

impl Deployment {
    /// Whether the endpoint can have such a config: a creation has no previous one, and is never pending.
    fn can_have(self, config: Config) -> bool {
        match self {
            Self::New => matches!(config, Config::Asked | Config::Another),
            Self::Existing | Self::ReplacementRequested => true,
            // The previous one is the failed endpoint's.
            Self::ReplacementDeleted => {
                matches!(config, Config::Asked | Config::Previous | Config::Another)
            }
        }
    }
}

#[test]
fn the_page_of_the_decision_table_is_what_the_code_decides() {
    let page = page();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/decision-table.md");
    if env::var_os("UPDATE_SNAPSHOTS").is_some_and(|update| update == "1") {
        fs::write(&path, &page).expect("the page can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let changed = page.lines().find(|line| !committed.contains(*line));
    assert!(
        page == committed,
        "docs/decision-table.md is not what the code decides; the first new line is {changed:?}. \
         Run `UPDATE_SNAPSHOTS=1 cargo test -p shared --lib decide` and review the difference."
    );
}

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    page += "\n## What comes next after a poll\n\n";
    page += &next_steps().print();
    page += "\n## Undo after a poll\n\n";
    page += &undo_steps().print();
    page
}

fn next_steps() -> Table {
    let mut table = Table::of(&[
        "deployment",
        "endpoint status",
        "endpoint config",
        "launch",
        "`LastModifiedTime` since the launch",
        "next",
    ]);
    for (name, deployment) in DEPLOYMENTS {
        for (launched, launch) in LAUNCHES {
            let next = adapter::next(deployment, launch, None);
            table.push(&[name, "absent", NONE, launched, NONE, &next]);
        }
        for status in STATUSES {
            for (configured, config) in CONFIGS
                .into_iter()
                .filter(|(_, it)| deployment.can_have(*it))
            {
                for (launched, launch) in LAUNCHES {
                    for (when, modified) in MODIFIED {
                        let poll = Poll {
                            status,
                            config,
                            modified,
                        };
                        let next = adapter::next(deployment, launch, Some(poll));
                        table.push(&[name, status, configured, launched, when, &next]);
                    }
                }
            }
        }
    }
    // The least relevant first. Each deployment keeps its own rows, so that they can be read alone.
    for column in [4, 3, 2, 1] {
        table.merge(column);
    }
    table
}

fn undo_steps() -> Table {
    let mut table = Table::of(&["undo of", "endpoint status", "endpoint config", "next"]);
    for (name, undo) in UNDOES {
        let next = adapter::undo(undo, None);
        table.push(&[name, "absent", NONE, next]);
        for status in STATUSES {
            for (configured, config) in CONFIGS.into_iter().filter(|(_, it)| undo.can_have(*it)) {
                let poll = Poll {
                    status,
                    config,
                    modified: Modified::Later,
                };
                let next = adapter::undo(undo, Some(poll));
                table.push(&[name, status, configured, next]);
            }
        }
    }
    for column in [2, 1] {
        table.merge(column);
    }
    table
}
