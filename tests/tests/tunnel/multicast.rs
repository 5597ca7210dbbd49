//! A push to a group: who has joined it hears it, and who looks for sessions is told of it.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::time::Duration;

use cantus_bench::tunnel::{Job, Until};
use cantus_qos::rtcp::{RtcpPacket, parse_compound};
use cantus_qos::rtp::RtpPacket;
use cantus_qos::spec::sdp::Description;
use cantus_streamer::catalogue::Catalogue;
use cantus_streamer::drive::push::{self, Reach, ReadyPush, Targets};
use cantus_streamer::encoding::Codec;
use cantus_streamer::programme::{Programme, ProgrammeKey};
use cantus_streamer::push::Ending;

use super::{FOLDER, Folder, PATIENCE, again, cross, not_run};

const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 7, 7);
/// Where sessions of its scope are announced.
const ANNOUNCED: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 255);
/// A second in packets of 220 frames.
const PACKETS: usize = 201;

#[test]
fn who_joins_a_group_hears_what_is_pushed_to_it_and_is_told_of_it() {
    let folder = Folder::new("group");
    let joined = folder.0.join("joined");
    let route = "ip route add 224.0.0.0/4 dev cantus0";
    let wait = format!("until [ -e '{}' ]; do sleep 0.05; done", joined.display());
    let pusher = again(&folder, "multicast::the_pusher_inside_the_tunnel");
    let member = again(&folder, "multicast::the_member_inside_the_tunnel");
    let job = Job {
        left: format!("{route}; {wait}; {pusher}"),
        right: format!("{route}; {member}"),
        until: Until::Both,
        length: Some(PATIENCE),
    };
    if let Some(outcome) = cross("delay 5ms", &job) {
        assert_eq!(outcome.ended.code(), 0, "{:?}", outcome.ended);
    }
}

#[test]
#[ignore = "run by the first test, on the left of its tunnel"]
fn the_pusher_inside_the_tunnel() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return not_run(&"the pusher, because there is no tunnel around it");
    };
    let sound = Path::new(&folder).join("tone.wav");
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 44_100,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(&sound, spec).unwrap();
    (0..88_200).for_each(|n| file.write_sample(n as i16).unwrap());
    file.finalize().unwrap();
    let (catalogue, name) = Catalogue::around(&sound).unwrap();
    let key = ProgrammeKey::new(&name, Codec::L16);
    let programme = Programme::load(&catalogue, &key).unwrap();
    let target = format!("rtp://{GROUP}:5004").parse().unwrap();
    let targets = Targets { media: &target, repair: None, control: None };
    let way = push::find(targets, Reach { interface: None, ttl: 1 }).unwrap();
    let ready = ReadyPush::new(&programme, way).unwrap().announced().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ending = runtime.block_on(async { ready.start().unwrap().ended().await });
    assert_eq!(ending, Ending::Finished);
}

#[test]
#[ignore = "run by the first test, on the right of its tunnel"]
fn the_member_inside_the_tunnel() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return not_run(&"the member, because there is no tunnel around it");
    };
    let (media, reports) = (member(GROUP, 5_004), member(GROUP, 5_005));
    let directory = member(ANNOUNCED, 9_875);
    std::fs::write(Path::new(&folder).join("joined"), "").unwrap();

    let announced = heard(&directory);
    let sdp = &announced[24..];
    assert_eq!((announced[0], &announced[8..24]), (0x20, &b"application/sdp\0"[..]));
    let description = Description::parse(sdp).unwrap();
    assert_eq!((description.title.as_str(), description.tracks.len()), ("tone", 1));
    let payload_type = description.tracks[0].payload_type;
    let text = String::from_utf8_lossy(sdp);
    assert!(
        text.contains("c=IN IP4 239.255.7.7/1\r\n") && text.contains("m=audio 5004 "),
        "{text}"
    );

    let packets = (0..PACKETS).map(|_| RtpPacket::parse(heard(&media).into(), None).unwrap());
    let packets: Vec<_> = packets.collect();
    assert!(packets.iter().all(|packet| packet.payload_type == payload_type));
    let numbers: BTreeSet<u16> = packets.iter().map(|packet| packet.sequence.0).collect();
    assert_eq!(numbers.len(), PACKETS, "each of them once");

    let is_goodbye = |packet: &RtcpPacket| matches!(packet, RtcpPacket::Bye { .. });
    while !parse_compound(&heard(&reports)).unwrap().iter().any(is_goodbye) {}
    assert_eq!(heard(&directory)[0], 0x24, "deleted");
}

/// A socket on this side of the tunnel that has joined `group`.
fn member(group: Ipv4Addr, port: u16) -> UdpSocket {
    let here: Ipv4Addr = std::env::var("CANTUS_HERE").unwrap().parse().unwrap();
    let socket = UdpSocket::bind((group, port)).unwrap();
    socket.join_multicast_v4(&group, &here).unwrap();
    socket.set_read_timeout(Some(PATIENCE.saturating_sub(Duration::from_secs(5)))).unwrap();
    socket
}

fn heard(socket: &UdpSocket) -> Vec<u8> {
    let mut packet = [0; 2_048];
    let length = socket.recv(&mut packet).unwrap();
    packet[..length].to_vec()
}
