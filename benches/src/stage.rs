//! A session in real time on this machine: streamer, relay and player, joined over loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use cantus_player::cli::{Codec, Out, PlayOptions, Subtitles, TrustOptions};
use cantus_player::drive::{self as player, Failure, Finish, Outputs};
use cantus_player::trust::{Fingerprint, Trust};
use cantus_player::url::{StreamUrl, UrlError};
use cantus_player::wish::Less;
use cantus_qos::stats::report::QosReport;
use cantus_streamer::catalogue::{Catalogue, CatalogueError};
use cantus_streamer::drive::{Settings, StartError, Streamer};
use cantus_streamer::quic::{Identity, IdentityError};
use cantus_streamer::server::MAX_CONNECTIONS;

use crate::link::PathSpec;
use crate::plan::Transport;
use crate::relay::{self, Relay, RelayError, RelayRecord};
use crate::vigil::Clock;

/// Why a stage could not be set. Each is one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The media cannot be served.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The streamer has no certificate.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The streamer does not start.
    #[error(transparent)]
    Streamer(#[from] StartError),
    /// The relay does not start.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// The streamer started without what was asked for.
    #[error("the streamer has no address for {0:?}")]
    NoAddress(Transport),
    /// The presentation's name makes no URL.
    #[error(transparent)]
    Url(#[from] UrlError),
}

/// A streamer and a relay before it, waiting for players.
#[derive(Debug)]
pub struct Stage {
    /// Where the presentation is played from: through the relay.
    pub url: StreamUrl,
    streamer: Streamer,
    relay: Relay,
    fingerprint: Fingerprint,
}

impl Stage {
    /// Serves the directory `media` on loopback, behind `path`: one link for both ways,
    /// or a [`PathSpec`].
    ///
    /// # Errors
    ///
    /// If anything of it does not start.
    pub async fn set(
        media: &Path,
        name: &str,
        transport: Transport,
        path: impl Into<PathSpec>,
        seed: u64,
    ) -> Result<Self, StageError> {
        let catalogue = Catalogue::open(media)?;
        let identity = Identity::ephemeral()?;
        let fingerprint = identity
            .certificates
            .first()
            .map(Fingerprint::of)
            .ok_or(StageError::NoAddress(transport))?;
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let wanted = |which| (which == transport).then_some(any);
        let streamer = Streamer::start(
            catalogue,
            Settings {
                quic: wanted(Transport::Quic),
                rtsp: wanted(Transport::Rtsp),
                identity,
                max_bitrate: None,
                max_sessions: None,
                max_connections: MAX_CONNECTIONS,
                users: None,
            },
        )
        .await?;
        let server = streamer.quic.or(streamer.rtsp).ok_or(StageError::NoAddress(transport))?;
        let (relay, scheme) = match transport {
            Transport::Quic => (relay::udp::start(any, server, path, seed)?, "quic"),
            Transport::Rtsp => (relay::rtsp::start(any, server, path, seed).await?, "rtsp"),
        };
        let url = format!("{scheme}://{}/{name}", relay.address()).parse()?;
        Ok(Self { url, streamer, relay, fingerprint })
    }

    /// Plays from the stage, trusting its streamer and touching no pin.
    pub async fn play(&self, options: &PlayOptions) -> (QosReport, Result<Finish, Failure>) {
        player::play(options, Trust::Fingerprint(self.fingerprint)).await
    }

    /// The same into other outputs than the options name.
    pub async fn play_to(
        &self,
        options: &PlayOptions,
        outputs: &dyn Outputs,
    ) -> (QosReport, Result<Finish, Failure>) {
        player::play_to(options, Trust::Fingerprint(self.fingerprint), outputs).await
    }

    /// The clock of the relay's log.
    pub fn clock(&self) -> Clock {
        self.relay.clock()
    }

    /// Takes everything down; what the relay saw and how late it was.
    pub async fn strike(self) -> RelayRecord {
        let record = self.relay.stop().await;
        drop(self.streamer);
        record
    }
}

/// What is played from `url` where nothing else is said: into nothing, and nobody is told.
pub fn bare(url: StreamUrl) -> PlayOptions {
    PlayOptions {
        url: url.into(),
        out: Out::Null,
        subtitles: Subtitles::None,
        lang: None,
        codec: Codec::default(),
        latency: Default::default(),
        qos: None,
        less: Less::Ignore,
        report: None,
        trace: None,
        from: None,
        length: None,
        fec: Default::default(),
        trust: TrustOptions { trust: None, ca: None },
    }
}
