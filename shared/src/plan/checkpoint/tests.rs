use proptest::prelude::*;
use serde_json::json;

use super::*;

fn id(name: &str) -> DeploymentId {
    DeploymentId::of_event(name)
}

fn at(seconds: u64) -> Moment {
    Moment::since_epoch(Duration::from_secs(seconds))
}

fn checkpoint(stage: Stage) -> Checkpoint {
    Checkpoint {
        route: Route::Update,
        stage,
        at: at(1_800_000_000),
        endpoint_config: "endpoint-config-2".to_owned(),
        model: "model-2".to_owned(),
        previous: "endpoint-config-1".to_owned(),
        since: Some(DateTime::from_secs(1_799_999_000)),
    }
}

fn notice(at: Moment) -> Notice {
    Notice {
        at,
        process: "p1".to_owned(),
        endpoint_config: "endpoint-config-2".to_owned(),
    }
}

fn scaling(variant: &str, filling: usize) -> Scaling {
    let wire = |value: serde_json::Value| value.as_object().cloned().expect("an object");
    Scaling {
        variant: variant.to_owned(),
        target: wire(json!({"MinCapacity": 1, "MaxCapacity": 4})),
        policies: vec![wire(
            json!({"PolicyName": "x".repeat(filling), "TargetValue": 70.5}),
        )],
        scheduled_actions: Vec::new(),
    }
}

/// What the service does with tags that are added: a key that is there gets the new value.
fn added(mut tags: Vec<Tag>, more: Vec<Tag>) -> Vec<Tag> {
    for tag in more {
        tags.retain(|other| other.key != tag.key);
        tags.push(tag);
    }
    tags
}

fn saved(id: &DeploymentId, scaling: &[Scaling], now: Moment) -> Vec<Tag> {
    suspended_tags(id, scaling, now).expect("it fits")
}

fn keys_of(tags: &[Tag]) -> Vec<String> {
    let keys = tags.iter().filter_map(|tag| tag.key().map(str::to_owned));
    keys.collect()
}

fn fits_a_tag(tag: &Tag) -> bool {
    let is_taken =
        |letter: char| letter.is_alphanumeric() || letter == ' ' || "_.:/=+-@".contains(letter);
    let fits = |text: &str, longest| text.chars().count() <= longest && text.chars().all(is_taken);
    tag.key().is_some_and(|key| fits(key, 128)) && tag.value().is_some_and(|value| fits(value, 256))
}

#[test]
fn an_id_does_not_tell_the_token_and_is_another_for_another_text() {
    assert_ne!(id("one"), id("other"));
    assert_eq!(DeploymentId::of_token("one"), DeploymentId::of_token("one"));
    assert!(!id("one").as_str().contains("one"));
    assert_eq!(id("one").as_str().len(), 16);
}

#[test]
fn the_anchor_of_a_deployment_is_the_same_for_every_spelling_of_the_endpoint() {
    let anchor = id("one").anchor("Churn");
    assert_eq!(anchor, id("one").anchor("churn"));
    assert_ne!(anchor, id("other").anchor("churn"));
    assert_ne!(anchor, id("one").anchor("shop"));
    assert!(anchor.len() <= 63, "{anchor}");
}

#[test]
fn a_planned_checkpoint_does_not_hide_an_accepted_one() {
    let (planned, accepted) = (checkpoint(Stage::Planned), checkpoint(Stage::Accepted));
    let id = id("one");
    for order in [[&planned, &accepted], [&accepted, &planned]] {
        let tags = order.map(|checkpoint| vec![checkpoint.tag(&id)]);
        let tags = tags.into_iter().fold(Vec::new(), added);
        assert_eq!(tags.len(), 2, "each has a key of its own");
        assert_eq!(Board::of(tags).checkpoint(&id), Some(accepted.clone()));
    }
}

