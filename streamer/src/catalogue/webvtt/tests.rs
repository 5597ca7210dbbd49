use super::*;
use proptest::prelude::*;

fn cues(text: &str) -> Vec<(i64, i64, String)> {
    let cues = parse(text.as_bytes()).unwrap();
    cues.into_iter()
        .map(|cue| (cue.start.as_millis(), cue.duration.as_millis(), cue.text))
        .collect()
}

fn text_of(marked: &str) -> String {
    let file = format!("WEBVTT\n\n00:01.000 --> 00:02.000\n{marked}\n");
    parse(file.as_bytes()).unwrap().remove(0).text
}

fn error(text: &str) -> VttError {
    parse(text.as_bytes()).unwrap_err()
}

#[test]
fn a_plain_file_gives_its_cues() {
    let file =
        "WEBVTT\n\n00:01.000 --> 00:02.500\nHello\n\n01:00:00.000 --> 01:00:01.000\nTwo\nlines\n";
    let expected =
        [(1_000, 1_500, "Hello".to_owned()), (3_600_000, 1_000, "Two\nlines".to_owned())];
    assert_eq!(cues(file), expected);
}

#[test]
fn byte_order_mark_and_every_line_ending_are_understood() {
    let file =
        "\u{feff}WEBVTT - title\n\nfirst\n1:00:01.000 --> 1:00:02.000 align:start\nHello\nyou\n";
    for ending in ["\n", "\r\n", "\r"] {
        let text = file.replace('\n', ending);
        assert_eq!(cues(&text), [(3_601_000, 1_000, "Hello\nyou".to_owned())], "{ending:?}");
    }
}

#[test]
fn comments_styles_and_regions_are_read_over() {
    let file = "WEBVTT\nKind: captions\n\nNOTE\nmany\nlines\n\nSTYLE\n::cue { color: red }\n\n\
                REGION\nid:fred\n\nNOTE one line\n\n00:01.000 --> 00:02.000\nNOTE is text here\n";
    assert_eq!(cues(file), [(1_000, 1_000, "NOTE is text here".to_owned())]);
}

#[test]
fn cues_are_sorted_by_start_and_numbered_from_one() {
    let file = "WEBVTT\n\n00:05.000 --> 00:06.000\nlater\n\n00:01.000 --> 00:09.000\nearlier\n\n\
                00:05.000 --> 00:07.000\nlast\n";
    let cues = parse(file.as_bytes()).unwrap();
    let order: Vec<_> = cues.iter().map(|cue| (cue.id, cue.text.as_str())).collect();
    assert_eq!(order, [(1, "earlier"), (2, "later"), (3, "last")]);
}

#[test]
fn a_cue_may_follow_another_without_an_empty_line() {
    let file = "WEBVTT\n00:01.000 --> 00:02.000\na\n00:03.000 --> 00:04.000\nb";
    assert_eq!(cues(file), [(1_000, 1_000, "a".to_owned()), (3_000, 1_000, "b".to_owned())]);
}

#[test]
fn tags_are_stripped_and_entities_decoded() {
    assert_eq!(text_of("<v Anna>Hi <i.loud>you</i></v> <00:01.500>there"), "Hi you there");
    assert_eq!(
        text_of("a &lt;b&gt; &amp;amp; &#233;&#xe9; &nope; & 1 < 2"),
        "a <b> &amp; éé &nope; & 1 < 2"
    );
    assert_eq!(text_of("&nbsp;x&lrm;"), "x\u{200e}");
}

#[test]
fn control_characters_never_reach_the_terminal() {
    assert_eq!(text_of("a\u{1b}[31mb&#27;[0m\tc"), "a[31mb[0m c");
}

#[test]
fn cues_without_text_are_left_out() {
    assert!(
        cues("WEBVTT\n\n00:01.000 --> 00:02.000\n<i></i>\n\n00:02.000 --> 00:03.000\n").is_empty()
    );
}

#[test]
fn without_the_signature_it_is_no_webvtt() {
    for file in ["", "1\n00:01.000 --> 00:02.000\nHi", "WEBVTTX\n", "webvtt\n"] {
        assert_eq!(error(file), VttProblem::NoSignature.at(1), "{file:?}");
    }
}

#[test]
fn an_end_that_is_not_after_the_start_is_named_with_its_line() {
    let file = "WEBVTT\n\n00:01.000 --> 00:02.000\nfine\n\nid\n00:05.000 --> 00:04.999\nbad\n";
    assert_eq!(error(file), VttProblem::EndsBeforeStart { start: 5_000, end: 4_999 }.at(7));
    let file = "WEBVTT\r\n\r\n00:05.000 --> 00:05.000\r\nbad\r\n";
    assert_eq!(error(file), VttProblem::EndsBeforeStart { start: 5_000, end: 5_000 }.at(3));
    assert_eq!(cues("WEBVTT\n\n00:05.000 --> 00:05.001\ngood").len(), 1);
}

