//! Hosts that were not reached: names for which DNS had no answer, and TCP connections that nobody took.
//!
//! In: the DNS datagrams and the connection attempts of one input. Out: [`Unreached`] hosts, each told once with how often it was
//! tried. What failed first and worked later is none. Bounds: `limits.names` names and as many addresses.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use simple_dns::rdata::RData;
use simple_dns::{Packet, PacketFlag, RCODE};

use crate::http::InputId;
use crate::limits::Limits;
use crate::link::Datagram;
use crate::origin::Unit;
use crate::tcp::Attempt;
use crate::time::Time;

/// Why a host was not reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The name does not exist, or has no address.
    NoSuchName,
    /// The DNS server failed or refused, with this answer.
    DnsFailed(String),
    /// The DNS server did not answer.
    DnsSilent,
    /// Nobody answered the connection.
    Silent,
    /// The connection was refused.
    Refused,
}

/// A host that was not reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    /// Its name, or its address where no name is known.
    pub host: String,
    /// Why.
    pub why: Why,
    /// Who tried.
    pub client: IpAddr,
    /// Whom it asked: the DNS server, or the host itself.
    pub asked: SocketAddr,
    /// How often it tried.
    pub times: u32,
    /// Where that is: the input, and the frame where it is known.
    pub input: InputId,
    /// The frame of the first try, where it is known.
    pub frame: Option<u32>,
    /// When it tried first.
    pub at: Option<Time>,
}

/// A name that was asked for.
#[derive(Debug)]
struct Asked {
    client: IpAddr,
    server: SocketAddr,
    times: u32,
    frame: Option<u32>,
    at: Option<Time>,
    answer: Option<Why>,
    found: bool,
}

/// What is known of the names of one input.
#[derive(Debug)]
pub struct Names {
    asked: HashMap<String, Asked>,
    /// Which name an address was given for.
    named: HashMap<IpAddr, String>,
    most: usize,
}

impl Names {
    /// Nothing known yet.
    pub fn new(limits: &Limits) -> Names {
        Names { asked: HashMap::new(), named: HashMap::new(), most: limits.names }
    }

    /// Takes a datagram from or to the port of DNS. What is none, or not whole, is passed over.
    pub fn take(&mut self, datagram: &Datagram<'_>) {
        let Ok(packet) = Packet::parse(datagram.payload) else { return };
        let Some(question) = packet.questions.first() else { return };
        let name = question.qname.to_string().trim_end_matches('.').to_ascii_lowercase();
        if packet.has_flags(PacketFlag::RESPONSE) {
            self.answered(&name, &packet);
        } else {
            self.asks(name, datagram);
        }
    }

    fn asks(&mut self, name: String, datagram: &Datagram<'_>) {
        if self.asked.len() >= self.most && !self.asked.contains_key(&name) {
            return;
        }
        let asked = self.asked.entry(name).or_insert_with(|| Asked {
            client: datagram.source.ip(),
            server: datagram.destination,
            times: 0,
            frame: match datagram.run.unit {
                Unit::Frame(frame) => Some(frame),
                _ => None,
            },
            at: datagram.at,
            answer: None,
            found: false,
        });
        asked.times = asked.times.saturating_add(1);
    }

    fn answered(&mut self, name: &str, packet: &Packet<'_>) {
        let Some(asked) = self.asked.get_mut(name) else { return };
        let addresses = packet.answers.iter().filter_map(|answer| match &answer.rdata {
            RData::A(a) => Some(IpAddr::from(a.address.to_be_bytes())),
            RData::AAAA(aaaa) => Some(IpAddr::from(aaaa.address.to_be_bytes())),
            _ => None,
        });
        for address in addresses {
            asked.found = true;
            if self.named.len() < self.most {
                self.named.insert(address, name.to_owned());
            }
        }
        asked.answer = Some(match packet.rcode() {
            RCODE::NoError | RCODE::NameError => Why::NoSuchName,
            code => Why::DnsFailed(format!("{code:?}")),
        });
    }

