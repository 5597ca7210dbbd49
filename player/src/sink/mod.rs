//! Where the sound goes.
//!
//! An [`AudioSink`] takes interleaved samples between -1 and 1 in one [`AudioFormat`]. There are
//! two kinds. A sink *with a clock* (the [`Speaker`]) consumes samples at its own pace: it says
//! how many frames it [wants](AudioSink::wanted), and the player writes as many. A sink *without
//! a clock* (a [`Wav`] file, [`Null`]) takes what it is given when it is given; the player paces
//! itself by the sender's clock.
//!
//! A frame is one sample of each channel.

mod null;
mod speaker;
mod wav;

pub use null::Null;
pub use speaker::Speaker;
pub use wav::Wav;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use cantus_qos::payload::AudioFormat;

/// Takes the sound of one presentation.
pub trait AudioSink: Send {
    /// The format that [`write`](Self::write) takes.
    fn format(&self) -> AudioFormat;

    /// Takes whole frames, interleaved.
    ///
    /// # Errors
    ///
    /// If the samples cannot be taken, now or any more. A sink that has failed once has put its
    /// house in order (a file has its header) and takes nothing more.
    fn write(&mut self, samples: &[f32]) -> Result<(), SinkError>;

    /// How many frames a sink with a clock wants at this moment; `None` from one without.
    fn wanted(&self) -> Option<usize>;

    /// How long it takes until all that was written has been heard.
    fn pending(&self) -> Duration;

    /// Ends the sound at once. Who wants the end to be heard calls this when
    /// [`pending`](Self::pending) has come down to zero.
    ///
    /// # Errors
    ///
    /// If what was taken cannot be brought to its end.
    fn finish(&mut self) -> Result<(), SinkError>;
}

/// A sink that cannot be opened or takes no more. Each is one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// There is nothing to play on.
    #[error("no sound card to play on ({reason}); --out wav:FILE keeps the sound in a file")]
    NoSpeaker {
        /// What the sound system says.
        reason: String,
    },
    /// The sound card does not run at the rate of the stream.
    #[error(
        "the sound card does not play {rate} Hz ({offered}); \
         set the sound system to this rate, or keep the sound in a file with --out wav:FILE"
    )]
    Rate {
        /// The rate of the stream in Hz.
        rate: u32,
        /// What the card offers, for the user to read.
        offered: String,
    },
    /// The sound card has stopped playing.
    #[error("the sound card has failed: {0}")]
    Speaker(String),
    /// More was written than the speaker wanted and can hold.
    #[error("the speaker has room for {room} frames, not for {written}")]
    Room {
        /// Frames that would have fitted.
        room: usize,
        /// Frames that were written.
        written: usize,
    },
    /// A file cannot be made or written.
    #[error("cannot write the sound to {}: {cause}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// A WAV file tells its length in 32 bits.
    #[error("{} is full: a WAV file holds at most 4 GiB", file.display())]
    Length {
        /// The file.
        file: PathBuf,
    },
    /// The sink was finished, or has failed before.
    #[error("the sound was finished already, nothing more can be written")]
    Finished,
}
