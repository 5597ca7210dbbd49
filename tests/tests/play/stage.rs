//! A streamer of the media samples, and players beside it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cantus_player::cli::{Cli, Command, PlayOptions};
use cantus_player::drive::{self, Failure, Finish, QueryError};
use cantus_player::trust::{Fingerprint, Trust};
use cantus_qos::stats::report::{QosReport, StreamReport};
use cantus_streamer::catalogue::Catalogue;
use cantus_streamer::drive::{Settings, Streamer};
use cantus_streamer::quic::Identity;
use cantus_streamer::server::MAX_CONNECTIONS;
use cantus_streamer::users::Users;

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

/// Panics unless every unit has its fate, and sound was made up only for units that were not there
/// when their turn came.
pub(crate) fn assert_account(what: &str, stream: &StreamReport) {
    assert!(stream.expected > 0, "{what}");
    assert_eq!(stream.received + stream.lost_network, stream.expected, "{what}");
    let missed = (stream.never_arrived() + stream.late) as f64;
    let residual = stream.residual.unwrap() * stream.expected as f64;
    assert!((residual - missed).abs() < 1e-6, "{what}: {residual} is not {missed}");
    if let (Some(concealed), Some(played)) = (stream.concealed_ms, stream.played_ms) {
        let unit = played / stream.expected as f64;
        assert!(concealed <= (missed + 1.0).min(2.0 * missed) * unit, "{what}: {concealed} ms");
    }
}

/// Panics unless what was heard is what was sent, as long, and the same but for what was made up
/// and the cross-fades after it, which are shorter than that.
pub(crate) fn assert_same_but_for(what: &str, report: &QosReport, heard: &[i16], sent: &[i16]) {
    let made_up = |stream: &StreamReport| stream.concealed_ms.unwrap_or(0.0) > 0.0;
    if !report.streams.iter().any(made_up) {
        return assert_same(what, heard, sent);
    }
    assert_eq!(heard.len(), sent.len(), "{what}");
    let played = report.streams[0].played_ms.unwrap();
    let concealed: f64 = report.streams.iter().filter_map(|stream| stream.concealed_ms).sum();
    let differ = heard.iter().zip(sent).filter(|(heard, sent)| heard != sent).count();
    let share = differ as f64 / sent.len() as f64;
    assert!(share <= 2.0 * concealed / played, "{what}: {share} differs, {concealed} ms made up");
}

/// A streamer on two ports of its own, and a directory for what its players write.
pub(crate) struct Stage {
    streamer: Option<Streamer>,
    fingerprint: Fingerprint,
    directory: PathBuf,
}

impl Stage {
    pub(crate) async fn set(test: &str) -> Self {
        Self::set_for(test, None).await
    }

    /// The same for those only who stand in `users`, one `name:password` a line.
    pub(crate) async fn set_for(test: &str, users: Option<&str>) -> Self {
        let directory = std::env::temp_dir().join(format!("cantus-{test}-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let users = users.map(|users| {
            let file = directory.join("users");
            fs::write(&file, users).unwrap();
            Arc::new(Users::read(&file).unwrap())
        });
        let identity = Identity::ephemeral().unwrap();
        let fingerprint = Fingerprint::of(&identity.certificates[0]);
        let any = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let settings = Settings {
            quic: any,
            rtsp: any,
            identity,
            max_bitrate: None,
            max_sessions: None,
            max_connections: MAX_CONNECTIONS,
            users,
        };
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
        self.play_as("", transport, name, wav, more)
    }

    /// The same with `user`, which is `name:password@`, in the URL.
    pub(crate) fn play_as(
        &self,
        user: &str,
        transport: &str,
        name: &str,
        wav: &Path,
        more: &str,
    ) -> impl Future<Output = (QosReport, Result<Finish, Failure>)> + use<> {
        let url = self.url(user, transport, name);
        let out = format!("wav:{}", wav.display());
        let arguments = ["cantus-player", "play", &url, "--out", &out, "--latency", "2s"];
        let options = options(arguments.into_iter().chain(more.split_whitespace()));
        let trust = Trust::Fingerprint(self.fingerprint);
        async move { drive::play(&options, trust).await }
    }

    /// What there is to be played, as `user` is told.
    pub(crate) async fn list(
        &self,
        user: &str,
        transport: &str,
    ) -> Result<serde_json::Value, QueryError> {
        let url = self.url(user, transport, "").parse().unwrap();
        drive::list(&url, Trust::Fingerprint(self.fingerprint)).await
    }

    fn url(&self, user: &str, transport: &str, name: &str) -> String {
        let streamer = self.streamer.as_ref().unwrap();
        let address = if transport == "quic" { streamer.quic } else { streamer.rtsp };
        format!("{transport}://{user}{}/{name}", address.unwrap())
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
