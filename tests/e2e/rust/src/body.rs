//! A tap on an HTTP body; its size and end are the inner body's, so the framing on the wire is too.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, header::CONTENT_TYPE};
use http_body::{Body, Frame as Part, SizeHint};

use crate::{
    frame::{Frame, Framer},
    log::Log,
};

pub struct Tap<B> {
    inner: B,
    seen: Framer,
}

impl<B> Tap<B> {
    pub fn new(inner: B, head: &HeaderMap, log: &Log, dir: &'static str) -> Self {
        let kind = head.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
        let events = kind.starts_with(b"text/event-stream");
        let frame = if events { Frame::Events } else { Frame::Whole };
        Self { inner, seen: Framer::new(log, dir, frame) }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Tap<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Part<Bytes>, B::Error>>> {
        let part = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(part))) = &part
            && let Some(data) = part.data_ref()
        {
            self.seen.feed(data);
        }
        part
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
