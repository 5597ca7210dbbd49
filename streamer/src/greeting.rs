//! What the streamer says when it starts: what it serves or pushes, and where.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;

use cantus_qos::time::MediaTime;

use crate::catalogue::{Entry, Listing, Presentation, TrackSummary};
use crate::control::url_path;
use crate::push::Target;

/// Where a streamer can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// QUIC, and the fingerprint of its certificate.
    pub quic: Option<(SocketAddr, String)>,
    /// RTSP.
    pub rtsp: Option<SocketAddr>,
}

impl Reach {
    /// The beginnings of its URLs.
    fn bases(&self) -> Vec<String> {
        let quic = self.quic.iter().map(|(address, _)| format!("quic://{}", authority(*address)));
        let rtsp = self.rtsp.iter().map(|address| format!("rtsp://{}", authority(*address)));
        quic.chain(rtsp).collect()
    }
}

/// The text: each presentation with its URLs, ready to copy, and how the streamer is known.
pub fn greeting(directory: &Path, listing: &Listing, reach: &Reach) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_all(&mut text, directory, listing, reach);
    text
}

fn write_all(
    text: &mut String,
    directory: &Path,
    listing: &Listing,
    reach: &Reach,
) -> std::fmt::Result {
    let directory = directory.display();
    match listing.presentations.len() {
        0 => writeln!(text, "Serving {directory}: no presentation yet, but WAV files may come")?,
        1 => writeln!(text, "Serving one presentation from {directory}")?,
        count => writeln!(text, "Serving {count} presentations from {directory}")?,
    }
    let bases = reach.bases();
    for entry in &listing.presentations {
        writeln!(text, "\n  {}", heading(entry))?;
        for base in &bases {
            writeln!(text, "    {base}/{}", url_path(&entry.name))?;
        }
    }
    writeln!(text)?;
    if listing.presentations.is_empty() {
        for base in &bases {
            writeln!(text, "  {base}")?;
        }
    }
    if let Some((_, fingerprint)) = &reach.quic {
        writeln!(text, "Certificate: --trust {fingerprint}")?;
    }
    writeln!(text, "Ctrl-C ends it.")
}

/// What a push says when it begins: `Pushing Title (1:23) to rtp://239.1.2.3:5004`.
pub fn pushing(presentation: &Presentation, target: &Target) -> String {
    let length = length(presentation.duration);
    format!("Pushing {} ({length}) to {target}\nCtrl-C ends it.\n", presentation.title)
}

/// `1:23`.
fn length(duration: MediaTime) -> String {
    let seconds = duration.to_duration().as_secs_f64().round() as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// `Title (1:23, 2 tracks, subtitles en fr)`.
fn heading(entry: &Entry) -> String {
    let mut details = vec![length(entry.duration)];
    let is_audio = |track: &&TrackSummary| matches!(track, TrackSummary::Audio { .. });
    let audio = entry.tracks.iter().filter(is_audio).count();
    if audio > 1 {
        details.push(format!("{audio} tracks"));
    }
    let languages: Vec<&str> = entry.tracks.iter().filter_map(language).collect();
    if !languages.is_empty() {
        details.push(format!("subtitles {}", languages.join(" ")));
    }
    format!("{} ({})", entry.title, details.join(", "))
}

fn language(track: &TrackSummary) -> Option<&str> {
    match track {
        TrackSummary::Text { language, .. } => Some(language),
        TrackSummary::Audio { .. } => None,
    }
}

/// Host and port; who listens on all addresses is on this machine too.
fn authority(address: SocketAddr) -> String {
    match address.ip().is_unspecified() {
        true => format!("localhost:{}", address.port()),
        false => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audio(name: &str) -> TrackSummary {
        TrackSummary::Audio { name: name.into(), rate: 48_000, channels: 1 }
    }

    fn text(language: &str) -> TrackSummary {
        TrackSummary::Text { name: language.into(), language: language.into() }
    }

    fn entry(name: &str, title: &str, seconds: i64, tracks: Vec<TrackSummary>) -> Entry {
        let duration = MediaTime::from_millis(seconds * 1_000);
        Entry { name: name.into(), title: title.into(), duration, tracks }
    }

    #[test]
    fn every_presentation_stands_with_its_urls() {
        let listing = Listing {
            presentations: vec![
                entry("duet", "A duet", 18, vec![audio("1"), audio("2")]),
                entry("my talk", "My talk", 83, vec![audio("audio"), text("en"), text("fr")]),
            ],
            skipped: Vec::new(),
        };
        let reach = Reach {
            quic: Some(("[::]:4433".parse().unwrap(), "sha256:ab".into())),
            rtsp: "127.0.0.1:8554".parse().ok(),
        };
        let expected = "\
Serving 2 presentations from talks

  A duet (0:18, 2 tracks)
    quic://localhost:4433/duet
    rtsp://127.0.0.1:8554/duet

  My talk (1:23, subtitles en fr)
    quic://localhost:4433/my%20talk
    rtsp://127.0.0.1:8554/my%20talk

Certificate: --trust sha256:ab
Ctrl-C ends it.
";
        assert_eq!(greeting(Path::new("talks"), &listing, &reach), expected);
    }

    #[test]
    fn an_empty_directory_is_no_error() {
        let listing = Listing { presentations: Vec::new(), skipped: Vec::new() };
        let reach = Reach { quic: None, rtsp: "[::1]:8554".parse().ok() };
        let expected = "\
Serving talks: no presentation yet, but WAV files may come

  rtsp://[::1]:8554
Ctrl-C ends it.
";
        assert_eq!(greeting(Path::new("talks"), &listing, &reach), expected);
    }
}
