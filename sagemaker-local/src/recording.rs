//! The record of the calls that came in.

use serde::Serialize;
use serde_json::Value;

/// A call that came in over HTTP or in-process, misbehaving ones included.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Call {
    /// The operation, such as `CreateModel`.
    pub operation: String,
    /// The request document.
    pub request: Value,
    /// The HTTP status of the answer; `None` where none was sent.
    pub status: Option<u16>,
    /// The code of the error that was answered.
    pub error_code: Option<String>,
    /// When it came in, in seconds since the server started.
    pub at_seconds: f64,
    /// Whether the operation was carried out. One that was refused, struck down or left hanging was
    /// not.
    pub acted: bool,
}
