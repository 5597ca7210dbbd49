//! Pages to look at: self-contained, by day and by night, on wide and narrow screens.
//!
//! A page is one file: its style stands in it, its plots are SVG in it, and it needs no network
//! and no script. Nothing in it depends on when or where it was written, so the same results give
//! the same page.

mod matrix;
mod number;
mod session;

use std::borrow::Cow;

pub use matrix::matrix;
pub use session::{live, simulated};

use super::plot::Ink;

const STYLE: &str = include_str!("style.css");

/// Text as it stands in HTML and SVG, between tags and in attributes.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return text.into();
    }
    let escaped = text.chars().fold(String::with_capacity(text.len() + 16), |mut out, letter| {
        match letter {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            letter => out.push(letter),
        }
        out
    });
    escaped.into()
}

/// A whole page around its body.
fn page(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n<title>{title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// A heading with what is to be known before looking.
fn section(id: &str, title: &str, lead: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<section id=\"{id}\">\n<h2>{title}</h2>\n<p class=\"lead\">{lead}</p>\n{body}</section>\n"
    )
}

/// Plots beside each other, each with its caption.
fn gallery(plots: impl IntoIterator<Item = (String, String)>) -> String {
    let figures = plots.into_iter().map(|(caption, svg)| {
        format!("<figure><figcaption>{}</figcaption>{svg}</figure>\n", escape(&caption))
    });
    format!("<div class=\"gallery\">\n{}</div>\n", figures.collect::<String>())
}

/// What colours and shapes mean.
fn legend(entries: &[(Ink, &str, &str)]) -> String {
    let entry = |(ink, sign, text): &(Ink, &str, &str)| {
        let (ink, text) = (ink.variable(), escape(text));
        format!(
            "<li><span style=\"color:var({ink})\" aria-hidden=\"true\">{sign}</span> {text}</li>"
        )
    };
    format!("<ul class=\"legend\">{}</ul>\n", entries.iter().map(entry).collect::<String>())
}

/// Rows under a head, in a box of its own that scrolls.
fn table(caption: &str, head: &str, rows: &str) -> String {
    let caption = escape(caption);
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\">\
         <table>\n<thead>{head}</thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
    )
}

#[cfg(test)]
mod tests;
