//! Cuts a list into pages, the way the service does.

use serde_json::{Value, json};

use crate::clock::Moment;
use crate::error::ServiceError;
use crate::names;
use crate::requests::{Answer, Document, text};

/// One item of a list.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) serial: u64,
    pub(crate) created: Moment,
    /// When it last changed, where the list tells.
    pub(crate) modified: Option<Moment>,
    /// Its status, where the list tells.
    pub(crate) status: Option<String>,
    /// The item as it is answered.
    pub(crate) summary: Value,
}

/// Where an item stands: what the list is sorted by, then the order of creation.
type Place = (String, u64);

/// How many items a page has at most where the request does not say.
const PAGE_SIZE: u64 = 10;

/// The page that the request asks for, its items in `member`, sorted in `order` where the request
/// does not say.
pub(crate) fn page(request: &Document, rows: Vec<Row>, member: &str, order: &str) -> Answer {
    page_of(PAGE_SIZE, request, rows, member, order)
}

/// The same, with `size` items at most where the request does not say.
///
/// A page is cut *before* `NameContains` is applied, so it may have no item and still a
/// `NextToken`. The token names the last place on the page and not a number of items, so it stays
/// good while things come and go.
pub(crate) fn page_of(
    size: u64,
    request: &Document,
    rows: Vec<Row>,
    member: &str,
    order: &str,
) -> Answer {
    let by = text(request, "SortBy").unwrap_or("CreationTime");
    let descending = text(request, "SortOrder").unwrap_or(order) == "Descending";
    let after = text(request, "NextToken").map(read_token).transpose()?;

    let mut rows: Vec<(Place, Row)> = rows
        .into_iter()
        .filter(|row| is_wanted(row, request))
        .map(|row| (place(&row, by), row))
        .filter(|(place, _)| match &after {
            Some(after) if descending => place < after,
            Some(after) => place > after,
            None => true,
        })
        .collect();
    rows.sort_by(|(left, _), (right, _)| {
        if descending {
            right.cmp(left)
        } else {
            left.cmp(right)
        }
    });

    let size = request
        .get("MaxResults")
        .and_then(Value::as_u64)
        .unwrap_or(size);
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let more = rows.len() > size;
    rows.truncate(size);
    let token = rows
        .last()
        .filter(|_| more)
        .map(|(place, _)| write_token(place));

    let contained = text(request, "NameContains").unwrap_or_default();
    let items: Vec<Value> = rows
        .into_iter()
        .filter(|(_, row)| row.name.contains(contained))
        .map(|(_, row)| row.summary)
        .collect();

    let mut answer = json!({ member: items });
    if let Some(token) = token {
        answer["NextToken"] = token.into();
    }
    Ok(answer)
}

fn is_wanted(row: &Row, request: &Document) -> bool {
    let time = |member: &str| request.get(member).and_then(Value::as_f64);
    let within = |moment: Option<Moment>, after: &str, before: &str| {
        let moment = moment.unwrap_or_default().as_secs_f64();
        time(after).is_none_or(|bound| moment > bound)
            && time(before).is_none_or(|bound| moment < bound)
    };
    within(Some(row.created), "CreationTimeAfter", "CreationTimeBefore")
        && within(
            row.modified,
            "LastModifiedTimeAfter",
            "LastModifiedTimeBefore",
        )
        && text(request, "StatusEquals").is_none_or(|status| row.status.as_deref() == Some(status))
}

fn place(row: &Row, by: &str) -> Place {
    let first = match by {
        "Name" => names::key(&row.name),
        "Status" => row.status.clone().unwrap_or_default(),
        // The serial number alone is the order of creation.
        _ => String::new(),
    };
    (first, row.serial)
}

fn write_token((first, serial): &Place) -> String {
    format!("{serial}:{first}")
}

