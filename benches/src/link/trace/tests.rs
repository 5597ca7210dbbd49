use super::super::Ecn;
use super::*;

use bytes::Bytes;
use proptest::prelude::*;

fn node(millis: &[u32], shift: Duration, limit: usize) -> Opportunities {
    let trace = DeliveryTrace::from_millis(millis.to_vec()).unwrap();
    Opportunities::new(trace, shift, limit)
}

/// When packets of these sizes, all there at `now`, have left.
fn departures(node: &mut Opportunities, now: u64, sizes: &[usize]) -> Vec<u64> {
    let now = MonoTime::from_millis(now);
    let mut millis = Vec::new();
    for &size in sizes {
        let packet = Packet {
            data: Bytes::new(),
            size,
            entered: now,
            tag: 0,
            ecn: Ecn::NotCapable,
            queued: Duration::ZERO,
        };
        node.push(now, packet).unwrap();
    }
    while let Some(at) = node.next_deadline() {
        node.pop(at).unwrap();
        millis.push(at.as_nanos() / NANOS_PER_MILLI);
    }
    millis
}

#[test]
fn small_packets_share_an_opportunity_up_to_1500_bytes() {
    let mut node = node(&[10, 20, 30], Duration::ZERO, 100);
    assert_eq!(departures(&mut node, 0, &[500, 500, 500, 1]), [10, 10, 10, 20]);
}

#[test]
fn a_packet_that_does_not_fit_takes_the_rest_from_the_next_opportunity() {
    let mut node = node(&[10, 20, 30, 40], Duration::ZERO, 100);
    assert_eq!(departures(&mut node, 0, &[1000, 1000, 1000]), [10, 20, 20]);
    assert_eq!(departures(&mut node, 21, &[3000]), [40]);
}

#[test]
fn what_is_left_of_an_opportunity_is_gone_when_it_is_over() {
    let mut node = node(&[10, 20], Duration::ZERO, 100);
    assert_eq!(departures(&mut node, 0, &[100]), [10]);
    assert_eq!(departures(&mut node, 10, &[1400]), [10]);
    assert_eq!(departures(&mut node, 11, &[100]), [20]);
}

#[test]
fn a_millisecond_on_several_lines_lets_as_many_go() {
    let mut node = node(&[5, 5, 5, 9], Duration::ZERO, 100);
    assert_eq!(departures(&mut node, 0, &[1500; 4]), [5, 5, 5, 9]);
}

#[test]
fn the_trace_repeats_at_its_end() {
    let mut node = node(&[3, 10], Duration::ZERO, 100);
    assert_eq!(departures(&mut node, 0, &[1500; 5]), [3, 10, 13, 20, 23]);
    assert_eq!(departures(&mut node, 1_000_011, &[1500]), [1_000_013]);
    assert_eq!(departures(&mut node, 2_000_010, &[1500; 2]), [2_000_010, 2_000_013]);
}

#[test]
fn the_way_back_is_further_on_in_the_same_trace() {
    let mut shifted = node(&[3, 10, 25], Duration::from_millis(60_004), 100);
    // 60,004 ms into a period of 25 ms is 4 ms: the next opportunities are 6 and 21 ms away.
    assert_eq!(departures(&mut shifted, 0, &[1500; 3]), [6, 21, 24]);
}

#[test]
fn the_queue_holds_its_limit_and_not_one_more() {
    let mut node = node(&[10], Duration::ZERO, 2);
    let packet = Packet {
        data: Bytes::new(),
        size: 1500,
        entered: MonoTime::ZERO,
        tag: 0,
        ecn: Ecn::NotCapable,
        queued: Duration::ZERO,
    };
    assert_eq!(node.push(MonoTime::ZERO, packet.clone()), Ok(()));
    assert_eq!(node.push(MonoTime::ZERO, packet.clone()), Ok(()));
    assert_eq!(node.push(MonoTime::ZERO, packet), Err(DropCause::Overflow));
}

#[test]
fn a_trace_is_read_line_by_line_and_a_bad_line_is_named() {
    assert_eq!(DeliveryTrace::parse("0\n5\n5\n7\n").unwrap().millis(), [0, 5, 5, 7]);
    let expected = "a millisecond at or after the line before";
    let bad =
        |line, text: &str| LinkError::BadLine { what: WHAT, line, text: text.to_owned(), expected };
    assert_eq!(DeliveryTrace::parse("0\nfive\n"), Err(bad(2, "five")));
    assert_eq!(DeliveryTrace::parse("6\n5\n"), Err(bad(2, "5")));
    assert_eq!(DeliveryTrace::parse(""), Err(LinkError::EmptyTrace));
    assert_eq!(DeliveryTrace::parse("0\n0\n"), Err(LinkError::EmptyTrace));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = DeliveryTrace::read(Path::new("no/such/drive.down")).unwrap_err();
    assert!(error.to_string().contains("no/such/drive.down"), "{error}");
}

proptest! {
    #[test]
    fn packets_leave_in_order_and_never_faster_than_the_trace_allows(
        mut millis in prop::collection::vec(0u32..500, 1..50),
        sizes in prop::collection::vec(1usize..4_000, 1..50),
    ) {
        millis.push(500);
        millis.sort_unstable();
        let mut node = node(&millis, Duration::ZERO, 100);
        let left = departures(&mut node, 0, &sizes);
        prop_assert!(left.is_sorted());
        let end = *left.last().unwrap();
        let within = |round: u64, &at: &u32| round * 500 + u64::from(at) <= end;
        let opportunities: usize = (0..=end / 500)
            .map(|round| millis.iter().filter(|at| within(round, at)).count())
            .sum();
        prop_assert!(sizes.iter().sum::<usize>() <= opportunities * OPPORTUNITY_BYTES);
    }
}
