//! Records what leaves a player for its sink in real time, and when.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cantus_player::cli::{Out, Subtitles};
use cantus_player::drive::Outputs;
use cantus_player::sink::{AudioSink, SinkError};
use cantus_player::subtitles::{Status, SubtitleError, SubtitleSink};
use cantus_qos::payload::AudioFormat;
use cantus_qos::payload::cue::Cue;
use cantus_qos::time::{MediaTime, MonoTime};

use crate::sim::Sound;
use crate::vigil::Clock;

/// No more is kept than this: an hour, 700 MB a channel. What comes after it is played all the
/// same.
const MOST: Duration = Duration::from_secs(3_600);

/// The outputs of a player, with a listener at them. The instants are by the clock of the relay's
/// log.
#[derive(Debug)]
pub struct Recorder {
    clock: Clock,
    out: Out,
    subtitles: Subtitles,
    record: Shared,
}

/// What a recorder has heard.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The sound, from its first sample on; `None` if there was none.
    pub sound: Option<Sound>,
    /// The cues, and when each appeared.
    pub cues: Vec<(MonoTime, Cue)>,
    /// Where the sound was to begin.
    from: MediaTime,
}

type Shared = Arc<Mutex<Record>>;

impl Recorder {
    /// Listens to what goes to `out` and `subtitles`. A speaker is not listened to: the silence
    /// that it is handed before the beginning would be taken for sound.
    pub fn new(clock: Clock, out: Out, subtitles: Subtitles) -> Option<Self> {
        (out != Out::Speaker).then(|| Self { clock, out, subtitles, record: Shared::default() })
    }

    /// What was heard until now.
    pub fn record(&self) -> Record {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Outputs for Recorder {
    fn sound(&self, format: AudioFormat) -> Result<Box<dyn AudioSink>, SinkError> {
        let (sink, clock, record) = (self.out.open(format)?, self.clock, self.record.clone());
        Ok(Box::new(Heard { sink, clock, record }))
    }

    fn words(&self, origin: MediaTime) -> Result<Box<dyn SubtitleSink>, SubtitleError> {
        let (words, clock, record) =
            (self.subtitles.open(origin)?, self.clock, self.record.clone());
        lock(&record).from = origin;
        Ok(Box::new(Read { words, clock, record }))
    }
}

fn lock(record: &Shared) -> std::sync::MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A sink that is listened to.
struct Heard {
    sink: Box<dyn AudioSink>,
    clock: Clock,
    record: Shared,
}

impl AudioSink for Heard {
    fn format(&self) -> AudioFormat {
        self.sink.format()
    }

    fn write(&mut self, samples: &[f32]) -> Result<(), SinkError> {
        // What is written now is heard when all that was written before has been.
        let leaves = self.clock.now() + self.sink.pending();
        self.sink.write(samples)?;
        let format = self.sink.format();
        let mut record = lock(&self.record);
        let from = record.from;
        let sound = record.sound.get_or_insert_with(|| Sound {
            format,
            samples: Vec::new(),
            from,
            handed: Vec::new(),
        });
        let frames = sound.samples.len() / usize::from(format.channels);
        if format.duration(frames).to_duration() < MOST {
            sound.handed.push((leaves, frames as u64));
            sound.samples.extend_from_slice(samples);
        }
        Ok(())
    }

    fn wanted(&self) -> Option<usize> {
        self.sink.wanted()
    }

    fn pending(&self) -> Duration {
        self.sink.pending()
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.sink.finish()
    }
}

/// Words that are read.
struct Read {
    words: Box<dyn SubtitleSink>,
    clock: Clock,
    record: Shared,
}

impl SubtitleSink for Read {
    fn show(&mut self, position: MediaTime, cue: &Cue) {
        let now = self.clock.now();
        lock(&self.record).cues.push((now, cue.clone()));
        self.words.show(position, cue);
    }

    fn status(&mut self, status: &Status) {
        self.words.status(status);
    }

    fn finish(&mut self) -> Result<(), SubtitleError> {
        self.words.finish()
    }
}
