use std::path::Path;

use super::*;

fn key(link: &str, latency: u32) -> CellKey {
    CellKey {
        link: link.to_owned(),
        transport: "udp".to_owned(),
        media: "tone".to_owned(),
        latency: format!("{latency}ms"),
        protection: "auto".to_owned(),
        beside: None,
        length: None,
    }
}

/// Eight cells of five runs, with the residual of each.
fn results(residual: impl Fn(&str, u32, u64) -> f64) -> Results {
    let mut cells = Vec::new();
    for link in ["bursty", "bad"] {
        for latency in [100, 150, 200, 250] {
            let runs = (1..=5).map(|seed| Run {
                seed,
                completed: true,
                residual: Some(residual(link, latency, seed)),
                overhead: Some(0.5),
                ..Run::default()
            });
            cells.push(CellResult::new(key(link, latency), None, runs.collect()));
        }
    }
    Results::new(cells)
}

/// Luck: the same for the same run, a little different for each.
fn luck(latency: u32, seed: u64) -> f64 {
    let mixed = (u64::from(latency) * 31 + seed * 17) % 23;
    0.001 * mixed as f64
}

#[test]
fn the_same_is_neither_better_nor_worse() {
    let old = results(|_, latency, seed| luck(latency, seed));
    let comparison = compare(&old, &old);
    assert_eq!((comparison.compared, comparison.worse.len()), (8, 0));
    assert!(comparison.better.is_empty() && !comparison.is_regression());
}

#[test]
fn luck_that_goes_either_way_is_no_regression() {
    let old = results(|_, latency, seed| luck(latency, seed));
    let new = results(|_, latency, seed| luck(latency + 7, seed + 3));
    let comparison = compare(&old, &new);
    assert!(!comparison.is_regression(), "{comparison}");
}

#[test]
fn what_got_worse_everywhere_is_told_everywhere() {
    let old = results(|_, latency, seed| luck(latency, seed));
    let new = results(|_, latency, seed| luck(latency, seed) + 0.02 + 1e-5 * seed as f64);
    let comparison = compare(&old, &new);
    assert!(comparison.is_regression());
    let places: Vec<&str> = comparison.worse.iter().map(|change| change.place.as_str()).collect();
    assert!(places.contains(&"all cells") && places.contains(&"all of bad"), "{places:?}");
    assert!(comparison.worse.iter().all(|change| change.figure.name == "residual"));
    assert!(comparison.better.is_empty());
    let back = compare(&new, &old);
    assert!(!back.is_regression() && back.better.len() == places.len());
}

#[test]
fn what_got_worse_on_one_link_is_told_of_this_link() {
    let worse = |link: &str| if link == "bad" { 0.03 } else { 0.0 };
    let old = results(|_, latency, seed| luck(latency, seed));
    let new = results(|link, latency, seed| luck(latency, seed) + worse(link));
    let comparison = compare(&old, &new);
    let place = |place: &str| comparison.worse.iter().any(|change| change.place == place);
    assert!(place("all of bad") && !place("all of bursty"), "{comparison}");
}

#[test]
fn a_sure_change_below_the_grain_is_left_alone() {
    let old = results(|_, latency, seed| luck(latency, seed));
    let new = results(|_, latency, seed| luck(latency, seed) + 0.000_05);
    assert!(!compare(&old, &new).is_regression());
}

#[test]
fn a_session_that_breaks_off_now_is_a_regression() {
    let old = results(|_, latency, seed| luck(latency, seed));
    let mut new = old.clone();
    new.cells[3].runs[1].completed = false;
    let comparison = compare(&old, &new);
    assert_eq!(comparison.broken, ["bursty, udp, tone, 250ms, repair auto, seed 2"]);
    assert!(comparison.is_regression());
}

#[test]
fn what_stands_in_one_alone_or_has_another_trace_is_not_compared() {
    let old = results(|_, latency, seed| luck(latency, seed));
    let mut new = old.clone();
    new.cells[0].key.link = "wifi".to_owned();
    new.cells[1].trace = Some("generated".to_owned());
    new.cells[2].runs.truncate(1);
    let comparison = compare(&old, &new);
    assert_eq!((comparison.compared, comparison.apart.len()), (5, 4), "{:?}", comparison.apart);
}

#[test]
fn the_table_says_what_where_and_how_sure() {
    let old = results(|_, latency, seed| luck(latency, seed));
    let new = results(|_, latency, seed| luck(latency, seed) + 0.02);
    let text = compare(&old, &new).to_string();
    assert!(text.starts_with("Worse"), "{text}");
    assert!(text.contains("+2.000 %") && text.contains("all of bad"), "{text}");
    assert!(text.contains("chance of any false alarm among them is at most 5 %"), "{text}");
}

fn options(old: &Path, new: &Path, exact: bool) -> CompareOptions {
    CompareOptions { old: old.to_owned(), new: new.to_owned(), exact }
}

#[test]
fn the_command_tells_a_regression_from_what_cannot_be_compared() {
    let directory = std::env::temp_dir().join(format!("cantus-compare-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let old = write("old.json", &results(|_, latency, seed| luck(latency, seed)).to_json());
    let new = write("new.json", &results(|_, latency, seed| luck(latency, seed) + 0.1).to_json());
    let broken = write("broken.json", "{");
    let nothing = write("nothing.json", &Results::new(Vec::new()).to_json());
    assert!(tell(&options(&old, &new, false)).unwrap());
    assert!(!tell(&options(&new, &old, false)).unwrap());
    assert!(tell(&options(&new, &old, true)).unwrap(), "better is not the same");
    assert!(!tell(&options(&old, &old, true)).unwrap());
    let failure = |path: &Path| tell(&options(path, &new, false)).unwrap_err().to_string();
    assert!(failure(&broken).contains("holds no results of a matrix"));
    let absent = directory.join("absent.json");
    assert!(failure(&absent).contains("cannot read the results"));
    assert!(failure(&nothing).starts_with("nothing to compare"));
    let code = |old, new| format!("{:?}", command(&options(old, new, false)));
    assert_eq!(code(&new, &old), format!("{:?}", ExitCode::SUCCESS));
    assert_eq!(code(&old, &new), format!("{:?}", ExitCode::from(1)));
    assert_eq!(code(&broken, &new), format!("{:?}", ExitCode::from(2)));
    std::fs::remove_dir_all(&directory).unwrap();
}
