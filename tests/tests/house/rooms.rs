//! Which room of the QoS engine may import which.

use crate::Breach;
use crate::source::{Source, Token};

/// The rooms from the ground up, and what each may import. Rooms of one level leave each other
/// alone, but for what is listed: `rtsp` names `roq` flows in its Transport header, `stats` fills
/// in `rtcp` report blocks, `repair` keeps within a token bucket of `shaping`.
#[rustfmt::skip]
const ROOMS: &[(&str, &[&str])] = &[
    ("time",     &[]),
    ("quantity", &[]),
    ("delivery", &[]),
    ("sap",      &[]),

    ("rtp",      &["time", "quantity"]),

    ("rtcp",     &["time", "quantity", "rtp"]),
    ("roq",      &[]),
    ("rtsp",     &["time", "quantity", "rtp", "roq"]),
    ("payload",  &["time", "quantity", "rtp"]),
    ("fec",      &["time", "quantity", "rtp"]),
    ("stats",    &["time", "quantity", "rtp", "rtcp"]),

    ("shaping",  &["time", "quantity", "rtp", "rtcp", "roq", "rtsp", "payload", "fec", "stats"]),
    ("repair",   &["time", "quantity", "rtp", "rtcp", "roq", "rtsp", "payload", "fec", "stats",
                   "shaping"]),
    ("playout",  &["time", "quantity", "rtp", "rtcp", "roq", "rtsp", "payload", "fec", "stats"]),
    ("sync",     &["time", "quantity", "rtp", "rtcp", "roq", "rtsp", "payload", "fec", "stats"]),

    ("spec",     &["time", "quantity", "rtp", "rtcp", "roq", "rtsp", "payload", "fec", "stats",
                   "repair", "shaping", "playout", "sync"]),
];

/// Names that would bring a clock, a thread, a socket or a file into the engine.
const OUTSIDE: &[&[&str]] = &[
    &["Instant"],
    &["SystemTime"],
    &["std", "::", "thread"],
    &["std", "::", "fs"],
    &["std", "::", "process"],
    &["UdpSocket"],
    &["TcpStream"],
    &["TcpListener"],
];

/// Imports between rooms that the table does not allow. Tests inside the rooms are free.
pub(crate) fn directions(sources: &[Source]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for source in sources {
        let Some(path) = source.inside("qos").filter(|path| *path != "lib.rs") else {
            continue;
        };
        let module = module_path(path);
        let Some((room, allowed)) = ROOMS.iter().find(|(room, _)| *room == module[0]) else {
            let rule =
                format!("room {} has no place in the table of tests/house/rooms.rs", module[0]);
            breaches.push(Breach::new(&source.path, 0, rule));
            continue;
        };
        for (name, line) in root_imports(&source.shipped, module.len()) {
            if name != *room && !allowed.contains(&name.as_str()) {
                let may =
                    if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") };
                let rule = format!("room {room} may not import {name} (it may import {may})");
                breaches.push(Breach::new(&source.path, line, rule));
            }
        }
    }
    breaches
}

/// Places in the engine, tests included, that reach out of it.
pub(crate) fn outside(sources: &[Source]) -> Vec<Breach> {
    let inside = sources.iter().filter(|source| source.inside("qos").is_some());
    inside
        .flat_map(|source| {
            OUTSIDE.iter().flat_map(move |name| {
                let rule = format!("the QoS engine does without {}", name.concat());
                let lines = source.lines_with(name).into_iter();
                lines.map(move |line| Breach::new(&source.path, line, rule.clone()))
            })
        })
        .collect()
}

/// `["fec", "block"]` for `fec/block.rs`, `["fec"]` for `fec/mod.rs`.
fn module_path(path: &str) -> Vec<&str> {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    path.strip_suffix("/mod").unwrap_or(path).split('/').collect()
}

/// What is named right below the crate root, through `crate::` or enough `super::`, by code in a
/// module `depth` below the root: names and lines.
fn root_imports(tokens: &[Token], depth: usize) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    let mut inline = InlineModules::default();
    let mut at = 0;
    while at < tokens.len() {
        inline.step(tokens, at);
        let climbed = tokens[at..].chunks(2).take_while(|pair| is_step(pair, "super")).count();
        let from_root = is_step(&tokens[at..], "crate");
        if from_root || climbed == depth + inline.depth() {
            let start = at + if from_root { 2 } else { 2 * climbed };
            found.extend(first_names(&tokens[start..]));
        }
        at += (2 * climbed).max(1);
    }
    found
}

/// Whether these tokens begin with `word ::`.
fn is_step(tokens: &[Token], word: &str) -> bool {
    matches!(tokens, [first, second, ..] if first.text == word && second.text == "::")
}

/// The name that a path begins with, or the names, where it begins with a group.
fn first_names(tokens: &[Token]) -> Vec<(String, usize)> {
    let Some(first) = tokens.first() else {
        return Vec::new();
    };
    if first.text != "{" {
        return vec![(first.text.clone(), *first.lines.start())];
    }
    let mut names = Vec::new();
    let (mut depth, mut expected) = (0, false);
    for token in tokens {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        let begins = depth == 1 && matches!(token.text.as_str(), "{" | ",");
        if expected && !begins && token.text != "}" {
            names.push((token.text.clone(), *token.lines.start()));
        }
        expected = begins;
    }
    names
}

/// Keeps count of `mod name { ... }` around the token at hand.
#[derive(Default)]
struct InlineModules {
    braces: usize,
    opened_at: Vec<usize>,
}

impl InlineModules {
    fn step(&mut self, tokens: &[Token], at: usize) {
        match tokens[at].text.as_str() {
            "{" => {
                self.braces += 1;
                if at >= 2 && tokens[at - 2].text == "mod" {
                    self.opened_at.push(self.braces);
                }
            }
            "}" => {
                if self.opened_at.last() == Some(&self.braces) {
                    self.opened_at.pop();
                }
                self.braces -= 1;
            }
            _ => {}
        }
    }

    fn depth(&self) -> usize {
        self.opened_at.len()
    }
}

#[test]
fn the_table_points_only_to_rooms_below() {
    for (index, (room, allowed)) in ROOMS.iter().enumerate() {
        for name in *allowed {
            let below = ROOMS[..index].iter().any(|(below, _)| below == name);
            assert!(below, "{room} may import {name}, which does not stand before it");
        }
    }
}
