//! Replies and requests as they are on the wire, past the SDK's types.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_sagemaker::config::http::HttpRequest;
use aws_sdk_sagemaker::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_sagemaker::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sagemaker::error::BoxError;
use aws_smithy_types::body::SdkBody;
use serde_json::Value;

use crate::plan::{Unknown, put};

/// Keeps a reply's wire form.
#[derive(Debug, Clone, Default)]
pub struct Reply(Arc<Mutex<Value>>);

impl Reply {
    /// The reply; `null` if there is none, or it is an error.
    pub fn value(&self) -> Value {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Intercept for Reply {
    fn name(&self) -> &'static str {
        "Reply"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(body) = context.response().body().bytes()
            && context.output_or_error().is_ok()
        {
            let reply = serde_json::from_slice(body)?;
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = reply;
        }
        Ok(())
    }
}

/// Sends this instead of the SDK's own body.
pub fn set_body(request: &mut HttpRequest, body: &Value) {
    let text = body.to_string();
    let length = text.len().to_string();
    request.headers_mut().insert("content-length", length);
    *request.body_mut() = SdkBody::from(text);
}

/// Puts members that the SDK does not know into a request, each in its place.
#[derive(Debug)]
pub struct Carry {
    unknown: Vec<Unknown>,
}

impl Carry {
    /// Puts these.
    pub fn new(unknown: Vec<Unknown>) -> Self {
        Self { unknown }
    }
}

impl Intercept for Carry {
    fn name(&self) -> &'static str {
        "Carry"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let bytes = request.body().bytes().unwrap_or_default();
        let mut body = serde_json::from_slice(bytes)?;
        put(&self.unknown, &mut body)
            .map_err(|members| format!("no place for {}", members.join(", ")))?;
        set_body(request, &body);
        Ok(())
    }
}