#[test]
fn tags_of_two_deployments_on_one_resource_do_not_mix() {
    let (one, other) = (id("one"), id("other"));
    let later = Checkpoint {
        endpoint_config: "endpoint-config-3".to_owned(),
        ..checkpoint(Stage::Accepted)
    };
    let mut tags = vec![checkpoint(Stage::Planned).tag(&one), later.tag(&other)];
    tags.push(notice(at(1)).claim(&one));
    tags.push(notice(at(2)).undo(&other));
    tags.extend(saved(&one, &[scaling("blue", 300)], at(0)));
    tags.extend(saved(&other, &[scaling("green", 9)], at(0)));
    let board = Board::of(tags);

    assert_eq!(board.checkpoint(&one), Some(checkpoint(Stage::Planned)));
    assert_eq!(board.checkpoint(&other), Some(later));
    assert_eq!(board.checkpoint(&id("third")), None);
    let claims: Vec<_> = board.claims().collect();
    assert_eq!(claims, [(one.as_str(), notice(at(1)))]);
    let undos: Vec<_> = board.undos().collect();
    assert_eq!(undos, [(other.as_str(), notice(at(2)))]);
    assert_eq!(board.suspended_by(&one), [scaling("blue", 300)]);
    assert_eq!(board.suspended_by(&other), [scaling("green", 9)]);
    assert_eq!(board.suspended_by(&id("third")), []);
}

/// Two deployments have suspended a variant each, and then both the same one.
#[test]
fn the_keys_of_a_checkpoint_and_of_notices_are_those_of_their_tags() {
    let own = id("own");
    let mut tags = vec![
        checkpoint(Stage::Planned).tag(&own),
        checkpoint(Stage::Accepted).tag(&own),
    ];
    tags.extend(failure_tags(&"\u{1F980}".repeat(2000)));
    let keys = checkpoint_keys(&own);
    for key in keys_of(&tags) {
        assert!(keys.contains(&key), "{key}");
    }
    assert!(!keys.contains(&made_by_key()));
    let notices = [notice(at(1)).undo(&own), notice(at(1)).claim(&own)];
    assert_eq!(keys_of(&notices), notice_keys(&own, "p1"));
    assert_eq!(keys_of(&[made_by(&own)]), [made_by_key()]);
}

#[test]
fn what_is_too_much_to_save_is_refused_and_not_cut() {
    let tags = |filling| {
        suspended_tags(
            &id("one"),
            &[scaling("AllTraffic", filling)],
            at(1_800_000_000),
        )
    };
    let longest = (0..5000).rev().find(|filling| tags(*filling).is_some());
    let longest = longest.expect("little fits");
    let pieces = tags(longest).expect("it fits");
    assert_eq!(pieces.len(), MOST_PIECES);
    let read = Board::of(pieces).suspended_by(&id("one"));
    assert_eq!(read, [scaling("AllTraffic", longest)]);
    assert_eq!(saved(&id("one"), &[], at(0)), []);
}

#[test]
fn a_failure_is_recorded_whatever_its_letters() {
    assert_eq!(Board::of(Vec::new()).failure(), None);
    for reason in [
        "",
        "out of memory: \"x\"",
        &"\u{1F980}".repeat(2000),
        &"\u{1}".repeat(2000),
    ] {
        let tags = failure_tags(reason);
        assert!(tags.iter().all(fits_a_tag), "{reason}");
        let read = Board::of(tags).failure().expect("recorded");
        let expected: String = reason.chars().take(LONGEST_FAILURE).collect();
        assert_eq!(read, expected);
    }
}

#[test]
fn a_resource_is_known_by_its_tag_and_not_by_its_name() {
    let own = made_for("Churn");
    assert!(is_made_for(std::slice::from_ref(&own), "churn"));
    assert!(!is_made_for(&[own], "shop"));
    let theirs = Tag::builder().key("endpoint").value("churn").build();
    assert!(!is_made_for(&[theirs], "churn"));
    let made = Board::of(vec![made_by(&id("one"))]);
    assert_eq!(made.made_by(), Some(id("one").as_str()));
}

#[test]
fn only_the_users_own_tags_move_to_an_endpoint_that_is_made_again() {
    let tag = |key: &str| Tag::builder().key(key).value("x").build();
    let mut tags = vec![tag("team"), tag("aws:cloudformation:stack-id")];
    tags.push(made_by(&id("one")));
    tags.extend(saved(&id("one"), &[scaling("blue", 1)], at(0)));
    let board = Board::of(tags);
    let others: Vec<_> = board.others().cloned().collect();
    assert_eq!(others, [tag("team")]);
}

