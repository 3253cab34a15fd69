//! Prints when the functions look at an endpoint, in seconds from the start of the wait, up to the number of seconds
//! that is its argument: `function` while it waits, `queue` where a message comes back.
//!
//! The benchmarks count from these, so that no second copy of the rule has to agree with the first.

use std::time::Duration;

use serde_json::json;
use shared::callback::VISIBILITY;
use shared::wait::Pace;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let horizon = std::env::args().nth(1).ok_or("how many seconds?")?;
    let horizon = Duration::from_secs(horizon.parse()?);
    let looks = json!({
        "function": looks(Pace::default(), horizon),
        "queue": looks(VISIBILITY, horizon),
    });
    #[expect(clippy::print_stdout, reason = "it is what this program is for")]
    {
        println!("{looks}");
    }
    Ok(())
}

/// The times of the looks that this pace gives rise to, the first one after the horizon among them.
fn looks(pace: Pace, horizon: Duration) -> Vec<f64> {
    let mut at = Duration::ZERO;
    let mut looks = Vec::new();
    while at <= horizon {
        at += pace.pause(at);
        looks.push(at.as_secs_f64());
    }
    looks
}
