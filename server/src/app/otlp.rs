//! Spans to a collector, by the OpenTelemetry protocol over HTTP.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, Tracer};
use tokio::net::TcpStream;
use tokio::runtime::Handle;

use super::telemetry::TelemetryConfig;
use crate::access::ConfigError;

/// How long the collector may take over one batch.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most that is read of its answer, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// What collects spans and sends them in batches, and the way in.
pub(super) fn provider(
    config: &TelemetryConfig,
    endpoint: &str,
) -> Result<(SdkTracerProvider, Tracer), ConfigError> {
    let wrong = |error: &dyn std::fmt::Display| {
        ConfigError::new("otlp_endpoint", format!("cannot be used: {error}"))
    };
    let runtime = Handle::try_current().map_err(|error| wrong(&error))?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Collector { runtime })
        .with_endpoint(endpoint)
        .with_timeout(PATIENCE)
        .build()
        .map_err(|error| wrong(&error))?;
    let sampler = Sampler::TraceIdRatioBased(config.otlp_sample_ratio);
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::ParentBased(Box::new(sampler)))
        .with_resource(Resource::builder().with_service_name("trolleybus").build())
        .build();
    let tracer = provider.tracer("trolleybus");
    Ok((provider, tracer))
}

/// Sends one request on a connection of its own. The exporter waits on a thread of its own that
/// knows no runtime, so the work is done on ours.
#[derive(Debug)]
struct Collector {
    runtime: Handle,
}

type Sending<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for Collector {
    fn send_bytes<'a, 'b>(&'a self, request: Request<Bytes>) -> Sending<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        let sending =
            self.runtime.spawn(async { tokio::time::timeout(PATIENCE, send(request)).await });
        Box::pin(async move { sending.await?? })
    }
}

async fn send(request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let authority = request.uri().authority().ok_or("the endpoint names no host")?.clone();
    let host = authority.host().trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let (mut parts, body) = request.into_parts();
    parts.headers.insert(header::HOST, authority.as_str().parse()?);
    parts.uri = parts.uri.path_and_query().map_or("/", |path| path.as_str()).parse()?;
    let answering = async {
        let response = sender.send_request(Request::from_parts(parts, Full::new(body))).await?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, LONGEST_ANSWER).collect().await?.to_bytes();
        Ok::<_, HttpError>(Response::from_parts(parts, body))
    };
    tokio::pin!(connection);
    tokio::pin!(answering);
    tokio::select! {
        answer = &mut answering => answer,
        // The connection may end first, with the answer read and not yet collected.
        ended = &mut connection => {
            ended?;
            answering.await
        }
    }
}
