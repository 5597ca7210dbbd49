use super::*;

const WHOLE: &str = r#"
    links = ["bursty", "delay 40ms loss 2%"]
    media = ["media-samples/narration", "synthetic"]
    transports = ["quic", "rtsp"]
    latencies = ["150", "auto", "stored"]
    protection = ["auto", "off", "20+10"]
    seeds = [7, 9]
    for = "1m30s"
"#;

fn refused(text: &str) -> String {
    let error = text.parse::<MatrixPlan>().unwrap_err().to_string();
    assert!(!error.is_empty());
    error
}

#[test]
fn a_whole_matrix_is_every_combination_once() {
    let plan: MatrixPlan = WHOLE.parse().unwrap();
    let cells = plan.cells();
    assert_eq!(cells.len(), 2 * 2 * 2 * 3 * 3);
    let keys: BTreeSet<_> = cells.iter().map(Cell::key).collect();
    assert_eq!(keys.len(), cells.len());
    assert_eq!(plan.seeds.list(), [7, 9]);
    assert_eq!(cells[0].scenario(9).seed, 9);
    assert_eq!(cells[0].to_string(), "bursty, quic, narration, 150ms, repair auto, 90s",);
    let scenario = cells[0].scenario(7);
    assert_eq!(scenario.presentation, "narration");
    assert_eq!(scenario.length, Some(cantus_qos::time::MediaTime::from_millis(90_000)));
}

#[test]
fn what_is_absent_is_what_most_would_want() {
    let plan: MatrixPlan = "links = [\"wifi\"]\nmedia = [\"tone\"]".parse().unwrap();
    assert_eq!(plan.transports, [Transport::Udp, Transport::Quic]);
    assert_eq!(plan.latencies, [Latency::Fixed(Duration::from_millis(200))]);
    assert_eq!(plan.protection, [Protection::Auto]);
    assert_eq!(plan.seeds.list(), [1, 2, 3, 4, 5]);
    assert_eq!(plan.length, None);
}

#[test]
fn an_empty_plan_is_refused() {
    for text in ["", "\n\n", "# nothing but a remark\n"] {
        assert!(refused(text).starts_with("the plan is empty"), "{}", refused(text));
    }
    for key in ["links", "media", "transports", "latencies", "protection", "seeds"] {
        let line = format!("{key} = [");
        let text = WHOLE.lines().map(|text| match text.trim().starts_with(&line) {
            true => format!("{key} = []\n"),
            false => format!("{text}\n"),
        });
        assert_eq!(
            refused(&text.collect::<String>()),
            format!("`{key}` is empty: there would be nothing to run")
        );
    }
    let none = "links = [\"wifi\"]\nmedia = [\"tone\"]\nseeds = 0";
    assert!(refused(none).starts_with("`seeds` is empty"));
}

