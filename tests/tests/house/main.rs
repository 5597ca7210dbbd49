//! The house rules: what the source tree promises about itself, held by tests.
//!
//! Each rule is a function from sources to breaches; the tests here run it on the tree as it
//! stands, and `planted` shows that it finds what it is there to find. A breach names its file,
//! its line and the rule.

mod crates;
mod files;
mod planted;
mod rooms;
mod source;

use std::fmt;

use source::Tree;

/// A place where a rule is broken.
#[derive(Debug, PartialEq, Eq)]
struct Breach {
    /// Path from the root of the project.
    file: String,
    /// Counted from 1; 0 where the rule is about the file as a whole.
    line: usize,
    /// What was found and what the rule allows.
    rule: String,
}

impl Breach {
    fn new(file: &str, line: usize, rule: String) -> Self {
        Self { file: file.to_owned(), line, rule }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.rule),
            line => write!(f, "{}:{line}: {}", self.file, self.rule),
        }
    }
}

#[track_caller]
fn assert_kept(breaches: &[Breach]) {
    let lines: Vec<String> = breaches.iter().map(Breach::to_string).collect();
    assert!(lines.is_empty(), "broken house rules:\n{}", lines.join("\n"));
}

#[test]
fn crates_import_in_one_direction() {
    let tree = Tree::of_the_project();
    assert_kept(&crates::directions(&tree.workspace(), &tree.manifests()));
}

#[test]
fn the_qos_engine_depends_on_no_runtime_socket_or_sound_card() {
    assert_kept(&crates::refusals(&Tree::of_the_project().read("Cargo.lock")));
}

#[test]
fn rooms_of_the_qos_engine_import_downwards() {
    assert_kept(&rooms::directions(&Tree::of_the_project().sources()));
}

#[test]
fn the_qos_engine_touches_nothing_outside() {
    assert_kept(&rooms::outside(&Tree::of_the_project().sources()));
}

#[test]
fn every_name_says_what_is_inside() {
    assert_kept(&files::vague_names(Tree::of_the_project().paths()));
}

#[test]
fn every_file_can_be_read_in_one_sitting() {
    assert_kept(&files::length(&Tree::of_the_project().sources()));
}

#[test]
fn only_drive_and_clock_read_the_clock() {
    assert_kept(&files::clock_reads(&Tree::of_the_project().sources()));
}

#[test]
fn unsafe_stands_only_in_listed_files() {
    assert_kept(&files::unsafe_code(&Tree::of_the_project().sources()));
}
