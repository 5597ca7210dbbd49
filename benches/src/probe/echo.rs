//! What a listener's decoder makes of a unit, or in place of it.
//!
//! An Opus frame is coded against the frames before it: after a loss the next ones, though they
//! came, sound unlike the source, and concealment can sound more like it than they do. In sessions
//! over `bursty` and `bad` (6 runs) the first frame after a loss was up to 0 dB off, the fourth up
//! to -5 dB, the eighth -20 dB, while one concealed frame in twenty was off by less than -14 dB. So
//! no threshold tells the two apart. A decoder that meets the same losses does: what it makes of
//! the unit, or makes up in its place, and what was heard, are the same to the bit.

use cantus_player::decode::{Decoder, OpusDecoder};

use super::reference::Source;
use super::wave::Likeness;

/// Units after which a decoder has forgotten a loss: half a second. Nothing more than -60 dB was
/// left of any.
const WAKE: usize = 25;

/// Units after which a decoder that begins anew is nearly always as one that has heard everything,
/// and after which it is in any case: its measure of the background noise takes so long.
const MEMORY: usize = 100;
const LONG_MEMORY: usize = 800;

/// What is known of a unit.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Ord, PartialOrd)]
pub(super) enum Verdict {
    /// It was not heard.
    #[default]
    Lost,
    /// Neither it nor what was heard in its place can be heard: silence stands for silence. It
    /// may have come all the same.
    Silence {
        /// As far as the last bits tell.
        came: bool,
    },
    /// It was heard.
    Heard,
}

/// Two decoders that met the losses of a listener: one to try, and one in case that was wrong.
#[derive(Debug)]
pub(super) struct Echo<'a> {
    source: &'a Source,
    ahead: Option<Standing>,
    spare: Option<Standing>,
    /// Whether silent units are taken for lost, whatever the last bits tell.
    silence_is_lost: bool,
    /// The silent unit for which taking it for the other did not help either.
    settled_silence: Option<usize>,
}

/// A decoder, and the unit that it expects next.
#[derive(Debug)]
struct Standing {
    decoder: OpusDecoder,
    next: usize,
}

impl<'a> Echo<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        let (ahead, spare, settled_silence) = (None, None, None);
        Self { source, ahead, spare, silence_is_lost: false, settled_silence }
    }

    /// Whether the unit after `history` may sound unlike the source though it came.
    pub(super) fn is_in_wake(&self, history: &[Verdict]) -> bool {
        let recent = &history[history.len().saturating_sub(WAKE)..];
        !self.source.payloads.is_empty() && recent.iter().any(|verdict| *verdict != Verdict::Heard)
    }

    /// What became of the unit after `history`, most likely `first`, by what `compare` says of the
    /// sounds that it is given; `None` if nothing fits.
    pub(super) fn judge(
        &mut self,
        history: &[Verdict],
        first: Verdict,
        compare: impl Fn(&[f32]) -> Option<Likeness>,
        same: f64,
    ) -> Option<Verdict> {
        let fits = &|sound: &[f32]| compare(sound).is_some_and(|it| it.is_same(same));
        for verdict in [first, opposite(first)] {
            let mut standing = self.brought_up(history)?;
            let sound = standing.next(self.source, verdict)?;
            if fits(&sound) {
                self.ahead = Some(standing);
                return Some(verdict);
            }
        }
        let taken_for_lost = self.silence_is_lost;
        self.remembered(history, first, taken_for_lost, fits)
            .or_else(|| self.reconsidered(history, first, fits))
    }

    /// What a decoder that remembers all of `history` makes of the unit.
    fn remembered(
        &mut self,
        history: &[Verdict],
        first: Verdict,
        silence_is_lost: bool,
        fits: impl Fn(&[f32]) -> bool,
    ) -> Option<Verdict> {
        for verdict in [first, opposite(first)] {
            let mut standing = Standing::anew(self.source, history, LONG_MEMORY, silence_is_lost)?;
            let sound = standing.next(self.source, verdict)?;
            if fits(&sound) {
                (self.ahead, self.spare) = (Some(standing), None);
                return Some(verdict);
            }
        }
        None
    }

    /// The last hope: that units which cannot be told from silence met another fate than was
    /// thought.
    fn reconsidered(
        &mut self,
        history: &[Verdict],
        first: Verdict,
        fits: impl Fn(&[f32]) -> bool,
    ) -> Option<Verdict> {
        let start = history.len().saturating_sub(WAKE);
        let silent = |verdict: &Verdict| matches!(verdict, Verdict::Silence { .. });
        let silence = start + history[start..].iter().rposition(silent)?;
        if self.settled_silence.replace(silence) == Some(silence) {
            return None;
        }
        let other = !self.silence_is_lost;
        let verdict = self.remembered(history, first, other, fits)?;
        self.silence_is_lost = other;
        Some(verdict)
    }

    /// The history is another than was told.
    pub(super) fn forget(&mut self) {
        (self.ahead, self.spare) = (None, None);
    }

    /// A decoder that has met all of `history`.
    fn brought_up(&mut self, history: &[Verdict]) -> Option<Standing> {
        let standing = self.ahead.take().or_else(|| self.spare.take());
        let mut standing = match standing {
            Some(standing) if standing.next <= history.len() => standing,
            _ => Standing::anew(self.source, history, MEMORY, self.silence_is_lost)?,
        };
        while let Some(verdict) = history.get(standing.next) {
            standing.next(self.source, taken(*verdict, self.silence_is_lost))?;
        }
        Some(standing)
    }
}

fn opposite(verdict: Verdict) -> Verdict {
    if verdict == Verdict::Lost { Verdict::Heard } else { Verdict::Lost }
}

/// What a silent unit is taken for.
fn taken(verdict: Verdict, silence_is_lost: bool) -> Verdict {
    match verdict {
        Verdict::Silence { came } if silence_is_lost || !came => Verdict::Lost,
        Verdict::Silence { .. } => Verdict::Heard,
        decided => decided,
    }
}

impl Standing {
    /// A decoder that has met the last `memory` units of `history`.
    fn anew(
        source: &Source,
        history: &[Verdict],
        memory: usize,
        silence_is_lost: bool,
    ) -> Option<Self> {
        let decoder = OpusDecoder::new(source.format).ok()?;
        let start = history.len().saturating_sub(memory);
        let mut standing = Self { decoder, next: start };
        for verdict in &history[start..] {
            standing.next(source, taken(*verdict, silence_is_lost))?;
        }
        Some(standing)
    }

    /// The sound of the next unit, if it came, or in place of it.
    fn next(&mut self, source: &Source, verdict: Verdict) -> Option<Vec<f32>> {
        let mut sound = Vec::with_capacity(source.unit as usize * source.side.len());
        match verdict {
            Verdict::Lost => self.decoder.conceal(source.unit as usize, &mut sound),
            Verdict::Silence { .. } | Verdict::Heard => {
                self.decoder.decode(source.payloads.get(self.next)?, &mut sound).ok()?;
            }
        }
        self.next += 1;
        Some(sound)
    }
}
