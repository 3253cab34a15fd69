//! What an endpoint config says besides its variants: capture of requests, and asynchronous inference.

use aws_sdk_sagemaker::types::{
    AsyncInferenceClientConfig, AsyncInferenceConfig, AsyncInferenceNotificationConfig,
    AsyncInferenceOutputConfig, CaptureContentTypeHeader, CaptureMode, CaptureOption,
    DataCaptureConfig,
};

use aws_sdk_sagemaker::operation::create_endpoint_config::builders::CreateEndpointConfigInputBuilder;
use aws_sdk_sagemaker::operation::describe_endpoint_config::DescribeEndpointConfigOutput;

use crate::contract::{BadKey, InferenceOption, Shape};

const WHOLE_SAMPLE: i32 = 100;

/// The config with everything that it says besides its variants; `live` is `None` for a new endpoint.
///
/// A serverless endpoint has none of it.
pub(super) fn applied(
    mut config: CreateEndpointConfigInputBuilder,
    shape: &Shape,
    option: InferenceOption,
    live: Option<&DescribeEndpointConfigOutput>,
) -> Result<CreateEndpointConfigInputBuilder, Vec<BadKey>> {
    let mut bad = Vec::new();
    if option != InferenceOption::Serverless {
        let kms_key_id = live.and_then(|live| live.kms_key_id.clone());
        config = config.set_kms_key_id(shape.kms_key_id.over(kms_key_id));
        match data_capture(
            shape,
            live.and_then(|live| live.data_capture_config.as_ref()),
        ) {
            Ok(capture) => config = config.set_data_capture_config(capture),
            Err(more) => bad.push(more),
        }
    }
    if option == InferenceOption::Async {
        match async_inference(
            shape,
            live.and_then(|live| live.async_inference_config.as_ref()),
        ) {
            Ok(inference) => config = config.async_inference_config(inference),
            Err(more) => bad.push(more),
        }
    }
    if bad.is_empty() { Ok(config) } else { Err(bad) }
}

/// Capture as the event asks, else as it is live, else as the environment asks; `None` for none.
fn data_capture(
    shape: &Shape,
    live: Option<&DataCaptureConfig>,
) -> Result<Option<DataCaptureConfig>, BadKey> {
    let percentage = &shape.data_capture_sampling_percentage;
    let Some(mut config) = live.cloned() else {
        let Some(uri) = shape.data_capture_s3_uri.get() else {
            return match percentage.event {
                Some(_) => Err(BadKey::new(
                    "data_capture_s3_uri",
                    "is missing, and goes with data_capture_sampling_percentage",
                )),
                None => Ok(None),
            };
        };
        let mode = |mode| CaptureOption::builder().capture_mode(mode).build();
        let config = DataCaptureConfig::builder()
            .enable_capture(true)
            .destination_s3_uri(uri)
            .initial_sampling_percentage(percentage.or(WHOLE_SAMPLE))
            .capture_options(mode(CaptureMode::Input))
            .capture_options(mode(CaptureMode::Output))
            .capture_content_type_header(readable());
        return Ok(Some(config.build()));
    };
    if let Some(uri) = &shape.data_capture_s3_uri.event {
        config.destination_s3_uri = Some(uri.clone());
        // Somewhere to capture to is said by whoever wants capture, even where it was off.
        config.enable_capture = Some(true);
    }
    config.initial_sampling_percentage = percentage.event.or(config.initial_sampling_percentage);
    Ok(Some(config))
}

/// The types that are captured as they are. All else is captured as base64, which no monitor reads.
fn readable() -> CaptureContentTypeHeader {
    CaptureContentTypeHeader::builder()
        .csv_content_types("text/csv")
        .json_content_types("application/json")
        .build()
}

/// Asynchronous inference as the event asks, else as it is live, else as the environment asks.
fn async_inference(
    shape: &Shape,
    live: Option<&AsyncInferenceConfig>,
) -> Result<AsyncInferenceConfig, BadKey> {
    let mut config = live
        .cloned()
        .unwrap_or_else(|| AsyncInferenceConfig::builder().build());

    let mut output = config
        .output_config
        .unwrap_or_else(|| AsyncInferenceOutputConfig::builder().build());
    output.s3_output_path = shape.async_s3_output_path.over(output.s3_output_path);
    if output.s3_output_path.is_none() {
        let reason = "is missing, and goes with inference_option async";
        return Err(BadKey::new("async_s3_output_path", reason));
    }
    output.s3_failure_path = shape.async_s3_failure_path.over(output.s3_failure_path);
    let mut topics = output
        .notification_config
        .unwrap_or_else(|| AsyncInferenceNotificationConfig::builder().build());
    topics.success_topic = shape.async_success_topic.over(topics.success_topic);
    topics.error_topic = shape.async_error_topic.over(topics.error_topic);
    let none = AsyncInferenceNotificationConfig::builder().build();
    output.notification_config = (topics != none).then_some(topics);
    config.output_config = Some(output);

    let mut client = config
        .client_config
        .unwrap_or_else(|| AsyncInferenceClientConfig::builder().build());
    client.max_concurrent_invocations_per_instance = shape
        .async_max_concurrent_invocations_per_instance
        .over(client.max_concurrent_invocations_per_instance);
    let none = AsyncInferenceClientConfig::builder().build();
    config.client_config = (client != none).then_some(client);
    Ok(config)
}
