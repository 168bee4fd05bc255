//! The name of the server in a ClientHello (RFC 8446 §4.1.2, RFC 6066 §3).
//!
//! In: the first bytes of the client's stream. Out: the name, or that more bytes are needed. Bound: a hello of more than
//! [`MAX_HELLO`] bytes is given up.

/// The longest handshake message that is put together from its records. Post-quantum key shares take some 1.2 KiB.
pub const MAX_HELLO: usize = 16 * 1024;
/// Content type of handshake records.
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_NAME: u16 = 0;

/// Answer of [`server_name`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// The client asks for this host, in lower case.
    Host(String),
    /// The hello names none, or the stream does not begin with a hello that can be read.
    None,
    /// The hello is not there yet as a whole.
    More,
}

/// The host that a ClientHello asks for.
pub fn server_name(stream: &[u8]) -> Name {
    let Ok(hello) = handshake(stream) else { return Name::None };
    let Some(hello) = hello else { return Name::More };
    match name_in(&hello) {
        Some(name) => Name::Host(name),
        None => Name::None,
    }
}

/// The body of the ClientHello, out of one or more records. `Ok(None)`: not all of it is there. `Err`: it is none.
fn handshake(stream: &[u8]) -> Result<Option<Vec<u8>>, ()> {
    let mut message = Vec::new();
    let mut rest = stream;
    loop {
        match message.as_slice() {
            [] => {}
            [CLIENT_HELLO, high, middle, low, body @ ..] => {
                let len = u32::from_be_bytes([0, *high, *middle, *low]) as usize;
                if len > MAX_HELLO {
                    return Err(());
                }
                if let Some(body) = body.get(..len) {
                    return Ok(Some(body.to_vec()));
                }
            }
            [CLIENT_HELLO] | [CLIENT_HELLO, _] | [CLIENT_HELLO, _, _] => {}
            _ => return Err(()),
        }
        let (content, tail) = match rest {
            [HANDSHAKE, 3, _, high, low, tail @ ..] => {
                let len = usize::from(u16::from_be_bytes([*high, *low]));
                if len == 0 {
                    return Err(());
                }
                (tail.get(..len).unwrap_or(tail), tail.get(len..).unwrap_or_default())
            }
            [] | [HANDSHAKE] | [HANDSHAKE, 3] | [HANDSHAKE, 3, _] | [HANDSHAKE, 3, _, _] => return Ok(None),
            _ => return Err(()),
        };
        if content.is_empty() {
            return Ok(None);
        }
        message.extend_from_slice(content);
        rest = tail;
    }
}

/// The `server_name` extension of a ClientHello's body.
fn name_in(hello: &[u8]) -> Option<String> {
    // Version and random come first.
    let (_, rest) = short_block(hello.get(34..)?)?;
    let (_, rest) = long_block(rest)?;
    let (_, rest) = short_block(rest)?;
    let (mut extensions, _) = long_block(rest)?;
    while let [high, low, rest @ ..] = extensions {
        let (data, rest) = long_block(rest)?;
        if u16::from_be_bytes([*high, *low]) == SERVER_NAME {
            return host(data);
        }
        extensions = rest;
    }
    None
}

/// The first host name of the extension's list.
fn host(data: &[u8]) -> Option<String> {
    let (list, _) = long_block(data)?;
    let [0, entry @ ..] = list else { return None };
    let (name, _) = long_block(entry)?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_".contains(byte);
    let fits = !name.is_empty() && name.len() <= 255 && name.iter().all(plain);
    fits.then(|| String::from_utf8_lossy(name).to_ascii_lowercase())
}

/// A block behind its length in one byte, and what follows it.
fn short_block(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*len))
}

/// The same with a length of two bytes.
fn long_block(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let [high, low, rest @ ..] = bytes else { return None };
    rest.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block(len_bytes: usize, content: &[u8]) -> Vec<u8> {
        let len = (content.len() as u32).to_be_bytes();
        [&len[4 - len_bytes..], content].concat()
    }

    /// A hello that asks for `name`, behind an extension of another kind, in records of at most `size` bytes.
    fn hello(name: &[u8], size: usize) -> Vec<u8> {
        let entry = [&[0][..], &block(2, name)].concat();
        let other = [&[0, 43][..], &block(2, &[2, 3, 4])].concat();
        let sni = [&[0, 0][..], &block(2, &block(2, &entry))].concat();
        let extensions = block(2, &[other, sni].concat());
        let body = [&[3, 3][..], &[7; 32], &block(1, &[9; 32]), &block(2, &[0x13, 1]), &block(1, &[0]), &extensions];
        let message = [&[CLIENT_HELLO][..], &block(3, &body.concat())].concat();
        message.chunks(size).flat_map(|part| [&[HANDSHAKE, 3, 1][..], &block(2, part)].concat()).collect()
    }

    #[test]
    fn the_name_is_found_however_the_hello_is_cut_into_records() {
        for size in [1, 7, 100, 16_384] {
            assert_eq!(server_name(&hello(b"MDM.Example.test", size)), Name::Host("mdm.example.test".into()));
        }
    }

    #[test]
    fn a_hello_that_is_not_whole_needs_more() {
        let whole = hello(b"mdm.example.test", 50);
        for len in 0..whole.len() {
            assert_eq!(server_name(&whole[..len]), Name::More, "{len} bytes");
        }
    }

    #[test]
    fn what_is_no_hello_has_no_name() {
        assert_eq!(server_name(b"GET / HTTP/1.1\r\n"), Name::None);
        assert_eq!(server_name(&[HANDSHAKE, 3, 3, 0, 4, 2, 0, 0, 0]), Name::None);
        assert_eq!(server_name(&hello(b"mdm\x1b[2J", 100)), Name::None);
    }

    proptest! {
        #[test]
        fn any_bytes_have_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0usize..200) {
            server_name(&bytes);
            let mut harmed = hello(b"mdm.example.test", 60);
            let end = harmed.len().min(at + bytes.len());
            if at < end {
                harmed[at..end].copy_from_slice(&bytes[..end - at]);
            }
            server_name(&harmed);
        }
    }
}
