// SPDX-License-Identifier: Apache-2.0

// As load.mjs, in Go: load KEY CERT.
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
	"sync/atomic"
	"time"
)

const (
	pause = 10 * time.Millisecond
	reuse = 40
)

type object = map[string]any

func encode(v any) []byte {
	text, err := json.Marshal(v)
	must(err)
	return text
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func request(n int) []byte {
	return encode(object{"jsonrpc": "2.0", "id": n, "method": "tools/call", "params": object{
		"name": "load", "arguments": object{"text": strings.Repeat("x", n*37%20000)}}})
}

func result(body []byte) []byte {
	var call struct {
		ID     int `json:"id"`
		Params struct {
			Arguments struct {
				Text string `json:"text"`
			} `json:"arguments"`
		} `json:"params"`
	}
	json.Unmarshal(body, &call)
	return encode(object{"jsonrpc": "2.0", "id": call.ID, "result": object{
		"content": []object{{"type": "text", "text": call.Params.Arguments.Text}}}})
}

func serve(key, cert string) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Write(result(body))
	})
	go func() { must(http.ServeTLS(listener, handler, cert, key)) }()
	return listener.Addr().String()
}

func post(client *http.Client, url string, body []byte) ([]byte, error) {
	answer, err := client.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return io.ReadAll(answer.Body)
}

func main() {
	key, cert := os.Args[1], os.Args[2]
	pem, err := os.ReadFile(cert)
	must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	url := "https://" + serve(key, cert) + "/mcp"

	var stop atomic.Bool
	go func() { io.Copy(io.Discard, os.Stdin); stop.Store(true) }()
	count := struct {
		Requests int    `json:"requests"`
		Failed   int    `json:"failed"`
		First    string `json:"first"`
	}{}
	// One connection at a time, HTTP/1.1.
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	for n := 1; !stop.Load(); n++ {
		if n%reuse == 1 {
			transport.CloseIdleConnections()
		}
		got, err := post(client, url, request(n))
		count.Requests++
		if err != nil || !bytes.Equal(got, result(request(n))) {
			count.Failed++
			if count.First == "" {
				count.First = fmt.Sprintf("%v %.200s", err, got)
			}
		}
		if n == 1 {
			fmt.Println("ready")
		}
		time.Sleep(pause)
	}
	os.Stdout.Write(append(encode(count), '\n'))
}
