// SPDX-License-Identifier: Apache-2.0

// MCP over HTTPS with nothing but the standard library, so that any release of Go builds it: no SDK goes back as far.
//
//	versions server PORT     versions client URL
//
// TLS_CERT, TLS_KEY, SSL_CERT_FILE, HTTP_VERSION, TRUTH: as everywhere (tests/e2e/README.md).
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

type message struct {
	Version string                 `json:"jsonrpc"`
	ID      interface{}            `json:"id,omitempty"`
	Method  string                 `json:"method,omitempty"`
	Params  map[string]interface{} `json:"params,omitempty"`
	Result  map[string]interface{} `json:"result,omitempty"`
	Error   map[string]interface{} `json:"error,omitempty"`
}

type truth struct {
	sync.Mutex
	peer string
	file *os.File
}

func open(peer string) *truth {
	file, err := os.OpenFile(os.Getenv("TRUTH"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	check(err)
	return &truth{peer: peer, file: file}
}

func (t *truth) say(line map[string]interface{}) {
	t.Lock()
	defer t.Unlock()
	line["peer"], line["pid"] = t.peer, os.Getpid()
	text, err := json.Marshal(line)
	check(err)
	_, err = t.file.Write(append(text, '\n'))
	check(err)
}

func (t *truth) message(dir string, text []byte) message {
	var m message
	check(json.Unmarshal(text, &m))
	line := map[string]interface{}{"t": "msg", "dir": dir, "kind": m.kind(), "bytes": len(text)}
	if m.ID != nil {
		line["id"] = m.ID
	}
	if m.Method != "" {
		line["method"] = m.Method
	}
	t.say(line)
	return m
}

func (m *message) kind() string {
	switch {
	case m.Method != "" && m.ID != nil:
		return "request"
	case m.Method != "":
		return "notification"
	case m.Error != nil:
		return "error"
	}
	return "result"
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func marshal(m message) []byte {
	m.Version = "2.0"
	text, err := json.Marshal(m)
	check(err)
	return text
}

// --- Server ---------------------------------------------------------------------------------------------------------

func answer(m message) message {
	reply := message{ID: m.ID}
	switch m.Method {
	case "initialize":
		reply.Result = map[string]interface{}{"protocolVersion": "2025-06-18", "capabilities": map[string]interface{}{},
			"serverInfo": map[string]string{"name": "versions", "version": "1"}}
	case "tools/list":
		reply.Result = map[string]interface{}{"tools": []interface{}{map[string]interface{}{"name": "echo", "inputSchema": map[string]string{"type": "object"}}}}
	case "tools/call":
		arguments := m.Params["arguments"].(map[string]interface{})
		content := []interface{}{map[string]interface{}{"type": "text", "text": arguments["text"]}}
		reply.Result = map[string]interface{}{"content": content, "isError": m.Params["name"] != "echo"}
	default:
		reply.Error = map[string]interface{}{"code": -32601, "message": "no such method"}
	}
	return reply
}

func serve(port string) {
	log := open("server")
	http.HandleFunc("/mcp", func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		check(err)
		m := log.message("in", text)
		if m.ID == nil {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		text = marshal(answer(m))
		log.message("out", text)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	check(err)
	check(http.ServeTLS(listener, nil, os.Getenv("TLS_CERT"), os.Getenv("TLS_KEY")))
}

// --- Client ---------------------------------------------------------------------------------------------------------

type client struct {
	*truth
	http http.Client
	url  string
}

func (c *client) post(text []byte) []byte {
	r, err := http.NewRequest("POST", c.url, bytes.NewReader(text))
	check(err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	got, err := c.http.Do(r)
	check(err)
	defer got.Body.Close()
	if want := os.Getenv("HTTP_VERSION") == "2"; want != (got.ProtoMajor == 2) {
		panic(got.Proto)
	}
	text, err = io.ReadAll(got.Body)
	check(err)
	return text
}

func (c *client) ask(id int, method string, params map[string]interface{}) {
	text := marshal(message{ID: id, Method: method, Params: params})
	begin := time.Now()
	c.message("out", text)
	m := c.message("in", c.post(text))
	call := map[string]interface{}{"t": "call", "id": id, "method": method, "outcome": "ok", "dur_ns": time.Since(begin).Nanoseconds()}
	if m.Error != nil {
		call["outcome"] = "rpc_error"
	} else if m.Result["isError"] == true {
		call["outcome"] = "tool_error"
	}
	if params["name"] != nil {
		call["tool"] = params["name"]
	}
	c.say(call)
}

func (c *client) tool(id int, name string, n int) {
	key := fmt.Sprintf("%d-%d", os.Getpid(), id)
	c.ask(id, "tools/call", map[string]interface{}{"name": name, "arguments": map[string]string{"key": key, "text": strings.Repeat("é", n)}})
}

func work(url string) {
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(os.Getenv("SSL_CERT_FILE"))
	check(err)
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: os.Getenv("HTTP_VERSION") == "2"}
	c := &client{truth: open("client"), http: http.Client{Transport: transport}, url: url}
	c.ask(0, "initialize", map[string]interface{}{"protocolVersion": "2025-06-18", "capabilities": map[string]string{},
		"clientInfo": map[string]string{"name": "versions", "version": "1"}})
	text := marshal(message{Method: "notifications/initialized"})
	c.message("out", text)
	c.post(text)
	c.ask(1, "tools/list", nil)
	c.ask(2, "no/such_method", nil)
	c.tool(3, "no_such_tool", 1)
	for i, n := range []int{1, 100, 10000, 200000} {
		c.tool(4+i, "echo", n)
	}
	var all sync.WaitGroup
	for i := 10; i < 42; i++ {
		all.Add(1)
		go func(i int) {
			defer all.Done()
			c.tool(i, "echo", i*i)
		}(i)
	}
	all.Wait()
	transport.CloseIdleConnections()
}

func main() {
	if os.Args[1] == "server" {
		serve(os.Args[2])
	} else {
		work(os.Args[2])
	}
}
