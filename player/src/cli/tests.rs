use cantus_qos::spec::Protection;
use cantus_qos::time::MediaTime;
use clap::CommandFactory;
use clap::error::ErrorKind;

use super::*;
use crate::url::Source;
use crate::wish::Latency;

const URL: &str = "quic://host/talk";

fn parse(arguments: &[&str]) -> Result<Command, clap::Error> {
    let program = std::iter::once("cantus-player");
    Cli::try_parse_from(program.chain(arguments.iter().copied())).map(|cli| cli.command)
}

fn play(options: &[&str]) -> Result<PlayOptions, clap::Error> {
    match parse(&[&["play", URL], options].concat())? {
        Command::Play(options) => Ok(*options),
        other => panic!("{other:?}"),
    }
}

fn refusal(options: &[&str]) -> String {
    let error = play(options).unwrap_err();
    assert_eq!(error.exit_code(), 2, "{options:?}");
    error.to_string()
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn a_url_alone_plays_to_the_speaker_with_all_that_adapts() {
    let options = play(&[]).unwrap();
    assert_eq!(options.url, Source::Server(URL.parse().unwrap()));
    assert_eq!(options.out, Out::Speaker);
    assert_eq!(options.subtitles, Subtitles::Terminal);
    assert_eq!(options.codec, Codec::Opus);
    assert_eq!(options.latency, Latency::Auto);
    assert_eq!(options.fec, Protection::Auto);
    assert!(options.qos.is_none() && options.lang.is_none() && options.from.is_none());
}

#[test]
fn every_option_is_understood() {
    let options = play(&[
        "--out",
        "wav:a:b.wav",
        "--subtitles",
        "srt:a.srt",
        "--lang",
        "pt-BR",
        "--codec",
        "l16",
        "--latency",
        "200",
        "--qos",
        "delay<=200ms,loss<=1%",
        "--report",
        "r.json",
        "--trace",
        "t.csv",
        "--from",
        "1m30s",
        "--for",
        "10s",
        "--fec",
        "20+10",
        "--ca",
        "ca.pem",
    ])
    .unwrap();
    assert_eq!(options.out, Out::Wav("a:b.wav".into()));
    assert_eq!(options.subtitles, Subtitles::Srt("a.srt".into()));
    assert_eq!(options.lang.as_deref(), Some("pt-BR"));
    assert_eq!(options.codec, Codec::L16);
    assert_eq!(options.latency, Latency::Fixed(Duration::from_millis(200)));
    assert_eq!(options.qos.unwrap().delay, Some(Duration::from_millis(200)));
    assert_eq!(options.from, Some(Duration::from_secs(90)));
    assert_eq!(options.length, Some(Duration::from_secs(10)));
    assert_eq!(options.fec.to_string(), "20+10");
    assert_eq!(options.trust.ca, Some("ca.pem".into()));
}

#[test]
fn what_cannot_be_meant_is_refused_with_what_could_be() {
    for (options, hint) in [
        (["--out", "wav:"], "speaker, wav:FILE or null"),
        (["--out", "mp3:a"], "speaker, wav:FILE or null"),
        (["--subtitles", "srt"], "terminal, plain, srt:FILE or none"),
        (["--latency", "soon"], "auto, stored or a time such as 200ms"),
        (["--codec", "mp3"], "opus, l16"),
        (["--fec", "20"], "auto, off, K+R such as 20+10"),
        (["--fec", "sliding:80"], "sliding:SHARE/WINDOW such as sliding:80%/150ms"),
        (["--fec", "200+100"], "K+R"),
        (["--lang", "en us"], "en or pt-BR"),
        (["--lang", ""], "en or pt-BR"),
        (["--for", "0s"], "nothing to play"),
        (["--from", "30"], "unit"),
        (["--qos", "delay<200"], "delay<200"),
        (["--trust", "sha256:12"], "64 hexadecimal digits"),
    ] {
        let message = refusal(&options);
        assert!(message.contains(hint), "{options:?}: {message}");
    }
}

#[test]
fn a_server_is_known_in_one_way_at_a_time() {
    let fingerprint = format!("sha256:{}", "ab".repeat(32));
    let nowhere = |_: &str| None;
    let at_home = |name: &str| (name == "HOME").then(|| PathBuf::from("/home/me"));

    let policy = |options: &[&str]| play(options).unwrap().trust.policy(nowhere);
    assert!(matches!(policy(&["--trust", &fingerprint]), Ok(Trust::Fingerprint(_))));
    assert!(matches!(policy(&["--ca", "ca.pem"]), Ok(Trust::Authority(_))));
    assert!(matches!(policy(&[]), Err(PinError::NoHome)));
    assert!(matches!(play(&[]).unwrap().trust.policy(at_home), Ok(Trust::FirstUse(_))));
    refusal(&["--trust", &fingerprint, "--ca", "ca.pem"]);
}

#[test]
fn playing_needs_a_presentation_and_listing_does_not() {
    let error = parse(&["play", "quic://host"]).unwrap_err().to_string();
    assert!(error.contains("cantus-player list quic://host:4433/"), "{error}");
    assert!(parse(&["info", "quic://host"]).is_err());
    assert!(matches!(parse(&["list", "quic://host"]), Ok(Command::List(_))));
    assert!(matches!(parse(&["info", URL]), Ok(Command::Info(_))));
    assert_eq!(parse(&[]).unwrap_err().exit_code(), 2);
}

#[test]
fn the_examples_in_the_help_are_command_lines_that_work() {
    let helped = [&["--help"][..], &["play", "--help"], &["listen", "--help"]];
    let helped = helped.into_iter().chain([&["list", "--help"][..], &["info", "--help"]]);
    let mut examples = 0;
    for arguments in helped {
        let help = parse(arguments).unwrap_err();
        assert_eq!((help.kind(), help.exit_code()), (ErrorKind::DisplayHelp, 0));
        let text = help.to_string().replace("\\\n", " ");
        for example in text.lines().filter_map(|line| line.trim().strip_prefix("cantus-player ")) {
            let command = example.split("  ").next().unwrap_or(example);
            let command = if example.contains("--") { example } else { command };
            let words: Vec<_> = command
                .replace("sha256:HEX", &format!("sha256:{}", "0".repeat(64)))
                .split_whitespace()
                .map(|word| word.trim_matches('\'').to_owned())
                .collect();
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            parse(&words).unwrap_or_else(|error| panic!("{example}: {error}"));
            examples += 1;
        }
    }
    assert!(examples == 20, "{examples}");
}

#[test]
fn every_option_of_play_is_explained_in_its_help() {
    let command = Cli::command();
    let play = command.find_subcommand("play").unwrap();
    for argument in play.get_arguments() {
        assert!(argument.get_help().is_some(), "{argument}");
    }
}

#[test]
fn defaults_are_displayed_as_they_are_typed() {
    for text in ["speaker", "wav:a b.wav", "null"] {
        assert_eq!(text.parse::<Out>().unwrap().to_string(), text);
    }
    for text in ["terminal", "plain", "srt:a.srt", "none"] {
        assert_eq!(text.parse::<Subtitles>().unwrap().to_string(), text);
    }
    for text in ["auto", "stored", "200ms"] {
        assert_eq!(text.parse::<Latency>().unwrap().to_string(), text);
    }
    for text in ["auto", "off"] {
        assert_eq!(text.parse::<Protection>().unwrap().to_string(), text);
    }
}

#[test]
fn what_is_pushed_is_played_by_its_sdp_file_or_listened_to_by_its_address() {
    match parse(&["play", "a dir/talk.SDP"]).unwrap() {
        Command::Play(options) => {
            assert_eq!(options.url, Source::Described("a dir/talk.SDP".into()));
            let named = options.wish(0).url.to_string();
            assert!(
                named.starts_with("file:///") && named.ends_with("/a%20dir/talk.SDP"),
                "{named}"
            );
        }
        other => panic!("{other:?}"),
    }
    let url = "rtp://239.1.2.3:5004?pt=opus";
    match parse(&["listen", url, "--interface", "127.0.0.1", "--for", "10s"]).unwrap() {
        Command::Listen(options) => {
            let interface = crate::drive::Interface::Address([127, 0, 0, 1].into());
            assert_eq!(options.interface, Some(interface));
            let wish = options.wish(0);
            assert_eq!((wish.url.as_str(), wish.latency), (url, Latency::Auto));
            assert_eq!(wish.length, Some(MediaTime::from_millis(10_000)));
        }
        other => panic!("{other:?}"),
    }
    for wrong in [&["listen"][..], &["listen", URL], &["listen", "rtp://0.0.0.0:5004"]] {
        assert_eq!(parse(wrong).unwrap_err().exit_code(), 2, "{wrong:?}");
    }
    for (url, interface, why) in [
        ("rtp://192.0.2.7:5004?pt=0", "127.0.0.1", Some("and this address is none")),
        ("rtp://[ff15::7]:5004?pt=0", "127.0.0.1", Some("by its name, not its IPv4 address")),
        ("rtp://[ff15::7]:5004?pt=0", "lo", None),
        (url, "lo", None),
    ] {
        let Command::Listen(options) = parse(&["listen", url, "--interface", interface]).unwrap()
        else {
            panic!("not listen")
        };
        let told = options.contradiction();
        assert_eq!(told.map(|told| why.is_some_and(|why| told.ends_with(why))), why.map(|_| true));
    }
    for name in ["no-such-interface", "..", "../lo", ""] {
        assert!(parse(&["listen", url, "--interface", name]).is_err(), "{name}");
    }
}

#[test]
fn what_roc_sends_comes_to_ports_of_its_own_a_fifth_of_a_second_behind() {
    let listen = |rest: &[&str]| match parse(&[&["listen"][..], rest].concat()).unwrap() {
        Command::Listen(options) => options,
        other => panic!("{other:?}"),
    };
    let (url, repair) = ("rtp+rs8m://0.0.0.0:10001", "rs8m://0.0.0.0:10002");
    let options = listen(&[url, "--repair", repair, "--control", "rtcp://0.0.0.0:10003"]);
    let ports = options.roc().map(|ports| (ports.repair.port(), ports.control.unwrap().port()));
    assert_eq!((ports, options.contradiction()), (Some((10_002, 10_003)), None));
    assert_eq!(options.wish(0).latency, Latency::Fixed(Duration::from_millis(200)));
    let options = listen(&[url, "--repair", repair, "--latency", "auto"]);
    assert_eq!((options.wish(0).latency, options.contradiction()), (Latency::Auto, None));

    for apart in [&[url][..], &["rtp://0.0.0.0:5004?pt=opus", "--repair", repair]] {
        let why = listen(apart).contradiction().unwrap();
        assert!(why.contains("--repair rs8m://ADDRESS:PORT belong together"), "{why}");
    }
    for taken in ["rs8m://0.0.0.0:10001", "rs8m://0.0.0.0:10003"] {
        let control = "rtcp://0.0.0.0:10003";
        let options = listen(&[url, "--repair", taken, "--control", control]);
        assert!(options.contradiction().unwrap().starts_with("--repair needs a port of its own"));
    }
    for wrong in [
        &["listen", url, "--control", "rtcp://0.0.0.0:10003"][..],
        &["listen", url, "--repair", "rtcp://0.0.0.0:10002"],
        &["listen", url, "--repair", "rs8m://host:10002"],
    ] {
        assert_eq!(parse(wrong).unwrap_err().exit_code(), 2, "{wrong:?}");
    }
}
