//! A tap on the SDK's HTTP client, at the seam that it offers: messages out, messages and events in.

use std::{collections::HashMap, sync::Arc};

use futures::{StreamExt, stream::BoxStream};
use http::{HeaderName, HeaderValue};
use rmcp::{
    model::ClientJsonRpcMessage,
    transport::streamable_http_client::{
        SseError, StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
        StreamableHttpResponseLimits,
    },
};
use sse_stream::Sse;

use crate::log::Log;

type Headers = HashMap<HeaderName, HeaderValue>;
type Failure = StreamableHttpError<reqwest::Error>;
type Events = BoxStream<'static, Result<Sse, SseError>>;

#[derive(Clone)]
pub struct Tap {
    pub inner: reqwest::Client,
    pub log: Log,
}

impl Tap {
    /// Before it is posted: the future of a cancelled exchange is dropped and tells nothing.
    fn out(&self, message: &ClientJsonRpcMessage) {
        self.log.text("out", &serde_json::to_vec(message).unwrap_or_default());
    }

    fn events(&self, events: Events) -> Events {
        let log = self.log.clone();
        events
            .inspect(move |event| {
                if let Ok(Sse { data: Some(data), .. }) = event {
                    log.text("in", data.as_bytes());
                }
            })
            .boxed()
    }

    /// The text of a JSON body is not seen here, so its size is left out.
    fn answer(&self, answer: StreamableHttpPostResponse) -> StreamableHttpPostResponse {
        match answer {
            StreamableHttpPostResponse::Json(message, session) => {
                if let Ok(value) = serde_json::to_value(&message) {
                    self.log.message("in", value, None);
                }
                StreamableHttpPostResponse::Json(message, session)
            }
            StreamableHttpPostResponse::Sse(events, session) => {
                StreamableHttpPostResponse::Sse(self.events(events), session)
            }
            other => other,
        }
    }
}

impl StreamableHttpClient for Tap {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        auth: Option<String>,
        headers: Headers,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        self.out(&message);
        let answer = self.inner.post_message(uri, message, session, auth, headers).await?;
        Ok(self.answer(answer))
    }

    async fn post_message_with_response_limits(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        auth: Option<String>,
        headers: Headers,
        limits: StreamableHttpResponseLimits,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        self.out(&message);
        let answer = self
            .inner
            .post_message_with_response_limits(uri, message, session, auth, headers, limits)
            .await?;
        Ok(self.answer(answer))
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session: Arc<str>,
        auth: Option<String>,
        headers: Headers,
    ) -> Result<(), Failure> {
        self.inner.delete_session(uri, session, auth, headers).await
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last: Option<String>,
        auth: Option<String>,
        headers: Headers,
    ) -> Result<Events, Failure> {
        let events = self.inner.get_stream(uri, session, last, auth, headers).await?;
        Ok(self.events(events))
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last: Option<String>,
        auth: Option<String>,
        headers: Headers,
        max: usize,
    ) -> Result<Events, Failure> {
        let events = self
            .inner
            .get_stream_with_max_sse_event_size(uri, session, last, auth, headers, max)
            .await?;
        Ok(self.events(events))
    }
}
