// Package truth writes down what this process truly sent, received and measured.
//
// One JSON object a line, one write a line, so that processes may share the file.
package truth

import (
	"bytes"
	"encoding/json"
	"os"
	"sync"
	"time"
)

// Log is one peer's view; without a file (no TRUTH in the environment) it discards.
type Log struct {
	peer  string
	file  *os.File
	later *os.File // see Late
	ids   sync.Map // of this side's requests, which the SDK does not tell
}

type record struct {
	T       string          `json:"t"`
	Peer    string          `json:"peer"`
	PID     int             `json:"pid"`
	Dir     string          `json:"dir,omitempty"`
	Kind    string          `json:"kind,omitempty"`
	ID      json.RawMessage `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Bytes   int             `json:"bytes,omitempty"`
	Tool    string          `json:"tool,omitempty"`
	Key     string          `json:"key,omitempty"`
	Outcome string          `json:"outcome,omitempty"`
	DurNs   int64           `json:"dur_ns,omitempty"`
}

// Open returns the log of one peer, "client" or "server".
func Open(peer string) (*Log, error) {
	name := os.Getenv("TRUTH")
	if name == "" {
		return &Log{peer: peer}, nil
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if peer == "client" && os.Getenv("LATE") != "" {
		return &Log{peer: peer, later: file}, err
	}
	return &Log{peer: peer, file: file}, err
}

func (l *Log) write(r record) {
	if l.file == nil {
		return
	}
	r.Peer, r.PID = l.peer, os.Getpid()
	line, err := json.Marshal(r)
	if err == nil {
		_, err = l.file.Write(append(line, '\n'))
	}
	if err != nil {
		panic("truth cannot be written: " + err.Error())
	}
}

// Call notes a request of this side that has ended.
func (l *Log) Call(method, tool, key, outcome string, took time.Duration) {
	r := record{T: "call", Method: method, Tool: tool, Key: key, Outcome: outcome, DurNs: took.Nanoseconds()}
	if id, ok := l.ids.LoadAndDelete([2]string{method, key}); ok {
		r.ID = id.(json.RawMessage)
	}
	l.write(r)
}

// Handler notes that this side's handler has ended; tool is the method where it is no tool.
func (l *Log) Handler(tool, key string, took time.Duration) {
	l.write(record{T: "handler", Tool: tool, Key: key, DurNs: took.Nanoseconds()})
}

// message notes one JSON-RPC message that crossed the wire; other text is no message.
func (l *Log) message(dir string, text []byte) {
	text = bytes.TrimSpace(text)
	var m struct {
		ID     json.RawMessage
		Method string
		Params json.RawMessage
		Result json.RawMessage
		Error  json.RawMessage
	}
	if len(text) == 0 || json.Unmarshal(text, &m) != nil {
		return
	}
	r := record{T: "msg", Dir: dir, ID: m.ID, Method: m.Method, Bytes: len(text)}
	switch {
	case m.Method != "" && m.ID != nil:
		r.Kind = "request"
		if dir == "out" {
			l.ids.Store([2]string{m.Method, key(m.Params)}, m.ID)
		}
	case m.Method != "":
		r.Kind = "notification"
	case m.Error != nil:
		r.Kind = "error"
	case m.Result != nil:
		r.Kind = "result"
	default:
		return
	}
	l.write(r)
}

// key is the argument that tells a tool call from all others; "" where there is none.
func key(params []byte) string {
	var p struct{ Arguments struct{ Key string } }
	_ = json.Unmarshal(params, &p)
	return p.Arguments.Key
}
