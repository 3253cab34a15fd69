//! The server: its socket, or its connections without one, and what tests ask of it directly.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::account::{Shelf, Sight};
use crate::endpoints;
use crate::error::ServiceError;
use crate::faults::Fault;
use crate::outcomes::Outcome;
use crate::recording::Call;
use crate::service::Service;
use crate::settings::Settings;
use crate::wire::{self, Hangup};

/// A running local SageMaker API, with a socket or without one. Dropping it closes the socket and its connections.
#[derive(Debug)]
pub struct Server {
    service: Arc<Service>,
    /// `None` if calls come from the same process alone.
    socket: Option<Socket>,
}

/// Where a server listens.
#[derive(Debug)]
struct Socket {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

/// A way to a server without a socket, for clients in the same process.
///
/// Nothing but tokio's clock decides when an answer comes, so that a test can pause the clock and a
/// deployment of an hour takes milliseconds.
#[derive(Clone, Debug)]
pub struct Connection {
    service: Arc<Service>,
}

impl Connection {
    /// Sends an HTTP request, and returns the answer. The call is recorded and may misbehave as over a socket: a call
    /// that hangs never returns.
    ///
    /// The operation is done as soon as the future is polled for the first time, and stays done if the future is
    /// dropped then.
    ///
    /// # Errors
    /// If the server closes the connection without an answer.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Hangup> {
        wire::handle(&self.service, request).await
    }
}

impl Server {
    /// Starts a server on a free port of 127.0.0.1, on the caller's runtime.
    ///
    /// # Errors
    /// Where no port can be bound.
    pub async fn start(settings: Settings) -> std::io::Result<Self> {
        Self::bind((Ipv4Addr::LOCALHOST, 0).into(), settings).await
    }

