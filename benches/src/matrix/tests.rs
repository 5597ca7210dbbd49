use super::*;
use crate::report::{PLAIN_FRAME, Run};

const PLAN: &str = r#"
    links = ["bursty", "thin", "delay 20ms"]
    media = ["synthetic"]
    latencies = ["200ms", "auto"]
    seeds = 2
    for = "6s"
"#;

fn run(cores: usize) -> Findings {
    let matrix = Matrix::prepare(&[PLAN.parse().unwrap()], None).unwrap();
    let mut done = 0;
    let findings = matrix.run(NonZeroUsize::new(cores), || done += 1).unwrap();
    assert_eq!(done, matrix.sessions());
    findings
}

fn of<'a>(findings: &'a Findings, link: &str, transport: &str, latency: &str) -> &'a [Run] {
    let found = findings.results.cells.iter().find(|cell| {
        let key = &cell.key;
        (key.link.as_str(), key.transport.as_str(), key.latency.as_str())
            == (link, transport, latency)
    });
    &found.expect("it was run").runs
}

#[test]
fn the_same_comes_out_however_many_cores_there_are() {
    let (one, three) = (run(1), run(3));
    assert_eq!(one.results.to_json(), three.results.to_json());
    assert_eq!(one.pictures, three.pictures);
    assert_eq!(one.results.sessions(), 3 * 2 * 2 * 2);
}

#[test]
fn figures_agree_with_each_other() {
    let findings = run(2);
    for cell in &findings.results.cells {
        for run in &cell.runs {
            let place = format!("{}, seed {}", cell.key, run.seed);
            assert!(run.completed, "{place}");
            assert_eq!(run.expected, 300, "{place}");
            assert_eq!(run.expected, run.received + run.lost_network, "{place}");
            let missing: u64 =
                run.residual_runs.iter().map(|(length, count)| u64::from(*length) * count).sum();
            assert_eq!(run.residual, Some(nine(missing as f64 / 300.0)), "{place}");
            let all = run.media_bytes + run.repair_bytes + run.feedback_bytes;
            let overhead = all as f64 / (PLAIN_FRAME * 300) as f64 - 1.0;
            assert_eq!(run.overhead, Some(nine(overhead)), "{place}");
            assert!(run.overhead > run.feedback && run.feedback > Some(0.0), "{place}");
        }
    }
}

fn nine(value: f64) -> f64 {
    crate::report::nine_digits(value)
}

#[test]
fn framing_is_told_of_quic_alone_and_is_some_tens_of_bytes_a_packet() {
    let plan = "links = [\"delay 20ms\"]\nmedia = [\"synthetic\"]\nseeds = 1\nfor = \"60s\"";
    let matrix = Matrix::prepare(&[plan.parse().unwrap()], None).unwrap();
    let findings = matrix.run(None, || ()).unwrap();
    let udp = &of(&findings, "delay 20ms", "udp", "200ms")[0];
    assert_eq!((udp.quic_framing_bytes, udp.quic_framing_per_packet), (None, None));
    let quic = &of(&findings, "delay 20ms", "quic", "200ms")[0];
    let framing = quic.quic_framing_per_packet.unwrap();
    assert!((20.0..80.0).contains(&framing), "{framing}");
    // What the ends give to it is much the same over both, but for the two parts in a hundred with
    // which a listener over UDP tells what arrives: QUIC tells itself.
    let overhead = udp.overhead.unwrap() - quic.overhead.unwrap();
    assert!((0.0..0.03).contains(&overhead), "{overhead}");
}

#[test]
fn bounds_are_told_where_they_say_something() {
    let findings = run(2);
    for run in of(&findings, "bursty", "udp", "200ms") {
        assert!(run.repair_bound.unwrap() <= run.residual.unwrap() + 0.02, "{run:?}");
        assert!(run.playout_to_constant.unwrap() > 0.99, "{run:?}");
        assert!(run.playout_to_optimum >= run.playout_to_constant, "{run:?}");
    }
    for run in of(&findings, "bursty", "udp", "auto") {
        assert_eq!(run.repair_bound, None, "no latency was promised");
    }
}

#[test]
fn plots_show_every_unit_of_the_first_seed() {
    let findings = run(2);
    for (cell, picture) in findings.results.cells.iter().zip(&findings.pictures) {
        let Picture { course, spread } = picture;
        assert_eq!(course.units.len(), 300, "{}", cell.key);
        assert_eq!(spread.units, 600, "{}", cell.key);
        let sent: f64 = course.rate.iter().map(|rate| rate.media + rate.quic).sum();
        assert!(sent > 6.0 * 96.0, "{}: {sent} kbit", cell.key);
    }
}

#[test]
fn media_that_is_not_there_is_named_before_anything_runs() {
    for (media, message) in [
        ("no/such/directory/tone", "no/such/directory"),
        ("src/no-such-presentation", "cannot play src/no-such-presentation"),
    ] {
        let plan = format!("links = [\"wifi\"]\nmedia = [\"{media}\"]");
        let error = Matrix::prepare(&[plan.parse().unwrap()], None).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn other_seeds_take_the_place_of_the_plans() {
    let plans = [PLAN.parse().unwrap()];
    let matrix = Matrix::prepare(&plans, Some(&Seeds::List(vec![8, 9, 10]))).unwrap();
    assert_eq!(matrix.sessions(), 3 * 2 * 2 * 3);
}