#[test]
fn what_is_wrong_is_named() {
    for (line, message) in [
        ("lniks = [\"wifi\"]", "lniks"),
        ("transports = [\"pigeon\"]", "pigeon"),
        ("latencies = [\"soon\"]", "soon"),
        ("protection = [\"20\"]", "repair is auto, off, K+R"),
        ("seeds = \"many\"", "seeds is how many, or a list"),
        ("seeds = [1, -2]", "seeds is how many, or a list"),
        ("for = \"60\"", "no unit"),
        ("latencies = [200]", "string"),
    ] {
        let error = refused(&format!("links = [\"wifi\"]\nmedia = [\"tone\"]\n{line}"));
        assert!(error.contains(message), "{line}: {error}");
        assert!(error.starts_with("not a matrix: line 3, `"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    assert!(refused("links = [\"wet string\"]\nmedia = [\"tone\"]").contains("`wet`"));
    assert!(refused("links = [\"wifi\"]").contains("missing field `media`"));
    assert!(refused("links = \"wifi\"\nmedia = [\"tone\"]").contains("sequence"));
    assert!(refused("links = [").contains("not a matrix"));
}

#[test]
fn seeds_on_a_command_line_are_how_many_or_a_list() {
    assert_eq!("3".parse(), Ok(Seeds::Count(3)));
    assert_eq!("6,7, 8".parse(), Ok(Seeds::List(vec![6, 7, 8])));
    assert_eq!("6,".parse(), Ok(Seeds::List(vec![6])));
    assert!("0".parse::<Seeds>().is_err());
    assert_eq!("6,x".parse::<Seeds>(), Err("`x` is no seed: a whole number".to_owned()));
}

#[test]
fn the_same_cell_twice_and_too_many_sessions_are_refused() {
    let plan: MatrixPlan = "links = [\"wifi\", \"wifi\"]\nmedia = [\"tone\"]".parse().unwrap();
    let error = lay_out(&[plan], None).unwrap_err().to_string();
    assert_eq!(
        error,
        "wifi, udp, tone, 200ms, repair auto would be run twice: each value stands once in its list"
    );
    let plan: MatrixPlan =
        "links = [\"wifi\"]\nmedia = [\"tone\"]\nseeds = 4000000000".parse().unwrap();
    assert!(matches!(lay_out(&[plan], None), Err(MatrixError::TooMany(8_000_000_000))));
}

#[test]
fn a_link_whose_trace_is_missing_is_refused_before_anything_runs() {
    let text = "links = [\"delay 1ms trace no/such/drive\"]\nmedia = [\"tone\"]";
    let plan: MatrixPlan = text.parse().unwrap();
    let error = lay_out(&[plan], None).unwrap_err().to_string();
    assert!(error.starts_with("the link `delay 1ms trace no/such/drive`"), "{error}");
    assert!(error.contains("no/such/drive"), "{error}");
}

#[test]
fn a_plan_that_is_not_there_and_a_directory_without_plans_are_named() {
    let error = MatrixPlan::read(Path::new("no/such/matrix.toml")).unwrap_err().to_string();
    assert!(error.starts_with("cannot read the matrix no/such/matrix.toml"), "{error}");
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    assert!(matches!(MatrixPlan::read(&here), Err(MatrixError::NoPlan(path)) if path == here));
}

#[test]
fn the_plans_of_the_repository_can_be_run() {
    let plans = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans");
    assert_eq!(MatrixPlan::read(&plans).unwrap().len(), 8);
    let standing = MatrixPlan::read(&plans.join("standing.toml")).unwrap();
    let cells = lay_out(&standing, None).unwrap();
    assert_eq!(cells.len(), crate::link::STANDING_LINKS.len() * 2 * 3);
    assert!(cells.iter().all(|(_, seeds)| *seeds == [1, 2, 3, 4, 5]));
}

#[test]
fn real_traces_are_used_where_they_are_and_told_of() {
    let plan: MatrixPlan = "links = [\"umts\", \"wifi\"]\nmedia = [\"tone\"]".parse().unwrap();
    assert_eq!(plan.links[0].trace().as_deref(), Some("generated"));
    assert_eq!(plan.links[1].trace(), None);
    let directory = std::env::temp_dir().join(format!("cantus-traces-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let name = crate::link::Carrier::Umts.file_name();
    std::fs::write(directory.join(name), "1\n2\n").unwrap();
    let real = plan.clone().with_traces_from(&directory);
    assert_eq!(real.links[0].trace().as_deref(), Some(name));
    assert_eq!(real.cells()[0].key(), plan.cells()[0].key(), "the link keeps its name");
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(plan.clone().with_traces_from(&directory), plan, "where there is none");
}

#[test]
fn what_is_promised_beside_the_latency_is_promised_in_every_session_and_named_with_it() {
    let text = "links = [\"wifi\"]\nmedia = [\"tone\"]\nlatencies = [\"auto\"]\npromise = ";
    let plan: MatrixPlan = format!("{text}\"loss<=1%\"").parse().unwrap();
    let cells = plan.cells();
    assert_eq!(cells[0].to_string(), "wifi, udp, tone, auto loss<=1%, repair auto");
    assert_eq!(cells[0].scenario(1).promise.loss, Some(0.01));
    assert!(refused(&format!("{text}\"loss<=much\"")).contains("much"));
}
