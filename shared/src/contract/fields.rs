//! Reads typed settings out of a flat event and the environment, and collects what is wrong with them.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::values;
use crate::error::Error;

/// The process's environment variables, as a snapshot, so that parsing stays pure.
pub type Environment = HashMap<String, String>;

/// A key of the event (or a variable of the environment) that cannot be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadKey {
    /// The key as the contract spells it, or `environment variable NAME`.
    pub key: String,
    /// What is wrong, readable after the key: "is missing", "must be …".
    pub reason: String,
}

impl BadKey {
    /// Names a key and what is wrong with it.
    pub fn new(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            reason: reason.into(),
        }
    }
}

/// An optional key with its two possible sources kept apart.
///
/// On an update the live endpoint config stands between them, so that a stack's defaults never reset
/// what is live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// What the event says.
    pub event: Option<T>,
    /// What the environment says; only read where the event says nothing.
    pub environment: Option<T>,
}

impl<T> Default for Setting<T> {
    fn default() -> Self {
        Self {
            event: None,
            environment: None,
        }
    }
}

impl<T: Clone> Setting<T> {
    /// The event's value, else the environment's.
    pub fn get(&self) -> Option<T> {
        self.event.clone().or_else(|| self.environment.clone())
    }

    /// The event's value, else what is live, else the environment's.
    pub fn over(&self, live: Option<T>) -> Option<T> {
        self.event
            .clone()
            .or(live)
            .or_else(|| self.environment.clone())
    }

    /// The event's value, else the environment's, else the given default.
    pub fn or(&self, default: T) -> T {
        self.get().unwrap_or(default)
    }
}

/// The keys of one event, read one by one.
pub(super) struct Fields<'a> {
    event: Map<String, Value>,
    environment: &'a Environment,
    asked: Vec<&'static str>,
    bad: Vec<BadKey>,
}

impl<'a> Fields<'a> {
    /// Reads an event's text.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRequest`] with every bad key, and with the endpoint's name where that is none of them.
    pub(super) fn parse<T>(
        event: &str,
        environment: &'a Environment,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Result<T, Error> {
        let refused = |endpoint_name, bad_keys| Error::InvalidRequest {
            endpoint_name,
            bad_keys,
        };
        let mut fields = Self::of(event, environment).map_err(|bad| refused(None, bad))?;
        let parsed = read(&mut fields);
        let name = fields.set_in_event("endpoint_name");
        let endpoint_name = name.and_then(|name| values::name(name).ok());
        fields
            .finish(parsed)
            .map_err(|bad| refused(endpoint_name, bad))
    }

    /// The keys that a reading asks for, whatever the event.
    pub(super) fn asked_by(read: impl FnOnce(&mut Fields<'_>)) -> Vec<&'static str> {
        let environment = Environment::new();
        let mut fields = Fields {
            event: Map::new(),
            environment: &environment,
            asked: Vec::new(),
            bad: Vec::new(),
        };
        read(&mut fields);
        fields.asked
    }

    /// Takes the event's text.
    ///
    /// # Errors
    ///
    /// Anything that is not a JSON object, with the one key it should have been.
    pub(super) fn of(event: &str, environment: &'a Environment) -> Result<Self, Vec<BadKey>> {
        let not_an_object = |found: &str| {
            let reason = format!("must be a JSON object, not {found}");
            Err(vec![BadKey::new("event", reason)])
        };
        match serde_json::from_str(event) {
            Ok(Value::Object(event)) => Ok(Self {
                event,
                environment,
                asked: Vec::new(),
                bad: Vec::new(),
            }),
            Ok(other) => not_an_object(kind_of(&other)),
            Err(error) => not_an_object(&format!("text that does not parse ({error})")),
        }
    }

    /// Reads a key that must be in the event.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&Value) -> Result<T, String>,
    ) -> Option<T> {
        self.asked.push(key);
        let Some(value) = self.set_in_event(key) else {
            self.reject(key, "is missing");
            return None;
        };
        let parsed = parse(value);
        self.keep(key.to_owned(), parsed)
    }

    /// Reads a key that may be in the event or, in upper case, in the environment.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&Value) -> Result<T, String>,
    ) -> Setting<T> {
        self.asked.push(key);
        if let Some(value) = self.set_in_event(key) {
            let parsed = parse(value);
            return Setting {
                event: self.keep(key.to_owned(), parsed),
                environment: None,
            };
        }
        let variable = key.to_ascii_uppercase();
        let environment = match self.environment.get(&variable) {
            Some(text) if !text.trim().is_empty() => {
                let parsed = parse(&Value::String(text.clone()));
                self.keep(format!("environment variable {variable}"), parsed)
            }
            _ => None,
        };
        Setting {
            event: None,
            environment,
        }
    }

