//! Plays from an RTSP server with the crate `retina`, and writes what comes as WAV files.
//!
//! usage: interop-retina udp|tcp URL OUT.wav...
//!
//! Sets up as many audio tracks as files are named. L16 is written as it comes; Opus is decoded, as
//! stereo whatever it is (RFC 7587). Nothing is made up for what is lost: the last line counts it, and
//! with it goodbyes that have not come.

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use futures::StreamExt;
use opusic_c::{Channels, Decoder, SampleRate};
use percent_encoding::percent_decode_str;
use retina::client::{
    Credentials, PacketItem, PlayOptions, Playing, Session, SessionOptions, SetupOptions, Stream,
    Transport,
};
use url::Url;

type Fault = Box<dyn Error>;

/// A goodbye in RTCP (RFC 3550, section 6.6).
const BYE: u8 = 203;
/// How long to wait for anything at all: then goodbye was lost.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait for what a goodbye on its other port has overtaken.
const AFTERWARDS: Duration = Duration::from_millis(500);
/// The longest packet of Opus, 120 ms (RFC 6716, section 3.2.5), in samples of two channels.
const LONGEST: usize = 2 * 5760;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match play(env::args().skip(1).collect()).await {
        Ok((packets, lost)) => {
            println!("{packets} packets, {lost} lost");
            ExitCode::SUCCESS
        }
        Err(fault) => {
            // Of the many lines of retina's errors the first tells what is wrong.
            println!("{}", fault.to_string().lines().next().unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

/// How many packets came, and how many did not.
async fn play(arguments: Vec<String>) -> Result<(u64, u64), Fault> {
    let [transport, url, files @ ..] = &arguments[..] else {
        return Err("usage: interop-retina udp|tcp URL OUT.wav...".into());
    };
    let transport: Transport = transport.parse()?;
    let (url, login) = apart(url)?;
    let mut session = Session::describe(url, SessionOptions::default().creds(login)).await?;
    let audio =
        session.streams().iter().enumerate().filter(|(_, stream)| stream.media() == "audio");
    let chosen: Vec<usize> = audio.map(|(index, _)| index).take(files.len()).collect();
    if chosen.len() < files.len() {
        return Err(format!("{} audio tracks of {}", chosen.len(), files.len()).into());
    }
    let mut tracks = Vec::new();
    for (&index, file) in chosen.iter().zip(files) {
        session.setup(index, SetupOptions::default().transport(transport.clone())).await?;
        tracks.push(Track::new(index, &session.streams()[index], file)?);
    }
    let mut session = session.play(PlayOptions::default()).await?;
    listen(&mut session, &mut tracks).await?;
    let (mut packets, mut lost) = (0, 0);
    for track in tracks {
        packets += track.packets;
        lost += track.lost + u64::from(!track.gone);
        track.file.finalize()?;
    }
    Ok((packets, lost))
}

/// The URL without whom it names, whom retina wants beside it.
fn apart(url: &str) -> Result<(Url, Option<Credentials>), Fault> {
    let mut url: Url = url.parse()?;
    let decoded = |text| percent_decode_str(text).decode_utf8().map(String::from);
    let login = match url.password() {
        Some(password) => {
            Some(Credentials { username: decoded(url.username())?, password: decoded(password)? })
        }
        None => None,
    };
    let bare = url.set_username("").and_then(|()| url.set_password(None));
    bare.map_err(|()| format!("{url} has no host"))?;
    Ok((url, login))
}

/// Takes what comes until every track has said goodbye, or nothing comes any more.
async fn listen(session: &mut Session<Playing>, tracks: &mut [Track]) -> Result<(), Fault> {
    loop {
        let gone = tracks.iter().all(|track| track.gone);
        let patience = if gone { AFTERWARDS } else { PATIENCE };
        let item = match tokio::time::timeout(patience, session.next()).await {
            Ok(Some(item)) => item?,
            Ok(None) | Err(_) => return Ok(()),
        };
        match item {
            PacketItem::Rtp(packet) => {
                let track = of(tracks, packet.stream_id())?;
                track.lost += u64::from(packet.loss());
                track.take(packet.payload())?;
            }
            PacketItem::Rtcp(compound) => {
                let track = of(tracks, compound.stream_id())?;
                track.gone |= compound.pkts().any(|packet| packet.payload_type() == BYE);
            }
            other => return Err(format!("unknown: {other:?}").into()),
        }
    }
}

fn of(tracks: &mut [Track], stream: usize) -> Result<&mut Track, Fault> {
    let track = tracks.iter_mut().find(|track| track.stream == stream);
    track.ok_or_else(|| format!("stream {stream} was not set up").into())
}

/// An audio track and the file it goes to.
struct Track {
    stream: usize,
    file: hound::WavWriter<std::io::BufWriter<std::fs::File>>,
    /// None if the packets hold samples.
    opus: Option<Decoder>,
    packets: u64,
    lost: u64,
    gone: bool,
}

impl Track {
    fn new(index: usize, stream: &Stream, file: &str) -> Result<Self, Fault> {
        let channels = stream.channels().map_or(1, |channels| channels.get());
        let opus = match stream.encoding_name() {
            "l16" => None,
            "opus" => {
                let decoder = Decoder::new(Channels::Stereo, SampleRate::Hz48000);
                Some(decoder.map_err(|error| error.message())?)
            }
            other => return Err(format!("no decoder of {other}").into()),
        };
        let spec = hound::WavSpec {
            channels,
            sample_rate: stream.clock_rate_hz(),
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let file = hound::WavWriter::create(file, spec)?;
        Ok(Self { stream: index, file, opus, packets: 0, lost: 0, gone: false })
    }

    /// Writes what is in a packet.
    fn take(&mut self, payload: &[u8]) -> Result<(), Fault> {
        self.packets += 1;
        let samples: Vec<i16> = match &mut self.opus {
            None => {
                payload.chunks_exact(2).map(|two| i16::from_be_bytes([two[0], two[1]])).collect()
            }
            Some(decoder) => {
                let mut sound = vec![0; LONGEST];
                let frames = decoder.decode_to_slice(payload, &mut sound, false);
                let frames = frames.map_err(|error| error.message())?;
                // Signed they are, whatever the crate says.
                sound[..2 * frames].iter().map(|&sample| sample.cast_signed()).collect()
            }
        };
        for sample in samples {
            self.file.write_sample(sample)?;
        }
        Ok(())
    }
}