fn read_token(token: &str) -> Result<Place, ServiceError> {
    token
        .split_once(':')
        .and_then(|(serial, first)| Some((first.to_owned(), serial.parse().ok()?)))
        .ok_or_else(|| ServiceError::validation("Invalid NextToken"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Rows of these names, each made a second after the one before it.
    fn rows(names: &[&str]) -> Vec<Row> {
        (1..)
            .zip(names)
            .map(|(serial, name)| Row {
                name: (*name).to_owned(),
                serial,
                created: Duration::from_secs(serial),
                modified: Some(Duration::from_secs(serial * 10)),
                status: Some(
                    if serial % 2 == 0 {
                        "Failed"
                    } else {
                        "InService"
                    }
                    .to_owned(),
                ),
                summary: json!(name),
            })
            .collect()
    }

    fn cut(request: &Value, rows: Vec<Row>) -> (Vec<String>, Option<String>) {
        let request = request.as_object().expect("an object");
        let answer = page(request, rows, "Things", "Descending").expect("a page");
        let names = serde_json::from_value(answer["Things"].clone()).expect("a list");
        (names, answer["NextToken"].as_str().map(str::to_owned))
    }

    #[test]
    fn newest_first_ten_to_a_page_unless_told_otherwise() {
        let names: Vec<String> = (1..=12).map(|number| format!("e{number}")).collect();
        let all = rows(&names.iter().map(String::as_str).collect::<Vec<_>>());

        let (first, token) = cut(&json!({}), all.clone());
        assert_eq!(
            first,
            [
                "e12", "e11", "e10", "e9", "e8", "e7", "e6", "e5", "e4", "e3"
            ]
        );
        let (second, token) = cut(&json!({ "NextToken": token }), all.clone());
        assert_eq!(
            (second, token),
            (vec!["e2".to_owned(), "e1".to_owned()], None)
        );

        let (all_of_them, token) = cut(&json!({ "MaxResults": 12, "SortOrder": "Ascending" }), all);
        assert_eq!((all_of_them, token), (names, None));
    }

    #[test]
    fn a_list_may_have_pages_of_another_size() {
        let request = json!({});
        let request = request.as_object().expect("an object");
        let all = rows(&["a", "b", "c"]);
        let answer = page_of(2, request, all, "Things", "Ascending").expect("a page");
        assert_eq!(answer["Things"], json!(["a", "b"]));
        assert!(answer["NextToken"].is_string(), "{answer}");
    }

    #[test]
    fn a_page_is_cut_before_the_names_are_looked_at() {
        let all = rows(&["wanted", "other-1", "other-2"]);
        let (empty, token) = cut(
            &json!({ "MaxResults": 2, "NameContains": "want" }),
            all.clone(),
        );
        assert_eq!(empty, Vec::<String>::new());
        assert!(token.is_some(), "an empty page that is not the last");
        let (found, token) = cut(
            &json!({ "MaxResults": 2, "NameContains": "want", "NextToken": token }),
            all,
        );
        assert_eq!((found, token), (vec!["wanted".to_owned()], None));
    }

    #[test]
    fn the_case_of_a_contained_name_counts() {
        let (found, _) = cut(&json!({ "NameContains": "Sho" }), rows(&["shop", "Shop"]));
        assert_eq!(found, ["Shop"]);
    }

    #[test]
    fn a_token_stays_good_while_things_come_and_go() {
        for (order, rest) in [("Descending", ["b", "a"]), ("Ascending", ["c", "d"])] {
            let (_, token) = cut(
                &json!({ "MaxResults": 2, "SortOrder": order, "SortBy": "Name" }),
                rows(&["a", "b", "c", "d"]),
            );
            // The last of the first page is gone, and others have come before and after.
            let (second, _) = cut(
                &json!({ "MaxResults": 2, "SortOrder": order, "SortBy": "Name", "NextToken": token }),
                rows(&["a", "b", "c", "d"])
                    .into_iter()
                    .filter(|row| row.name != if order == "Ascending" { "b" } else { "c" })
                    .chain(rows(&[if order == "Ascending" { "0" } else { "z" }]))
                    .collect(),
            );
            assert_eq!(second, rest, "{order}");
        }
    }

    #[test]
    fn a_list_is_sorted_by_name_or_status() {
        let all = rows(&["b", "C", "a"]);
        let (by_name, _) = cut(
            &json!({ "SortBy": "Name", "SortOrder": "Ascending" }),
            all.clone(),
        );
        assert_eq!(by_name, ["a", "b", "C"]);
        let (by_status, _) = cut(
            &json!({ "SortBy": "Status", "SortOrder": "Ascending" }),
            all,
        );
        assert_eq!(by_status, ["C", "b", "a"]);
    }

    #[test]
    fn statuses_and_times_are_looked_at_before_a_page_is_cut() {
        let all = rows(&["a", "b", "c", "d"]);
        for (request, wanted) in [
            (
                json!({ "StatusEquals": "Failed", "MaxResults": 2 }),
                vec!["d", "b"],
            ),
            (
                json!({ "CreationTimeAfter": 1.5, "CreationTimeBefore": 3.5 }),
                vec!["c", "b"],
            ),
            (
                json!({ "LastModifiedTimeAfter": 35, "MaxResults": 1 }),
                vec!["d"],
            ),
            (json!({ "LastModifiedTimeBefore": 15.5 }), vec!["a"]),
        ] {
            assert_eq!(cut(&request, all.clone()).0, wanted, "{request}");
        }
    }

    #[test]
    fn a_token_of_ones_own_making_is_refused() {
        let request = json!({ "NextToken": "tomorrow" });
        let refused = page(
            request.as_object().expect("an object"),
            Vec::new(),
            "Things",
            "Ascending",
        );
        assert_eq!(refused.expect_err("no token").code, "ValidationException");
    }
}
