//! The capture builder itself: what other tests stand on.

mod build;

use build::{Conversation, PcapNg, Tcp, ethernet, fragment, pcap, pcapng};

#[test]
fn a_conversation_is_handshake_data_both_ways_and_fin() {
    let packets = Conversation::new("10.0.0.2:50000", "10.0.0.1:80").mss(10).client(&[b'a'; 25]).server(b"b").close();
    // 3 of the handshake, 3 of data and their ACK, 1 of data and its ACK, 3 of the end.
    assert_eq!(packets.len(), 12);
    assert!(packets.windows(2).all(|two| two[0].at < two[1].at));
    let sizes: Vec<usize> = packets[3..6].iter().map(|packet| packet.wire_len).collect();
    assert_eq!(sizes, [64, 64, 60]);
}

#[test]
fn files_hold_every_packet_with_its_bytes() {
    let packets = Conversation::new("[fd00::2]:50000", "[fd00::1]:80").client(b"x").close();
    let (old, new) = (pcap(&packets), pcapng(&packets));
    for packet in &packets {
        assert!(old.windows(packet.bytes.len()).any(|window| window == packet.bytes));
        assert!(new.windows(packet.bytes.len()).any(|window| window == packet.bytes));
    }
    assert_eq!(old.len(), 24 + packets.iter().map(|packet| 16 + packet.bytes.len()).sum::<usize>());
    assert_eq!(PcapNg::new().section(true).bytes.len(), 28);
}

#[test]
fn fragments_carry_the_payload_once() {
    let end = |text: &str| text.parse().unwrap();
    let tcp = Tcp { seq: 1, ack: 1, flags: build::ACK, payload: &[7; 100] };
    let whole = tcp.datagram(end("10.0.0.2:1"), end("10.0.0.1:2"));
    let parts = fragment(&whole, 48, 9);
    assert_eq!(parts.iter().flat_map(|part| part[20..].to_vec()).collect::<Vec<_>>(), whole[20..]);
    assert_eq!(ethernet(&whole).len(), 14 + whole.len());
}