#[test]
fn nonsense_for_a_time_is_named_with_its_line() {
    for time in [
        "",
        "5",
        "00:60.000",
        "60:00.000",
        "00:01,000",
        "0:01.000",
        "-1:00:01.000",
        "1000:00:01.000",
        "00:01.0000",
        "00:01.00",
        "aa:bb.ccc",
        "00:٠١.000",
    ] {
        let file = format!("WEBVTT\n\n\n{time} --> 00:09.000\nx\n");
        assert_eq!(error(&file), VttProblem::BadTime { found: time.to_owned() }.at(4), "{time:?}");
    }
    let error = error("WEBVTT\n\n00:01.000 -->\nx");
    assert_eq!(error, VttProblem::BadTime { found: String::new() }.at(3));
}

#[test]
fn the_greatest_times_are_accepted() {
    assert_eq!(cues("WEBVTT\n\n59:59.999 --> 999:59:59.999\nx")[0].0, 3_599_999);
}

#[test]
fn a_block_without_a_time_is_named_with_its_line() {
    let problem = |found: &str| VttProblem::NoTiming { found: found.to_owned() };
    assert_eq!(error("WEBVTT\n\nstray"), problem("stray").at(3));
    assert_eq!(
        error("WEBVTT\n\n7\n00:01.000 -> 00:02.000\nx"),
        problem("00:01.000 -> 00:02.000").at(4)
    );
}

#[test]
fn text_up_to_the_limit_is_accepted_and_beyond_it_is_named() {
    let file = |bytes| format!("WEBVTT\n\n00:01.000 --> 00:02.000\n{}", "x".repeat(bytes));
    assert_eq!(cues(&file(MAX_TEXT)).len(), 1);
    let bytes = MAX_TEXT + 1;
    assert_eq!(error(&file(bytes)), VttProblem::TooLong { bytes }.at(3));
}

#[test]
fn bytes_that_are_not_utf8_are_named_with_their_line() {
    let error = parse(b"WEBVTT\r\n\r\n00:01.000 --> 00:02.000\r\n\xff").unwrap_err();
    assert_eq!(error, VttProblem::NotUtf8.at(4));
}

/// Start, end, text, identifier, settings.
type AnyCue = (i64, i64, String, Option<String>, &'static str);

fn any_line() -> impl Strategy<Value = String> {
    prop_oneof![
        "(0[0-9]:0[0-9]\\.[0-9]{3} --> 0[0-9]:0[0-9]\\.[0-9]{3}){1,2}",
        "00:00.000 --> 0[1-9]:00.000 ?(align:start)?",
        "[0-9:.]{0,9}( --> )?[0-9:.]{0,9}",
        "[<>&#;a-z ]{0,9}",
        "\\PC{0,5}",
        "",
    ]
}

prop_compose! {
    fn any_cue()(
        start in 0i64..36_000_000,
        duration in 1i64..100_000,
        text in "[a-zA-Z0-9é ,.!?']{0,20}[a-z]",
        identifier in prop::option::of("[a-z0-9]{1,8}"),
        settings in prop::sample::select(vec!["", " align:start", "\tposition:10% line:3"]),
    ) -> AnyCue {
        (start, start + duration, text.trim().to_owned(), identifier, settings)
    }
}

fn time(millis: i64) -> String {
    let (seconds, hours) = (millis / 1_000, millis / 3_600_000);
    let rest = format!("{:02}:{:02}.{:03}", seconds / 60 % 60, seconds % 60, millis % 1_000);
    if hours == 0 { rest } else { format!("{hours:02}:{rest}") }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        written in prop::collection::vec(any_cue(), 0..20),
        ending in prop::sample::select(vec!["\n", "\r\n", "\r"]),
    ) {
        let mut file = "WEBVTT\n\n".to_owned();
        for (start, end, text, identifier, settings) in &written {
            file += &identifier.iter().map(|id| format!("{id}\n")).collect::<String>();
            file += &format!("{} --> {}{settings}\n{text}\n\n", time(*start), time(*end));
        }
        let cue = |cue: &AnyCue| (cue.0, cue.1 - cue.0, cue.2.clone());
        let mut expected: Vec<_> = written.iter().map(cue).collect();
        expected.sort_by_key(|cue| cue.0);
        prop_assert_eq!(cues(&file.replace('\n', ending)), expected);
    }

    #[test]
    fn hostile_text_gives_sorted_cues_or_a_line_that_exists(
        lines in prop::collection::vec(any_line(), 0..20),
        ending in prop::sample::select(vec!["\n", "\r\n", "\r"]),
    ) {
        let body = format!("WEBVTT{ending}{}", lines.join(ending));
        match parse(body.as_bytes()) {
            Ok(cues) => {
                prop_assert!(cues.is_sorted_by_key(|cue| cue.start));
                prop_assert!(cues.iter().all(|cue| cue.duration > MediaTime::ZERO));
                prop_assert!(cues.iter().all(|cue| !cue.text.is_empty()));
            }
            Err(error) => prop_assert!((1..=count_lines(&body)).contains(&error.line)),
        }
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut file = b"WEBVTT\n\n".to_vec();
        file.extend(&bytes);
        if let Err(error) = parse(&file) {
            prop_assert!((1..=count_lines(&String::from_utf8_lossy(&file))).contains(&error.line));
        }
    }
}
