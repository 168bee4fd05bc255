//! The examples of RFC 7541 appendix C, and what an encoder of our own writes.

use proptest::prelude::*;

use super::*;
use crate::http::peer;

const BOUND: usize = 65_536;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn read(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<String>, Fault> {
    let mut fields = Vec::new();
    let shown = |text: Option<&str>| text.unwrap_or("?").to_owned();
    decoder
        .decode(block, &mut |field| fields.push(format!("{}: {}", shown(field.name), shown(field.value))))
        .map(|()| fields)
}

/// Reads the blocks of one connection.
fn all(decoder: &mut Decoder, blocks: &[(&str, &str)]) {
    for (block, expected) in blocks {
        assert_eq!(read(decoder, &bytes(block)).unwrap(), expected.split('\n').collect::<Vec<_>>(), "{block}");
    }
}

#[test]
fn numbers_of_section_c1() {
    let number = |hex: &str, bits| Block { rest: &bytes(hex) }.number(bits);
    assert_eq!(number("ea", 5), Ok(10));
    assert_eq!(number("1f9a0a", 5), Ok(1337));
    assert_eq!(number("2a", 8), Ok(42));
    assert_eq!(number("1fff", 5), Err(Fault::Cut));
    assert_eq!(number("1fffffffffffff01", 5), Err(Fault::Number));
}

#[test]
fn fields_of_section_c2() {
    for (block, field) in [
        ("400a637573746f6d2d6b65790d637573746f6d2d686561646572", "custom-key: custom-header"),
        ("040c2f73616d706c652f70617468", ":path: /sample/path"),
        ("100870617373776f726406736563726574", "password: secret"),
        ("82", ":method: GET"),
    ] {
        all(&mut Decoder::new(true, BOUND), &[(block, field)]);
    }
}

const REQUESTS: [&str; 3] = [
    ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com",
    ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\ncache-control: no-cache",
    ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\ncustom-key: custom-value",
];

#[test]
fn requests_of_sections_c3_and_c4() {
    let plain = [
        "828684410f7777772e6578616d706c652e636f6d",
        "828684be58086e6f2d6361636865",
        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
    ];
    let coded = [
        "828684418cf1e3c2e5f23a6ba0ab90f4ff",
        "828684be5886a8eb10649cbf",
        "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
    ];
    for blocks in [plain, coded] {
        let rows: Vec<_> = blocks.into_iter().zip(REQUESTS).collect();
        all(&mut Decoder::new(true, BOUND), &rows);
    }
}

#[test]
fn responses_of_sections_c5_and_c6_with_eviction() {
    let date = "date: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com";
    let first = format!(":status: 302\ncache-control: private\n{date}");
    let second = format!(":status: 307\ncache-control: private\n{date}");
    let third = ":status: 200\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:22 GMT\n\
                 location: https://www.example.com\ncontent-encoding: gzip\n\
                 set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
    let plain = [
        "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54\
         6e1768747470733a2f2f7777772e6578616d706c652e636f6d",
        "4803333037c1c0bf",
        "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a\
         4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
    ];
    let coded = [
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
        "4883640effc1c0bf",
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af\
         27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
    ];
    for blocks in [plain, coded] {
        let mut decoder = Decoder::new(true, BOUND);
        decoder.table.resize(256);
        let rows: Vec<_> = blocks.into_iter().zip([first.as_str(), &second, third]).collect();
        all(&mut decoder, &rows);
    }
}

#[test]
fn a_late_beginning_leaves_fields_unknown_and_the_later_ones_right() {
    let mut decoder = Decoder::new(false, BOUND);
    // The second request of C.3: the authority was taught by the first.
    all(
        &mut decoder,
        &[("828684be58086e6f2d6361636865", ":method: GET\n:scheme: http\n:path: /\n?: ?\ncache-control: no-cache")],
    );
    all(&mut decoder, &[("be", "cache-control: no-cache"), ("bf", "?: ?")]);
    // A known value under an unknown name, and that field again.
    all(&mut decoder, &[("7f010161", "?: a"), ("be", "?: a")]);
}

#[test]
fn damage_is_told_and_forgets_the_table() {
    let mut decoder = Decoder::new(true, BOUND);
    for (block, fault) in [
        ("80", Fault::Index),
        ("41", Fault::Cut),
        ("410f7777", Fault::Cut),
        ("4181ff", Fault::Huffman),
        ("ffffffffffffff7f", Fault::Number),
    ] {
        assert_eq!(read(&mut decoder, &bytes(block)), Err(fault), "{block}");
    }
    all(&mut decoder, &[("be", "?: ?")]);
}

/// How a field is written.
#[derive(Clone, Debug)]
enum How {
    Indexed,
    Kept,
    NotKept,
    Never,
}

/// An encoder with a table of its own, of `(name, value)`, newest first.
#[derive(Default)]
struct Encoder {
    rows: Vec<(String, String)>,
}

impl Encoder {
    fn string(text: &str, coded: bool, out: &mut Vec<u8>) {
        let octets = if coded { huffman::encode(text.as_bytes()) } else { text.as_bytes().to_vec() };
        peer::number(if coded { 0x80 } else { 0 }, 7, octets.len(), out);
        out.extend(octets);
    }

    fn field(&mut self, name: &str, value: &str, how: &How, coded: bool, out: &mut Vec<u8>) {
        let known = self.rows.iter().position(|(known, same)| known == name && same == value);
        if let (How::Indexed, Some(at)) = (how, known) {
            return peer::number(0x80, 7, 62 + at, out);
        }
        let (first, bits) = match how {
            How::Indexed | How::Kept => (0x40, 6),
            How::NotKept => (0, 4),
            How::Never => (0x10, 4),
        };
        match self.rows.iter().position(|(known, _)| known == name) {
            Some(at) => peer::number(first, bits, 62 + at, out),
            None => {
                out.push(first);
                Self::string(name, coded, out);
            }
        }
        Self::string(value, coded, out);
        if bits == 6 {
            self.rows.insert(0, (name.to_owned(), value.to_owned()));
        }
    }
}

fn field() -> impl Strategy<Value = (String, String, How, bool)> {
    let how = prop_oneof![Just(How::Indexed), Just(How::Kept), Just(How::NotKept), Just(How::Never)];
    ("[a-c]{1,3}", "[ -~é]{0,40}", how, any::<bool>())
}

proptest! {
    #[test]
    fn what_is_encoded_comes_back(blocks in prop::collection::vec(prop::collection::vec(field(), 0..8), 1..5)) {
        let (mut encoder, mut decoder) = (Encoder::default(), Decoder::new(true, BOUND));
        let mut late = Decoder::new(false, BOUND);
        decoder.table.resize(BOUND as u64);
        for (number, block) in blocks.iter().enumerate() {
            let mut coded = Vec::new();
            for (name, value, how, huffman) in block {
                encoder.field(name, value, how, *huffman, &mut coded);
            }
            let expected: Vec<String> = block.iter().map(|(name, value, ..)| format!("{name}: {value}")).collect();
            prop_assert_eq!(&read(&mut decoder, &coded).unwrap(), &expected);
            if number > 0 {
                for (found, expected) in read(&mut late, &coded).unwrap().iter().zip(&expected) {
                    let (name, value) = expected.split_once(": ").unwrap();
                    let fits = [expected.clone(), format!("?: {value}"), "?: ?".to_owned()].contains(found);
                    prop_assert!(fits, "{} for {}: {}", found, name, expected);
                }
            }
        }
    }

    #[test]
    fn any_bytes_end_in_fields_or_a_fault(blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..6), start: bool) {
        let mut decoder = Decoder::new(start, 512);
        for block in blocks {
            let mut octets = 0;
            let _ = decoder.decode(&block, &mut |field| octets += field.value.map_or(0, str::len));
            // A field costs an octet at least, and repeats at most what the table holds.
            prop_assert!(octets <= block.len() * 512 + block.len() * 5);
        }
    }
}
