use super::*;

use std::net::Ipv4Addr;
use std::time::Duration;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::duplex::{Direction, Duplex, Enter, Kind, SharedLog};
use crate::lateness::Lateness;
use cantus_qos::time::MonoTime;

fn options(line: &str) -> NetemOptions {
    let words = ["cantus-bench", "netem"].into_iter().chain(line.split_whitespace());
    match Cli::try_parse_from(words).unwrap().command {
        Command::Netem(options) => *options,
        other => panic!("not netem: {other:?}"),
    }
}

fn link(words: &str) -> PathSpec {
    words.parse::<LinkSpec>().unwrap().into()
}

fn refused(line: &str) -> String {
    Network::of(&options(line)).expect_err(line).to_string()
}

#[test]
fn each_listen_goes_with_its_to_and_the_words_are_those_of_a_link() {
    let network = Network::of(&options(
        "--listen 127.0.0.1:1 --to 127.0.0.1:2 --listen [::1]:3 --to [::1]:4 -- delay 40ms loss 1%",
    ));
    let pair =
        |listen: &str, to: &str| Pair { listen: listen.parse().unwrap(), to: to.parse().unwrap() };
    let pairs = vec![pair("127.0.0.1:1", "127.0.0.1:2"), pair("[::1]:3", "[::1]:4")];
    let path = link("delay 40ms loss 1%");
    assert_eq!(network.unwrap(), Network { pairs, path });
}

#[test]
fn words_in_one_argument_a_standing_name_and_a_trace_alone_are_links_too() {
    let mut one = options("--listen 127.0.0.1:1 --to 127.0.0.1:2 -- bursty");
    assert_eq!(Network::of(&one).unwrap().path, link("bursty"));
    one.words = vec!["delay 40ms loss 1%".to_owned()];
    assert_eq!(Network::of(&one).unwrap().path, link("delay 40ms loss 1%"));
    let traced = options("--listen 127.0.0.1:1 --to 127.0.0.1:2 --trace drive.trace");
    let path = Network::of(&traced).unwrap().path;
    assert_eq!(path.there.trace, Some(TraceSource::File("drive.trace".into())));
}

#[test]
fn the_way_back_is_the_same_link_unless_it_is_said_to_be_another() {
    let other = options("--listen 127.0.0.1:1 --to 127.0.0.1:2 --back clean -- bursty");
    let path = PathSpec { back: Some("clean".parse().unwrap()), ..link("bursty") };
    assert_eq!(Network::of(&other).unwrap().path, path);
    let same = options("--listen 127.0.0.1:1 --to 127.0.0.1:2 -- bursty");
    assert_eq!(Network::of(&same).unwrap().path, link("bursty"));
}

#[test]
fn what_cannot_be_is_refused_in_one_line_that_names_it() {
    for (line, says) in [
        ("--listen 127.0.0.1:1 --to 127.0.0.1:1 -- clean", "--to 127.0.0.1:1 is the relay's own"),
        ("--listen 0.0.0.0:1 --to 127.0.0.1:1 -- clean", "--to 127.0.0.1:1 is the relay's own"),
        ("--listen [::]:1 --to 127.0.0.1:1 -- clean", "--to 127.0.0.1:1 is the relay's own"),
        ("--listen 127.0.0.1:1 --to 127.0.0.1:0 -- clean", "--to 127.0.0.1:0 has no port"),
        (
            "--listen 127.0.0.1:1 --to 127.0.0.1:2 --listen 127.0.0.1:2 --to 127.0.0.1:3 -- clean",
            "--to 127.0.0.1:2 is the relay's own",
        ),
        (
            "--listen 127.0.0.1:1 --to 127.0.0.1:2 --listen 127.0.0.1:1 --to 127.0.0.1:3 -- clean",
            "--listen 127.0.0.1:1 is given twice",
        ),
        (
            "--listen 127.0.0.1:1 --listen 127.0.0.1:2 --to 127.0.0.1:3 -- clean",
            "there are 2 and 1",
        ),
        (
            "--rtsp --listen 127.0.0.1:1 --to 127.0.0.1:2 --listen 127.0.0.1:3 --to 127.0.0.1:4 \
             -- clean",
            "--rtsp takes one",
        ),
        ("--listen 127.0.0.1:1 --to 127.0.0.1:2", "-- delay 40ms"),
        ("--listen 127.0.0.1:1 --to 127.0.0.1:2 -- dealy 40ms", "dealy"),
        ("--listen 127.0.0.1:1 --to 127.0.0.1:2 --trace x -- trace lte", "leave out --trace"),
    ] {
        let error = refused(line);
        assert!(error.contains(says), "{line}: {error}");
        assert_eq!(error.lines().count(), 1, "{line}: {error}");
    }
}

#[test]
fn others_may_listen_on_the_same_port_elsewhere() {
    let elsewhere = options("--listen 0.0.0.0:1 --to 192.0.2.1:1 -- clean");
    assert!(Network::of(&elsewhere).is_ok());
}

#[tokio::test]
async fn a_trace_that_is_not_there_and_a_log_that_cannot_be_are_told_at_the_start() {
    let mut traced = options("--listen 127.0.0.1:0 --to 127.0.0.1:9 --trace /no/such.trace");
    let error = netem(&traced).await.unwrap_err();
    assert!(error.to_string().contains("/no/such.trace"), "{error}");
    traced.trace = None;
    traced.words = vec!["clean".to_owned()];
    traced.log = Some("/no/such/log.csv".into());
    let error = netem(&traced).await.unwrap_err();
    assert!(error.to_string().contains("cannot write /no/such/log.csv"), "{error}");
}

#[tokio::test]
async fn it_ends_when_its_time_is_over() {
    let brief = options("--listen 127.0.0.1:0 --to 127.0.0.1:9 --for 1ms -- clean");
    assert_eq!(netem(&brief).await.unwrap(), Finish::Completed);
}

#[test]
fn the_summary_counts_each_way_and_tells_how_late_the_relay_was() {
    let log = SharedLog::default();
    let mut duplex = Duplex::new("loss 100%".parse::<LinkSpec>().unwrap(), 7, log.clone()).unwrap();
    let data = bytes::Bytes::new();
    let direction = Direction::ToClient;
    let enter = Enter::udp(direction, 0, Kind::Other, data, Ipv4Addr::LOCALHOST.into());
    duplex.push(MonoTime::ZERO, enter);
    log.on_refused();
    let mut lateness = Lateness::default();
    lateness.record(MonoTime::ZERO, MonoTime::ZERO + Duration::from_micros(70));
    let record = RelayRecord {
        log: log.snapshot(),
        lateness,
        bare: Lateness::default(),
        overruns: 3,
        receive_buffer: usize::MAX,
    };
    let expected = "                  came   passed on        lost  overflowed\n\
                    to server            0           0           0           0\n\
                    to client            1           0           1           0\n\
                    turned away 1, could not be sent on 0\n\
                    relay late by    p50 0.070 ms, p99 0.070 ms, p99.9 0.070 ms, max 0.070 ms (1 packets)\n\
                    bare forwarder   no packets\n\
                    relay overrun    3 packets were dropped before it read them\n";
    assert_eq!(summary(&record), expected);
}
