use super::*;

#[test]
fn a_line_that_is_neither_delay_nor_loss_is_named() {
    for (text, line, shown) in [("1\n2\nlots\n", 3, "lots"), ("-1\n", 1, "-1"), ("2h\n", 1, "2h")] {
        let expected = "a delay such as 12.5ms, or `lost`";
        let error = LinkError::BadLine { what: WHAT, line, text: shown.to_owned(), expected };
        assert_eq!(Replay::parse(text), Err(error));
    }
}

#[test]
fn a_replay_of_no_packet_is_none() {
    assert_eq!(Replay::parse("# nothing\n\n"), Err(LinkError::Empty { what: WHAT }));
    assert_eq!(Replay::parse("lost\n").map(|replay| replay.len()), Ok(1));
}

#[test]
fn a_replay_without_end_is_refused() {
    let text = "1\n".repeat(MOST_LINES + 1);
    assert_eq!(Replay::parse(&text), Err(LinkError::TooLong { what: WHAT, most: MOST_LINES }));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Replay::read(Path::new("no/such/replay")).unwrap_err().to_string();
    assert!(error.contains("replay no/such/replay"), "{error}");
}