    /// The hosts that were not reached, in the order they were tried.
    pub fn finish(self, attempts: Vec<Attempt>, input: InputId) -> Vec<Unreached> {
        let mut unreached: Vec<Unreached> = attempts
            .into_iter()
            .map(|attempt| Unreached {
                host: self.named.get(&attempt.server.ip()).cloned().unwrap_or_else(|| attempt.server.to_string()),
                why: if attempt.refused { Why::Refused } else { Why::Silent },
                client: attempt.client,
                asked: attempt.server,
                times: attempt.times,
                input,
                frame: None,
                at: attempt.at,
            })
            .collect();
        let failed = self.asked.into_iter().filter(|(_, asked)| !asked.found);
        // One question without an answer may be the last packet of the capture.
        let failed = failed.filter(|(_, asked)| asked.answer.is_some() || asked.times > 1);
        unreached.extend(failed.map(|(host, asked)| Unreached {
            host,
            why: asked.answer.unwrap_or(Why::DnsSilent),
            client: asked.client,
            asked: asked.server,
            times: asked.times,
            input,
            frame: asked.frame,
            at: asked.at,
        }));
        unreached.sort_by(|a, b| (a.at, a.frame, &a.host).cmp(&(b.at, b.frame, &b.host)));
        unreached
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::DNS;
    use crate::origin::Run;
    use simple_dns::rdata::A;
    use simple_dns::{CLASS, Name, QCLASS, QTYPE, Question, ResourceRecord, TYPE};

    const HOST: &str = "enterpriseenrollment.example.test";

    fn take(names: &mut Names, packet: &Packet<'_>, frame: u32) {
        let payload = packet.build_bytes_vec().unwrap();
        let response = packet.has_flags(PacketFlag::RESPONSE);
        let (client, server) = (SocketAddr::from(([10, 0, 0, 1], 5000)), SocketAddr::from(([10, 0, 0, 2], DNS)));
        let (source, destination) = if response { (server, client) } else { (client, server) };
        let run = Run { at: 0, unit: Unit::Frame(frame), offset: 42, time: None, exact: true };
        names.take(&Datagram { source, destination, payload: &payload, cut: 0, run, at: None });
    }

    fn question(mut packet: Packet<'static>) -> Packet<'static> {
        let name = Name::new(HOST).unwrap();
        packet.questions.push(Question::new(name, QTYPE::TYPE(TYPE::A), QCLASS::CLASS(CLASS::IN), false));
        packet
    }

    fn told(names: Names, attempts: Vec<Attempt>) -> Vec<(String, Why, u32)> {
        let unreached = names.finish(attempts, InputId(0));
        unreached.into_iter().map(|one| (one.host, one.why, one.times)).collect()
    }

    #[test]
    fn a_name_that_does_not_exist_and_one_nobody_answers() {
        let mut names = Names::new(&Limits::default());
        take(&mut names, &question(Packet::new_query(1)), 1);
        let mut no = question(Packet::new_reply(1));
        *no.rcode_mut() = RCODE::NameError;
        take(&mut names, &no, 2);
        assert_eq!(told(names, Vec::new()), [(HOST.to_owned(), Why::NoSuchName, 1)]);
        let mut names = Names::new(&Limits::default());
        (1..4).for_each(|frame| take(&mut names, &question(Packet::new_query(1)), frame));
        assert_eq!(told(names, Vec::new()), [(HOST.to_owned(), Why::DnsSilent, 3)]);
        let mut once = Names::new(&Limits::default());
        take(&mut once, &question(Packet::new_query(1)), 1);
        assert_eq!(told(once, Vec::new()), [], "the capture may end there");
    }

    #[test]
    fn a_connection_that_nobody_takes_has_the_name_that_was_asked_for() {
        let mut names = Names::new(&Limits::default());
        take(&mut names, &question(Packet::new_query(1)), 1);
        let mut yes = question(Packet::new_reply(1));
        let record = RData::A(A { address: 0x0a00_0009 });
        yes.answers.push(ResourceRecord::new(Name::new(HOST).unwrap(), CLASS::IN, 60, record));
        take(&mut names, &yes, 2);
        let server = SocketAddr::from(([10, 0, 0, 9], 443));
        let attempt = Attempt { client: IpAddr::from([10, 0, 0, 1]), server, times: 3, refused: false, at: None };
        assert_eq!(told(names, vec![attempt]), [(HOST.to_owned(), Why::Silent, 3)]);
    }

    #[test]
    fn any_bytes_are_stood() {
        let mut names = Names::new(&Limits::default());
        let bytes: Vec<u8> = (0..=255).cycle().take(600).collect();
        for length in 0..bytes.len() {
            let run = Run { at: 0, unit: Unit::Frame(1), offset: 42, time: None, exact: true };
            let end = SocketAddr::from(([10, 0, 0, 1], DNS));
            names.take(&Datagram { source: end, destination: end, payload: &bytes[..length], cut: 0, run, at: None });
        }
    }
}
