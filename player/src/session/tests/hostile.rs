//! A server that sends the worst, all of it at once.

use cantus_qos::fec::Scheme;
use cantus_qos::fec::block::Layout;
use cantus_qos::fec::sliding::{EncodingSymbolId, RepairId};
use cantus_qos::payload::AudioFormat;
use cantus_qos::payload::cue::{self, Cue, MAX_TEXT};
use cantus_qos::rtp::{RtpTimestamp, Sequence, Ssrc};
use cantus_qos::spec::sdp::{AudioCodec, Medium};
use cantus_qos::time::ClockRate;

use super::allocator::most_held;
use super::*;
use crate::stand_in::{payload_type, track};

/// What a session may hold.
const ALLOWED: usize = 4_000_000;

/// What the transports may hold of it before it comes here (`player/src/drive`): packets in the
/// inbox, datagrams and streams of QUIC.
const TRANSPORT: usize = 128 * 1_500 + 128 * 1_024 + 128 * 1_024;

/// The longest packet that is taken, without IP and UDP headers.
const LONGEST: usize = 2_048;

/// Flows in the order in which they are set up.
const TRACKS: [u64; 2] = [1, 2];
const REPAIRS: [u64; 2] = [3, 4];
const WORDS: u64 = 5;

/// Two linear stereo tracks with repair, and subtitles: the most that is ever set up.
fn server(scheme: Scheme) -> StandIn {
    let format = AudioFormat { rate: ClockRate::OPUS, channels: 2 };
    let packet_time = MediaTime::from_millis(5);
    let (codec, longest) = (AudioCodec::L16, None);
    let audio = Medium::Audio { codec, format, packet_time, longest };
    let repair = |of: &str| Medium::Repair { protects: of.into(), scheme };
    let mut server = StandIn::new(1_000_000);
    server.refusals.clear();
    server.rtp_info = false;
    server.description.tracks = vec![
        track("one", 97, audio.clone()),
        track("two", 97, audio),
        track("repair/one", 99, repair("one")),
        track("repair/two", 99, repair("two")),
        track("text", 98, Medium::Text { language: "en".into() }),
    ];
    server
}

/// What a hostile server sends. Numbers are not random, so that a failure can be had again.
#[derive(Default)]
struct Flood {
    sent: u32,
}

impl Flood {
    /// The next packet of a track, in a block that never comes to its end; every seventh leaps
    /// ahead, every eleventh is a copy.
    fn unit(&mut self, length: usize, scheme: Scheme) -> Bytes {
        self.sent += u32::from(self.sent % 11 != 10 || length == 0);
        let leap = self.sent / 7 * 900;
        let packet = RtpPacket {
            payload_type: payload_type(97),
            marker: false,
            sequence: Sequence((self.sent + leap) as u16),
            timestamp: RtpTimestamp((self.sent * 240) % (60 * 48_000)),
            ssrc: Ssrc(7),
            send_time: None,
            payload: Bytes::from(vec![1; length]),
        };
        self.sent += 1;
        let packet = packet.write(None);
        match scheme {
            Scheme::Block(_) => self.in_block(&packet, true),
            Scheme::Sliding => Bytes::from([&packet[..], &self.sent.to_be_bytes()].concat()),
        }
    }

    /// A repair packet of the same block, or over a window of which half never comes.
    fn repair(&mut self, length: usize, scheme: Scheme) -> Bytes {
        match scheme {
            Scheme::Block(_) => self.in_block(&vec![0x80; length], false),
            Scheme::Sliding => {
                let first = EncodingSymbolId(self.sent.saturating_sub(200));
                let id = RepairId { key: self.sent as u16, density: 15, count: 200, first };
                Bytes::from([&id.to_bytes()[..], &vec![1; length]].concat())
            }
        }
    }

    /// With the payload ID of a block of 200 and its symbol.
    fn in_block(&self, packet: &[u8], source: bool) -> Bytes {
        let block = (self.sent / 100).to_be_bytes();
        let symbol = (self.sent % 100) as u8;
        let symbol = if source { symbol } else { 200 + symbol % 50 };
        let id = [block[1], block[2], block[3], symbol, 0, 200];
        let parts: [&[u8]; 2] = if source { [packet, &id] } else { [&id, packet] };
        Bytes::from(parts.concat())
    }

