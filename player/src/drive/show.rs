//! Where sound, words, status and fates go.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

use cantus_qos::payload::AudioFormat;
use cantus_qos::stats::{UnitRecord, trace};
use cantus_qos::time::{MediaTime, MonoTime};

use crate::cli::{ListenOptions, PlayOptions};
use crate::session::Player;
use crate::sink::{AudioSink, SinkError};
use crate::subtitles::{SubtitleError, SubtitleSink, Terminal};
use crate::wire::Event;

/// Why sound, words or fates could not be put where they were wanted.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// The sound.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The words.
    #[error(transparent)]
    Subtitles(#[from] SubtitleError),
    /// The fates.
    #[error("cannot write the trace to {}: {cause}", file.display())]
    Trace {
        /// The file.
        file: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
}

/// Where the sound and the words of one session go. What the user chose on the command line is
/// one; who plays on behalf of somebody else, and wants to listen, brings another.
pub trait Outputs: Sync {
    /// Opens what takes the sound.
    ///
    /// # Errors
    ///
    /// If it cannot be opened for sound in `format`.
    fn sound(&self, format: AudioFormat) -> Result<Box<dyn AudioSink>, SinkError>;

    /// Opens what takes the words, before the sound. The sound begins at `origin`.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    fn words(&self, origin: MediaTime) -> Result<Box<dyn SubtitleSink>, SubtitleError>;

    /// How long before it is due the sound may come, if it is there ([`Wish::ahead`]). Who listens to
    /// when it comes wants none of that.
    ///
    /// [`Wish::ahead`]: crate::wish::Wish::ahead
    fn ahead(&self) -> Duration {
        Duration::ZERO
    }
}

impl Outputs for PlayOptions {
    fn ahead(&self) -> Duration {
        self.out.ahead()
    }

    fn sound(&self, format: AudioFormat) -> Result<Box<dyn AudioSink>, SinkError> {
        self.out.open(format)
    }

    fn words(&self, origin: MediaTime) -> Result<Box<dyn SubtitleSink>, SubtitleError> {
        self.subtitles.open(origin)
    }
}

impl Outputs for ListenOptions {
    fn ahead(&self) -> Duration {
        self.out.ahead()
    }

    fn sound(&self, format: AudioFormat) -> Result<Box<dyn AudioSink>, SinkError> {
        self.out.open(format)
    }

    /// There are none: a line tells how it is going.
    fn words(&self, _origin: MediaTime) -> Result<Box<dyn SubtitleSink>, SubtitleError> {
        Ok(Box::new(Terminal::stdout()))
    }
}

/// The sinks of one session; sound and words open when it is known what will come.
pub(super) struct Show<'a> {
    outputs: &'a dyn Outputs,
    sink: Option<Box<dyn AudioSink>>,
    subtitles: Option<Box<dyn SubtitleSink>>,
    trace: Option<Trace>,
}

struct Trace {
    file: PathBuf,
    output: BufWriter<File>,
    failed: Option<io::Error>,
}

impl<'a> Show<'a> {
    /// # Errors
    ///
    /// If the trace cannot be made.
    pub(super) fn new(
        trace: Option<&PathBuf>,
        outputs: &'a dyn Outputs,
    ) -> Result<Self, ShowError> {
        let trace = trace.cloned().map(Trace::create).transpose()?;
        Ok(Self { outputs, sink: None, subtitles: None, trace })
    }

    /// One line for the user that is no error.
    pub(super) fn note(&self, line: &str) {
        eprintln!("{line}");
    }

    pub(super) fn event(&mut self, event: Event) -> Result<(), ShowError> {
        match event {
            Event::Ready { format, range, .. } => {
                self.subtitles = Some(self.outputs.words(range.0)?);
                self.sink = Some(self.outputs.sound(format)?);
            }
            Event::Sound { samples, position } => {
                let is_lead_in = position.is_none();
                // A file starts at the first media sample; only a sound card needs the silence.
                let sink = self.sink.as_mut().filter(|it| !is_lead_in || it.wanted().is_some());
                if let Some(sink) = sink {
                    sink.write(&samples)?;
                }
            }
            Event::Show { cue, .. } => {
                if let Some(subtitles) = &mut self.subtitles {
                    subtitles.show(cue.start, &cue);
                }
            }
            Event::Ended(_) => {}
        }
        Ok(())
    }

    /// Frames that a sink with a clock wants.
    pub(super) fn wanted(&self) -> Option<usize> {
        self.sink.as_ref().and_then(|sink| sink.wanted())
    }

    pub(super) fn pending(&self) -> Duration {
        self.sink.as_ref().map_or(Duration::ZERO, |sink| sink.pending())
    }

    pub(super) fn status(&mut self, now: MonoTime, player: &mut Player) {
        if let Some((subtitles, status)) = self.subtitles.as_mut().zip(player.status(now)) {
            subtitles.status(&status);
        }
        if let Some(trace) = &mut self.trace {
            player.drain_fates(|stream, record| trace.write(stream, &record));
        }
    }

    /// Ends everything properly, whatever happened before; the first thing that went wrong.
    pub(super) fn finish(mut self, player: &mut Player) -> Result<(), ShowError> {
        let sound = self.sink.as_mut().map_or(Ok(()), |sink| match sink.finish() {
            // What went wrong before was told before.
            Err(SinkError::Finished) | Ok(()) => Ok(()),
            Err(error) => Err(ShowError::from(error)),
        });
        let words = self.subtitles.as_mut().map_or(Ok(()), |words| words.finish());
        let fates = match self.trace.take() {
            Some(mut trace) => {
                player.drain_fates(|stream, record| trace.write(stream, &record));
                trace.finish()
            }
            None => Ok(()),
        };
        sound.and(words.map_err(ShowError::from)).and(fates)
    }
}

impl Trace {
    fn create(file: PathBuf) -> Result<Self, ShowError> {
        let output = match File::create(&file) {
            Ok(output) => BufWriter::new(output),
            Err(cause) => return Err(ShowError::Trace { file, cause }),
        };
        let mut trace = Self { file, output, failed: None };
        trace.put(trace::header());
        Ok(trace)
    }

    fn write(&mut self, stream: &str, record: &UnitRecord) {
        self.put(&trace::line(stream, record));
    }

    fn put(&mut self, line: &str) {
        if self.failed.is_none() {
            self.failed = writeln!(self.output, "{line}").err();
        }
    }

    fn finish(mut self) -> Result<(), ShowError> {
        let flushed = self.output.flush();
        match self.failed.map_or(flushed, Err) {
            Ok(()) => Ok(()),
            Err(cause) => Err(ShowError::Trace { file: self.file, cause }),
        }
    }
}
