//! The messages in the bytes of one direction.

use crate::log::Log;

/// How messages lie in the bytes.
#[derive(Clone, Copy, PartialEq)]
pub enum Frame {
    Whole,
    Lines,
    Events,
}

/// Takes bytes as they come and logs each message that they complete.
pub struct Framer {
    log: Log,
    dir: &'static str,
    frame: Frame,
    text: Vec<u8>,
    data: Vec<u8>,
}

impl Framer {
    pub fn new(log: &Log, dir: &'static str, frame: Frame) -> Self {
        Self { log: log.clone(), dir, frame, text: Vec::new(), data: Vec::new() }
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        if self.frame == Frame::Whole {
            self.text.extend_from_slice(bytes);
            return;
        }
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            self.text.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.line();
            }
        }
    }

    fn line(&mut self) {
        let line = std::mem::take(&mut self.text);
        if self.frame == Frame::Lines {
            self.log.text(self.dir, &line);
        } else if let Some(value) = line.strip_prefix(b"data:") {
            self.data.extend_from_slice(value);
        } else if line.trim_ascii().is_empty() {
            self.log.text(self.dir, &std::mem::take(&mut self.data));
        }
    }
}

impl Drop for Framer {
    fn drop(&mut self) {
        self.log.text(self.dir, &self.text);
    }
}