    /// Starts a server at an address, on the caller's runtime. Port 0 stands for a free port.
    ///
    /// # Errors
    /// Where the address cannot be bound.
    pub async fn bind(address: SocketAddr, settings: Settings) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let mut server = Self::without_socket(settings);
        let accepting = tokio::spawn(accept(listener, Arc::clone(&server.service)));
        server.socket = Some(Socket { address, accepting });
        Ok(server)
    }

    /// Starts a server that only clients in the same process reach, by [`Server::connect`].
    #[must_use]
    pub fn without_socket(settings: Settings) -> Self {
        Self {
            service: Arc::new(Service::new(settings)),
            socket: None,
        }
    }

    /// A connection for a client in the same process.
    #[must_use]
    pub fn connect(&self) -> Connection {
        Connection {
            service: Arc::clone(&self.service),
        }
    }

    /// Where the server listens, such as `http://127.0.0.1:9100`. Without a socket, a URL that nobody can reach.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.socket {
            Some(socket) => format!("http://{}", socket.address),
            None => "http://sagemaker-local.invalid".to_owned(),
        }
    }

    /// Adds misbehaviour behind what waits already.
    pub fn inject(&self, fault: Fault) {
        self.service.state().faults.inject(fault);
    }

    /// Forgets all misbehaviour that still waits.
    pub fn clear_faults(&self) {
        self.service.state().faults.clear();
    }

    /// Sets how the next creation or update of an endpoint ends. Several outcomes for one name are
    /// used up in order.
    pub fn set_outcome(&self, endpoint_name: &str, outcome: Outcome) {
        self.service
            .state()
            .account
            .outcomes
            .set(endpoint_name, outcome);
    }

    /// Puts an endpoint into a status, such as `SystemUpdating`: for a time, and then `InService`, or for good.
    /// Any deployment under way is forgotten; the live config stays.
    ///
    /// # Panics
    /// Where there is no such endpoint.
    pub fn force_status(&self, endpoint_name: &str, status: &str, lasting: Option<Duration>) {
        let done = self.service.force_status(endpoint_name, status, lasting);
        assert!(done, "there is no endpoint {endpoint_name}");
    }

    /// Puts an alarm into alarm, or out of it. An update whose deployment config names the alarm is
    /// rolled back where it is in alarm between the first shift of traffic and the end of the last
    /// bake.
    pub fn trip_alarm(&self, name: &str, tripped: bool) {
        self.service.trip_alarm(name, tripped);
    }

    /// What the config of an endpoint's latest deployment has of the traffic, in percent: from 0 to
    /// 100 while it is under way, 100 once it is done and 0 once it is rolled back.
    ///
    /// # Panics
    /// Where there is no such endpoint.
    #[must_use]
    pub fn traffic(&self, endpoint_name: &str) -> f64 {
        let traffic = self.service.traffic(endpoint_name);
        traffic.unwrap_or_else(|| panic!("there is no endpoint {endpoint_name}"))
    }

    /// Starts a callback step of a pipeline execution, as if the pipeline had put a message with its
    /// token into the queue; the token.
    ///
    /// # Panics
    /// Where the ARN is not one of a pipeline execution, or the step cannot have the name.
    #[must_use]
    pub fn start_callback_step(
        &self,
        pipeline_execution_arn: &str,
        step_name: &str,
        queue_url: &str,
    ) -> String {
        let started =
            self.service
                .start_callback_step(pipeline_execution_arn, step_name, queue_url, None);
        started.unwrap_or_else(|wrong| panic!("{wrong}"))
    }

    /// A callback step: its `step_name`, its `status`, its `outputs` or its `failure_reason` where it
    /// has them, and in `answers` every attempt to answer it, accepted or refused. `None` where no
    /// step has the token.
    #[must_use]
    pub fn callback_step(&self, token: &str) -> Option<Value> {
        self.service.callback_step(token)
    }

    /// Makes a callback step `Stopping`, as `StopPipelineExecution` does: its pipeline is not over before
    /// the step is answered.
    ///
    /// # Panics
    /// Where no step has the token.
    pub fn stop_callback(&self, token: &str) {
        let done = self.service.stop_callback(token);
        assert!(done, "there is no callback step {token}");
    }

    /// Keeps a callback step off `ListPipelineExecutionSteps` for so long from now, as if that read were not consistent
    /// yet. It waits all the same, and its token is answered.
    ///
    /// # Panics
    /// If no step has the token.
    pub fn hide_callback(&self, token: &str, lasting: Duration) {
        let done = self.service.hide_callback(token, lasting);
        assert!(done, "there is no callback step {token}");
    }

    /// Makes a callback step `Stopped`, so that its token is answered in vain. One that was answered
    /// stays as it is.
    ///
    /// # Panics
    /// Where no step has the token.
    pub fn expire_callback(&self, token: &str) {
        let done = self.service.expire_callback(token);
        assert!(done, "there is no callback step {token}");
    }

    /// The calls that came in over HTTP or a [`Connection`], oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.service.state().calls.clone()
    }

    /// Reads the same in place, without a copy: for questions that are asked often.
    pub fn read_calls<Found>(&self, read: impl FnOnce(&[Call]) -> Found) -> Found {
        read(&self.service.state().calls)
    }

    /// Forgets the calls that came in.
    pub fn clear_calls(&self) {
        self.service.state().calls.clear();
    }

    /// Carries an operation out in-process: unrecorded, without misbehaviour and not counted by the
    /// rate limit.
    ///
    /// # Errors
    /// Where the service refuses the request.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers write `json!(…)` in place"
    )]
    pub fn call(&self, operation: &str, request: Value) -> Result<Value, ServiceError> {
        self.service.call(operation, &request)
    }

    /// The names of the models that there are, sorted.
    #[must_use]
    pub fn model_names(&self) -> Vec<String> {
        names(&self.service.state().account.models)
    }

    /// The names of the endpoint configs that there are, sorted.
    #[must_use]
    pub fn endpoint_config_names(&self) -> Vec<String> {
        names(&self.service.state().account.endpoint_configs)
    }

    /// The names of the endpoints that there are, those being deleted included, sorted.
    #[must_use]
    pub fn endpoint_names(&self) -> Vec<String> {
        let now = self.service.clock.now();
        let state = self.service.state();
        let account = &state.account;
        let there = account.endpoints.values().filter(|endpoint| {
            let view = endpoint.view(now, Sight::Fresh, &account.alarms);
            view.is_some()
        });
        sorted(there.map(|endpoint| endpoint.name.clone()).collect())
    }

    /// The scalable targets that there are, sorted by resource id and dimension: each as
    /// `DescribeScalableTargets` tells it, its `ScalingPolicies` and its `ScheduledActions` inside,
    /// sorted by name.
    #[must_use]
    pub fn scalable_targets(&self) -> Vec<Value> {
        self.service.scalable_targets()
    }

    /// Registers an approved model package as the next version in a group, which is created where
    /// there is none (`CreateModelPackageGroup`, `CreateModelPackage`); its ARN.
    ///
    /// # Panics
    /// Where `group` cannot be a group's name.
    #[must_use]
    pub fn register_package(&self, group: &str) -> String {
        if self
            .call(
                "DescribeModelPackageGroup",
                json!({ "ModelPackageGroupName": group }),
            )
            .is_err()
        {
            let request = json!({ "ModelPackageGroupName": group });
            self.call("CreateModelPackageGroup", request)
                .expect("the name of a group");
        }
        let request = json!({
            "ModelPackageGroupName": group,
            "ModelApprovalStatus": "Approved",
            "InferenceSpecification": {
                "Containers": [{
                    "Image": format!("123456789012.dkr.ecr.eu-west-1.amazonaws.com/{}:latest", group.to_lowercase()),
                    "ModelDataUrl": format!("s3://models/{group}/model.tar.gz"),
                }],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        });
        let answer = self
            .call("CreateModelPackage", request)
            .expect("a package of an existing group");
        answer["ModelPackageArn"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The names of the endpoints whose live or pending config, or a model of it, has been deleted:
    /// harm done. An endpoint that is itself being deleted does not count.
    #[must_use]
    pub fn endpoints_serving_deleted(&self) -> Vec<String> {
        let now = self.service.clock.now();
        sorted(endpoints::serving_deleted(
            &self.service.state().account,
            now,
        ))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn names(shelf: &Shelf) -> Vec<String> {
    sorted(
        shelf
            .values()
            .map(|resource| resource.name.clone())
            .collect(),
    )
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    names
}

/// Accepts connections until the task is aborted, which closes them too: they belong to the set.
async fn accept(listener: TcpListener, service: Arc<Service>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => { connections.spawn(serve(stream, Arc::clone(&service))); }
                Err(error) => tracing::warn!(%error, "a connection could not be accepted"),
            },
            // Lets go of the connections that have ended.
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, service: Arc<Service>) {
    let handler = service_fn(|request| answer(&service, request));
    // A small answer must not wait for the acknowledgement of the one before it.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "the connection keeps its delay");
    }
    if let Err(error) = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), handler)
        .await
    {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Answers one request of the socket. An error makes hyper close the connection.
async fn answer(
    service: &Service,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Hangup> {
    let (parts, body) = request.into_parts();
    // The client is gone in the middle of its own request.
    let body = body.collect().await.map_err(|_| Hangup)?.to_bytes();
    let answered = wire::handle(service, Request::from_parts(parts, body)).await?;
    Ok(answered.map(Full::new))
}
