package truth

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Sending measures the requests that this side makes.
func (l *Log) Sending(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		start := time.Now()
		result, err := next(ctx, method, req)
		if !strings.HasPrefix(method, "notifications/") {
			tool, key := target(req)
			l.Call(method, tool, key, outcome(ctx, result, err), time.Since(start))
		}
		return result, err
	}
}

// Roots measures the client's answers to roots/list.
func (l *Log) Roots(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		start := time.Now()
		result, err := next(ctx, method, req)
		if method == "roots/list" {
			l.Handler(method, "", time.Since(start))
		}
		return result, err
	}
}

func target(req mcp.Request) (string, string) {
	p, ok := req.GetParams().(*mcp.CallToolParams)
	if !ok {
		return "", ""
	}
	text, _ := json.Marshal(p)
	return p.Name, key(text)
}

func outcome(ctx context.Context, result mcp.Result, err error) string {
	var rpc *jsonrpc.Error
	tool, ok := result.(*mcp.CallToolResult)
	switch {
	case ctx.Err() != nil:
		return "cancelled"
	case errors.As(err, &rpc):
		return "rpc_error"
	case err != nil:
		return "http_error"
	case ok && tool != nil && tool.IsError:
		return "tool_error"
	}
	return "ok"
}
