//! The forms that single values take: each returns a parser for one key.

use std::ops::RangeInclusive;

use regex_lite::Regex;
use serde_json::{Number, Value};

use super::fields::kind_of;

/// How much of a refused value is quoted back.
const QUOTED: usize = 60;

/// A string that matches a pattern as a whole and has at most `longest` characters.
pub(super) fn text(
    pattern: &'static str,
    longest: usize,
    form: &'static str,
) -> impl Fn(&Value) -> Result<String, String> {
    move |value| {
        let text = string(value, form)?;
        // Compiled here and not once for all: a call reads each key once, and most keys are not set.
        let whole =
            Regex::new(&format!("^(?:{pattern})$")).expect("the pattern is a literal of ours");
        if text.chars().count() <= longest && whole.is_match(text) {
            Ok(text.to_owned())
        } else {
            Err(format!("must be {form}, not {}", quoted(text)))
        }
    }
}

/// A whole number within the bounds; it may come as a float without fraction, and either may come as a string.
pub(super) fn integer(bounds: RangeInclusive<i32>) -> impl Fn(&Value) -> Result<i32, String> {
    move |value| {
        let number = match value {
            Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => {
                let text = text.trim();
                let float = || whole(text.parse().ok()?);
                text.parse().ok().or_else(float)
            }
            _ => None,
        };
        number
            .and_then(|number| i32::try_from(number).ok())
            .filter(|number| bounds.contains(number))
            .ok_or_else(|| {
                let (least, most) = (bounds.start(), bounds.end());
                let form = if *most == i32::MAX {
                    format!("of at least {least}")
                } else {
                    format!("from {least} to {most}")
                };
                format!("must be a whole number {form}, not {}", shown(value))
            })
    }
}

/// A whole number within the bounds that is a multiple of `step`.
pub(super) fn stepped(
    bounds: RangeInclusive<i32>,
    step: i32,
) -> impl Fn(&Value) -> Result<i32, String> {
    move |value| {
        let number = integer(bounds.clone())(value)?;
        if number % step == 0 {
            Ok(number)
        } else {
            Err(format!("must be a multiple of {step}, not {number}"))
        }
    }
}

/// A number above zero; it may come as a string.
pub(super) fn positive(value: &Value) -> Result<Number, String> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number
        .filter(|number| *number > 0.0)
        .and_then(Number::from_f64)
        .ok_or_else(|| format!("must be a number above 0, not {}", shown(value)))
}

/// A boolean; it may come as the string `true` or `false`, in any case (Python writes `True`).
pub(super) fn flag(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Ok(false),
        other => Err(format!("must be true or false, not {}", shown(other))),
    }
}

/// One of a few words.
pub(super) fn choice<T: Copy>(
    words: &'static [(&'static str, T)],
) -> impl Fn(&Value) -> Result<T, String> {
    move |value| {
        value
            .as_str()
            .and_then(|text| words.iter().find(|(word, _)| *word == text))
            .map(|(_, choice)| *choice)
            .ok_or_else(|| {
                let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                let words = match words[..] {
                    [one, other] => format!("{one} or {other}"),
                    _ => format!("one of {}", words.join(", ")),
                };
                format!("must be {words}, not {}", shown(value))
            })
    }
}

/// A name of an endpoint, an endpoint config or a production variant.
pub(super) fn name(value: &Value) -> Result<String, String> {
    text(
        "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        63,
        "a name of at most 63 letters, digits and inner hyphens",
    )(value)
}

/// A comma-separated list; blanks around an item do not count.
pub(super) fn list<T>(
    most: usize,
    item: impl Fn(&str) -> Result<T, String>,
) -> impl Fn(&Value) -> Result<Vec<T>, String> {
    move |value| {
        let text = string(value, "a comma-separated list")?;
        let items: Vec<_> = text.split(',').map(str::trim).collect();
        if items.len() > most {
            return Err(format!(
                "must have at most {most} items, not {}",
                items.len()
            ));
        }
        if items.contains(&"") {
            return Err(format!("must have no empty item, as in {}", quoted(text)));
        }
        items.into_iter().map(&item).collect()
    }
}

/// An item of a list, of a form that the service prescribes.
pub(super) fn item(
    pattern: &'static str,
    longest: usize,
    form: &'static str,
) -> impl Fn(&str) -> Result<String, String> {
    let parse = text(pattern, longest, form);
    move |item| {
        parse(&Value::String(item.to_owned()))
            .map_err(|reason| reason.replacen("must be", "must have items that are", 1))
    }
}

fn string<'a>(value: &'a Value, form: &str) -> Result<&'a str, String> {
    value
        .as_str()
        .ok_or_else(|| format!("must be {form}, not {}", kind_of(value)))
}

