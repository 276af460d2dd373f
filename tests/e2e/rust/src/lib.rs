//! What the Rust truth peers share: writing down what truly crossed the wire.

pub mod body;
pub mod frame;
pub mod log;
pub mod pipe;
pub mod post;
pub mod web;