    /// Adds a mistake that shows only when keys are seen together.
    pub(super) fn reject(&mut self, key: &str, reason: impl Into<String>) {
        self.bad.push(BadKey::new(key, reason));
    }

    /// Ends the reading with what was made of the keys.
    ///
    /// # Errors
    ///
    /// Every bad key, in the order in which they were read.
    pub(super) fn finish<T>(self, parsed: Option<T>) -> Result<T, Vec<BadKey>> {
        parsed.filter(|_| self.bad.is_empty()).ok_or(self.bad)
    }

    fn set_in_event(&self, key: &str) -> Option<&Value> {
        self.event.get(key).filter(|value| is_set(value))
    }

    fn keep<T>(&mut self, key: String, parsed: Result<T, String>) -> Option<T> {
        parsed
            .map_err(|reason| self.bad.push(BadKey::new(key, reason)))
            .ok()
    }
}

/// Whether a value sets its key: `null` and blank text do not.
pub(super) fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        _ => true,
    }
}

/// What a JSON value is, for a message.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn the_event_wins_over_the_environment_and_the_environment_over_the_default() {
        let stack = environment(&[("INITIAL_INSTANCE_COUNT", "3")]);
        let cases = [
            (json!({"initial_instance_count": 2}), 2),
            (json!({"initial_instance_count": "2"}), 2),
            (json!({"initial_instance_count": ""}), 3),
            (json!({"initial_instance_count": "  "}), 3),
            (json!({"initial_instance_count": null}), 3),
            (json!({}), 3),
        ];
        for (event, expected) in cases {
            let mut fields = Fields::of(&event.to_string(), &stack).expect("an object");
            let setting = fields.optional("initial_instance_count", values::integer(1..=9));
            assert_eq!(setting.or(1), expected, "{event}");
            assert_eq!(fields.finish(Some(())), Ok(()), "{event}");
        }
        for blank in ["", "  "] {
            let blank = environment(&[("INITIAL_INSTANCE_COUNT", blank)]);
            let mut fields = Fields::of("{}", &blank).expect("an object");
            let setting = fields.optional("initial_instance_count", values::integer(1..=9));
            assert_eq!(setting.or(1), 1, "a variable that is blank is not set");
            assert_eq!(fields.finish(Some(())), Ok(()));
        }
        let nothing = Environment::new();
        let mut fields = Fields::of("{}", &nothing).expect("an object");
        assert_eq!(
            fields
                .optional("initial_instance_count", values::integer(1..=9))
                .or(1),
            1
        );
    }

    #[test]
    fn a_bad_variable_is_named_as_one_and_only_where_it_would_be_used() {
        let stack = environment(&[("MAX_WAIT_SECONDS", "soon")]);
        let mut fields = Fields::of("{}", &stack).expect("an object");
        fields.optional("max_wait_seconds", values::integer(0..=9));
        let bad = fields
            .finish(Some(()))
            .expect_err("the variable is no number");
        assert_eq!(bad[0].key, "environment variable MAX_WAIT_SECONDS");

        let mut fields = Fields::of(r#"{"max_wait_seconds": 5}"#, &stack).expect("an object");
        fields.optional("max_wait_seconds", values::integer(0..=9));
        assert_eq!(fields.finish(Some(())), Ok(()));
    }

    #[test]
    fn what_is_no_object_is_refused_with_what_it_is() {
        for (event, found) in [
            ("[]", "an array"),
            ("null", "null"),
            ("3", "a number"),
            ("\"x\"", "a string"),
            ("true", "a boolean"),
            ("{", "text that does not parse"),
        ] {
            let bad = Fields::of(event, &Environment::new())
                .err()
                .expect("refused");
            assert_eq!(bad.len(), 1);
            assert!(bad[0].reason.contains(found), "{event}: {}", bad[0].reason);
        }
    }
}
