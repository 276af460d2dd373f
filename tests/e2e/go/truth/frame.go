package truth

import "bytes"

// A framer takes the bytes of one direction and emits the messages in them.
type framer interface {
	feed(p []byte)
	end()
}

// whole is a body that is one message.
type whole struct {
	text []byte
	emit func([]byte)
}

func (w *whole) feed(p []byte) { w.text = append(w.text, p...) }

func (w *whole) end() {
	w.emit(w.text)
	w.text = nil
}

// lines is newline-delimited JSON.
type lines struct {
	whole
}

func (l *lines) feed(p []byte) {
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			l.whole.feed(p)
			return
		}
		l.whole.feed(p[:i])
		l.whole.end()
		p = p[i+1:]
	}
}

// events is an event stream; the data of each event is one message.
type events struct {
	lines
	data []byte
}

func newEvents(emit func([]byte)) *events {
	e := &events{}
	e.lines.emit = func(line []byte) {
		line = bytes.TrimSuffix(line, []byte("\r"))
		if value, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			e.data = append(append(e.data, bytes.TrimPrefix(value, []byte(" "))...), '\n')
		} else if len(line) == 0 {
			emit(e.data)
			e.data = nil
		}
	}
	return e
}
