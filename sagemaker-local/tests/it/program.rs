//! The program: it says where it listens, and ends when told to.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::client::send;

/// The program with some arguments. Ended with the test.
struct Program(Child);

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_sagemaker-local"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        Self(child.expect("the program starts"))
    }

    /// Where it says that it listens.
    fn url(&mut self) -> String {
        let output = self.0.stdout.take().expect("piped");
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).expect("a line");
        let url = line
            .strip_prefix("sagemaker-local listening on ")
            .expect("the line that says so");
        url.trim_end().to_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn it_listens_at_the_address_that_it_is_given() {
    let mut program = Program::start(&["--port", "0", "--address", "127.0.0.3"]);
    let url = program.url();
    assert!(url.starts_with("http://127.0.0.3:"), "{url}");
    let health = send(&url, "GET", "/_local/health", "", "").await;
    assert_eq!(health.status, 200);
}

#[tokio::test]
async fn it_listens_until_it_is_told_to_end() {
    for sign in ["-INT", "-TERM"] {
        let mut program = Program::start(&["--port", "0"]);
        let url = program.url();
        assert_eq!(
            send(&url, "GET", "/_local/health", "", "").await.status,
            200
        );

        let id = program.0.id().to_string();
        let killed = Command::new("kill")
            .args([sign, &id])
            .status()
            .expect("kill runs");
        assert!(killed.success());
        assert!(program.0.wait().expect("it ends").success(), "{sign}");
    }
}

#[tokio::test]
async fn it_is_told_its_settings() {
    let mut program = Program::start(&[
        "--port",
        "0",
        "--create-seconds",
        "0.5",
        "--update-seconds",
        "0",
        "--rollback-seconds",
        "0.25",
        "--delete-seconds",
        "1e1",
        "--region",
        "us-east-2",
        "--account",
        "999999999999",
        "--guardrail-scale",
        "0.01",
        "--calls-per-second",
        "0.001",
    ]);
    let url = program.url();
    let target = "X-Amz-Target: SageMaker.DeleteModel\r\n";
    let answer = send(&url, "POST", "/", target, r#"{"ModelName":"none"}"#).await;
    assert_eq!(
        answer.body["message"],
        "Could not find model \"arn:aws:sagemaker:us-east-2:999999999999:model/none\"."
    );
    let answer = send(&url, "POST", "/", target, r#"{"ModelName":"none"}"#).await;
    assert_eq!(answer.body["__type"], json!("ThrottlingException"));
}

#[tokio::test]
async fn it_refuses_updates_to_serverless_only_when_told_to() {
    let instances = json!({ "InstanceType": "ml.m5.large", "InitialInstanceCount": 1 });
    let serverless = json!({ "ServerlessConfig": { "MemorySizeInMB": 1024, "MaxConcurrency": 1 } });
    let config = |name: &str, capacity: &Value| {
        let mut variant = json!({ "VariantName": "v", "ModelName": "m" });
        let capacity = capacity.as_object().expect("an object").clone();
        variant.as_object_mut().expect("an object").extend(capacity);
        json!({ "EndpointConfigName": name, "ProductionVariants": [variant] })
    };
    let on = |config: &str| json!({ "EndpointName": "e", "EndpointConfigName": config });
    let at_once = ["--port", "0", "--create-seconds", "0"];
    for (more, status) in [(&[][..], 200), (&["--refuse-to-serverless"], 400)] {
        let mut program = Program::start(&[&at_once, more].concat());
        let url = program.url();
        for (operation, request, wanted) in [
            (
                "CreateModel",
                json!({ "ModelName": "m", "PrimaryContainer": { "Image": "image" } }),
                200,
            ),
            ("CreateEndpointConfig", config("instances", &instances), 200),
            (
                "CreateEndpointConfig",
                config("serverless", &serverless),
                200,
            ),
            ("CreateEndpoint", on("instances"), 200),
            ("UpdateEndpoint", on("serverless"), status),
        ] {
            let target = format!("X-Amz-Target: SageMaker.{operation}\r\n");
            let answer = send(&url, "POST", "/", &target, &request.to_string()).await;
            assert_eq!(answer.status, wanted, "{operation} {more:?}");
        }
    }
}

#[test]
fn it_refuses_settings_that_make_no_sense() {
    for arguments in [
        ["--create-seconds", "-1"],
        ["--update-seconds", "soon"],
        ["--calls-per-second", "0"],
        ["--guardrail-scale", "2"],
        ["--guardrail-scale", "NaN"],
        ["--port", "65536"],
    ] {
        let mut program = Program::start(&arguments);
        assert!(
            !program.0.wait().expect("it ends").success(),
            "{arguments:?}"
        );
    }
}
