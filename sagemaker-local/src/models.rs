//! Models: `CreateModel`, `DescribeModel`, `ListModels`, `DeleteModel`.

use serde_json::{Value, json};

use crate::account::Account;
use crate::clock::{Moment, timestamp};
use crate::error::ServiceError;
use crate::model_packages;
use crate::names;
use crate::paging::{self, Row};
use crate::requests::{Answer, Document, items, required, text};

pub(crate) fn create(account: &mut Account, request: &Document, now: Moment) -> Answer {
    let name = required(request, "ModelName");
    let arn = account.arns.model(name);
    if account.model(name).is_some() {
        return Err(ServiceError::validation(format!(
            "Cannot create already existing model \"{arn}\"."
        )));
    }
    for container in containers(request) {
        check_container(account, container)?;
    }
    let model = account.make(name, arn.clone(), request, "ModelName", now);
    account.models.insert(names::key(name), model);
    Ok(json!({ "ModelArn": arn }))
}

pub(crate) fn describe(account: &Account, request: &Document) -> Answer {
    let name = required(request, "ModelName");
    let model = account
        .model(name)
        .ok_or_else(|| not_found(account, name))?;
    let mut answer = Value::from(model.document.clone());
    answer["ModelName"] = model.name.as_str().into();
    answer["ModelArn"] = model.arn.as_str().into();
    answer["CreationTime"] = timestamp(model.created);
    if answer.get("EnableNetworkIsolation").is_none() {
        answer["EnableNetworkIsolation"] = false.into();
    }
    Ok(answer)
}

pub(crate) fn list(account: &Account, request: &Document) -> Answer {
    let rows = account.models.values().map(|model| Row {
        name: model.name.clone(),
        serial: model.serial,
        created: model.created,
        modified: None,
        status: None,
        summary: json!({
            "ModelName": model.name,
            "ModelArn": model.arn,
            "CreationTime": timestamp(model.created),
        }),
    });
    paging::page(request, rows.collect(), "Models", "Descending")
}

/// Deletes a model, even one that an endpoint serves: the service does not look.
pub(crate) fn delete(account: &mut Account, request: &Document) -> Answer {
    let name = required(request, "ModelName");
    let Some(model) = account.models.remove(&names::key(name)) else {
        return Err(not_found(account, name));
    };
    account.untag(&model.arn);
    Ok(json!({}))
}

/// The error for a model that is not there.
pub(crate) fn not_found(account: &Account, name: &str) -> ServiceError {
    ServiceError::validation(format!(
        "Could not find model \"{}\".",
        account.arns.model(name)
    ))
}

/// The containers of a model's request or document.
pub(crate) fn containers(model: &Document) -> impl Iterator<Item = &Document> {
    let primary = model.get("PrimaryContainer").into_iter();
    primary
        .chain(items(model, "Containers"))
        .filter_map(Value::as_object)
}

fn check_container(account: &Account, container: &Document) -> Result<(), ServiceError> {
    match (
        text(container, "ModelPackageName"),
        text(container, "Image"),
    ) {
        (Some(package), _) => model_packages::check_deployable(account, package),
        (None, Some(_)) => Ok(()),
        (None, None) => Err(ServiceError::validation(
            "A container definition needs an Image or a ModelPackageName.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Scene;

    const ROLE: &str = "arn:aws:iam::123456789012:role/Run";

    fn arn(name: &str) -> String {
        format!("arn:aws:sagemaker:eu-west-1:123456789012:model/{name}")
    }

    #[test]
    fn a_model_is_described_as_it_was_created() {
        let mut scene = Scene::new();
        let package = scene.package("shop");
        let request = json!({
            "ModelName": "Model-1",
            "PrimaryContainer": { "ModelPackageName": package, "Environment": { "A": "b" } },
            "ExecutionRoleArn": ROLE,
            "VpcConfig": { "SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"] },
            "EnableNetworkIsolation": true,
            "FromTheFuture": { "x": 1 },
            "Tags": [{ "Key": "k", "Value": "v" }],
        });
        assert_eq!(
            scene.done("CreateModel", request.clone()),
            json!({ "ModelArn": arn("Model-1") })
        );

        let mut expected = request;
        expected.as_object_mut().expect("an object").remove("Tags");
        expected["ModelArn"] = arn("Model-1").into();
        expected["CreationTime"] = timestamp(scene.now);
        assert_eq!(
            scene.done("DescribeModel", json!({ "ModelName": "Model-1" })),
            expected
        );
    }

    #[test]
    fn a_model_is_created_once() {
        let mut scene = Scene::new();
        scene.model("Shop");
        for name in ["Shop", "shop"] {
            let container = json!({ "Image": "image" });
            let refused = scene.refused(
                "CreateModel",
                json!({ "ModelName": name, "PrimaryContainer": container }),
            );
            assert_eq!(
                (refused.code.as_str(), refused.message, refused.status),
                (
                    "ValidationException",
                    format!("Cannot create already existing model \"{}\".", arn(name)),
                    400
                )
            );
        }
    }

    #[test]
    fn a_package_must_exist_and_be_approved() {
        let mut scene = Scene::new();
        let missing = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/shop/7";
        let create = |package: &str| json!({ "ModelName": "m", "PrimaryContainer": { "ModelPackageName": package } });
        let refused = scene.refused("CreateModel", create(missing));
        assert_eq!(refused.code, "ValidationException");
        assert_eq!(
            refused.message,
            format!("ModelPackage {missing} does not exist.")
        );

        let package = scene.package("shop");
        for status in ["PendingManualApproval", "Rejected"] {
            scene.done(
                "UpdateModelPackage",
                json!({ "ModelPackageArn": package, "ModelApprovalStatus": status }),
            );
            let refused = scene.refused("CreateModel", create(&package));
            assert_eq!(refused.code, "ValidationException");
            assert!(
                refused.message.contains(&package) && refused.message.contains(status),
                "{refused}"
            );
        }
        scene.done(
            "UpdateModelPackage",
            json!({ "ModelPackageArn": package, "ModelApprovalStatus": "Approved" }),
        );
        scene.done("CreateModel", create(&package));
    }

    #[test]
    fn a_container_names_what_it_runs() {
        let mut scene = Scene::new();
        let request = json!({ "ModelName": "m", "Containers": [{ "Environment": {} }] });
        assert_eq!(
            scene.refused("CreateModel", request).code,
            "ValidationException"
        );
    }

    #[test]
    fn a_model_that_is_not_there_is_not_found() {
        let mut scene = Scene::new();
        scene.model("gone");
        assert_eq!(
            scene.done("DeleteModel", json!({ "ModelName": "Gone" })),
            json!({})
        );
        for operation in ["DescribeModel", "DeleteModel"] {
            let refused = scene.refused(operation, json!({ "ModelName": "Gone" }));
            assert_eq!(
                refused.message,
                format!("Could not find model \"{}\".", arn("Gone"))
            );
        }
    }

    #[test]
    fn models_are_listed() {
        let mut scene = Scene::new();
        scene.model("a");
        scene.model("b");
        let listed = scene.done("ListModels", json!({ "NameContains": "b" }));
        assert_eq!(
            listed,
            json!({ "Models": [{ "ModelName": "b", "ModelArn": arn("b"), "CreationTime": timestamp(scene.now) }] })
        );
    }
}
