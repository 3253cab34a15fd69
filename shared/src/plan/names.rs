//! Content-addressed names: what a deployment makes is named by what it was asked to make.
//!
//! The same inputs give the same names, so a repeated call finds what an earlier one made, and a name is
//! proof of whose the thing is.

use aws_smithy_json::codec::JsonCodec;
use aws_smithy_schema::codec::Codec;
use aws_smithy_schema::serde::{SerializableStruct, ShapeSerializer};
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

/// The root of this product's UUIDs. Changing it would make every repeated call a fresh deployment.
const NAMESPACE: Uuid = uuid!("c39e3c09-f2e4-406a-95fe-249b9ee24b0b");

/// The endpoint that names are made for; the same request for another endpoint has another name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner<'a> {
    pub(super) endpoint_name: &'a str,
    pub(super) deployment_id: Option<&'a str>,
}

/// `<prefix>-<uuid>`, the UUID a version 5 over the owner and the request as it would go on the wire.
pub(super) fn derived(prefix: &str, owner: Owner<'_>, request: &Value) -> String {
    let content = json!({
        "kind": prefix,
        // Endpoint names are unique without regard to case.
        "endpoint_name": owner.endpoint_name.to_ascii_lowercase(),
        "deployment_id": owner.deployment_id,
        "request": request,
    });
    let name = Uuid::new_v5(&NAMESPACE, content.to_string().as_bytes());
    format!("{prefix}-{name}")
}

/// A version 5 UUID over a text, which does not tell the text.
pub(super) fn digest(text: &str) -> String {
    Uuid::new_v5(&NAMESPACE, text.as_bytes()).to_string()
}

/// The wire form of a shape of the service, with its members in alphabetical order.
///
/// Members that are not set are not in it, so that a newer SDK, which knows more of them, gives the same
/// names.
pub(super) fn wire_form<Shape: SerializableStruct>(
    schema: &aws_smithy_schema::Schema<'_>,
    shape: &Shape,
) -> Value {
    let mut serializer = JsonCodec::default().create_serializer();
    serializer
        .write_struct(schema, shape)
        .expect("the service's shapes are JSON");
    serde_json::from_slice(&serializer.finish()).expect("the SDK writes JSON")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owner(endpoint_name: &str) -> Owner<'_> {
        Owner {
            endpoint_name,
            deployment_id: None,
        }
    }

    /// Pinned, because a changed derivation would redeploy every endpoint of every user once.
    #[test]
    fn the_derivation_is_the_one_that_users_have_live() {
        let request = json!({"b": 1, "a": {"d": "x", "c": [1, 2]}});
        assert_eq!(
            derived("model", owner("churn"), &request),
            "model-75aac502-ce9d-5070-88f5-b47616199d15"
        );
    }

    #[test]
    fn the_order_of_members_does_not_matter() {
        let one: Value = serde_json::from_str(r#"{"a": 1, "b": 2}"#).expect("JSON");
        let other: Value = serde_json::from_str(r#"{"b": 2, "a": 1}"#).expect("JSON");
        assert_eq!(
            derived("model", owner("churn"), &one),
            derived("model", owner("churn"), &other)
        );
    }

    proptest! {
        #[test]
        fn names_differ_where_anything_does_and_fit_the_service(
            first in ("[a-z]{1,4}", proptest::option::of("[a-z]{0,3}"), "[a-z]{0,3}"),
            second in ("[a-z]{1,4}", proptest::option::of("[a-z]{0,3}"), "[a-z]{0,3}"),
        ) {
            let name = |(endpoint, id, content): &(String, Option<String>, String)| {
                let owner = Owner { endpoint_name: endpoint, deployment_id: id.as_deref() };
                derived("endpoint-config", owner, &json!({"content": content}))
            };
            prop_assert_eq!(name(&first) == name(&second), first == second);
            prop_assert!(name(&first).len() <= 63);
        }
    }
}
