//! The source tree as the rules see it: paths, manifests, and Rust files as tokens.

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

/// The project on disk.
pub(crate) struct Tree {
    root: PathBuf,
    paths: Vec<String>,
}

impl Tree {
    pub(crate) fn of_the_project() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut paths = Vec::new();
        walk(&root, "", &mut paths);
        Self { root, paths }
    }

    /// All files and folders from the root on, parts joined by `/`; neither what is hidden nor what
    /// was built.
    pub(crate) fn paths(&self) -> &[String] {
        &self.paths
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The manifest at the root.
    pub(crate) fn workspace(&self) -> Manifest {
        Manifest::new("Cargo.toml", &self.read("Cargo.toml"))
    }

    /// The manifests of the crates, wherever they are.
    pub(crate) fn manifests(&self) -> Vec<Manifest> {
        let inner = self.paths.iter().filter(|path| path.ends_with("/Cargo.toml"));
        inner.map(|path| Manifest::new(path, &self.read(path))).collect()
    }

    /// All Rust files.
    pub(crate) fn sources(&self) -> Vec<Source> {
        let rust = self.paths.iter().filter(|path| path.ends_with(".rs"));
        mark_test_files(rust.map(|path| Source::new(path, &self.read(path))).collect())
    }
}

fn walk(root: &Path, below: &str, paths: &mut Vec<String>) {
    let folder = root.join(below);
    let entries =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<_> = entries.map(|entry| entry.expect("a readable folder")).collect();
    names.sort_by_key(fs::DirEntry::file_name);
    for entry in names {
        let name = entry.file_name().into_string().expect("file names are UTF-8");
        if name.starts_with('.') || name == "target" {
            continue;
        }
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        paths.push(path.clone());
        if entry.file_type().expect("a file type").is_dir() {
            walk(root, &path, paths);
        }
    }
}

/// A `Cargo.toml`.
pub(crate) struct Manifest {
    pub(crate) path: String,
    pub(crate) table: toml::Table,
    text: String,
}

impl Manifest {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let table = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
        Self { path: path.to_owned(), table, text: text.to_owned() }
    }

    /// The line that begins with this key.
    pub(crate) fn line_of(&self, key: &str) -> usize {
        let begins = |line: &str| {
            let rest = line.trim_start().strip_prefix(key);
            rest.is_some_and(|rest| rest.starts_with([' ', '.', '=']))
        };
        self.text.lines().position(begins).map_or(0, |index| index + 1)
    }
}

/// A Rust file: its tokens, without comments and documentation.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: String,
    /// Everything.
    pub(crate) all: Vec<Token>,
    /// Everything that is compiled into the product: without items under `#[cfg(test)]`.
    pub(crate) shipped: Vec<Token>,
    /// Names of modules that stand in other files and are compiled for tests only.
    test_modules: Vec<String>,
}

/// An identifier, a literal, a bracket, `::` or a single punctuation mark.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) lines: RangeInclusive<usize>,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let stream: TokenStream =
            text.parse().unwrap_or_else(|error| panic!("{path} does not parse: {error}"));
        let mut shipped = Reading { with_tests: false, ..Reading::default() };
        let mut all = Reading { with_tests: true, ..Reading::default() };
        shipped.stream(stream.clone());
        all.stream(stream);
        Self {
            path: path.to_owned(),
            all: all.tokens,
            shipped: shipped.tokens,
            test_modules: shipped.test_modules,
        }
    }

    /// The path inside the crate of this name, such as `fec/mod.rs` for `qos/src/fec/mod.rs`.
    pub(crate) fn inside(&self, krate: &str) -> Option<&str> {
        self.path.strip_prefix(krate)?.strip_prefix("/src/")
    }

    /// Lines that hold code of the product.
    pub(crate) fn lines_of_code(&self) -> usize {
        let lines: BTreeSet<usize> =
            self.shipped.iter().flat_map(|token| token.lines.clone()).collect();
        lines.len()
    }

    /// Where these tokens follow each other, tests included: their lines.
    pub(crate) fn lines_with(&self, sequence: &[&str]) -> Vec<usize> {
        let windows = self.all.windows(sequence.len());
        let found = windows.filter(|window| matches(window, sequence));
        found.map(|window| *window[0].lines.start()).collect()
    }

    /// Where files of child modules are looked for.
    fn folder(&self) -> &str {
        let stem = self.path.strip_suffix(".rs").unwrap_or(&self.path);
        let (folder, name) = stem.rsplit_once('/').unwrap_or(("", stem));
        if matches!(name, "mod" | "lib" | "main") { folder } else { stem }
    }
}

fn matches(window: &[Token], sequence: &[&str]) -> bool {
    window.iter().map(|token| token.text.as_str()).eq(sequence.iter().copied())
}

