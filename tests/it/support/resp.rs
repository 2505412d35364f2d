//! As much of Redis's protocol as it takes to see where a message ends and what a command says.

/// The length of the first whole message in these bytes; `None` while it is not all there.
pub fn message_len(bytes: &[u8]) -> Option<usize> {
    let (line, after) = line(bytes)?;
    let number = || std::str::from_utf8(&line[1..]).ok()?.parse::<i64>().ok();
    match line.first()? {
        b'$' | b'=' | b'!' => {
            let Ok(length) = usize::try_from(number()?) else {
                return Some(after);
            };
            let end = after + length + 2;
            (bytes.len() >= end).then_some(end)
        }
        b'*' | b'~' | b'>' | b'%' => {
            let items = number()?.max(0) * if line[0] == b'%' { 2 } else { 1 };
            (0..items).try_fold(after, |at, _| Some(at + message_len(bytes.get(at..)?)?))
        }
        _ => Some(after),
    }
}

/// The words of a whole command.
pub fn words(command: &[u8]) -> Vec<&[u8]> {
    let mut words = Vec::new();
    let Some((_, mut at)) = line(command) else {
        return words;
    };
    while let Some(length) = command.get(at..).and_then(message_len) {
        let word = &command[at..at + length];
        let head = line(word).map_or(0, |(_, head)| head);
        words.push(&word[head..length.saturating_sub(2).max(head)]);
        at += length;
    }
    words
}

/// The first line without its end, and where the next one begins.
fn line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    Some((&bytes[..end], end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message ends where it ends, wherever the bytes were cut: what is forwarded is neither less nor more.
    #[test]
    fn messages_end_where_they_end() {
        let command = b"*3\r\n$3\r\nSET\r\n$4\r\na\r\nb\r\n$0\r\n\r\n";
        for whole in [
            &command[..],
            b"+OK\r\n",
            b":1\r\n",
            b"$-1\r\n",
            b"*-1\r\n",
            b"%1\r\n+a\r\n:1\r\n",
        ] {
            let more = [whole, b"+OK\r\n"].concat();
            assert_eq!(message_len(&more), Some(whole.len()));
            for cut in 0..whole.len() {
                assert_eq!(message_len(&whole[..cut]), None, "{cut} of {whole:?}");
            }
        }
        assert_eq!(words(command), [&b"SET"[..], b"a\r\nb", b""]);
    }
}