fn whole(number: f64) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float past i64's end saturates, and the bounds refuse it"
    )]
    (number.fract() == 0.0).then_some(number as i64)
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        other => kind_of(other).to_owned(),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", shortened(text))
}

/// As much of a text as is quoted back.
pub(super) fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(QUOTED).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_numbers_come_as_numbers_strings_and_floats() {
        let parse = integer(1..=10);
        for (value, expected) in [
            (json!(1), Some(1)),
            (json!(10), Some(10)),
            (json!("7"), Some(7)),
            (json!(" 7 "), Some(7)),
            (json!(7.0), Some(7)),
            (json!(7.5), None),
            (json!(0), None),
            (json!(11), None),
            (json!("seven"), None),
            (json!("7.0"), Some(7)),
            (json!("7.5"), None),
            (json!("1e300"), None),
            (json!("NaN"), None),
            (json!("inf"), None),
            (json!(""), None),
            (json!(1e300), None),
            (json!(u64::MAX), None),
            (json!(true), None),
            (json!([7]), None),
        ] {
            assert_eq!(parse(&value).ok(), expected, "{value}");
        }
    }

    #[test]
    fn a_refused_value_is_told_what_it_should_be_and_what_it_is() {
        let reason = |parsed: Result<i32, String>| parsed.expect_err("refused");
        assert_eq!(
            reason(integer(1..=i32::MAX)(&json!(0))),
            "must be a whole number of at least 1, not 0"
        );
        assert_eq!(
            reason(integer(1..=9)(&json!("ten"))),
            "must be a whole number from 1 to 9, not \"ten\""
        );
        assert_eq!(
            reason(stepped(1..=9, 3)(&json!(4))),
            "must be a multiple of 3, not 4"
        );
        assert_eq!(
            flag(&json!({"on": true})),
            Err("must be true or false, not an object".to_owned())
        );
        assert_eq!(
            choice(&[("up", 1), ("down", 2)])(&json!(true)),
            Err("must be up or down, not true".to_owned())
        );
        assert_eq!(
            choice(&[("up", 1), ("down", 2), ("off", 3)])(&json!("UP")),
            Err("must be one of up, down, off, not \"UP\"".to_owned())
        );
        assert_eq!(quoted(&"x".repeat(60)), format!("\"{}\"", "x".repeat(60)));
        assert_eq!(quoted(&"x".repeat(61)), format!("\"{}…\"", "x".repeat(60)));
    }

    #[test]
    fn numbers_above_zero_come_as_numbers_and_strings() {
        for (value, expected) in [
            (json!(70), Some(70.0)),
            (json!(0.5), Some(0.5)),
            (json!(" 70.5 "), Some(70.5)),
            (json!(0), None),
            (json!(-1), None),
            (json!("inf"), None),
            (json!("NaN"), None),
            (json!("many"), None),
            (json!(true), None),
        ] {
            let parsed = positive(&value).ok().and_then(|number| number.as_f64());
            assert_eq!(parsed, expected, "{value}");
        }
    }

    #[test]
    fn a_list_has_at_most_so_many_items() {
        let parse = list(3, |item| Ok(item.to_owned()));
        assert_eq!(parse(&json!("a, b ,c")).map(|items| items.len()), Ok(3));
        assert!(parse(&json!("a,b,c,d")).is_err());
        assert!(parse(&json!(["a"])).is_err());
    }

    #[test]
    fn booleans_come_as_booleans_and_strings() {
        for (value, expected) in [
            (json!(true), Some(true)),
            (json!(false), Some(false)),
            (json!("true"), Some(true)),
            (json!("False"), Some(false)),
            (json!("yes"), None),
            (json!(1), None),
        ] {
            assert_eq!(flag(&value).ok(), expected, "{value}");
        }
    }

    #[test]
    fn names_follow_the_service_to_the_last_character() {
        let longest = "a".repeat(63);
        let too_long = "a".repeat(64);
        for (value, good) in [
            ("a", true),
            ("My-Endpoint-2", true),
            ("a--b", true),
            (longest.as_str(), true),
            (too_long.as_str(), false),
            ("-a", false),
            ("a-", false),
            ("a_b", false),
            ("a b", false),
            ("a\n", false),
            ("ä", false),
        ] {
            assert_eq!(name(&json!(value)).is_ok(), good, "{value:?}");
        }
    }

    #[test]
    fn a_refusal_quotes_no_more_of_a_value_than_is_readable() {
        let reason = name(&json!("ü".repeat(5000))).expect_err("too long");
        assert!(reason.chars().count() < 160, "{reason}");
        assert!(reason.contains('…'));
    }
}
