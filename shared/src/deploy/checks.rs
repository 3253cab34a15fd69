//! Checks before anything is made: who waits for the deployment, and whether its package and its guard may be deployed.

use tracing::warn;

use super::Engine;
use super::facts::Known;
use crate::contract::DeploymentKind;
use crate::error::Error;
use crate::plan::Route;
use crate::preflight;
use crate::sagemaker::{Endpoint, Waiting};

impl Engine {
    /// Who waits for the deployment. A call that waits itself does.
    pub(super) fn who_waits(&self) -> Known<Waiting> {
        let callback = self.asked.callback.as_ref();
        let arn = callback.and_then(|callback| callback.pipeline_execution_arn.as_deref());
        match (callback, arn) {
            (Some(callback), Some(arn)) => self.facts.waiting(arn, &callback.token),
            _ => Ok(Waiting::ForTheDeployment),
        }
    }

    /// Refuses a model package that may not be deployed as asked.
    pub(super) fn check_package(&self) -> Known<Option<Error>> {
        let request = &self.asked.request;
        let package = self.facts.package(&request.package_arn)?;
        let instance_type = self.planned_instance_type();
        let asked = instance_type.filter(|_| !self.keeps_instance_type());
        Ok(preflight::check(request, package, asked).err())
    }

    fn planned_instance_type(&self) -> Option<&str> {
        self.plan.as_ref()?.instance_type.as_deref()
    }

    /// Whether the instance type is the live one.
    fn keeps_instance_type(&self) -> bool {
        let asked = &self.asked.request.shape.instance_type.event;
        self.asked.kind == DeploymentKind::Existing && asked.is_none()
    }

    /// Warns of a live instance type that the package does not list.
    pub(super) fn warn_of_live_instance_type(&self) {
        let package = self.facts.package(&self.asked.request.package_arn);
        let Some(instance_type) = self
            .planned_instance_type()
            .filter(|_| self.keeps_instance_type())
        else {
            return;
        };
        let package = package.ok().flatten();
        if let Some(supported) =
            package.and_then(|package| preflight::others_supported(package, instance_type))
        {
            warn!(
                instance_type,
                supported, "the model package does not list the live instance type"
            );
        }
    }

    /// Refuses an update whose traffic the service would move all at once without a word, though it is to move in parts.
    pub(super) fn check_guard(
        &self,
        route: Route,
        endpoint: Option<&Endpoint>,
    ) -> Known<Option<Error>> {
        let (Route::Update, Some(endpoint), Some(plan)) = (route, endpoint, &self.plan) else {
            return Ok(None);
        };
        let request = &self.asked.request;
        let package = self.facts.package(&request.package_arn)?;
        let is_product = package.is_some_and(preflight::is_product);
        let bad = self.guard(endpoint, plan).misfit(plan.footing, is_product);
        Ok(bad.map(|bad| request.refused(vec![bad])))
    }
}
