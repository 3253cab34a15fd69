//! A minimal HTTP/1.1 client that tells an answer from a closed connection and from silence.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use sagemaker_local::{Server, Settings};
use serde_json::Value;
use tokio::task::spawn_blocking;

/// What came back.
#[derive(Debug, PartialEq)]
pub(crate) enum Received {
    /// A response.
    Answer(Answer),
    /// The connection was closed without a response.
    Closed,
    /// Nothing, for as long as the client waited.
    Silence,
}

/// A response.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The status line and the headers, in lower case.
    pub(crate) head: String,
    /// Null where there is none.
    pub(crate) body: Value,
}

/// How long a client waits that does not count on an answer.
const IMPATIENT: Duration = Duration::from_millis(500);
/// How long a client waits for an answer that it counts on: longer than any machine is slow.
const PATIENT: Duration = Duration::from_secs(30);

/// A server on which nothing takes time.
pub(crate) async fn instant() -> Server {
    let settings = Settings {
        create: Duration::ZERO,
        update: Duration::ZERO,
        rollback: Duration::ZERO,
        delete: Duration::ZERO,
        ..Settings::default()
    };
    Server::start(settings).await.expect("a free port")
}

/// Calls an operation and takes whatever comes back, a closed connection included.
pub(crate) async fn try_call(url: &str, operation: &str, request: &Value) -> Received {
    let target = format!("X-Amz-Target: SageMaker.{operation}\r\n");
    exchange(url, "POST", "/", &target, &request.to_string(), PATIENT).await
}

/// Calls an operation that is not expected to be answered soon.
pub(crate) async fn call_briefly(url: &str, operation: &str, request: &Value) -> Received {
    let target = format!("X-Amz-Target: SageMaker.{operation}\r\n");
    exchange(url, "POST", "/", &target, &request.to_string(), IMPATIENT).await
}

/// Calls an operation that must be answered.
pub(crate) async fn call(server: &Server, operation: &str, request: Value) -> Answer {
    let target = format!("X-Amz-Target: SageMaker.{operation}\r\n");
    send(&server.url(), "POST", "/", &target, &request.to_string()).await
}

/// Calls an operation of Application Auto Scaling that must be answered.
pub(crate) async fn scale(server: &Server, operation: &str, request: Value) -> Answer {
    let target = format!("X-Amz-Target: AnyScaleFrontendService.{operation}\r\n");
    send(&server.url(), "POST", "/", &target, &request.to_string()).await
}

/// Sends a request that must be answered.
pub(crate) async fn send(url: &str, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    match exchange(url, method, path, headers, body, PATIENT).await {
        Received::Answer(answer) => answer,
        other => panic!("{method} {path}: {other:?}"),
    }
}

async fn exchange(
    url: &str,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
    patience: Duration,
) -> Received {
    let address = url.trim_start_matches("http://").to_owned();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).expect("the server listens");
        stream
            .set_read_timeout(Some(patience))
            .expect("a timeout above 0");
        stream
            .write_all(request.as_bytes())
            .expect("the server reads");
        receive(&mut stream)
    })
    .await
    .expect("the client does not panic")
}

fn receive(stream: &mut TcpStream) -> Received {
    let mut response = String::new();
    match stream.read_to_string(&mut response) {
        Ok(0) => Received::Closed,
        Ok(_) => Received::Answer(parse(&response)),
        Err(error) => match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Received::Silence,
            ErrorKind::ConnectionReset => Received::Closed,
            _ => panic!("{error}"),
        },
    }
}

fn parse(response: &str) -> Answer {
    let (head, body) = response
        .split_once("\r\n\r\n")
        .expect("an end of the headers");
    let status = head.split(' ').nth(1).expect("a status");
    Answer {
        status: status.parse().expect("a number"),
        head: head.to_lowercase(),
        body: if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(body).expect("JSON")
        },
    }
}
