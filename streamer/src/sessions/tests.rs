use std::sync::Arc;

use cantus_qos::delivery::Channel;
use cantus_qos::quantity::Bitrate;
use cantus_qos::roq::FlowId;
use cantus_qos::rtp::{PayloadType, RtpTimestamp, Sequence, Ssrc};
use cantus_qos::spec::admission::{Admission, Class, Limits};
use cantus_qos::time::{ClockRate, NtpTime};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::media;
use crate::pipeline::{AudioChain, Packetizer, Pipeline, SenderReports, StreamSeed, WallClock};
use crate::programme::Programme;
use crate::session::{Flow, FlowKind, Route, TIMEOUT};
use crate::wire::{Carrier, Destination};

const START: MonoTime = MonoTime::from_millis(1_000);

/// A session over QUIC whose connection and name have the same number.
fn session(programme: &Arc<Programme>, number: u64, spec: &str) -> Session {
    let rate = Bitrate::from_kbps(100);
    let grant = Admission::new(Limits::default()).request(Class::Reserved, rate).unwrap();
    let reports = SenderReports::new("test".to_owned(), ChaCha8Rng::seed_from_u64(number));
    let pipeline = Pipeline::new(rate, WallClock(NtpTime::default()), reports);
    let owner = (ConnectionId(number), Carrier::Quic);
    let mut session =
        Session::new(START, owner, programme.clone(), spec.parse().unwrap(), pipeline, grant);
    let seed = StreamSeed { ssrc: Ssrc(1), sequence: Sequence(1), timestamp: RtpTimestamp(1) };
    let packetizer = Packetizer::new(PayloadType::new(96).unwrap(), ClockRate::OPUS, seed, None);
    let chain = AudioChain::new(flow(), programme.audio[0].clone(), packetizer);
    session.pipeline.add_audio(chain);
    let route = Route::Quic(ConnectionId(number));
    session.add_flow(START, Flow { id: flow(), kind: FlowKind::Audio(0), route, rate });
    session
}

fn flow() -> FlowId {
    FlowId::new(1).unwrap()
}

/// Data units that leave up to `until`: when, and in which session.
fn run(sessions: &mut Sessions, until: MonoTime, held: bool) -> Vec<(MonoTime, u64)> {
    let (mut now, mut left) = (START, Vec::new());
    let mut expired = Vec::new();
    loop {
        while let Some(transmit) = sessions.pop(now, held, &mut expired) {
            if let (Destination::Datagram(ConnectionId(number), _), Channel::Rtp) =
                (transmit.destination, transmit.channel)
            {
                left.push((now, number));
            }
        }
        match sessions.next_deadline(held.then_some(MonoTime::from_nanos(u64::MAX))) {
            Some(at) if at <= until => now = at,
            _ => return left,
        }
    }
}

#[test]
fn sessions_take_turns_by_the_instants_of_their_units() {
    let programme = media::programme("turns", 1);
    let mut sessions = Sessions::default();
    for number in [1, 2] {
        let id = SessionId(number);
        sessions.insert(START, id, session(&programme, number, ""));
        let begin = START + Duration::from_millis(10 * number);
        sessions.update(begin, id, |session| session.play(begin, None, None));
    }
    let left = run(&mut sessions, START + Duration::from_millis(75), false);
    let expected = [(10, 1), (20, 2), (30, 1), (40, 2), (50, 1), (60, 2), (70, 1)];
    let expected = expected.map(|(millis, number)| (START + Duration::from_millis(millis), number));
    assert_eq!(left, expected);
}

#[test]
fn when_the_cap_is_reached_those_that_run_ahead_wait_and_live_ones_do_not() {
    let programme = media::programme("held", 1);
    let mut sessions = Sessions::default();
    for (number, spec) in [(1, "mode=stored"), (2, "mode=live")] {
        let id = SessionId(number);
        sessions.insert(START, id, session(&programme, number, spec));
        sessions.update(START, id, |session| session.play(START, None, None));
    }
    let held = run(&mut sessions, START + Duration::from_millis(95), true);
    assert_eq!(held.len(), 5);
    assert!(held.iter().all(|(_, number)| *number == 2), "{held:?}");
    let free_at = START + Duration::from_millis(500);
    let deadline = sessions.next_deadline(Some(free_at)).unwrap();
    assert!(deadline <= START + Duration::from_millis(100), "the live one is due before");
    let mut expired = Vec::new();
    assert!(sessions.pop(free_at, false, &mut expired).is_some());
}

#[test]
fn a_silent_session_expires_after_its_time_and_not_before() {
    let programme = media::programme("expiry", 1);
    let mut sessions = Sessions::default();
    sessions.insert(START, SessionId(1), session(&programme, 1, ""));
    let end = START + TIMEOUT;
    assert_eq!(sessions.next_deadline(None), Some(end));
    let mut expired = Vec::new();
    assert_eq!(sessions.pop(end - Duration::from_nanos(1), false, &mut expired), None);
    assert_eq!(expired, []);
    assert_eq!(sessions.pop(end, false, &mut expired), None);
    assert_eq!(expired, [SessionId(1)]);
}

#[test]
fn what_a_session_had_is_free_once_it_is_removed() {
    let programme = media::programme("removal", 1);
    let mut sessions = Sessions::default();
    sessions.insert(START, SessionId(1), session(&programme, 1, ""));
    let source = Source::Quic(ConnectionId(1), flow());
    assert!(sessions.is_taken(&source));
    assert_eq!(sessions.by_source(&source), Some(SessionId(1)));
    assert_eq!(sessions.of_connection(ConnectionId(1)), [SessionId(1)]);
    assert_eq!(sessions.remove(SessionId(1)).unwrap().rate(), Bitrate::from_kbps(100));
    assert!(!sessions.is_taken(&source) && sessions.is_empty());
    assert_eq!(sessions.next_deadline(None), None);
    assert!(sessions.remove(SessionId(1)).is_none());
}

#[test]
fn a_name_is_sixteen_digits_and_reads_back() {
    let id = SessionId(0xab);
    assert_eq!(id.to_string(), "00000000000000ab");
    assert_eq!(id.to_string().parse(), Ok(id));
    assert!("".parse::<SessionId>().is_err());
}