    /// The longest of cues, and none like another.
    fn cue(&mut self) -> Bytes {
        self.sent += 1;
        let (start, duration) = (MediaTime::from_millis(500_000), MediaTime::from_millis(9_000));
        let cue = Cue { id: self.sent, start, duration, text: "x".repeat(MAX_TEXT) };
        let packet = RtpPacket {
            payload_type: payload_type(98),
            payload: cue::encode(&cue).expect("it is not too long"),
            ..unit(0)
        };
        packet.write(None)
    }
}

/// A player that `server` plays to; what it says afterwards is not answered.
fn playing(scheme: Scheme) -> Player {
    let (mut server, mut wish) = (server(scheme), fixed());
    wish.latency = Latency::Fixed(Duration::from_millis(2_000));
    let mut player = Player::new(wish);
    player.start(MonoTime::ZERO, MonoTime::ZERO);
    loop {
        match player.poll(MonoTime::ZERO) {
            Output::Control(data) => {
                for answer in server.answer(&data) {
                    player.handle(MonoTime::ZERO, Input::Control(answer.as_bytes()));
                }
            }
            Output::Wait(_) => break,
            _ => {}
        }
    }
    assert_eq!(player.pipeline.as_ref().map(|pipeline| pipeline.tracks.len()), Some(2));
    player
}

fn give(player: &mut Player, now: MonoTime, flow: u64, channel: Channel, data: Bytes) {
    let flow = FlowId::new(flow).expect("a small number");
    player.handle(now, Input::Packet { flow, channel, data });
}

/// Does what is due, and forgets what comes of it, as a driver does that has no trace to write.
fn live(player: &mut Player, now: MonoTime) {
    while !matches!(player.poll(now), Output::Wait(_)) {}
}

/// The most that a player holds for four seconds of flood: packets of sound as long as `lengths`
/// says in turn, of repair too if there is any, and whatever else there is.
fn held(lengths: &[usize], scheme: Scheme, repair: bool) -> usize {
    let (most, player) = most_held(|| {
        let mut player = playing(scheme);
        let mut floods: [Flood; 3] = Default::default();
        for milli in 0..4_000u64 {
            let now = ms(milli);
            let length = lengths[milli as usize % lengths.len()];
            for side in 0..2 {
                let unit = floods[side].unit(length, scheme);
                give(&mut player, now, TRACKS[side], Channel::Rtp, unit);
                if repair {
                    let packet = floods[side].repair(length + 20, scheme);
                    give(&mut player, now, REPAIRS[side], Channel::Rtp, packet);
                }
            }
            give(&mut player, now, WORDS, Channel::Rtp, floods[2].cue());
            give(&mut player, now, TRACKS[0], Channel::Rtcp, Bytes::from(vec![0x80; length]));
            // A line that goes on and on ends the session; until then it is kept.
            if milli < 300 {
                player.handle(now, Input::Control(&[b'x'; 24]));
            }
            live(&mut player, now);
        }
        player
    });
    assert!(!player.is_ended(), "it plays on");
    drop(player);
    most
}

#[test]
fn no_server_makes_a_session_hold_more_than_four_megabytes() {
    let schemes = [(Scheme::Block(Layout::Adu), false), (Scheme::Block(Layout::Adu), true)];
    for (scheme, repair) in schemes.into_iter().chain([(Scheme::Sliding, true)]) {
        for lengths in [&[4][..], &[1_400]] {
            let most = held(lengths, scheme, repair);
            let what = format!("{scheme:?}, repair {repair}, {lengths:?} bytes: {most} held");
            println!("{what}, and {TRANSPORT} in transports");
            assert!(most > 1_000_000, "no flood: {what}");
            assert!(most + TRANSPORT <= ALLOWED, "{what}");
        }
    }
}

#[test]
fn a_server_that_never_answers_play_holds_little() {
    let (most, player) = most_held(|| {
        let mut player = Player::new(fixed());
        player.start(MonoTime::ZERO, MonoTime::ZERO);
        let mut flood = Flood::default();
        for milli in 0..5_000 {
            let length = [4, LONGEST - 40][milli as usize % 2];
            give(
                &mut player,
                ms(milli),
                TRACKS[0],
                Channel::Rtp,
                flood.unit(length, Scheme::Sliding),
            );
            player.handle(ms(milli), Input::Control(&[b'x'; 24]));
            live(&mut player, ms(milli));
        }
        player
    });
    drop(player);
    assert!(most <= 400_000, "{most}");
}
