//! What is played, across what.

use std::time::Duration;

use cantus_player::wish::{Carrier, Language, Latency, Less, Wish};
use cantus_qos::spec::admission::Limits;
use cantus_qos::spec::{Protection, QosSpec};
use cantus_qos::time::MediaTime;
use cantus_streamer::encoding::Codec;
use cantus_streamer::pipeline::StreamSeed;
use rtsp_types::Url;

use crate::link::{LinkSpec, PathSpec};
use crate::plan::{Company, Plan, Transport};

/// One session across one link.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The network.
    pub path: PathSpec,
    /// What all luck follows from: of the network and of both ends.
    pub seed: u64,
    /// The name of the presentation.
    pub presentation: String,
    /// UDP or QUIC.
    pub carrier: Carrier,
    /// The codec to ask for.
    pub codec: Codec,
    /// The subtitles that are wanted.
    pub language: Language,
    /// How long playback waits.
    pub latency: Latency,
    /// The repair to ask for.
    pub protection: Protection,
    /// Whether what is missing is asked for again.
    pub retransmission: bool,
    /// The quality to ask for, beside the latency.
    pub promise: QosSpec,
    /// Where to begin.
    pub from: MediaTime,
    /// How much to play; `None`: to the end.
    pub length: Option<MediaTime>,
    /// What the streamer may give away.
    pub limits: Limits,
    /// Where the numbers of every stream begin; `None`: where the seed leads.
    pub beginning: Option<StreamSeed>,
    /// Who else crosses the path. Other sessions ask for the same as this one.
    pub company: Company,
    /// What is kept beside the report.
    pub capture: Capture,
}

/// What a run keeps beside its report. Ten minutes of sound take 115 MB a channel.
#[derive(Copy, Clone, Default, Eq, PartialEq, Debug)]
pub struct Capture {
    /// Every sample.
    pub sound: bool,
    /// The fate of every unit.
    pub fates: bool,
    /// The story of every packet.
    pub packets: bool,
}

/// Why a plan or a scenario cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The plan does not name a presentation.
    #[error("the plan names no presentation")]
    NoPresentation,
    /// No URL can be made of the name.
    #[error("`{name}` cannot stand in a URL")]
    Name {
        /// The name.
        name: String,
    },
}

impl Scenario {
    /// `presentation` across `link` over `carrier`, everything else as most would want it: Opus
    /// with English subtitles, repair as the streamer thinks fit, at 200 ms.
    pub fn new(link: LinkSpec, presentation: &str, carrier: Carrier) -> Self {
        Self {
            path: link.into(),
            seed: 1,
            presentation: presentation.to_owned(),
            carrier,
            codec: Codec::Opus,
            language: Language::Tag("en".to_owned()),
            latency: Latency::Fixed(Duration::from_millis(200)),
            protection: Protection::Auto,
            retransmission: true,
            promise: QosSpec::default(),
            from: MediaTime::ZERO,
            length: None,
            limits: Limits::default(),
            beginning: None,
            company: Company::none(),
            capture: Capture::default(),
        }
    }

    /// What a plan describes. Its media directory is the caller's to open.
    ///
    /// # Errors
    ///
    /// If the plan names no presentation.
    pub fn from_plan(plan: &Plan) -> Result<Self, ScenarioError> {
        let (_, name) = plan.presentation().ok_or(ScenarioError::NoPresentation)?;
        let carrier = match plan.transport {
            Transport::Quic => Carrier::Quic,
            Transport::Rtsp => Carrier::Udp,
        };
        Ok(Self {
            path: plan.path(),
            seed: plan.seed,
            latency: plan.latency,
            protection: plan.fec,
            promise: plan.promise,
            length: plan.length.map(MediaTime::from_duration),
            company: plan.beside.clone(),
            ..Self::new(plan.link.clone(), name, carrier)
        })
    }

    /// The same with other luck.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The same with other repair.
    #[must_use]
    pub fn with_protection(mut self, protection: Protection) -> Self {
        self.protection = protection;
        self
    }

    pub(super) fn wish(&self) -> Result<Wish, ScenarioError> {
        let name = || ScenarioError::Name { name: self.presentation.clone() };
        let scheme = match self.carrier {
            Carrier::Quic => "quic",
            Carrier::Udp => "rtsp",
        };
        let mut url = Url::parse(&format!("{scheme}://streamer.invalid/")).map_err(|_| name())?;
        url.path_segments_mut().map_err(|()| name())?.clear().push(&self.presentation);
        Ok(Wish {
            codec: self.codec.into(),
            language: self.language.clone(),
            latency: self.latency,
            protection: self.protection,
            retransmission: self.retransmission,
            spec: self.promise,
            // What is measured here is what was asked for, whatever is promised.
            less: Less::Ignore,
            from: self.from,
            length: self.length,
            seed: self.seed,
            ..Wish::new(url, self.carrier)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_becomes_the_session_that_it_describes() {
        let plan: Plan = r#"
            seed = 7
            link = "bursty"
            back = "delay 10ms"
            media = "media-samples/a piece"
            transport = "rtsp"
            latency = "250ms"
            promise = "loss<=1%"
            fec = "5+3"
            for = "60s"
        "#
        .parse()
        .unwrap();
        let scenario = Scenario::from_plan(&plan).unwrap();
        assert_eq!(scenario.path, plan.path());
        assert_eq!(scenario.path.delays(), (Duration::from_millis(40), Duration::from_millis(10)));
        let wish = scenario.wish().unwrap();
        assert_eq!(wish.url.as_str(), "rtsp://streamer.invalid/a%20piece");
        assert_eq!(wish.latency, Latency::Fixed(Duration::from_millis(250)));
        assert_eq!(wish.protection.to_string(), "5+3");
        assert_eq!(wish.spec.loss, Some(0.01));
        assert_eq!(wish.length, Some(MediaTime::from_millis(60_000)));
        assert_eq!((scenario.seed, wish.seed), (7, 7));
    }
}