/// Empties the product code of files that are declared as `#[cfg(test)] mod name;`, and of those
/// below them.
pub(crate) fn mark_test_files(mut sources: Vec<Source>) -> Vec<Source> {
    let declared: Vec<String> = sources
        .iter()
        .flat_map(|source| {
            source.test_modules.iter().map(|name| format!("{}/{name}", source.folder()))
        })
        .collect();
    for source in &mut sources {
        let is_test = declared.iter().any(|module| {
            let rest = source.path.strip_prefix(module.as_str());
            rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        });
        if is_test {
            source.shipped.clear();
        }
    }
    sources
}

/// Flattens token trees.
#[derive(Default)]
struct Reading {
    with_tests: bool,
    tokens: Vec<Token>,
    test_modules: Vec<String>,
}

impl Reading {
    fn stream(&mut self, stream: TokenStream) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        while at < trees.len() {
            match Attribute::at(&trees[at..]) {
                Some(attribute) if attribute.is_documentation() => at += attribute.length,
                Some(attribute) if attribute.is_for_tests() && !self.with_tests => {
                    if attribute.inner {
                        return;
                    }
                    let start = at + attribute.length;
                    let length = item_length(&trees[start..]);
                    self.note_test_module(&trees[start..start + length]);
                    at = start + length;
                }
                _ => at += self.tree(&trees[at..]),
            }
        }
    }

    /// Takes one tree, or the two colons of `::`; gives how many were taken.
    fn tree(&mut self, trees: &[TokenTree]) -> usize {
        match &trees[0] {
            TokenTree::Group(group) => self.group(group),
            TokenTree::Punct(punct) if punct.as_char() == ':' => {
                let double = punct.spacing() == Spacing::Joint && is_punct(trees.get(1), ':');
                self.push(if double { "::" } else { ":" }, &trees[0]);
                return if double { 2 } else { 1 };
            }
            tree => self.push(&tree.to_string(), tree),
        }
        1
    }

    fn group(&mut self, group: &Group) {
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => ("", ""),
        };
        let open_line = group.span_open().start().line;
        self.tokens.push(Token { text: open.to_owned(), lines: open_line..=open_line });
        self.stream(group.stream());
        let close_line = group.span_close().end().line;
        self.tokens.push(Token { text: close.to_owned(), lines: close_line..=close_line });
    }

    fn push(&mut self, text: &str, tree: &TokenTree) {
        let lines = tree.span().start().line..=tree.span().end().line;
        self.tokens.push(Token { text: text.to_owned(), lines });
    }

    fn note_test_module(&mut self, item: &[TokenTree]) {
        let is_module = item.iter().any(|tree| is_ident(tree, "mod"));
        if let [.., TokenTree::Ident(name), TokenTree::Punct(end)] = item
            && is_module
            && end.as_char() == ';'
        {
            self.test_modules.push(name.to_string());
        }
    }
}

/// `#[...]` or `#![...]`.
struct Attribute {
    inner: bool,
    length: usize,
    tokens: Vec<String>,
}

impl Attribute {
    fn at(trees: &[TokenTree]) -> Option<Self> {
        if !is_punct(trees.first(), '#') {
            return None;
        }
        let inner = is_punct(trees.get(1), '!');
        let length = if inner { 3 } else { 2 };
        match trees.get(length - 1) {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => {
                let mut reading = Reading { with_tests: true, ..Reading::default() };
                reading.stream(group.stream());
                let tokens = reading.tokens.into_iter().map(|token| token.text).collect();
                Some(Self { inner, length, tokens })
            }
            _ => None,
        }
    }

    fn has(&self, text: &str) -> bool {
        self.tokens.iter().any(|token| token == text)
    }

    fn is_documentation(&self) -> bool {
        self.tokens.first().is_some_and(|name| name == "doc")
    }

    /// `cfg(test)` or `cfg(all(test, ...))`, not `cfg(not(test))`.
    fn is_for_tests(&self) -> bool {
        self.tokens.first().is_some_and(|name| name == "cfg")
            && self.has("test")
            && !self.has("not")
            && !self.has("any")
    }
}

/// How many trees the item takes that begins here: up to its braces or its semicolon.
fn item_length(trees: &[TokenTree]) -> usize {
    let by_semicolon = ["use", "const", "static", "type", "let"];
    let head = trees.iter().take_while(|tree| !matches!(tree, TokenTree::Group(_)));
    let ends_at_semicolon = head
        .filter(|tree| matches!(tree, TokenTree::Ident(_)))
        .map(ToString::to_string)
        .find(|word| word != "pub")
        .is_some_and(|word| by_semicolon.contains(&word.as_str()))
        && !trees.iter().take(4).any(|tree| is_ident(tree, "fn"));
    let end = trees.iter().position(|tree| match tree {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !ends_at_semicolon,
        tree => is_punct(Some(tree), ';'),
    });
    end.map_or(trees.len(), |index| index + 1)
}

fn is_punct(tree: Option<&TokenTree>, mark: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
}

fn is_ident(tree: &TokenTree, word: &str) -> bool {
    matches!(tree, TokenTree::Ident(ident) if ident == word)
}
