// A client on the Go SDK that works through one session and writes down the truth about it.
//
//	client --transport stdio|http|sse [--url URL] [--era legacy|modern] [-- SERVER CMD...]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"peer/truth"
)

var versions = map[string]string{"legacy": "2025-11-25", "modern": "2026-07-28"}

// connect returns the transport, and what to wait for once the session is closed.
func connect(log *truth.Log, kind, url string, server []string) (mcp.Transport, func() error, error) {
	none := func() error { return nil }
	switch {
	case kind == "http":
		return &mcp.StreamableClientTransport{Endpoint: url, HTTPClient: log.Client()}, none, nil
	case kind == "sse":
		return &mcp.SSEClientTransport{Endpoint: url, HTTPClient: log.Client()}, none, nil
	case kind == "stdio" && len(server) > 0:
		return spawn(log, server)
	}
	return nil, nil, fmt.Errorf("transport %q with server command %q", kind, server)
}

// spawn does as the SDK's CommandTransport, which has no place for a tap.
func spawn(log *truth.Log, server []string) (mcp.Transport, func() error, error) {
	cmd := exec.Command(server[0], server[1:]...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	pipes := &mcp.IOTransport{Reader: log.Reader(stdout), Writer: log.Writer(stdin)}
	return pipes, func() error {
		defer time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() }).Stop()
		return cmd.Wait()
	}, cmd.Start()
}

func run() error {
	kind := flag.String("transport", "stdio", "stdio, http or sse")
	url := flag.String("url", "", "where an HTTP server listens")
	era := flag.String("era", "legacy", "legacy or modern")
	flag.Parse()
	log, err := truth.Open("client")
	if err != nil {
		return err
	}
	transport, wait, err := connect(log, *kind, *url, flag.Args())
	if err != nil {
		return err
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "truth-go", Version: "1"}, nil)
	client.AddRoots(&mcp.Root{URI: "file:///tmp", Name: "tmp"})
	client.AddSendingMiddleware(log.Sending)
	client.AddReceivingMiddleware(log.Roots)
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	session, err := client.Connect(ctx, transport, &mcp.ClientSessionOptions{ProtocolVersion: versions[*era]})
	if err != nil {
		return err
	}
	w := &work{ctx: ctx, session: session, legacy: *era == "legacy", big: 5_000_000}
	if *kind != "stdio" {
		w.big = 1_000_000
	}
	log.Late(w.early)
	w.all()
	if err := session.Close(); err != nil {
		return err
	}
	return wait()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
}
