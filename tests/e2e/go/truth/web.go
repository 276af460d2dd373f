package truth

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Protocols is what the environment variable HTTP_VERSION names, over TLS or not: "1.1", "2", or else what Go does by itself.
func Protocols() *http.Protocols {
	p := new(http.Protocols)
	switch os.Getenv("HTTP_VERSION") {
	case "1.1":
		p.SetHTTP1(true)
	case "2":
		p.SetHTTP2(true)
		p.SetUnencryptedHTTP2(true)
	default:
		return nil
	}
	return p
}

// Serve listens, with TLS where TLS_CERT names a certificate.
func Serve(l net.Listener, h http.Handler) error {
	s := &http.Server{Handler: h, Protocols: Protocols()}
	if cert := os.Getenv("TLS_CERT"); cert != "" {
		return s.ServeTLS(l, cert, os.Getenv("TLS_KEY"))
	}
	return s.Serve(l)
}

// Late runs early unlogged, as all before it was, where LATE names a folder; says so there, and waits until it may go on.
func (l *Log) Late(early func()) {
	folder := os.Getenv("LATE")
	if folder == "" {
		return
	}
	early()
	_ = os.WriteFile(filepath.Join(folder, "early"), nil, 0o644)
	for {
		if _, err := os.Stat(filepath.Join(folder, "go")); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	l.file = l.later
}
