package truth

import "io"

// Reader notes what r delivered, after it did.
func (l *Log) Reader(r io.Reader) io.ReadCloser {
	return &reader{io.NopCloser(r), &lines{whole{emit: func(t []byte) { l.message("in", t) }}}}
}

// Writer notes what w took, after it did; one Write stays one Write.
func (l *Log) Writer(w io.WriteCloser) io.WriteCloser {
	return &writer{w, &lines{whole{emit: func(t []byte) { l.message("out", t) }}}}
}

type reader struct {
	io.ReadCloser
	seen framer
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.seen.feed(p[:n])
	if err == io.EOF {
		r.seen.end()
	}
	return n, err
}

type writer struct {
	io.WriteCloser
	seen framer
}

func (w *writer) Write(p []byte) (int, error) {
	n, err := w.WriteCloser.Write(p)
	w.seen.feed(p[:n])
	return n, err
}
