use super::*;

use cantus_qos::fec::block::BlockShape;

const WHOLE: &str = r#"
    seed = 42
    link = "bursty rate 300kbit limit 20"
    back = "wifi"
    media = "media-samples/narration"
    transport = "rtsp"
    latency = "150ms"
    promise = "delay<=150ms,loss<=1%"
    fec = "20+10"
    for = "1m30s"
    beside = "udp from 20s, cubic"

    [[change]]
    at = "20s"
    link = "thin"
"#;

#[test]
fn a_whole_plan_is_read() {
    let plan: Plan = WHOLE.parse().unwrap();
    assert_eq!(plan.seed, 42);
    assert_eq!(plan.link, "bursty rate 300kbit limit 20".parse().unwrap());
    assert_eq!(plan.back, Some(LinkSpec::named("wifi").unwrap()));
    assert_eq!(plan.presentation(), Some((Path::new("media-samples"), "narration")));
    assert_eq!(plan.transport, Transport::Rtsp);
    assert_eq!(plan.latency, Latency::Fixed(Duration::from_millis(150)));
    assert_eq!(plan.promise.loss, Some(0.01));
    assert_eq!(plan.fec, Protection::Fixed(BlockShape::new(20, 10).unwrap()));
    assert_eq!(plan.length, Some(Duration::from_secs(90)));
    assert_eq!(plan.beside.to_string(), "udp from 20s, cubic");
    let change = Change { at: Duration::from_secs(20), link: LinkSpec::named("thin").unwrap() };
    assert_eq!(plan.path().changes, [change]);
    assert!(plan.path().links(plan.seed).is_ok());
}

#[test]
fn what_is_absent_is_what_a_player_does_by_default() {
    let plan: Plan = "link = \"clean\"\nmedia = \"tone\"".parse().unwrap();
    assert_eq!(plan.seed, 1);
    assert_eq!(
        (plan.transport, plan.latency, plan.fec),
        (Transport::Quic, Latency::Auto, Protection::Auto)
    );
    assert_eq!((plan.promise, plan.length), (QosSpec::default(), None));
    assert_eq!(plan.presentation(), Some((Path::new("."), "tone")));
}

#[test]
fn a_plan_survives_being_written_and_read() {
    for text in [WHOLE, "link = \"umts\"\nmedia = \"tone\""] {
        let plan: Plan = text.parse().unwrap();
        let written = toml::to_string(&plan).unwrap();
        assert_eq!(written.parse::<Plan>().unwrap(), plan, "{written}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    for (line, message) in [
        ("lnik = \"wifi\"", "lnik"),
        ("transport = \"pigeon\"", "pigeon"),
        ("latency = \"soon\"", "soon"),
        ("fec = \"20\"", "fec"),
        ("promise = \"beauty<=1\"", "beauty"),
        ("for = \"60\"", "no unit"),
        ("seed = -1", "seed"),
    ] {
        let text = format!("link = \"wifi\"\nmedia = \"tone\"\n{line}");
        let error = text.parse::<Plan>().unwrap_err().to_string();
        assert!(error.contains(message), "{line}: {error}");
        assert!(error.starts_with("not a plan: line 3, `"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    let error = "link = \"wifi\"".parse::<Plan>().unwrap_err().to_string();
    assert_eq!(error, "not a plan: missing field `media`");
    let nothing = "# nothing yet\n".parse::<Plan>();
    assert!(matches!(nothing, Err(PlanError::Empty)), "{nothing:?}");
    let error = "link = \"wet string\"\nmedia = \"tone\"".parse::<Plan>().unwrap_err().to_string();
    assert!(error.contains("`wet` is no word of a link"), "{error}");
    assert!(matches!("link = \"wifi\"\nmedia = \"..\"".parse::<Plan>(), Err(PlanError::Media(_))));
}

#[test]
fn a_plan_that_is_not_there_is_named() {
    let error = Plan::read(Path::new("no/such/plan.toml")).unwrap_err();
    assert!(error.to_string().contains("no/such/plan.toml"), "{error}");
}
