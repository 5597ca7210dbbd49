//! A streamer of the media samples, and players beside it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use cantus_player::cli::{Cli, Command, PlayOptions};
use cantus_player::drive::{self, Failure, Finish};
use cantus_player::trust::{Fingerprint, Trust};
use cantus_qos::stats::report::QosReport;
use cantus_streamer::catalogue::Catalogue;
use cantus_streamer::drive::{Settings, Streamer};
use cantus_streamer::quic::Identity;

pub(crate) const TRANSPORTS: [&str; 2] = ["quic", "rtsp"];

pub(crate) fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../media-samples")
}

/// The frames of a sample file, interleaved, from `first` up to `end`.
pub(crate) fn source(file: &str, first: usize, end: usize) -> Vec<i16> {
    let mut reader = hound::WavReader::open(samples().join(file)).unwrap();
    let channels = usize::from(reader.spec().channels);
    reader.seek(first as u32).unwrap();
    let samples = reader.samples().take((end - first) * channels);
    samples.collect::<Result<_, _>>().unwrap()
}

/// What a player wrote, whose header agrees with its length.
pub(crate) fn written(file: &Path) -> (hound::WavSpec, Vec<i16>) {
    let mut reader = hound::WavReader::open(file).unwrap();
    let samples = reader.samples().collect::<Result<_, _>>().unwrap();
    (reader.spec(), samples)
}

/// Panics unless the two are the same; tells where they part.
pub(crate) fn assert_same(what: &str, heard: &[i16], sent: &[i16]) {
    let off = heard.iter().zip(sent).position(|(heard, sent)| heard != sent);
    assert_eq!((heard.len(), off), (sent.len(), None), "{what}");
}

/// A streamer on two ports of its own, and a directory for what its players write.
pub(crate) struct Stage {
    streamer: Option<Streamer>,
    fingerprint: Fingerprint,
    directory: PathBuf,
}

impl Stage {
    pub(crate) async fn set(test: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("cantus-{test}-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let identity = Identity::ephemeral().unwrap();
        let fingerprint = Fingerprint::of(&identity.certificates[0]);
        let any = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let settings =
            Settings { quic: any, rtsp: any, identity, max_bitrate: None, max_sessions: None };
        let catalogue = Catalogue::open(&samples()).unwrap();
        let streamer = Streamer::start(catalogue, settings).await.unwrap();
        Self { streamer: Some(streamer), fingerprint, directory }
    }

    /// The streamer ends, whoever listens.
    pub(crate) async fn shut_down(&mut self) {
        self.streamer.take().unwrap().shut_down().await;
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Plays `name` over `transport` into the WAV file `wav`, as the command line says.
    pub(crate) fn play(
        &self,
        transport: &str,
        name: &str,
        wav: &Path,
        more: &str,
    ) -> impl Future<Output = (QosReport, Result<Finish, Failure>)> + use<> {
        let streamer = self.streamer.as_ref().unwrap();
        let address = if transport == "quic" { streamer.quic } else { streamer.rtsp };
        let url = format!("{transport}://{}/{name}", address.unwrap());
        let out = format!("wav:{}", wav.display());
        let arguments = ["cantus-player", "play", &url, "--out", &out, "--latency", "2s"];
        let options = options(arguments.into_iter().chain(more.split_whitespace()));
        let trust = Trust::Fingerprint(self.fingerprint);
        async move { drive::play(&options, trust).await }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn options<'a>(arguments: impl Iterator<Item = &'a str>) -> PlayOptions {
    match <Cli as clap::Parser>::try_parse_from(arguments).unwrap().command {
        Command::Play(options) => *options,
        other => panic!("not play: {other:?}"),
    }
}
