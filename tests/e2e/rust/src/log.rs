//! The truth file: one JSON object a line, one write a line, so that processes may share it.

use std::{
    collections::HashMap,
    env,
    fs::{File, OpenOptions},
    io::{self, Write},
    process,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rmcp::model::JsonObject;
use serde_json::{Value, json};

/// One peer's view; without TRUTH in the environment it discards.
#[derive(Clone)]
pub struct Log {
    peer: &'static str,
    file: Option<Arc<File>>,
    ids: Arc<Mutex<HashMap<String, Value>>>,
    hushed: Arc<AtomicBool>,
}

/// What a request asks for; the fields that it has.
#[derive(Clone, Default)]
pub struct Target {
    pub method: String,
    pub tool: Value,
    pub key: Value,
}

impl Log {
    /// `peer` is "client" or "server".
    pub fn open(peer: &'static str) -> io::Result<Self> {
        let open = |name| OpenOptions::new().append(true).create(true).open(name);
        let file = env::var_os("TRUTH").map(open).transpose()?.map(Arc::new);
        let hushed = Arc::new((peer == "client" && env::var_os("LATE").is_some()).into());
        Ok(Self { peer, file, ids: Arc::default(), hushed })
    }

    /// A client discards what comes first, where LATE is set.
    pub fn speak(&self) {
        self.hushed.store(false, Ordering::Relaxed);
    }

    fn write(&self, kind: &str, mut row: JsonObject) {
        let Some(file) = &self.file else { return };
        if self.hushed.load(Ordering::Relaxed) {
            return;
        }
        row.retain(|_, value| !value.is_null());
        row.insert("t".into(), kind.into());
        row.insert("peer".into(), self.peer.into());
        row.insert("pid".into(), process::id().into());
        let line = format!("{}\n", Value::Object(row));
        file.as_ref().write_all(line.as_bytes()).expect("truth cannot be written");
    }

    /// A request of this side has ended.
    pub fn call(&self, asked: &Target, outcome: &str, took: Duration) {
        let id = self.ids.lock().unwrap().remove(&name(&asked.method, &asked.key));
        self.write("call", object(json!({
            "id": id, "method": asked.method, "tool": asked.tool, "key": asked.key,
            "outcome": outcome, "dur_ns": took.as_nanos() as u64,
        })));
    }

    /// This side's handler of a tool (of a method, where that is no tool) has ended.
    pub fn handler(&self, tool: &str, key: Value, took: Duration) {
        let took = took.as_nanos() as u64;
        self.write("handler", object(json!({"tool": tool, "key": key, "dur_ns": took})));
    }

    /// One JSON-RPC message crossed the wire; other text is no message.
    pub fn text(&self, dir: &str, text: &[u8]) {
        let text = text.trim_ascii();
        if let Ok(message) = serde_json::from_slice(text) {
            self.message(dir, message, Some(text.len()));
        }
    }

    /// As `text`, for a message whose text was not seen.
    pub fn message(&self, dir: &str, mut message: Value, bytes: Option<usize>) {
        let kind = match &message {
            Value::Object(m) if m.contains_key("method") && m.contains_key("id") => "request",
            Value::Object(m) if m.contains_key("method") => "notification",
            Value::Object(m) if m.contains_key("error") => "error",
            Value::Object(m) if m.contains_key("result") => "result",
            _ => return,
        };
        let (id, method) = (message["id"].take(), message["method"].take());
        if dir == "out" && kind == "request" {
            let asked = name(method.as_str().unwrap_or_default(), &message["params"]["arguments"]["key"]);
            self.ids.lock().unwrap().insert(asked, id.clone());
        }
        self.write("msg", object(json!({
            "dir": dir, "kind": kind, "id": id, "method": method, "bytes": bytes,
        })));
    }
}

/// What tells a request of this side from the others that are under way.
fn name(method: &str, key: &Value) -> String {
    format!("{method} {key}")
}

fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}
