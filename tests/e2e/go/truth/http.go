package truth

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
)

func (l *Log) body(dir string, head http.Header) framer {
	emit := func(t []byte) { l.message(dir, t) }
	if strings.HasPrefix(head.Get("Content-Type"), "text/event-stream") {
		return newEvents(emit)
	}
	return &whole{emit: emit}
}

// Client is an HTTP client that notes the messages in its bodies.
func (l *Log) Client() *http.Client {
	inner := http.DefaultTransport.(*http.Transport).Clone()
	inner.Protocols = Protocols()
	return &http.Client{Transport: &roundTripper{l, inner}}
}

type roundTripper struct {
	log   *Log
	inner http.RoundTripper
}

// RoundTrip leaves the request's body as it is: net/http chooses its writes by the body's type.
func (t *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	sent := func() {}
	if req.GetBody != nil {
		sent = sync.OnceFunc(func() { t.sent(req) })
		req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
			WroteRequest: func(info httptrace.WroteRequestInfo) {
				if info.Err == nil {
					sent()
				}
			},
		}))
	}
	resp, err := t.inner.RoundTrip(req)
	if err == nil {
		sent() // over HTTP/2 an answer may be here before the writer has said that it wrote
		resp.Body = &reader{resp.Body, t.log.body("in", resp.Header)}
	}
	return resp, err
}

func (t *roundTripper) sent(req *http.Request) {
	if body, err := req.GetBody(); err == nil {
		text, _ := io.ReadAll(body)
		t.log.message("out", text)
	}
}

// HTTP notes the messages in the bodies that h reads and writes.
func (l *Log) HTTP(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		req.Body = &reader{req.Body, l.body("in", req.Header)}
		out := &response{w, l, req.Context(), nil}
		h.ServeHTTP(out, req)
		if out.seen != nil {
			out.seen.end()
		}
	})
}

type response struct {
	http.ResponseWriter
	log  *Log
	ctx  context.Context
	seen framer
}

// Write: what is written after the client has hung up reaches nobody and is no message.
func (r *response) Write(p []byte) (int, error) {
	if r.seen == nil {
		r.seen = r.log.body("out", r.Header())
	}
	n, err := r.ResponseWriter.Write(p)
	if r.ctx.Err() == nil {
		r.seen.feed(p[:n])
	}
	return n, err
}

func (r *response) Flush() { r.ResponseWriter.(http.Flusher).Flush() }

func (r *response) Unwrap() http.ResponseWriter { return r.ResponseWriter }
