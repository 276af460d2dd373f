// A server on the Go SDK that writes down the truth about itself.
//
//	server --transport stdio|http|sse [--port N]
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"peer/truth"
)

const modern = "2026-07-28"

type args struct {
	Key   string `json:"key"`
	Text  string `json:"text,omitempty"`
	MS    int    `json:"ms,omitempty"`
	Bytes int    `json:"bytes,omitempty"`
}

type tool func(context.Context, *mcp.CallToolRequest, args) (string, error)

func echo(_ context.Context, _ *mcp.CallToolRequest, in args) (string, error) {
	return in.Text, nil
}

func fail(context.Context, *mcp.CallToolRequest, args) (string, error) {
	return "", errors.New("failed as asked")
}

func big(_ context.Context, _ *mcp.CallToolRequest, in args) (string, error) {
	return strings.Repeat("x", in.Bytes), nil
}

func slow(ctx context.Context, req *mcp.CallToolRequest, in args) (string, error) {
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(time.Duration(in.MS) * time.Millisecond):
	}
	_ = req.Session.Log(ctx, &mcp.LoggingMessageParams{Level: "info", Data: "awake"})
	if token := req.Params.GetProgressToken(); token != nil {
		note := &mcp.ProgressNotificationParams{ProgressToken: token, Progress: 1, Total: 1}
		if err := req.Session.NotifyProgress(ctx, note); err != nil {
			return "", err
		}
	}
	return "slept", nil
}

// roots asks back: a request from server to client, which only the legacy era has.
func roots(ctx context.Context, req *mcp.CallToolRequest, _ args) (string, error) {
	list, err := req.Session.ListRoots(ctx, nil)
	if err != nil {
		return "", err
	}
	return fmt.Sprint(len(list.Roots)), nil
}

func newServer(log *truth.Log) *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "truth-go", Version: "1"}, nil)
	tools := map[string]tool{"echo": echo, "fail": fail, "big": big, "slow": slow, "roots": roots}
	for name, run := range tools {
		mcp.AddTool(s, &mcp.Tool{Name: name}, handler(log, name, run))
	}
	s.AddSendingMiddleware(log.Sending)
	return s
}

func handler(log *truth.Log, name string, run tool) mcp.ToolHandlerFor[args, any] {
	return func(ctx context.Context, req *mcp.CallToolRequest, in args) (*mcp.CallToolResult, any, error) {
		start := time.Now()
		text, err := run(ctx, req, in)
		log.Handler(name, in.Key, time.Since(start))
		if err != nil {
			return nil, nil, err
		}
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil, nil
	}
}

// streamable serves both eras on one endpoint: the SDK speaks the modern one only statelessly.
func streamable(s *mcp.Server) http.Handler {
	get := func(*http.Request) *mcp.Server { return s }
	legacy := mcp.NewStreamableHTTPHandler(get, nil)
	stateless := mcp.NewStreamableHTTPHandler(get,
		&mcp.StreamableHTTPOptions{Stateless: true, PropagateRequestCancellation: true})
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("MCP-Protocol-Version") == modern {
			stateless.ServeHTTP(w, req)
		} else {
			legacy.ServeHTTP(w, req)
		}
	})
}

type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }

func run(transport string, port int) error {
	log, err := truth.Open("server")
	if err != nil {
		return err
	}
	s := newServer(log)
	var h http.Handler
	switch transport {
	case "stdio":
		pipes := &mcp.IOTransport{Reader: log.Reader(os.Stdin), Writer: log.Writer(keepOpen{os.Stdout})}
		return s.Run(context.Background(), pipes)
	case "http":
		h = streamable(s)
	case "sse":
		h = mcp.NewSSEHandler(func(*http.Request) *mcp.Server { return s }, nil)
	default:
		return fmt.Errorf("no transport %q", transport)
	}
	l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", cmp.Or(os.Getenv("BIND"), "127.0.0.1"), port))
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "listening", l.Addr())
	return truth.Serve(l, log.HTTP(h))
}

func main() {
	transport := flag.String("transport", "stdio", "stdio, http or sse")
	port := flag.Int("port", 0, "port on loopback")
	flag.Parse()
	if err := run(*transport, *port); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}
