//! Metrics that the service takes in a scaling policy and never publishes.

use serde_json::json;

use crate::Server;

impl Server {
    /// The names of the scaling policies that get no data: they track the invocations per instance of an asynchronous
    /// endpoint, which the service takes and never publishes.
    #[must_use]
    pub fn policies_without_data(&self) -> Vec<String> {
        let targets = self.scalable_targets();
        let of_async = targets.iter().filter(|target| {
            let mut path = target["ResourceId"].as_str().unwrap_or_default().split('/');
            self.is_asynchronous(path.nth(1).unwrap_or_default())
        });
        let policies = of_async.filter_map(|target| target["ScalingPolicies"].as_array());
        let blind = policies.flatten().filter(|policy| {
            let tracked = &policy["TargetTrackingScalingPolicyConfiguration"];
            tracked["PredefinedMetricSpecification"]["PredefinedMetricType"]
                == "SageMakerVariantInvocationsPerInstance"
        });
        let names = blind.filter_map(|policy| policy["PolicyName"].as_str());
        let mut names: Vec<_> = names.map(str::to_owned).collect();
        names.sort();
        names
    }

    fn is_asynchronous(&self, endpoint: &str) -> bool {
        let described = self.call("DescribeEndpoint", json!({ "EndpointName": endpoint }));
        described.is_ok_and(|endpoint| endpoint["AsyncInferenceConfig"].is_object())
    }
}
