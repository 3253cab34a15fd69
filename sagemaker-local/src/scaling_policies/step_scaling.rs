//! What the service demands of a policy that scales in steps, by how far an alarm is breached.

use serde_json::Value;

use crate::error::ServiceError;
use crate::requests::{Document, items, text};

use super::refuse;

/// The type of such policies.
pub(super) const KIND: &str = "StepScaling";

/// Checks a configuration:
///
/// 1. it has a type and at least one step;
/// 2. each step has a bound, and the upper above the lower;
/// 3. the steps follow one another without overlap or gap;
/// 4. what is below, or above, the threshold is covered without end;
/// 5. an exact capacity is not negative.
pub(super) fn check(config: &Document) -> Result<(), ServiceError> {
    let Some(kind) = text(config, "AdjustmentType") else {
        return refuse("A step scaling policy needs an AdjustmentType.");
    };
    let adjustments = items(config, "StepAdjustments");
    if adjustments.is_empty() {
        return refuse("A step scaling policy needs at least one StepAdjustment.");
    }
    let mut steps = Vec::new();
    for adjustment in adjustments {
        steps.push(bounds(adjustment)?);
        if kind == "ExactCapacity" && adjustment["ScalingAdjustment"].as_i64() < Some(0) {
            return refuse("The ScalingAdjustment of an ExactCapacity must not be negative.");
        }
    }
    steps.sort_by(|(left, _), (right, _)| left.total_cmp(right));
    if steps
        .iter()
        .zip(&steps[1..])
        .any(|((_, end), (start, _))| end.total_cmp(start).is_ne())
    {
        return refuse(
            "The intervals of StepAdjustments must not overlap or have a gap between them.",
        );
    }
    check_ends(&steps)
}

/// Where a step begins and where it ends; infinite where it has no bound.
fn bounds(adjustment: &Value) -> Result<(f64, f64), ServiceError> {
    let [lower, upper] = ["MetricIntervalLowerBound", "MetricIntervalUpperBound"]
        .map(|member| adjustment[member].as_f64());
    if lower.is_none() && upper.is_none() {
        return refuse(
            "Both lower and upper bounds of a step adjustment cannot be left unspecified",
        );
    }
    let (lower, upper) = (
        lower.unwrap_or(f64::NEG_INFINITY),
        upper.unwrap_or(f64::INFINITY),
    );
    if upper <= lower {
        return refuse("The upper bound of a StepAdjustment must be greater than its lower bound.");
    }
    Ok((lower, upper))
}

fn check_ends(steps: &[(f64, f64)]) -> Result<(), ServiceError> {
    let first = steps.first().map_or(0.0, |(lower, _)| *lower);
    if first < 0.0 && first.is_finite() {
        return refuse(
            "There must be a StepAdjustment with an unspecified lower bound (i.e., lower bound is null) when one \
             StepAdjustment has a negative lower bound",
        );
    }
    let last = steps.last().map_or(0.0, |(_, upper)| *upper);
    if last > 0.0 && last.is_finite() {
        return refuse(
            "There must be a StepAdjustment with an unspecified upper bound (i.e., upper bound is null) when one \
             StepAdjustment has a positive upper bound",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;
