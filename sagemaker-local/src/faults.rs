//! Misbehaviour: which call misbehaves, and how.

use std::collections::VecDeque;

use serde::Deserialize;

use crate::requests::Document;

/// Misbehaviour to come.
///
/// Faults queue up in the order of their injection. A call meets the first fault in the queue that
/// is for its operation, and for its request if it says so: that fault lets it pass as long as it has calls to skip, else it strikes.
/// A fault that has struck as often as it should leaves the queue, so a second fault begins to
/// count only once the first is spent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Fault {
    /// The operation that misbehaves, such as `CreateModel`; `*` for any.
    pub operation: String,
    /// What happens.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// How many calls it strikes. More than ever come, such as `u32::MAX`, for every one.
    #[serde(default = "one")]
    pub calls: u32,
    /// How many calls pass unharmed before.
    #[serde(default)]
    pub skip: u32,
    /// A text that the request has to contain, such as a resource's name; any request if there is none.
    #[serde(default)]
    pub about: Option<String>,
}

/// What happens to a call that a fault strikes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum FaultKind {
    /// `ThrottlingException` with HTTP status 400, nothing done.
    Throttle,
    /// `AccessDeniedException` that names the operation and the request's resource, nothing done.
    Deny,
    /// `InternalFailure`, or `InternalServiceException` of Application Auto Scaling, with HTTP status
    /// 500, nothing done.
    Fail,
    /// `ResourceLimitExceeded` for the endpoint config's instance type, or `LimitExceededException`
    /// of Application Auto Scaling, nothing done.
    Limit,
    /// The call is done, and answered late.
    Late {
        /// How much later than it would be, in milliseconds.
        milliseconds: u64,
    },
    /// No answer ever, the connection stays open, nothing done.
    Hang,
    /// The connection is closed without an answer, nothing done.
    DropBefore,
    /// The call is done, then the connection is closed without an answer.
    DropAfter,
    /// `DescribeEndpoint` and `ListEndpoints` answer as things were just before the last
    /// `CreateEndpoint` or `UpdateEndpoint` of each endpoint. Other operations are not struck.
    Stale,
    /// `CreateEndpoint` and `UpdateEndpoint` do not see the endpoint config yet, nothing done.
    /// Other operations are not struck.
    ConfigNotFound,
    /// The answer of a proxy or the like on the way: this text and no JSON, nothing done.
    Foreign {
        /// The HTTP status that it is sent with.
        status: u16,
        /// The text, such as an HTML page. It may be empty.
        body: String,
    },
    /// Any other error, nothing done.
    Error {
        /// The error's code.
        code: String,
        /// Its message.
        message: String,
        /// The HTTP status that it is sent with.
        status: u16,
    },
}

fn one() -> u32 {
    1
}

impl Fault {
    /// A fault that strikes the next call of the operation (`*` for any), and no other.
    #[must_use]
    pub fn once(operation: &str, kind: FaultKind) -> Self {
        Self {
            operation: operation.to_owned(),
            kind,
            calls: 1,
            skip: 0,
            about: None,
        }
    }

    /// The same, striking `calls` times.
    #[must_use]
    pub fn times(self, calls: u32) -> Self {
        Self { calls, ..self }
    }

    /// The same, striking every call.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(u32::MAX)
    }

    /// The same, letting `skip` calls pass unharmed first.
    #[must_use]
    pub fn after(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    /// The same, for calls alone whose request contains this text.
    #[must_use]
    pub fn about(self, text: &str) -> Self {
        Self {
            about: Some(text.to_owned()),
            ..self
        }
    }

    fn is_for(&self, operation: &str, request: &Document) -> bool {
        let is_about = |text: &String| {
            let document = serde_json::to_string(request).unwrap_or_default();
            document.contains(text.as_str())
        };
        (self.operation == "*" || self.operation == operation)
            && self.kind.can_strike(operation)
            && self.about.as_ref().is_none_or(is_about)
    }
}

impl FaultKind {
    fn can_strike(&self, operation: &str) -> bool {
        match self {
            Self::Stale => matches!(operation, "DescribeEndpoint" | "ListEndpoints"),
            Self::ConfigNotFound => matches!(operation, "CreateEndpoint" | "UpdateEndpoint"),
            _ => true,
        }
    }
}

/// The faults that wait for their calls.
#[derive(Debug, Default)]
pub(crate) struct FaultQueue {
    waiting: VecDeque<Fault>,
}

impl FaultQueue {
    /// Adds a fault behind those that wait already.
    pub(crate) fn inject(&mut self, fault: Fault) {
        if fault.calls > 0 {
            self.waiting.push_back(fault);
        }
    }

