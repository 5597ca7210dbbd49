//! The application around a simulated player: it keeps what it is told.

use cantus_player::session::Player;
use cantus_player::wire::{Ending, Event, Input, Output};
use cantus_qos::payload::AudioFormat;
use cantus_qos::time::{MonoTime, NtpTime};

use super::outcome::{Milestone, Offered, Outcome, ShownCue, Sound, UnitFate};
use super::scenario::{Capture, Scenario, ScenarioError};
use crate::duplex::PacketLog;
use crate::link::NodeCounts;

/// A player, and what has come out of it.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) player: Player,
    capture: Capture,
    format: Option<AudioFormat>,
    sound: Option<Sound>,
    sounded: bool,
    cues: Vec<ShownCue>,
    fates: Vec<UnitFate>,
    log: Vec<(MonoTime, Milestone)>,
    ending: Option<(MonoTime, Ending)>,
}

impl Listener {
    /// A listener whose clock showed zero when the streamer's wall clock showed `ntp_at_zero`.
    pub(super) fn new(scenario: &Scenario, ntp_at_zero: NtpTime) -> Result<Self, ScenarioError> {
        let mut wish = scenario.wish()?;
        wish.shared_clock = Some(ntp_at_zero);
        Ok(Self {
            player: Player::new(wish),
            capture: scenario.capture,
            format: None,
            sound: None,
            sounded: false,
            cues: Vec::new(),
            fates: Vec::new(),
            log: Vec::new(),
            ending: None,
        })
    }

    pub(super) fn note(&mut self, now: MonoTime, milestone: Milestone) {
        self.log.push((now, milestone));
    }

    pub(super) fn handle(&mut self, now: MonoTime, input: Input<'_>) {
        self.player.handle(now, input);
    }

    /// What the player wants done outside; the instant of its next deadline when it waits.
    pub(super) fn poll(&mut self, now: MonoTime) -> Output {
        loop {
            match self.player.poll(now) {
                Output::Event(event) => self.on_event(now, event),
                output => return output,
            }
        }
    }

    fn on_event(&mut self, now: MonoTime, event: Event) {
        match event {
            Event::Ready { format, title, .. } => {
                self.format = Some(format);
                self.note(now, Milestone::Ready { format, title });
            }
            Event::Sound { samples, position } => {
                if !std::mem::replace(&mut self.sounded, true) {
                    self.note(now, Milestone::FirstSound);
                }
                if self.capture.sound
                    && let Some((format, from)) = self.format.zip(position)
                {
                    let sound = self.sound.get_or_insert_with(|| Sound {
                        format,
                        samples: Vec::new(),
                        from,
                        handed: Vec::new(),
                    });
                    let frames = sound.samples.len() / usize::from(format.channels);
                    sound.handed.push((now, frames as u64));
                    sound.samples.extend_from_slice(&samples);
                }
                self.drain_fates();
            }
            Event::Show { cue, skew } => self.cues.push(ShownCue { at: now, cue, skew }),
            Event::Ended(ending) => {
                self.note(now, Milestone::Ended);
                self.drain_fates();
                self.ending = Some((now, ending));
            }
        }
    }

    fn drain_fates(&mut self) {
        if self.capture.fates {
            let fates = &mut self.fates;
            self.player.drain_fates(|stream, record| {
                fates.push(UnitFate { stream: stream.to_owned(), record });
            });
        }
    }

    /// When the player's end was told.
    pub(super) fn ended_at(&self) -> Option<MonoTime> {
        self.ending.as_ref().map(|(at, _)| *at)
    }

    pub(super) fn into_outcome(
        self,
        now: MonoTime,
        begun: MonoTime,
        (there, back): (NodeCounts, NodeCounts),
        sessions_left: usize,
    ) -> Outcome {
        let ended_at = self.ended_at().unwrap_or(now);
        Outcome {
            report: self.player.report(),
            ending: self.ending.map(|(_, ending)| ending),
            sound: self.sound,
            cues: self.cues,
            fates: self.fates,
            packets: PacketLog::with_limit(0),
            offered: Offered::default(),
            there,
            back,
            log: self.log,
            elapsed: ended_at.since(begun),
            sessions_left,
            companions: Vec::new(),
        }
    }
}
