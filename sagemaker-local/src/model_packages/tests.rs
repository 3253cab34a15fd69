use super::*;
use crate::scene::Scene;

fn arn(rest: &str) -> String {
    format!("arn:aws:sagemaker:eu-west-1:123456789012:{rest}")
}

#[test]
fn a_group_numbers_its_packages_and_never_reuses_a_number() {
    let mut scene = Scene::new();
    let request = json!({ "ModelPackageGroupName": "Shop" });
    assert_eq!(
        scene.done("CreateModelPackageGroup", request.clone()),
        json!({ "ModelPackageGroupArn": arn("model-package-group/Shop") })
    );
    for version in 1..=3 {
        let made = scene.done("CreateModelPackage", request.clone());
        assert_eq!(
            made["ModelPackageArn"],
            arn(&format!("model-package/Shop/{version}"))
        );
    }
    scene.done(
        "DeleteModelPackage",
        json!({ "ModelPackageName": arn("model-package/Shop/3") }),
    );
    let made = scene.done("CreateModelPackage", request);
    assert_eq!(made["ModelPackageArn"], arn("model-package/Shop/4"));
}

#[test]
fn a_version_is_described_with_what_it_was_registered_with() {
    let mut scene = Scene::new();
    scene.done(
        "CreateModelPackageGroup",
        json!({ "ModelPackageGroupName": "Shop" }),
    );
    let specification = json!({
        "Containers": [{ "Image": "image", "ModelDataUrl": "s3://b/k" }],
        "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
    });
    scene.done(
        "CreateModelPackage",
        json!({
            "ModelPackageGroupName": arn("model-package-group/Shop"),
            "InferenceSpecification": specification,
            "FromTheFuture": [1],
            "ClientToken": "token",
        }),
    );
    let expected = json!({
        "ModelPackageGroupName": "Shop",
        "ModelPackageVersion": 1,
        "ModelPackageArn": arn("model-package/Shop/1"),
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": { "ValidationStatuses": [], "ImageScanStatuses": [] },
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": specification,
        "FromTheFuture": [1],
        "CreationTime": timestamp(scene.now),
        "CreatedBy": {},
    });
    for name in [
        "shop/1",
        &arn("model-package/shop/1"),
        &arn("model-package/Shop/1"),
    ] {
        assert_eq!(
            scene.done("DescribeModelPackage", json!({ "ModelPackageName": name })),
            expected
        );
    }
}

#[test]
fn a_package_is_approved_later() {
    let mut scene = Scene::new();
    let package = scene.package("shop");
    scene.pass(5.0);
    let request = json!({
        "ModelPackageArn": package,
        "ModelApprovalStatus": "Rejected",
        "ApprovalDescription": "worse than before",
    });
    assert_eq!(
        scene.done("UpdateModelPackage", request),
        json!({ "ModelPackageArn": package })
    );
    let described = scene.done(
        "DescribeModelPackage",
        json!({ "ModelPackageName": package }),
    );
    assert_eq!(described["ModelApprovalStatus"], "Rejected");
    assert_eq!(described["ApprovalDescription"], "worse than before");
    assert_eq!(described["LastModifiedTime"], timestamp(scene.now));
    assert_eq!(
        described["InferenceSpecification"]["Containers"][0]["Image"],
        "packaged"
    );
}

#[test]
fn a_package_may_stand_alone() {
    let mut scene = Scene::new();
    let made = scene.done("CreateModelPackage", json!({ "ModelPackageName": "Alone" }));
    assert_eq!(made["ModelPackageArn"], arn("model-package/Alone"));
    let described = scene.done(
        "DescribeModelPackage",
        json!({ "ModelPackageName": "alone" }),
    );
    assert_eq!(described["ModelPackageName"], "Alone");
    assert_eq!(described.get("ModelApprovalStatus"), None);
    let container = json!({ "ModelPackageName": "alone" });
    scene.done(
        "CreateModel",
        json!({ "ModelName": "m", "PrimaryContainer": container }),
    );
}

#[test]
fn a_package_is_named_in_one_way_only() {
    let mut scene = Scene::new();
    assert_eq!(
        scene.refused("CreateModelPackage", json!({})).message,
        "Missing ARN."
    );
    let both = json!({ "ModelPackageName": "a", "ModelPackageGroupName": "b" });
    assert_eq!(
        scene.refused("CreateModelPackage", both).message,
        "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot determine which one to \
         use."
    );
    scene.package("shop");
    let tagged = json!({ "ModelPackageGroupName": "shop", "Tags": [] });
    assert_eq!(
        scene.refused("CreateModelPackage", tagged).code,
        "ValidationException"
    );
}

