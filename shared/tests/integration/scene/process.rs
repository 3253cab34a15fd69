//! A process of a function: its clients, whose requests go to the local service without a socket mostly, and its death.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sagemaker::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use fastrand::Rng;
use sagemaker_local::{Connection, Server};
use shared::autoscaling::Autoscaling;
use shared::drive::Services;
use shared::queue::Queues;
use shared::sagemaker::SageMaker;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// The product's own timeouts.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const READ_TIMEOUT: Duration = Duration::from_secs(10);
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(12);

/// A call over the socket that takes longer than this has no answer.
pub(crate) const SOCKET_TIMEOUT: Duration = Duration::from_millis(300);

/// A process of a function.
pub(crate) struct Process {
    pub(crate) services: Services,
    death: Option<Death>,
}

/// How a process reaches the service.
#[derive(Clone, Debug)]
pub(crate) enum Network {
    /// In the same process. A request takes this long to the service, and so do the answer back and a message to a
    /// process.
    Steady(Duration),
    /// The same, up to so long by chance: calls that are made side by side overtake one another.
    Jittery(Arc<Mutex<Rng>>, Duration),
    /// Over a socket, in real time: with short timeouts, and with messages that come back at once.
    Socket,
}

impl Network {
    /// A latency up to so long, by a chance that the seed repeats.
    pub(crate) fn jittery(seed: u64, longest: Duration) -> Self {
        Self::Jittery(Arc::new(Mutex::new(Rng::with_seed(seed))), longest)
    }

    /// How long the next thing takes that is sent.
    pub(super) fn latency(&self) -> Duration {
        match self {
            Self::Steady(latency) => *latency,
            Self::Jittery(random, longest) => {
                let mut random = random.lock().unwrap_or_else(PoisonError::into_inner);
                longest.mul_f64(random.f64())
            }
            Self::Socket => Duration::ZERO,
        }
    }

    fn timeouts(&self) -> TimeoutConfig {
        let timeouts = TimeoutConfig::builder();
        let timeouts = match self {
            Self::Socket => timeouts.operation_attempt_timeout(SOCKET_TIMEOUT),
            _ => timeouts
                .connect_timeout(CONNECT_TIMEOUT)
                .read_timeout(READ_TIMEOUT)
                .operation_attempt_timeout(ATTEMPT_TIMEOUT),
        };
        timeouts.build()
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::Steady(Duration::from_millis(20))
    }
}

/// The death of a process in the middle of a call, which has acted and is not answered. Processes that follow one
/// another may share one.
#[derive(Clone, Debug)]
pub(crate) struct Death(Arc<State>);

#[derive(Debug)]
struct State {
    /// The operation whose calls count; any if there is none.
    operation: Option<&'static str>,
    calls_left: AtomicUsize,
    has_come: Notify,
}

impl Death {
    /// In call number `last`, counted from 0.
    pub(crate) fn in_call(last: usize) -> Self {
        Self::of(None, last)
    }

    /// In the next call of an operation.
    pub(crate) fn in_call_of(operation: &'static str) -> Self {
        Self::of(Some(operation), 0)
    }

    fn of(operation: Option<&'static str>, last: usize) -> Self {
        Self(Arc::new(State {
            operation,
            calls_left: AtomicUsize::new(last + 1),
            has_come: Notify::new(),
        }))
    }

    /// Counts a call of an operation, as its target names it; whether the process dies in it.
    fn is_in_this_call(&self, target: &str) -> bool {
        let State {
            operation,
            calls_left,
            ..
        } = &*self.0;
        let counts = operation.is_none_or(|operation| target.ends_with(&format!(".{operation}")));
        let one_less = |left: usize| left.checked_sub(1);
        counts && calls_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less) == Ok(1)
    }
}

impl Process {
    pub(crate) fn start(server: &Server, network: &Network, death: Option<Death>) -> Self {
        let credentials = Credentials::new("test", "test", None, None, "test");
        let credentials = SharedCredentialsProvider::new(credentials);
        Self::start_with(server, network, death, Some(credentials))
    }

    /// A process that has nothing to sign its calls with.
    pub(crate) fn start_without_credentials(server: &Server) -> Self {
        Self::start_with(server, &Network::default(), None, None)
    }

    fn start_with(
        server: &Server,
        network: &Network,
        death: Option<Death>,
        credentials: Option<SharedCredentialsProvider>,
    ) -> Self {
        let http_client = match network {
            // Without TLS, whose root certificates take longer to load than these replies may take.
            Network::Socket => aws_smithy_http_client::Builder::new().build_http(),
            _ => SharedHttpClient::new(Line {
                connection: server.connect(),
                network: network.clone(),
                death: death.clone(),
                read_timeout: None,
            }),
        };
        let mut config = SdkConfig::builder();
        config.set_credentials_provider(credentials);
        let config = config
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(server.url())
            .region(Region::new("eu-west-1"))
            .retry_config(RetryConfig::disabled())
            .http_client(http_client)
            .timeout_config(network.timeouts())
            .build();
        let services = Services {
            sagemaker: SageMaker::new(aws_sdk_sagemaker::Client::new(&config)),
            autoscaling: Autoscaling::new(config.clone()),
            queues: Queues::new(config),
        };
        Self { services, death }
    }

    /// Does its work; `None` if it dies before that is done.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let Some(Death(death)) = &self.death else {
            return Some(work.await);
        };
        tokio::select! {
            biased;
            () = death.has_come.notified() => None,
            done = work => Some(done),
        }
    }
}

/// An HTTP client that hands each request to the service in the same process.
#[derive(Clone, Debug)]
struct Line {
    connection: Connection,
    network: Network,
    death: Option<Death>,
    read_timeout: Option<Duration>,
}

impl HttpClient for Line {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Self {
            read_timeout: settings.read_timeout(),
            ..self.clone()
        })
    }
}

impl HttpConnector for Line {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let line = self.clone();
        HttpConnectorFuture::new(async move {
            let Some(longest) = line.read_timeout else {
                return line.exchange(request).await;
            };
            let exchanged = timeout(longest, line.exchange(request)).await;
            exchanged.unwrap_or_else(|late| Err(ConnectorError::timeout(late.into())))
        })
    }
}

impl Line {
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let target = target.to_owned();
        let request = request.try_into_http1x();
        let (parts, body) = request.map_err(user)?.into_parts();
        let body = ByteStream::new(body).collect().await.map_err(user)?;
        let request = hyper::Request::from_parts(parts, body.into_bytes());
        sleep(self.network.latency()).await;
        let answer = self.connection.send(request);
        if let Some(death) = &self.death
            && death.is_in_this_call(&target)
        {
            // It has acted, whatever may become of the answer.
            let _ = timeout(Duration::ZERO, answer).await;
            death.0.has_come.notify_one();
            return std::future::pending().await;
        }
        let answer = answer.await;
        let answer = answer.map_err(|hangup| ConnectorError::io(hangup.into()))?;
        sleep(self.network.latency()).await;
        HttpResponse::try_from(answer.map(SdkBody::from)).map_err(user)
    }
}

fn user(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ConnectorError {
    ConnectorError::user(error.into())
}
