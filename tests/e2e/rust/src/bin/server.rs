//! A server on rmcp that writes down the truth about itself.
//!
//!     server --transport stdio|pipes|http [--port N]
//!
//! `pipes` is stdio through the SDK's own descriptors, reopened non-blocking.

// Logging and roots are deprecated and still on the wire.
#![allow(deprecated)]

use std::{convert::Infallible, env, error::Error, sync::Arc, time::Duration};

#[cfg(feature = "tls")]
use hyper::server::conn::http2;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
#[cfg(feature = "tls")]
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use peer::{
    body,
    log::{Log, Target},
    pipe,
};
#[cfg(feature = "tls")]
use peer::web;
use rmcp::{
    ErrorData, ServerHandler, ServiceExt,
    model::*,
    service::{RequestContext, RoleServer},
    transport::{
        StreamableHttpServerConfig, StreamableHttpService, stdio, stdio_pipes,
        streamable_http_server::session::local::LocalSessionManager,
    },
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    time::{Instant, sleep},
};

const TOOLS: [&str; 5] = ["echo", "fail", "slow", "big", "roots"];

#[derive(Clone)]
struct Server(Log);

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().enable_logging().build())
            .with_server_info(Implementation::new("truth-rust", "1"))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut schema = JsonObject::new();
        schema.insert("type".into(), "object".into());
        let schema = Arc::new(schema);
        let tools = TOOLS.map(|name| Tool::new(name, "", schema.clone()));
        Ok(ListToolsResult::with_all_items(tools.into()))
    }

    async fn set_level(
        &self,
        _: SetLevelRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let args = Value::Object(request.arguments.unwrap_or_default());
        if !TOOLS.contains(&request.name.as_ref()) {
            return Err(ErrorData::invalid_params("no such tool", None));
        }
        let start = Instant::now();
        let answer = self.run(&request.name, &args, context).await;
        self.0.handler(&request.name, args["key"].clone(), start.elapsed());
        Ok(match answer {
            Ok(text) => CallToolResult::success(vec![ContentBlock::text(text)]).into(),
            Err(text) => CallToolResult::error(vec![ContentBlock::text(text)]).into(),
        })
    }
}

impl Server {
    async fn run(
        &self,
        tool: &str,
        args: &Value,
        context: RequestContext<RoleServer>,
    ) -> Result<String, String> {
        match tool {
            "echo" => Ok(args["text"].as_str().unwrap_or_default().into()),
            "big" => Ok("x".repeat(args["bytes"].as_u64().unwrap_or_default() as usize)),
            "slow" => self.slow(args["ms"].as_u64().unwrap_or_default(), context).await,
            "roots" => self.roots(context).await,
            _ => Err("failed as asked".into()),
        }
    }

    async fn slow(&self, ms: u64, context: RequestContext<RoleServer>) -> Result<String, String> {
        tokio::select! {
            () = context.ct.cancelled() => return Err("cancelled".into()),
            () = sleep(Duration::from_millis(ms)) => {}
        }
        let level = LoggingMessageNotificationParam::new(LoggingLevel::Info, json!("awake"));
        let note = LoggingMessageNotification::new(level);
        context.peer.send_notification(note.into()).await.map_err(|e| e.to_string())?;
        if let Some(token) = context.meta.get_progress_token() {
            let note = ProgressNotificationParam::new(token, 1.0);
            context.peer.notify_progress(note).await.map_err(|e| e.to_string())?;
        }
        Ok("slept".into())
    }

    /// Asks back: a request from server to client, which only the legacy era has.
    async fn roots(&self, context: RequestContext<RoleServer>) -> Result<String, String> {
        let start = Instant::now();
        let answer = context.peer.list_roots().await;
        let asked = Target { method: "roots/list".into(), ..Default::default() };
        let outcome = if answer.is_ok() { "ok" } else { "rpc_error" };
        self.0.call(&asked, outcome, start.elapsed());
        answer.map(|_| "listed".into()).map_err(|e| e.to_string())
    }
}

async fn on_pipes<R, W>(log: Log, (read, write): (R, W)) -> Result<(), Box<dyn Error>>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let taps = (pipe::Tap::new(read, &log, "in"), pipe::Tap::new(write, &log, "out"));
    Server(log).serve(taps).await?.waiting().await?;
    Ok(())
}

async fn on_http(log: Log, port: u16) -> Result<(), Box<dyn Error>> {
    let server = Server(log.clone());
    let http = StreamableHttpService::new(
        move || Ok(server.clone()),
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default(),
    );
    let host = env::var("BIND").unwrap_or("127.0.0.1".into());
    let listener = TcpListener::bind((host, port)).await?;
    #[cfg(feature = "tls")]
    let tls = web::acceptor()?;
    eprintln!("listening {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let (log, http) = (log.clone(), http.clone());
        let service = service_fn(move |request: http::Request<Incoming>| {
            let (log, http) = (log.clone(), http.clone());
            async move {
                let (head, content) = request.into_parts();
                let content = body::Tap::new(content, &head.headers, &log, "in");
                let answer = http.handle(http::Request::from_parts(head, content)).await;
                let (head, content) = answer.into_parts();
                let content = body::Tap::new(content, &head.headers, &log, "out");
                Ok::<_, Infallible>(http::Response::from_parts(head, content))
            }
        });
        #[cfg(feature = "tls")]
        if let Some(tls) = tls.clone() {
            tokio::spawn(async move {
                let Ok(stream) = tls.accept(stream).await else { return };
                let stream = TokioIo::new(stream);
                if web::wants("HTTP_VERSION", "2") {
                    let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await;
                } else {
                    let _ = http1::Builder::new().serve_connection(stream, service).await;
                }
            });
            continue;
        }
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().collect();
    let option = |name| args.iter().skip_while(|arg| *arg != name).nth(1);
    let log = Log::open("server")?;
    match option("--transport").map_or("stdio", |kind| kind) {
        "stdio" => on_pipes(log, stdio()).await,
        "pipes" => on_pipes(log, stdio_pipes()).await,
        "http" => on_http(log, option("--port").map_or(Ok(0), |port| port.parse())?).await,
        other => Err(format!("no transport {other:?}").into()),
    }
}
