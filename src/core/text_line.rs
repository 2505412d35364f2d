//! Where in a text something stands, as people count.

/// The line that the byte at `offset` stands in, the first being 1. What is past the end stands in the last line.
pub fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
