//! Planted breaches: every rule finds what it is there to find, and nothing beside it.

use crate::source::{Manifest, Source, mark_test_files};
use crate::{Breach, crates, files, rooms};

fn places(breaches: &[Breach]) -> Vec<String> {
    breaches.iter().map(|breach| format!("{}:{}", breach.file, breach.line)).collect()
}

/// The lines that break the order of the rooms, in a file of this path.
fn imports_found(path: &str, text: &str) -> Vec<usize> {
    let breaches = rooms::directions(&[Source::new(path, text)]);
    breaches.iter().map(|breach| breach.line).collect()
}

#[test]
fn an_upward_import_is_found_in_every_spelling() {
    for text in [
        "use crate::sync::Controller;",
        "use crate::{rtp::Ssrc, sync};",
        "use crate::{rtp::{Ssrc, Sequence}, sync::Controller};",
        "use super::sync::Controller;",
        "fn f() -> crate::sync::Controller { todo!() }",
        "mod inner { use super::super::sync::Controller; }",
        "use crate::*;",
        "use crate::{self as root};",
    ] {
        assert_eq!(imports_found("qos/src/fec/mod.rs", text), [1], "{text}");
    }
    assert_eq!(imports_found("qos/src/fec/block.rs", "\nuse super::super::sync::A;"), [2]);
    assert_eq!(imports_found("qos/src/time.rs", "use super::rtp::Ssrc;"), [1]);
}

#[test]
fn what_is_allowed_or_no_import_is_left_alone() {
    for text in [
        "use crate::rtp::Ssrc;",
        "use crate::fec::block::source_block::Block;",
        "use super::time::MonoTime;",
        "mod inner { use super::sync::Mine; }",
        "//! See [`crate::sync`].\n// crate::sync\n/* use crate::sync; */",
        "const TEXT: &str = \"crate::sync::Controller\";",
        "pub(crate) mod sync {}",
    ] {
        assert_eq!(imports_found("qos/src/fec/mod.rs", text), [0; 0], "{text}");
    }
    assert_eq!(imports_found("qos/src/fec/block.rs", "use super::sync::Mine;"), [0; 0]);
    assert_eq!(imports_found("player/src/fec.rs", "use crate::sync::Mine;"), [0; 0]);
}

#[test]
fn tests_inside_a_room_may_import_what_they_like() {
    let beside = "#[cfg(test)]\nmod tests { use crate::sync::A; }\nuse crate::spec::B;";
    assert_eq!(imports_found("qos/src/fec/mod.rs", beside), [3]);
    let line = "#[cfg(test)]\nuse crate::{sync::A, spec::B};\nuse crate::spec::C;";
    assert_eq!(imports_found("qos/src/fec/mod.rs", line), [3]);
    let file = mark_test_files(vec![
        Source::new("qos/src/fec/mod.rs", "#[cfg(test)]\nmod tests;\nmod block;"),
        Source::new("qos/src/fec/tests.rs", "use crate::sync::A;"),
        Source::new("qos/src/fec/tests/more.rs", "use crate::sync::A;"),
        Source::new("qos/src/fec/block.rs", "use crate::sync::A;"),
    ]);
    assert_eq!(places(&rooms::directions(&file)), ["qos/src/fec/block.rs:1"]);
}

#[test]
fn a_room_without_a_place_is_found() {
    assert_eq!(imports_found("qos/src/attic/mod.rs", ""), [0]);
}

#[test]
fn a_thread_or_socket_in_the_engine_is_found() {
    let text = "use std::thread;\nfn f(_: std::net::UdpSocket) {}\nuse std::net::IpAddr;";
    let found = rooms::outside(&[Source::new("qos/src/rtp/mod.rs", text)]);
    assert_eq!(places(&found), ["qos/src/rtp/mod.rs:1", "qos/src/rtp/mod.rs:2"]);
    assert_eq!(rooms::outside(&[Source::new("player/src/drive.rs", text)]), []);
}

