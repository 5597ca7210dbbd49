use super::*;

use std::io::Write as _;
use std::time::Duration;

use clap::Parser;

use super::campaign::{progress, runs};
use super::drive::Course;
use crate::cli::{Cli, Command, NamedLink};

fn options(words: &str) -> PeersOptions {
    let words = ["cantus-bench", "peers"].into_iter().chain(words.split_whitespace());
    match Cli::try_parse_from(words).unwrap().command {
        Command::Peers(options) => *options,
        other => panic!("{other:?} is not peers"),
    }
}

fn refusal(words: &[&str]) -> String {
    let words = ["cantus-bench", "peers"].iter().chain(words);
    Cli::try_parse_from(words).unwrap_err().to_string()
}

#[test]
fn every_link_is_tried_with_every_latency_seed_and_peer_and_what_is_absent_is_said_once() {
    let options = options("--link wifi --link bad --latency 100 --latency 1s --seed 1 --seed 2");
    let peers: Vec<_> = roster::chosen(&["bare".parse().unwrap(), "srt".parse().unwrap()]);
    let need = presence::Need::program("srt-live-transmit", "srt-tools");
    let presence = |peer: &Peer| match peer.kind {
        Kind::Bare => Presence::Here(None),
        _ => Presence::Absent(need),
    };
    let peers: Vec<_> = peers.into_iter().map(|peer| (peer, presence(peer))).collect();
    let all = runs(&options, &peers);
    assert_eq!(all.len(), 2 * 2 * (2 + 3));
    assert_eq!((all[0].link.to_string().as_str(), all[0].seed), ("wifi", 1));
    assert_eq!((all[1].peer.name, all[1].seed), ("bare", 2));
    assert_eq!(all[19].latency, Duration::from_secs(1));
}

#[test]
fn the_list_tells_versions_and_where_to_get_what_is_absent() {
    let need = presence::Need::program("ristsender", "rist-tools");
    let peers = [
        (&roster::ROSTER[0], Presence::Here(None)),
        (&roster::ROSTER[3], Presence::Here(Some("1.22.0".to_owned()))),
        (&roster::ROSTER[15], Presence::Absent(need)),
    ];
    let list = list(&peers);
    let lines: Vec<_> = list.lines().collect();
    assert!(lines[0].starts_with("bare ") && lines[0].ends_with(" here"));
    assert!(lines[1].starts_with("gst-plain ") && lines[1].ends_with(" 1.22.0"));
    assert!(lines[2].ends_with(" absent: no ristsender; Debian has it in rist-tools"));
}

#[test]
fn what_nobody_has_heard_of_is_refused_before_anything_starts() {
    assert!(refusal(&["--only", "gstt"]).contains("no peer is called `gstt`"));
    assert!(refusal(&["--link", "wofi"]).contains("wofi"));
    assert!(refusal(&["--latency", "soon"]).contains("soon"));
    assert!(refusal(&["--for", "0s"]).contains("0s"));
    assert!(refusal(&["--jobs", "0"]).contains('0'));
}

#[test]
fn what_could_not_end_well_is_refused_before_anything_starts() {
    let refused = |words: &str| check(&options(words)).unwrap_err().to_string();
    assert!(refused("--json /no/such/folder/peers.json").starts_with("cannot write /no/such/"));
    let link: NamedLink = "trace /no/such/trace".parse().unwrap();
    let error = check(&PeersOptions { link: vec![link], ..options("") }).unwrap_err().to_string();
    assert!(error.starts_with("the link 'trace /no/such/trace': "), "{error}");
    assert!(!error.contains('\n'));
}

#[test]
fn a_link_is_called_as_the_user_called_it() {
    let link: NamedLink = "thin  rate 96kbit".parse().unwrap();
    assert_eq!(link.to_string(), "thin rate 96kbit");
    assert_eq!(link.spec, "thin rate 96kbit".parse().unwrap());
}

#[test]
fn progress_can_be_drawn() {
    progress(3).finish_and_clear();
}

/// The cheapest peer that is here, for a second: plain GStreamer hands over what the link lets
/// through, and nothing else.
#[test]
fn a_real_peer_hands_over_what_the_link_lets_through() {
    let peer = roster::chosen(&["gst-plain".parse().unwrap()])[0];
    if let Presence::Absent(need) = presence_of(peer) {
        // Past the harness, which shows what a test prints only when it fails.
        _ = writeln!(io::stderr(), "NOT RUN: a real peer across a real link: {need}");
        return;
    }
    let Kind::Foreign(foreign) = peer.kind else { panic!("GStreamer is not ours") };
    let link: crate::link::LinkSpec = "delay 20ms loss 20%".parse().unwrap();
    let latency = Duration::from_millis(500);
    let floor = bare::run(&link, 3, latency, 50).unwrap();
    let course = Course { foreign, link, seed: 3, latency, frames: 50 };
    let passage = drive::run(&course, &Arc::new(AtomicBool::new(false))).unwrap();
    assert_eq!((passage.frames, passage.missing), (50, floor.missing));
    assert!(floor.missing > 0);
    assert!(passage.delay_p50_ms.unwrap() >= 20.0);
    assert_eq!((passage.overhead, passage.feedback), (0.0, 0.0));
}
