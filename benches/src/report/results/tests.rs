use super::*;

fn key(link: &str) -> CellKey {
    CellKey {
        link: link.to_owned(),
        transport: "udp".to_owned(),
        media: "media-samples/narration".to_owned(),
        latency: "200ms".to_owned(),
        protection: "auto".to_owned(),
        beside: None,
        length: None,
    }
}

fn run(seed: u64, residual: f64) -> Run {
    Run {
        seed,
        completed: true,
        expected: 3_000,
        residual: Some(residual),
        skew_p99_ms: Some(-1.25),
        quic_framing_bytes: Some(-7),
        loss_runs: BTreeMap::from([(1, 4), (12, 1)]),
        residual_runs: BTreeMap::from([(2, 1)]),
        ..Run::default()
    }
}

fn results() -> Results {
    let runs = vec![run(1, 0.0), run(2, 0.01), run(3, 0.3)];
    Results::new(vec![
        CellResult::new(key("delay 10ms \"quoted\" <b>"), None, runs),
        CellResult::new(key("lte"), Some("generated".to_owned()), Vec::new()),
    ])
}

fn written(text: &str) -> (PathBuf, Result<Results, ResultsError>) {
    let name = format!("cantus-results-{}-{:p}.json", std::process::id(), text);
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, text).unwrap();
    let read = Results::read(&path);
    std::fs::remove_file(&path).unwrap();
    (path, read)
}

#[test]
fn what_is_written_is_read_again_to_the_last_bit() {
    let (_, read) = written(&results().to_json());
    assert_eq!(read.unwrap(), results());
    let empty = Results::new(Vec::new());
    assert_eq!(serde_json::from_str::<Results>(&empty.to_json()).unwrap(), empty);
}

#[test]
fn each_run_has_a_line_of_its_own() {
    let json = results().to_json();
    let runs = json.lines().filter(|line| line.starts_with("{\"seed\":")).count();
    assert_eq!(runs, 3, "{json}");
}

#[test]
fn figures_are_those_of_the_runs() {
    let results = results();
    let cell = &results.cells[0];
    let residual = cell.figure("residual").unwrap();
    assert_eq!(residual.runs, 3);
    assert!((residual.mean - 0.31 / 3.0).abs() < 1e-9);
    assert_eq!(residual.low, Some(0.0), "a share is never below zero");
    assert_eq!(cell.mean("skew_p99_ms"), Some(-1.25));
    assert_eq!(cell.figure("mos"), None, "what no run knows is no figure");
    assert_eq!(results.cells[1].figures.len(), 0);
    let (before, after) = cell.runs_of_losses();
    assert_eq!((before, after), (BTreeMap::from([(1, 12), (12, 3)]), BTreeMap::from([(2, 3)])));
}

#[test]
fn what_holds_no_results_is_named_with_the_reason() {
    for (text, reason) in [
        ("", "EOF"),
        ("{\"version\": 1, \"cells\": [", "EOF"),
        ("[]", "holds no results"),
        ("{\"version\": 1}", "missing field `cells`"),
        ("{\"version\": 1, \"cells\": [], \"extra\": 0}", "extra"),
        ("{\"version\": 2, \"cells\": []}", "version 2"),
    ] {
        let (path, read) = written(text);
        let message = read.unwrap_err().to_string();
        assert!(message.contains(reason), "{text}: {message}");
        assert!(message.contains(&path.display().to_string()), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    let message = Results::read(Path::new("no/such.json")).unwrap_err().to_string();
    assert!(message.contains("cannot read the results no/such.json"), "{message}");
}