/// A name as the service takes it, mostly of the longest kind.
fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-zA-Z0-9][a-zA-Z0-9-]{61}[a-zA-Z0-9]",
        1 => "[a-zA-Z0-9]{1,5}",
    ]
}

fn any_checkpoint() -> impl Strategy<Value = Checkpoint> {
    let route = proptest::sample::select(vec![Route::Create, Route::Update, Route::Recreate]);
    let stage = proptest::sample::select(vec![Stage::Planned, Stage::Accepted]);
    // The service gives times to the millisecond, and may give them to the nanosecond.
    let since = proptest::option::of((0_i64..4_000_000_000, 0_u32..1_000_000_000));
    let previous = prop_oneof![1 => Just(String::new()), 4 => any_name()];
    (
        route,
        stage,
        0_u64..4_000_000_000,
        (any_name(), any_name(), previous),
        since,
    )
        .prop_map(|(route, stage, seconds, names, since)| Checkpoint {
            route,
            stage,
            at: at(seconds),
            endpoint_config: names.0,
            model: names.1,
            previous: names.2,
            since: since.map(|(seconds, nanos)| DateTime::from_secs_and_nanos(seconds, nanos)),
        })
}

proptest! {
    #[test]
    fn a_checkpoint_comes_back_to_the_last_digit_in_a_value_that_a_tag_takes(
        checkpoint in any_checkpoint(), name in ".{0,20}",
    ) {
        let id = id(&name);
        let tag = checkpoint.tag(&id);
        prop_assert!(fits_a_tag(&tag), "{:?}", tag);
        // Cut, a time would be taken for an earlier one, and the endpoint for one that has changed since.
        prop_assert_eq!(Board::of(vec![tag]).checkpoint(&id), Some(checkpoint));
    }

    #[test]
    fn a_notice_comes_back_whole_in_a_value_that_a_tag_takes(
        seconds in 0_u64..4_000_000_000, process in "[0-9a-f-]{1,36}", endpoint_config in any_name(),
    ) {
        let id = id("one");
        let notice = Notice { at: at(seconds), process, endpoint_config };
        let (claim, undo) = (notice.claim(&id), notice.undo(&id));
        prop_assert!(fits_a_tag(&claim) && fits_a_tag(&undo), "{:?}", claim);
        let board = Board::of(vec![claim, undo]);
        let claims: Vec<_> = board.claims().collect();
        let undos: Vec<_> = board.undos().collect();
        prop_assert_eq!(&claims, &[(id.as_str(), notice)]);
        prop_assert_eq!(claims, undos);
    }

    #[test]
    fn suspended_autoscaling_comes_back_whole_whatever_was_saved_before(
        fillings in proptest::collection::vec(0_usize..700, 1..3), earlier in 0_usize..700,
    ) {
        let (one, other) = (id("one"), id("other"));
        let variants = fillings.iter().enumerate();
        let wanted: Vec<_> = variants.map(|(number, filling)| scaling(&number.to_string(), *filling)).collect();
        let before = saved(&one, &[scaling("Earlier", earlier)], at(0));
        let of_other = saved(&other, &[scaling("Other", earlier)], at(0));
        let tags = added(added(of_other, before), saved(&one, &wanted, at(60)));
        prop_assert!(tags.iter().all(fits_a_tag));
        let board = Board::of(tags);
        prop_assert_eq!(board.suspended_by(&one), wanted);
        prop_assert_eq!(board.suspended_by(&other), [scaling("Other", earlier)]);
    }

    #[test]
    fn no_tags_of_others_make_the_reader_panic(
        key in "(deployment-|accepted-|claim-|undo-|autoscaling-|failure-)[0-9a-z-]{0,20}", value in ".{0,60}",
    ) {
        let tag = Tag::builder().key(format!("{OWN_TAGS}{key}")).value(value).build();
        let board = Board::of(vec![tag]);
        let _ = (board.checkpoint(&id("one")), board.suspended(&id("one"), at(0)), board.failure());
        let _ = (board.claims().count(), board.undos().count());
        let _ = board.passing_keys(&id("one"), at(0));
    }
}

mod several;
