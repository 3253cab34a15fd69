//! The local SageMaker API as a program.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use sagemaker_local::{ArnCase, Server, Settings};
use tokio::signal::unix::{SignalKind, signal};

/// A local SageMaker control-plane API for development, the demo and the tests.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Address to listen on; that of Docker's bridge, 172.17.0.1 mostly, is reached from containers
    #[arg(long, default_value_t = Ipv4Addr::LOCALHOST.into())]
    address: IpAddr,
    /// Port to listen on; 0 for a free one
    #[arg(long, default_value_t = 9100)]
    port: u16,
    /// How long an endpoint is Creating
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "3")]
    create_seconds: Duration,
    /// How long an endpoint is Updating
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "3")]
    update_seconds: Duration,
    /// How long an endpoint is `RollingBack`
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "1")]
    rollback_seconds: Duration,
    /// How long an endpoint is Deleting
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "1")]
    delete_seconds: Duration,
    /// Region that the ARNs name
    #[arg(long, default_value = "eu-west-1")]
    region: String,
    /// Account that the ARNs name
    #[arg(long, default_value = "123456789012")]
    account: String,
    /// How ARNs spell names: as created, or in lower case
    #[arg(long, value_enum, default_value_t)]
    arn_case: Spelling,
    /// Calls per second beyond which every call is throttled
    #[arg(long, value_name = "N", value_parser = rate)]
    calls_per_second: Option<f64>,
    /// Refuse updates that turn instances into a serverless variant
    #[arg(long)]
    refuse_to_serverless: bool,
    /// By what the waits and the timeout of a `DeploymentConfig` are multiplied
    #[arg(long, value_name = "FACTOR", value_parser = scale, default_value = "1")]
    guardrail_scale: f64,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Spelling {
    #[default]
    Kept,
    Lower,
}

impl From<Spelling> for ArnCase {
    fn from(spelling: Spelling) -> Self {
        match spelling {
            Spelling::Kept => Self::Kept,
            Spelling::Lower => Self::Lower,
        }
    }
}

fn seconds(argument: &str) -> Result<Duration, String> {
    let seconds: f64 = argument.parse().map_err(|_| "not a number".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn rate(argument: &str) -> Result<f64, String> {
    match argument.parse() {
        Ok(rate) if rate > 0.0 => Ok(rate),
        _ => Err("not a number above 0".to_owned()),
    }
}

fn scale(argument: &str) -> Result<f64, String> {
    match argument.parse() {
        Ok(scale) if (0.0..=1.0).contains(&scale) => Ok(scale),
        _ => Err("not a number from 0 to 1".to_owned()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    // Standard output is for the one line that says where the server listens.
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    // Before the line is printed: whoever reads it may stop the program at once.
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;

    let address = (arguments.address, arguments.port).into();
    let settings = Settings {
        create: arguments.create_seconds,
        update: arguments.update_seconds,
        rollback: arguments.rollback_seconds,
        delete: arguments.delete_seconds,
        region: arguments.region,
        account: arguments.account,
        arn_case: arguments.arn_case.into(),
        calls_per_second: arguments.calls_per_second,
        refuse_to_serverless: arguments.refuse_to_serverless,
        guardrail_scale: arguments.guardrail_scale,
    };
    let server = Server::bind(address, settings).await?;
    writeln!(
        std::io::stdout(),
        "sagemaker-local listening on {}",
        server.url()
    )?;

    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    Ok(())
}
