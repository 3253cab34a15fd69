//! Several deployments and processes on one resource.

use super::*;

#[test]
fn a_deployment_restores_its_own_autoscaling_and_what_others_have_not_just_suspended() {
    let (one, other) = (id("one"), id("other"));
    let mut tags = saved(&one, &[scaling("blue", 1), scaling("red", 1)], at(100));
    tags.extend(saved(
        &other,
        &[scaling("green", 2), scaling("red", 2)],
        at(100),
    ));
    let board = Board::of(tags);
    let just_now = at(159);
    assert_eq!(
        board.suspended(&one, just_now),
        [scaling("blue", 1), scaling("red", 1)],
        "the other one is about to launch"
    );
    assert_eq!(
        board.suspended_keys(&one, just_now),
        board.suspended_keys_of(&one)
    );
    assert_eq!(board.suspended(&id("third"), just_now), []);
    let later = at(160);
    assert_eq!(
        board.suspended(&one, later),
        [scaling("blue", 1), scaling("red", 1), scaling("green", 2)]
    );
    assert_eq!(board.suspended(&id("third"), later).len(), 3);
    let all = board.suspended_keys(&id("third"), later);
    assert_eq!(all, board.suspended_keys(&one, later));
    assert_eq!(all, keys_of(board.tags()));
    let kept: Vec<_> = board.suspended_tags().collect();
    assert_eq!(kept.len(), board.tags().len());
}

#[test]
fn a_model_is_claimed_by_other_deployments_and_for_a_minute_by_other_processes() {
    let (own, other) = (id("own"), id("other"));
    let now = at(1_800_000_000);
    let before = |seconds| now.before(Duration::from_secs(seconds));
    let by = |process: &str, at| Notice {
        process: process.to_owned(),
        ..notice(at)
    };
    for (what, tag, is_claimed) in [
        ("this process", by("p1", before(1)).claim(&own), false),
        ("another process", by("p2", before(59)).claim(&own), true),
        ("its claim is over", by("p2", before(60)).claim(&own), false),
        (
            "another deployment",
            by("p3", before(7200)).claim(&other),
            true,
        ),
        (
            "its claim is obsolete",
            by("p3", now.before(OBSOLETE + Duration::from_secs(1))).claim(&other),
            false,
        ),
        (
            "an undo is no claim",
            by("p3", before(1)).undo(&other),
            false,
        ),
    ] {
        let board = Board::of(vec![tag]);
        assert_eq!(board.is_claimed(&own, "p1", now), is_claimed, "{what}");
    }
}

#[test]
fn the_claims_that_no_process_acts_on_any_more_are_idle() {
    let (own, other) = (id("own"), id("other"));
    let now = at(1_800_000_000);
    let by = |process: &str, age| Notice {
        process: process.to_owned(),
        ..notice(now.before(Duration::from_secs(age)))
    };
    let idle = by("p1", 60).claim(&own);
    let tags = vec![
        idle.clone(),
        by("p2", 59).claim(&own),
        by("p3", 60).undo(&own),
        by("p4", 7200).claim(&other),
    ];
    let board = Board::of(tags);
    assert_eq!(
        board.claims().count(),
        3,
        "each process has a key of its own"
    );
    assert_eq!(board.idle_claims(&own, now), keys_of(&[idle]));
}

#[test]
fn a_notice_holds_for_a_minute_and_is_obsolete_after_three_days() {
    let written = at(1_800_000_000);
    for (age, holds, is_obsolete) in [
        (0, true, false),
        (59, true, false),
        (60, false, false),
        (3 * 24 * 3600, false, false),
        (3 * 24 * 3600 + 1, false, true),
    ] {
        let now = written + Duration::from_secs(age);
        assert_eq!(notice(written).holds(now), holds, "after {age} s");
        assert_eq!(
            notice(written).is_obsolete(now),
            is_obsolete,
            "after {age} s"
        );
    }
    // The clock of another process may be ahead.
    let now = at(1_799_999_999);
    assert!(notice(written).holds(now));
    assert!(!notice(written).is_obsolete(now));
}

#[test]
fn what_passes_when_a_deployment_ends_is_its_own_and_what_is_obsolete() {
    let (own, other, old) = (id("own"), id("other"), id("old"));
    let now = at(1_800_000_000);
    let young = now.before(Duration::from_secs(10));
    let ancient = now.before(OBSOLETE + Duration::from_secs(1));
    let mut passing = vec![
        made_by(&own),
        checkpoint(Stage::Planned).tag(&own),
        checkpoint(Stage::Accepted).tag(&own),
        notice(young).claim(&own),
        notice(young).undo(&own),
        notice(ancient).claim(&old),
        notice(ancient).undo(&old),
    ];
    passing.extend(failure_tags("out of memory"));
    let staying = [
        made_for("churn"),
        replaces("endpoint-config-1"),
        notice(young).claim(&other),
        notice(young).undo(&other),
        checkpoint(Stage::Planned).tag(&other),
        Tag::builder().key("team").value("ml").build(),
    ];
    let board = Board::of([passing.clone(), staying.to_vec()].concat());
    let (mut keys, mut expected) = (board.passing_keys(&own, now), keys_of(&passing));
    keys.sort();
    expected.sort();
    assert_eq!(keys, expected);
    // What is left of a failed deployment is still known as its own.
    expected.retain(|key| *key != made_by_key());
    let mut keys = board.resumption_keys(&own, now);
    keys.sort();
    assert_eq!(keys, expected);
}
