use super::*;

use crate::matrix::{Findings, Matrix, MatrixPlan};
use crate::sim::{self, Capture, Media, Scenario};
use cantus_player::wish::Carrier;
use cantus_qos::time::MediaTime;
use std::time::Duration;

fn findings() -> Findings {
    let plan: MatrixPlan = r#"
        links = ["bursty", "delay 20ms loss 5%", "lte"]
        media = ["synthetic"]
        latencies = ["100ms", "200ms", "auto"]
        protection = ["auto", "off"]
        seeds = 2
        for = "4s"
    "#
    .parse()
    .unwrap();
    Matrix::prepare(&[plan], None).unwrap().run(None, || ()).unwrap()
}

/// A page of one session.
fn of_session() -> String {
    let media = Media::synthetic(Duration::from_secs(5)).unwrap();
    let link = "bursty".parse().unwrap();
    let scenario = Scenario {
        length: Some(MediaTime::from_millis(5_000)),
        capture: Capture { fates: true, packets: true, sound: false },
        ..Scenario::new(link, Media::SYNTHETIC, Carrier::Udp)
    };
    simulated(&sim::run(&media, &scenario).unwrap(), &scenario)
}

/// What ends the name of an element.
const NAME_ENDS: [char; 4] = [' ', '>', '/', '\n'];

/// Whether every element is closed by the right tag and every attribute is quoted, as XML has it.
#[track_caller]
fn assert_well_formed(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("a page says what it is");
    while let Some(start) = rest.find('<') {
        let (text, tag) = rest.split_at(start);
        assert!(!text.contains('>') || open.last() == Some(&"style"), "a bare > in {text:?}");
        let end = tag.find('>').expect("a tag ends");
        let (tag, after) = (&tag[1..end], &tag[end + 1..]);
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> closes something else");
        } else if !tag.ends_with('/') {
            open.push(tag.split(NAME_ENDS).next().unwrap());
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes in <{tag}>");
        rest = after;
    }
    assert_eq!(open, [""; 0], "everything is closed");
}

/// Whether nothing in it leads elsewhere.
#[track_caller]
fn assert_self_contained(page: &str) {
    let page = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for reference in ["http:", "https:", "src=", "href=", "url(", "@import", "<script", "<link"] {
        // A session's own URL is text, and none of these.
        assert!(!page.contains(reference), "the page refers to something: {reference}");
    }
}

#[test]
fn the_page_of_a_matrix_is_well_formed_and_self_contained() {
    let page = matrix(&findings());
    assert_well_formed(&page);
    assert_self_contained(&page);
    for id in ["residual", "overhead", "latency", "arrivals", "time", "runs", "skew", "figures"] {
        assert!(page.contains(&format!("<section id=\"{id}\">")), "{id} is there");
    }
    assert!(page.contains("follows a generated delivery trace"));
    assert!(page.contains("delay 20ms loss 5% · repair off"));
}

#[test]
fn the_page_of_a_session_is_well_formed_and_self_contained() {
    let page = of_session();
    assert_well_formed(&page);
    assert_self_contained(&page);
    assert!(page.contains("synthetic over &#39;") && page.contains("seed 1"), "its title");
}

#[test]
fn the_same_findings_give_the_same_page() {
    assert_eq!(matrix(&findings()), matrix(&findings()));
    assert_eq!(of_session(), of_session());
}

#[test]
fn every_plot_speaks_and_takes_its_colours_from_the_page() {
    let page = matrix(&findings());
    let plots = page.matches("<svg ").count();
    assert!(plots > 20, "{plots}");
    assert_eq!(page.matches("role=\"img\"").count(), plots);
    assert_eq!(page.matches("<desc>").count(), plots);
    let outside_style = page.replace(STYLE, "");
    assert!(!outside_style.contains("\"#"), "a colour that does not follow day and night");
    for ink in Ink::ALL {
        let variable = format!("{}:", ink.variable());
        assert_eq!(STYLE.matches(&variable).count(), 2, "{variable} by day and by night");
    }
}

#[test]
fn names_are_escaped_wherever_they_stand() {
    let mut findings = findings();
    for cell in &mut findings.results.cells {
        cell.key.link = "<b title=\"x\">&'</b>".to_owned();
        cell.key.media = "a/<i>".to_owned();
        cell.key.transport = "<u>".to_owned();
    }
    let page = matrix(&findings);
    assert_well_formed(&page);
    assert!(!page.contains("<b title") && !page.contains("<i>") && !page.contains("<u>"));
    assert!(page.contains("&lt;b title=&quot;x&quot;&gt;&amp;&#39;&lt;/b&gt;"));
}

#[test]
fn a_page_of_nothing_is_still_a_page() {
    let results = crate::report::Results::new(Vec::new());
    assert_well_formed(&matrix(&Findings { results, pictures: Vec::new() }));
}

#[test]
fn escaping_leaves_plain_text_alone() {
    assert!(matches!(escape("plain · text"), Cow::Borrowed("plain · text")));
    assert_eq!(escape("<a href='x'>&</a>"), "&lt;a href=&#39;x&#39;&gt;&amp;&lt;/a&gt;");
}
