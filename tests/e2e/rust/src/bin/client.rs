//! A client on rmcp that works through one session and writes down the truth about it.
//!
//!     client --transport stdio|http [--url URL] [--era legacy|modern] [-- SERVER CMD...]

// Logging and roots are deprecated and still on the wire.
#![allow(deprecated)]

use std::{
    env,
    error::Error,
    process::{self, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use futures::future::join_all;
use peer::{
    log::{Log, Target},
    pipe, post, web,
};
use rmcp::{
    ClientHandler, ClientLifecycleMode, ErrorData, ServiceError, serve_client_with_lifecycle,
    model::*,
    service::{PeerRequestOptions, RequestContext, RoleClient, RunningService},
    transport::{
        IntoTransport, StreamableHttpClientTransport,
        streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::{Value, json};
use tokio::{process::Command, time::Instant};

struct Client(Log);

impl ClientHandler for Client {
    fn get_info(&self) -> ClientInfo {
        let roots = ClientCapabilities::builder().enable_roots().build();
        ClientInfo::new(roots, Implementation::new("truth-rust", "1"))
    }

    async fn list_roots(&self, _: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        let start = Instant::now();
        let list = ListRootsResult::new(vec![Root::new("file:///tmp")]);
        self.0.handler("roots/list", Value::Null, start.elapsed());
        Ok(list)
    }
}

struct Session {
    log: Log,
    service: RunningService<RoleClient, Client>,
    legacy: bool,
    big: usize,
    keys: AtomicU32,
}

impl Session {
    async fn open<T, E, A>(log: Log, transport: T, legacy: bool) -> Result<Self, Box<dyn Error>>
    where
        T: IntoTransport<RoleClient, E, A>,
        E: Error + Send + Sync + 'static,
    {
        let mode = if legacy {
            ClientLifecycleMode::Initialize
        } else {
            ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] }
        };
        let method = if legacy { "initialize" } else { "server/discover" };
        let start = Instant::now();
        let service = serve_client_with_lifecycle(Client(log.clone()), transport, mode).await?;
        let asked = Target { method: method.into(), ..Default::default() };
        log.call(&asked, "ok", start.elapsed());
        Ok(Self { log, service, legacy, big: 5_000_000, keys: AtomicU32::new(0) })
    }

    async fn work(&self) {
        if self.legacy {
            self.ask(json!({"method": "ping"}), None).await;
            self.ask(json!({"method": "logging/setLevel", "params": {"level": "debug"}}), None).await;
        }
        self.ask(json!({"method": "tools/list"}), None).await;
        self.call("echo", json!({"text": "grüß dich, 世界 🌍"})).await;
        self.call("fail", json!({})).await;
        self.call("no_such_tool", json!({})).await;
        self.call("echo", json!({"text": "0123456789abcdef".repeat(400_000 / 16)})).await;
        self.call("big", json!({"bytes": self.big})).await;
        self.call("slow", json!({"ms": 200})).await;
        join_all((0..8).map(|_| self.call("slow", json!({"ms": 20})))).await;
        if self.legacy {
            self.call("roots", json!({})).await;
        }
        self.ask(self.tool("slow", json!({"ms": 5000})), Some(Duration::from_millis(100))).await;
        self.call("echo", json!({"text": "last"})).await;
    }

    fn tool(&self, name: &str, mut args: Value) -> Value {
        let n = self.keys.fetch_add(1, Ordering::Relaxed);
        args["key"] = format!("rust-{}-{n}", process::id()).into();
        json!({"method": "tools/call", "params": {"name": name, "arguments": args}})
    }

    async fn call(&self, name: &str, args: Value) {
        self.ask(self.tool(name, args), None).await;
    }

    /// Outcomes are judged by who reads the truth.
    async fn ask(&self, request: Value, patience: Option<Duration>) {
        let asked = Target {
            method: request["method"].as_str().unwrap_or_default().into(),
            tool: request["params"]["name"].clone(),
            key: request["params"]["arguments"]["key"].clone(),
        };
        let request = serde_json::from_value(request).expect("a request of the protocol");
        let mut options = PeerRequestOptions::no_options();
        options.timeout = patience;
        let start = Instant::now();
        let answer = match self.service.send_cancellable_request(request, options).await {
            Ok(handle) => handle.await_response().await,
            Err(error) => Err(error),
        };
        self.log.call(&asked, outcome(&answer), start.elapsed());
    }
}

fn outcome(answer: &Result<ServerResult, ServiceError>) -> &'static str {
    match answer {
        Ok(ServerResult::CallToolResult(result)) if result.is_error == Some(true) => "tool_error",
        Ok(_) => "ok",
        Err(ServiceError::McpError(_)) => "rpc_error",
        Err(ServiceError::Timeout { .. } | ServiceError::Cancelled { .. }) => "cancelled",
        Err(_) => "http_error",
    }
}

/// As the SDK's child process transport, which has no place for a tap.
async fn over_pipes(log: Log, legacy: bool, server: &[String]) -> Result<(), Box<dyn Error>> {
    let program = server.first().ok_or("no server command")?;
    let mut child = Command::new(program)
        .args(&server[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let (read, write) = child.stdout.take().zip(child.stdin.take()).ok_or("no pipes")?;
    let taps = (pipe::Tap::new(read, &log, "in"), pipe::Tap::new(write, &log, "out"));
    let session = Session::open(log, taps, legacy).await?;
    session.work().await;
    session.service.cancel().await?;
    tokio::time::timeout(Duration::from_secs(5), child.wait()).await??;
    Ok(())
}

async fn over_http(log: Log, legacy: bool, url: &str) -> Result<(), Box<dyn Error>> {
    let tap = post::Tap { inner: web::client()?, log: log.clone() };
    let config = StreamableHttpClientTransportConfig::with_uri(url);
    let transport = StreamableHttpClientTransport::with_client(tap, config);
    let mut session = Session::open(log, transport, legacy).await?;
    session.big = 1_000_000;
    if env::var_os("LATE").is_some() {
        session.call("echo", json!({"text": "early"})).await;
        web::late().await;
        session.log.speak();
    }
    session.work().await;
    session.service.cancel().await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().collect();
    let end = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let (args, server) = (&args[..end], args.get(end + 1..).unwrap_or_default());
    let option = |name| args.iter().skip_while(|arg| *arg != name).nth(1).map(String::as_str);
    let legacy = option("--era") != Some("modern");
    let log = Log::open("client")?;
    match option("--transport").unwrap_or("stdio") {
        "stdio" => over_pipes(log, legacy, server).await,
        "http" => over_http(log, legacy, option("--url").ok_or("no --url")?).await,
        other => Err(format!("no transport {other:?}").into()),
    }
}
