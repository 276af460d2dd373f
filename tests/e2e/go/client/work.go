package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type args map[string]any

// work is what every truth client does; outcomes are judged by who reads the truth.
type work struct {
	ctx     context.Context
	session *mcp.ClientSession
	legacy  bool
	big     int
	calls   atomic.Int64
}

func (w *work) early() {
	for range 5 {
		w.call("echo", args{"text": "early"})
	}
}

func (w *work) all() {
	if w.legacy {
		_ = w.session.Ping(w.ctx, nil)
		_ = w.session.SetLoggingLevel(w.ctx, &mcp.SetLoggingLevelParams{Level: "debug"})
	}
	_, _ = w.session.ListTools(w.ctx, nil)
	w.call("echo", args{"text": "grüß dich, 世界 🌍"})
	w.call("fail", args{})
	w.call("no_such_tool", args{})
	w.call("echo", args{"text": strings.Repeat("0123456789abcdef", 400_000/16)})
	w.call("big", args{"bytes": w.big})
	w.progress(200)
	w.parallel(8, 20)
	if w.legacy {
		w.call("roots", args{})
	}
	w.cancelled(5000, 100*time.Millisecond)
	w.call("echo", args{"text": "last"})
}

func (w *work) params(tool string, a args) *mcp.CallToolParams {
	a["key"] = fmt.Sprintf("go-%d-%d", os.Getpid(), w.calls.Add(1))
	return &mcp.CallToolParams{Name: tool, Arguments: a}
}

func (w *work) call(tool string, a args) {
	_, _ = w.session.CallTool(w.ctx, w.params(tool, a))
}

func (w *work) progress(ms int) {
	p := w.params("slow", args{"ms": ms})
	p.SetProgressToken("token-1")
	_, _ = w.session.CallTool(w.ctx, p)
}

func (w *work) parallel(n, ms int) {
	var all sync.WaitGroup
	for range n {
		all.Go(func() { w.call("slow", args{"ms": ms}) })
	}
	all.Wait()
}

func (w *work) cancelled(ms int, after time.Duration) {
	ctx, stop := context.WithTimeout(w.ctx, after)
	defer stop()
	_, _ = w.session.CallTool(ctx, w.params("slow", args{"ms": ms}))
}
