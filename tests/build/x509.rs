//! Certificates in DER, for tests: all that one says, with a signature that says nothing.

// Shared by unit tests and test binaries, each of which uses a part.
#![allow(dead_code, unreachable_pub)]

/// What goes into a certificate.
#[derive(Clone, Debug)]
pub struct Template {
    /// The common name; bytes, for those that no string may hold.
    pub subject: Vec<u8>,
    /// The issuer's common name.
    pub issuer: Vec<u8>,
    pub serial: Vec<u8>,
    /// `YYYYMMDDHHMMSSZ`.
    pub validity: [String; 2],
    /// Hosts it holds for.
    pub hosts: Vec<String>,
    /// Whether its key may be used by a client.
    pub for_client: bool,
    /// Whether it names a policy of the CA/Browser Forum, as those of public authorities do.
    pub public: bool,
}

impl Default for Template {
    fn default() -> Template {
        Template {
            subject: b"mdm.example.test".to_vec(),
            issuer: b"Example CA".to_vec(),
            serial: vec![0x0a, 0x1b],
            validity: ["20250101000000Z", "20350101000000Z"].map(str::to_owned),
            hosts: Vec::new(),
            for_client: false,
            public: false,
        }
    }
}

impl Template {
    pub fn der(&self) -> Vec<u8> {
        let signature = seq(&[tlv(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 11]), tlv(5, &[])]);
        let times = self.validity.each_ref().map(|time| tlv(0x18, time.as_bytes()));
        let body = seq(&[
            tlv(0xa0, &tlv(2, &[2])),
            tlv(2, &self.serial),
            signature.clone(),
            name(&self.issuer),
            seq(&times),
            name(&self.subject),
            key(),
            tlv(0xa3, &seq(&self.extensions())),
        ]);
        seq(&[body, signature, tlv(3, &[0; 257])])
    }

    fn extensions(&self) -> Vec<Vec<u8>> {
        let extension = |id: &[u8], value: Vec<u8>| seq(&[tlv(6, id), tlv(4, &value)]);
        // BasicConstraints: no CA.
        let mut all = vec![extension(&[0x55, 0x1d, 19], seq(&[]))];
        if !self.hosts.is_empty() {
            let hosts: Vec<_> = self.hosts.iter().map(|host| tlv(0x82, host.as_bytes())).collect();
            all.push(extension(&[0x55, 0x1d, 17], seq(&hosts)));
        }
        if self.for_client {
            all.push(extension(&[0x55, 0x1d, 37], seq(&[tlv(6, &[0x2b, 6, 1, 5, 5, 7, 3, 2])])));
        }
        if self.public {
            // 2.23.140.1.2.1: the domain was validated.
            let policy = seq(&[tlv(6, &[0x67, 0x81, 0x0c, 1, 2, 1])]);
            all.push(extension(&[0x55, 0x1d, 32], seq(&[policy])));
        }
        all
    }
}

/// `CN=…` as PrintableString, whatever the bytes are.
fn name(common_name: &[u8]) -> Vec<u8> {
    seq(&[tlv(0x31, &seq(&[tlv(6, &[0x55, 4, 3]), tlv(0x13, common_name)]))])
}

/// An RSA key of 2048 bits.
fn key() -> Vec<u8> {
    let modulus = [&[0, 0xc1][..], &[0x5a; 255]].concat();
    let numbers = seq(&[tlv(2, &modulus), tlv(2, &[1, 0, 1])]);
    let algorithm = seq(&[tlv(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1]), tlv(5, &[])]);
    seq(&[algorithm, tlv(3, &[&[0][..], &numbers].concat())])
}

fn seq(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len();
    let head = match len {
        0..0x80 => vec![tag, len as u8],
        0x80..0x100 => vec![tag, 0x81, len as u8],
        _ => vec![tag, 0x82, (len >> 8) as u8, len as u8],
    };
    [head, content.to_vec()].concat()
}