    /// Forgets all faults.
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// What strikes this call, if anything does; counts the call.
    pub(crate) fn strike(&mut self, operation: &str, request: &Document) -> Option<FaultKind> {
        let mut waiting = self.waiting.iter();
        let first = waiting.position(|fault| fault.is_for(operation, request))?;
        let fault = &mut self.waiting[first];
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        let kind = fault.kind.clone();
        fault.calls -= 1;
        if fault.calls == 0 {
            self.waiting.remove(first);
        }
        Some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn strike(queue: &mut FaultQueue, operation: &str) -> Option<FaultKind> {
        queue.strike(operation, &Document::new())
    }

    fn struck(queue: &mut FaultQueue, operation: &str, calls: usize) -> Vec<Option<FaultKind>> {
        (0..calls).map(|_| strike(queue, operation)).collect()
    }

    #[test]
    fn a_fault_skips_then_strikes_then_is_spent() {
        let mut queue = FaultQueue::default();
        queue.inject(
            Fault::once("CreateModel", FaultKind::Throttle)
                .times(2)
                .after(1),
        );

        assert_eq!(strike(&mut queue, "DescribeModel"), None);
        assert_eq!(
            struck(&mut queue, "CreateModel", 4),
            [
                None,
                Some(FaultKind::Throttle),
                Some(FaultKind::Throttle),
                None
            ]
        );
    }

    #[test]
    fn faults_come_one_after_the_other() {
        let mut queue = FaultQueue::default();
        queue.inject(Fault::once("*", FaultKind::Hang).after(1));
        queue.inject(Fault::once("CreateModel", FaultKind::Fail).after(1));

        assert_eq!(
            struck(&mut queue, "CreateModel", 5),
            [
                None,
                Some(FaultKind::Hang),
                None,
                Some(FaultKind::Fail),
                None
            ]
        );
    }

    #[test]
    fn a_fault_for_good_never_ends_until_all_are_cleared() {
        let mut queue = FaultQueue::default();
        queue.inject(Fault::once("*", FaultKind::Deny).always());

        assert_eq!(
            struck(&mut queue, "ListModels", 3),
            vec![Some(FaultKind::Deny); 3]
        );
        queue.clear();
        assert_eq!(strike(&mut queue, "ListModels"), None);
    }

    #[test]
    fn a_fault_waits_for_an_operation_that_it_can_strike() {
        let mut queue = FaultQueue::default();
        queue.inject(Fault::once("*", FaultKind::Stale));
        queue.inject(Fault::once("*", FaultKind::ConfigNotFound));

        assert_eq!(strike(&mut queue, "CreateModel"), None);
        assert_eq!(
            strike(&mut queue, "UpdateEndpoint"),
            Some(FaultKind::ConfigNotFound)
        );
        assert_eq!(strike(&mut queue, "ListEndpoints"), Some(FaultKind::Stale));
    }

    #[test]
    fn a_fault_may_be_about_one_resource() {
        let mut queue = FaultQueue::default();
        queue.inject(Fault::once("DescribeModel", FaultKind::Fail).about("two"));
        let request = |name: &str| {
            let request = json!({ "ModelName": name });
            request.as_object().expect("an object").clone()
        };

        assert_eq!(queue.strike("DescribeModel", &request("one")), None);
        assert_eq!(
            queue.strike("DescribeModel", &request("two")),
            Some(FaultKind::Fail)
        );
    }

    #[test]
    fn a_fault_is_read_from_flat_json() {
        let read = |value| serde_json::from_value::<Fault>(value);

        assert_eq!(
            read(json!({ "operation": "CreateModel", "kind": "late", "milliseconds": 5 }))
                .expect("well formed"),
            Fault::once("CreateModel", FaultKind::Late { milliseconds: 5 })
        );
        assert_eq!(
            read(json!({ "operation": "*", "kind": "drop-after", "calls": 2, "skip": 3 }))
                .expect("well formed"),
            Fault::once("*", FaultKind::DropAfter).times(2).after(3)
        );
        assert_eq!(
            read(json!({ "operation": "*", "kind": "fail", "about": "shop" }))
                .expect("well formed"),
            Fault::once("*", FaultKind::Fail).about("shop")
        );
        let foreign = json!({ "operation": "*", "kind": "foreign", "status": 403, "body": "no" });
        let (status, body) = (403, "no".to_owned());
        assert_eq!(
            read(foreign).expect("well formed"),
            Fault::once("*", FaultKind::Foreign { status, body })
        );
        assert!(read(json!({ "operation": "*", "kind": "explode" })).is_err());
    }
}
