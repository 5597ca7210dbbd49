//! Whether two results are the same, as those of the same code in virtual time are.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::report::{CellResult, Results, Run};

/// Floats agree to this, absolutely or to their size: across machines the last digits may differ.
pub const TOLERANCE: f64 = 1e-6;

/// Every place at which `new` is not as `old`, a line each. Empty if they are the same.
pub fn differences(old: &Results, new: &Results) -> Vec<String> {
    let mut lines = Vec::new();
    let theirs: BTreeMap<_, _> = new.cells.iter().map(|cell| (&cell.key, cell)).collect();
    for cell in &old.cells {
        match theirs.get(&cell.key) {
            Some(found) => compare_cells(cell, found, &mut lines),
            None => lines.push(format!("{}: is missing", cell.key)),
        }
    }
    let ours: BTreeMap<_, _> = old.cells.iter().map(|cell| (&cell.key, ())).collect();
    let added = new.cells.iter().filter(|cell| !ours.contains_key(&cell.key));
    lines.extend(added.map(|cell| format!("{}: is new", cell.key)));
    lines
}

fn compare_cells(old: &CellResult, new: &CellResult, lines: &mut Vec<String>) {
    let key = &old.key;
    if old.trace != new.trace {
        lines.push(format!("{key}: trace {:?} is now {:?}", old.trace, new.trace));
    }
    let theirs: BTreeMap<u64, &Run> = new.runs.iter().map(|run| (run.seed, run)).collect();
    for run in &old.runs {
        let seed = run.seed;
        let Some(found) = theirs.get(&seed) else {
            lines.push(format!("{key}: seed {seed} is missing"));
            continue;
        };
        let (was, is) = (fields(run), fields(found));
        for (name, was) in &was {
            let is = is.get(name).unwrap_or(&Value::Null);
            if !agree(was, is) {
                lines.push(format!("{key}, seed {seed}: {name} {was} is now {is}"));
            }
        }
    }
    if new.runs.len() > old.runs.len() {
        lines.push(format!("{key}: {} runs are now {}", old.runs.len(), new.runs.len()));
    }
}

fn fields(run: &Run) -> serde_json::Map<String, Value> {
    match serde_json::to_value(run) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    }
}

/// Whole numbers, texts and what they are within are the same; floats agree to [`TOLERANCE`].
fn agree(was: &Value, is: &Value) -> bool {
    match (was, is) {
        (Value::Number(was), Value::Number(is)) if was.is_f64() || is.is_f64() => {
            let (was, is) = (was.as_f64().unwrap_or(f64::NAN), is.as_f64().unwrap_or(f64::NAN));
            (was - is).abs() <= TOLERANCE * was.abs().max(is.abs()).max(1.0)
        }
        _ => was == is,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::CellKey;

    fn results(runs: Vec<Run>) -> Results {
        let key = CellKey {
            link: "bursty".to_owned(),
            transport: "quic".to_owned(),
            media: "tone".to_owned(),
            latency: "200ms".to_owned(),
            protection: "auto".to_owned(),
            beside: None,
            length: None,
        };
        Results::new(vec![CellResult::new(key, None, runs)])
    }

    fn run() -> Run {
        Run { seed: 7, late: 3, residual: Some(0.25), setup_ms: Some(200.0), ..Run::default() }
    }

    #[test]
    fn the_same_is_the_same_and_floats_may_differ_in_their_last_digits() {
        let old = results(vec![run()]);
        assert_eq!(differences(&old, &old), [""; 0]);
        let near = Run { residual: Some(0.250_000_9), setup_ms: Some(200.000_1), ..run() };
        assert_eq!(differences(&old, &results(vec![near])), [""; 0]);
    }

    #[test]
    fn a_whole_number_off_by_one_and_a_float_beyond_the_tolerance_are_told() {
        let old = results(vec![run()]);
        let other = Run { late: 4, residual: Some(0.250_002), setup_ms: None, ..run() };
        let found = differences(&old, &results(vec![other]));
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found.iter().any(|line| line.contains("seed 7: late 3 is now 4")), "{found:?}");
        assert!(found.iter().any(|line| line.contains("setup_ms 200.0 is now null")), "{found:?}");
    }

    #[test]
    fn what_is_missing_or_new_is_told() {
        let old = results(vec![run()]);
        assert_eq!(differences(&old, &results(Vec::new())).len(), 1);
        assert!(differences(&old, &Results::new(Vec::new()))[0].ends_with("is missing"));
        assert!(differences(&Results::new(Vec::new()), &old)[0].ends_with("is new"));
        let more = results(vec![run(), Run { seed: 8, ..run() }]);
        assert_eq!(
            differences(&old, &more),
            ["bursty, quic, tone, 200ms, repair auto: 1 runs are now 2"]
        );
    }
}
