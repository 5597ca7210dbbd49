//! Which crate may depend on which.

use std::collections::{BTreeMap, VecDeque};

use crate::Breach;
use crate::source::Manifest;

/// The crates of the house, and which others of the house each may depend on. A new crate finds its
/// place here first.
const CRATES: &[(&str, &[&str])] = &[
    ("cantus-qos", &[]),
    ("cantus-streamer", &["cantus-qos"]),
    ("cantus-player", &["cantus-qos"]),
    ("cantus-bench", &["cantus-qos", "cantus-streamer", "cantus-player"]),
    ("cantus-tests", &["cantus-qos", "cantus-streamer", "cantus-player", "cantus-bench"]),
    // A program of others: it shares no line with the house.
    ("interop-retina", &[]),
];

/// What the QoS engine does without, directly and through others, in its tests too.
const REFUSED: &[&str] =
    &["tokio", "mio", "quinn", "quinn-proto", "quinn-udp", "socket2", "cpal", "hound"];

const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Dependencies between crates of the house that the table does not allow.
pub(crate) fn directions(workspace: &Manifest, manifests: &[Manifest]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for manifest in manifests {
        let name = manifest.table["package"]["name"].as_str().unwrap_or_default();
        let Some(allowed) = allowed(name) else {
            let rule = format!("crate {name} has no place in the table of tests/house/crates.rs");
            breaches.push(Breach::new(&manifest.path, manifest.line_of("name"), rule));
            continue;
        };
        for (key, package) in dependencies(workspace, manifest) {
            if is_ours(&package) && !allowed.contains(&package.as_str()) {
                let rule =
                    format!("{name} may not depend on {package} (it may on: {})", list(allowed));
                breaches.push(Breach::new(&manifest.path, manifest.line_of(&key), rule));
            }
        }
    }
    breaches
}

/// What the QoS engine refuses and yet gets, as `Cargo.lock` tells, and by which way.
pub(crate) fn refusals(lock: &str) -> Vec<Breach> {
    let lock: toml::Table = lock.parse().expect("Cargo.lock is TOML");
    let mut graph: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in lock["package"].as_array().expect("Cargo.lock lists packages") {
        let name = package["name"].as_str().expect("a package has a name");
        let listed = package.get("dependencies").and_then(toml::Value::as_array);
        let names = listed.into_iter().flatten().filter_map(toml::Value::as_str);
        // "name" or "name version"
        graph.entry(name).or_default().extend(names.filter_map(|name| name.split(' ').next()));
    }
    let mut ways = BTreeMap::from([("cantus-qos", "cantus-qos".to_owned())]);
    let mut queue = VecDeque::from(["cantus-qos"]);
    while let Some(name) = queue.pop_front() {
        for next in graph.get(name).into_iter().flatten() {
            if !ways.contains_key(next) {
                ways.insert(next, format!("{} -> {next}", ways[name]));
                queue.push_back(next);
            }
        }
    }
    let refused = REFUSED.iter().filter_map(|name| ways.get(name));
    refused
        .map(|way| Breach::new("Cargo.lock", 0, format!("the QoS engine does without: {way}")))
        .collect()
}

fn allowed(name: &str) -> Option<&'static [&'static str]> {
    CRATES.iter().find(|(krate, _)| *krate == name).map(|(_, allowed)| *allowed)
}

fn is_ours(package: &str) -> bool {
    allowed(package).is_some()
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// All dependencies of a crate, of all kinds and for all targets: key and package name.
fn dependencies(workspace: &Manifest, manifest: &Manifest) -> Vec<(String, String)> {
    let targets = manifest.table.get("target").and_then(toml::Value::as_table);
    let per_target = targets.into_iter().flatten().filter_map(|(_, target)| target.as_table());
    let scopes = std::iter::once(&manifest.table).chain(per_target);
    let tables = scopes.flat_map(|scope| KINDS.iter().filter_map(|kind| scope.get(*kind)));
    let entries = tables.filter_map(toml::Value::as_table).flatten();
    entries.map(|(key, value)| (key.clone(), package(workspace, key, value))).collect()
}

/// The package behind a key: it may be renamed, here or in the workspace.
fn package(workspace: &Manifest, key: &str, value: &toml::Value) -> String {
    let shared = workspace
        .table
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies")?.get(key));
    let renamed = [Some(value), shared].into_iter().flatten().find_map(|v| v.get("package"));
    renamed.and_then(toml::Value::as_str).unwrap_or(key).to_owned()
}