#[test]
fn what_exists_is_not_made_twice() {
    let mut scene = Scene::new();
    scene.package("shop");
    let refused = scene.refused(
        "CreateModelPackageGroup",
        json!({ "ModelPackageGroupName": "SHOP" }),
    );
    assert_eq!(
        refused.message,
        format!(
            "Model Package Group already exists: {}",
            arn("model-package-group/SHOP")
        )
    );
    scene.done("CreateModelPackage", json!({ "ModelPackageName": "alone" }));
    let refused = scene.refused("CreateModelPackage", json!({ "ModelPackageName": "alone" }));
    assert_eq!(
        refused.message,
        format!(
            "Model Package already exists: {}",
            arn("model-package/alone")
        )
    );
}

#[test]
fn what_is_not_there_does_not_exist() {
    let mut scene = Scene::new();
    let package = format!(
        "ModelPackage {} does not exist.",
        arn("model-package/none/1")
    );
    let group = format!(
        "ModelPackageGroup {} does not exist.",
        arn("model-package-group/none")
    );
    for (operation, request, message) in [
        (
            "DescribeModelPackage",
            json!({ "ModelPackageName": "none/1" }),
            &package,
        ),
        (
            "DeleteModelPackage",
            json!({ "ModelPackageName": "none/1" }),
            &package,
        ),
        (
            "UpdateModelPackage",
            json!({ "ModelPackageArn": arn("model-package/none/1") }),
            &package,
        ),
        (
            "DescribeModelPackageGroup",
            json!({ "ModelPackageGroupName": "none" }),
            &group,
        ),
        (
            "DeleteModelPackageGroup",
            json!({ "ModelPackageGroupName": "none" }),
            &group,
        ),
        (
            "CreateModelPackage",
            json!({ "ModelPackageGroupName": "none" }),
            &group,
        ),
    ] {
        let refused = scene.refused(operation, request);
        assert_eq!(
            (refused.code.as_str(), &refused.message),
            ("ValidationException", message)
        );
    }
}

#[test]
fn a_group_is_deleted_once_it_is_empty() {
    let mut scene = Scene::new();
    let package = scene.package("shop");
    let group = json!({ "ModelPackageGroupName": "shop" });
    let described = scene.done("DescribeModelPackageGroup", group.clone());
    assert_eq!(
        described,
        json!({
            "ModelPackageGroupName": "shop",
            "ModelPackageGroupArn": arn("model-package-group/shop"),
            "ModelPackageGroupStatus": "Completed",
            "CreationTime": timestamp(scene.now),
            "CreatedBy": {},
        })
    );
    assert_eq!(
        scene.refused("DeleteModelPackageGroup", group.clone()).code,
        "ConflictException"
    );
    scene.done("DeleteModelPackage", json!({ "ModelPackageName": package }));
    scene.done("DeleteModelPackageGroup", group.clone());
    scene.refused("DescribeModelPackageGroup", group);
    assert_eq!(
        scene.package("shop"),
        arn("model-package/shop/1"),
        "a new group"
    );
}

#[test]
fn packages_are_listed_by_group_type_and_approval() {
    let mut scene = Scene::new();
    for group in ["shop", "shop", "till"] {
        scene.package(group);
    }
    scene.done("CreateModelPackage", json!({ "ModelPackageName": "alone" }));
    scene.done(
        "CreateModelPackage",
        json!({ "ModelPackageGroupName": "till" }),
    );

    for (request, wanted) in [
        (
            json!({ "ModelPackageGroupName": "Shop" }),
            vec!["shop/1", "shop/2"],
        ),
        (json!({}), vec!["alone"]),
        (
            json!({ "ModelPackageType": "Versioned", "NameContains": "ill" }),
            vec!["till/1", "till/2"],
        ),
        (
            json!({ "ModelPackageType": "Both", "SortOrder": "Descending", "MaxResults": 2 }),
            vec!["till/2", "alone"],
        ),
        (
            json!({ "ModelPackageType": "Both", "ModelApprovalStatus": "PendingManualApproval" }),
            vec!["till/2"],
        ),
    ] {
        let listed = scene.done("ListModelPackages", request);
        let listed = listed["ModelPackageSummaryList"]
            .as_array()
            .expect("a list");
        let arns: Vec<&str> = listed
            .iter()
            .filter_map(|package| package["ModelPackageArn"].as_str())
            .collect();
        let wanted: Vec<String> = wanted
            .iter()
            .map(|name| arn(&format!("model-package/{name}")))
            .collect();
        assert_eq!(arns, wanted);
    }
    let listed = scene.done(
        "ListModelPackages",
        json!({ "ModelPackageGroupName": "till", "MaxResults": 1 }),
    );
    assert_eq!(
        listed["ModelPackageSummaryList"][0],
        json!({
            "ModelPackageGroupName": "till",
            "ModelPackageVersion": 1,
            "ModelPackageArn": arn("model-package/till/1"),
            "CreationTime": timestamp(scene.now),
            "ModelPackageStatus": "Completed",
            "ModelApprovalStatus": "Approved",
        })
    );
}
