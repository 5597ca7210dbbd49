//! A delay or a loss for each packet.

use super::*;

/// The delays on a link that replays a file with this text. The name is the file's.
fn replayed(name: &str, text: &str, words: &str, count: u64) -> Vec<Option<f64>> {
    let path = std::env::temp_dir().join(format!("cantus-{name}-{}", std::process::id()));
    std::fs::write(&path, text).unwrap();
    let arrivals = send(&mut link(&format!("replay {} {words}", path.display())), count, TICK, 200);
    std::fs::remove_file(&path).unwrap();
    let mut delays = vec![None; count as usize];
    for arrival in arrivals {
        delays[arrival.tag as usize] = Some(arrival.delay_ms());
    }
    delays
}

#[test]
fn each_packet_has_the_delay_of_its_line_and_the_file_repeats() {
    let text = "# a drive\n12.5\n\nlost\n3ms\n800us\n";
    let once = [Some(12.5), None, Some(3.0), Some(0.8)];
    assert_eq!(replayed("drive", text, "", 10), [&once[..], &once[..], &once[..2]].concat());
}

#[test]
fn a_delay_of_the_link_comes_on_top() {
    assert_eq!(
        replayed("on-top", "5\nlost\n10\n", "delay 30ms", 3),
        [Some(35.0), None, Some(40.0)]
    );
}

#[test]
fn order_is_kept_where_that_is_asked_for() {
    assert_eq!(replayed("free", "50\n5\n", "", 2), [Some(50.0), Some(5.0)]);
    assert_eq!(replayed("kept", "50\n5\n", "keep-order", 2), [Some(50.0), Some(30.0)]);
}