#[test]
fn a_streamer_that_sees_the_player_is_found_under_any_name_and_kind() {
    let workspace = Manifest::new(
        "Cargo.toml",
        "[workspace.dependencies]\nhidden = { package = \"cantus-player\", path = \"player\" }",
    );
    let found = |dependencies: &str| {
        let text = format!("[package]\nname = \"cantus-streamer\"\n{dependencies}");
        places(&crates::directions(&workspace, &[Manifest::new("streamer/Cargo.toml", &text)]))
    };
    let breach = ["streamer/Cargo.toml:4"];
    assert_eq!(found("[dependencies]\ncantus-player.workspace = true"), breach);
    assert_eq!(found("[dev-dependencies]\ncantus-player = { path = \"../player\" }"), breach);
    assert_eq!(found("[dependencies]\nhidden.workspace = true"), breach);
    assert_eq!(found("[target.'cfg(unix)'.dependencies]\nhidden.workspace = true"), breach);
    assert_eq!(found("[dependencies]\ncantus-qos.workspace = true\nbytes = \"1\""), [""; 0]);
}

#[test]
fn a_crate_without_a_place_is_found() {
    let workspace = Manifest::new("Cargo.toml", "");
    let attic = Manifest::new("attic/Cargo.toml", "[package]\nname = \"cantus-attic\"");
    assert_eq!(places(&crates::directions(&workspace, &[attic])), ["attic/Cargo.toml:2"]);
}

#[test]
fn a_refused_dependency_is_found_through_others() {
    let lock = "[[package]]\nname = \"cantus-qos\"\ndependencies = [\"bytes\", \"deep 2.0.0\"]\n\
                [[package]]\nname = \"bytes\"\n\
                [[package]]\nname = \"deep\"\ndependencies = [\"tokio\"]\n\
                [[package]]\nname = \"tokio\"\n\
                [[package]]\nname = \"cantus-player\"\ndependencies = [\"cpal\", \"cantus-qos\"]";
    let found = crates::refusals(lock);
    assert_eq!(found.len(), 1);
    assert!(found[0].rule.ends_with("cantus-qos -> deep -> tokio"), "{}", found[0]);
}

#[test]
fn a_vague_name_is_found_for_files_and_folders() {
    let paths = ["qos/src/util.rs", "player/src/Common", "qos/src/stats/misc.tests.rs"];
    let found = files::vague_names(&paths.map(str::to_owned));
    assert_eq!(found.len(), 3);
    let fine = ["qos/src/utility_curve.rs", "qos/src/time.rs"];
    assert_eq!(files::vague_names(&fine.map(str::to_owned)), []);
}

#[test]
fn a_long_file_is_found_one_line_beyond_the_limit() {
    let code = |lines: usize| "// why\n\nconst A: u8 = 1;\n".repeat(lines);
    let tests = "#[cfg(test)]\nmod tests {\n fn f() {}\n}\n".repeat(400);
    let at_limit = Source::new("a.rs", &(code(files::MAX_LINES) + &tests));
    let beyond = Source::new("b.rs", &(code(files::MAX_LINES + 1)));
    assert_eq!(places(&files::length(&[at_limit, beyond])), ["b.rs:0"]);
}

#[test]
fn a_clock_read_is_found_outside_the_named_files() {
    let text = "// Instant::now()\nfn f() { std::time::Instant::now(); }";
    let found = |path: &str| places(&files::clock_reads(&[Source::new(path, text)]));
    assert_eq!(found("player/src/client/mod.rs"), ["player/src/client/mod.rs:2"]);
    assert_eq!(found("player/src/drive.rs"), [""; 0]);
    assert_eq!(found("player/src/overdrive.rs"), ["player/src/overdrive.rs:2"]);
}

#[test]
fn unsafe_code_is_found_but_not_the_lint_of_that_name() {
    let text = "#![deny(unsafe_code)]\nfn f() { unsafe { g() } }";
    assert_eq!(places(&files::unsafe_code(&[Source::new("a.rs", text)])), ["a.rs:2"]);
}
