//! AWS JSON 1.1 over HTTP: from a request to a reply, on the socket or without one.

use std::convert::Infallible;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response};
use serde_json::{Value, json};

use crate::api::{self, Api};
use crate::control;
use crate::error::ServiceError;
use crate::names;
use crate::requests::Answer;
use crate::service::{Reply, Service};

/// The server closed the connection without an answer.
#[derive(Debug)]
pub struct Hangup;

impl fmt::Display for Hangup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("hung up on purpose")
    }
}

impl std::error::Error for Hangup {}

/// Where the operation's name is, as `SageMaker.CreateModel`.
const TARGET: &str = "x-amz-target";
/// Where an answer's id is.
const REQUEST_ID: &str = "x-amzn-requestid";

/// Answers one HTTP request.
pub(crate) async fn handle(
    service: &Service,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, Hangup> {
    let (parts, body) = request.into_parts();
    if let Some(path) = parts.uri.path().strip_prefix("/_local/") {
        let query = parts.uri.query().unwrap_or_default();
        let (status, body) = control::handle(service, &parts.method, path, query, &body);
        return Ok(json_response("application/json", status, &body));
    }

    let target = parts
        .headers
        .get(TARGET)
        .and_then(|target| target.to_str().ok());
    let operation = target.map(api::operation).unwrap_or_default();
    let request = if parts.method == Method::POST {
        parse(&body)
    } else {
        Err(not_posted())
    };
    match service.receive(operation, request) {
        Reply::Answer { answer, after } => {
            tokio::time::sleep(after).await;
            Ok(response(&answer, Api::of(operation)))
        }
        Reply::Foreign { status, body } => Ok(http_response("text/html", status, body)),
        Reply::Silence => {
            let never: Infallible = std::future::pending().await;
            match never {}
        }
        Reply::Hangup => Err(Hangup),
    }
}

fn not_posted() -> ServiceError {
    ServiceError::new(
        "UnknownOperationException",
        "Only POST requests name an operation",
    )
}

fn parse(body: &[u8]) -> Result<Value, ServiceError> {
    // The clients send `{}` for no members, and the service takes an empty body for the same.
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| ServiceError::serialization(error.to_string()))
}

fn response(answer: &Answer, api: Api) -> Response<Bytes> {
    let (status, body) = match answer {
        Ok(body) => (200, body.clone()),
        Err(error) => (error.status, error.body(api)),
    };
    let mut response = json_response("application/x-amz-json-1.1", status, &body);
    if body == json!({}) {
        // The service sends no body where an operation answers nothing.
        *response.body_mut() = Bytes::new();
    }
    response.headers_mut().insert(REQUEST_ID, request_id());
    response
}

/// An id in the form of the service's, which the SDKs put into their errors and logs.
fn request_id() -> HeaderValue {
    static ANSWERED: AtomicU64 = AtomicU64::new(1);
    let id = names::uuid(ANSWERED.fetch_add(1, Ordering::Relaxed));
    HeaderValue::from_str(&id).expect("digits and hyphens")
}

/// A JSON response.
fn json_response(content_type: &'static str, status: u16, body: &Value) -> Response<Bytes> {
    http_response(content_type, status, body.to_string())
}

/// A response. A status that HTTP does not know becomes 500.
fn http_response(content_type: &'static str, status: u16, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status
        .try_into()
        .unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
