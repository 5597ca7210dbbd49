//! The streamer pushes as Roc Toolkit does, a relay loses nearly half of it, and the player hears it
//! all.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;

use cantus_player::cli::{Cli, Command};
use cantus_player::drive::{self, Finish};
use cantus_qos::fec::block::PayloadId;
use cantus_streamer::catalogue::Catalogue;
use cantus_streamer::drive::push::{self, Reach, ReadyPush, Targets};
use cantus_streamer::programme::{Programme, ProgrammeKey};
use cantus_streamer::push::{Ending, roc};

use crate::stage::written;

/// Two seconds of 44.1 kHz in stereo, no two samples of which are alike nearby.
const SAMPLES: usize = 2 * 88_200;

/// A directory that goes with the test.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn sound(folder: &Folder) -> (PathBuf, Vec<i16>) {
    let samples: Vec<i16> = (0..SAMPLES).map(|n| (n * 7_919 % 65_521) as i16).collect();
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 44_100,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let file = folder.0.join("noise.wav");
    let mut writer = hound::WavWriter::create(&file, spec).unwrap();
    samples.iter().for_each(|sample| writer.write_sample(*sample).unwrap());
    writer.finalize().unwrap();
    (file, samples)
}

/// Passes source packets on to `to`, without eight of the eighteen in each block.
async fn relay(socket: tokio::net::UdpSocket, to: SocketAddr) {
    let mut packet = [0; 2_048];
    loop {
        let length = socket.recv(&mut packet).await.unwrap();
        let id = PayloadId::from_bytes(*packet[..length].last_chunk().unwrap());
        if !(5..13).contains(&id.symbol) {
            socket.send_to(&packet[..length], to).await.unwrap();
        }
    }
}

/// Pushes the sound in `file` to `media`, and the rest to two of `ports`.
async fn push(file: PathBuf, media: SocketAddr, ports: [SocketAddr; 3]) -> Ending {
    let [_, repair, control] = ports;
    let media = format!("rtp+rs8m://{media}").parse().unwrap();
    let repair = format!("rs8m://{repair}").parse().unwrap();
    let control = format!("rtcp://{control}").parse().unwrap();
    let targets = Targets { media: &media, repair: Some(&repair), control: Some(&control) };
    let (catalogue, name) = Catalogue::around(&file).unwrap();
    let key = ProgrammeKey { name, encoding: roc::ENCODING, joined: 1 };
    let programme = Programme::load(&catalogue, &key).unwrap();
    let way = push::find(targets, Reach { interface: None, ttl: 1 }).unwrap();
    let mut pusher = ReadyPush::new(&programme, way).unwrap().start().unwrap();
    pusher.ended().await
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_of_eighteen_lost_in_each_block_that_is_pushed_as_to_roc_are_all_heard() {
    let folder = std::env::temp_dir().join(format!("cantus-play-roc-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let folder = Folder(folder);
    let (file, sent) = sound(&folder);
    let free = || UdpSocket::bind("127.0.0.1:0").unwrap();
    let ports = [free(), free(), free()].map(|socket| socket.local_addr().unwrap());
    let relayed = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let media = relayed.local_addr().unwrap();
    let relay = tokio::spawn(relay(relayed, ports[0]));

    let [source, repair, control] = ports;
    let wav = folder.0.join("heard.wav");
    let words = format!(
        "cantus-player listen rtp+rs8m://{source} --repair rs8m://{repair} \
         --control rtcp://{control} --latency 2s --out wav:{}",
        wav.display()
    );
    let cli = <Cli as clap::Parser>::try_parse_from(words.split_whitespace()).unwrap();
    let Command::Listen(options) = cli.command else { panic!("not listen") };
    let listening = tokio::spawn(async move { drive::listen(&options).await });
    // The port of repair is the last that is opened.
    let mut again = tokio::time::interval(Duration::from_millis(10));
    while !cantus_tests::is_bound(repair.port()) {
        again.tick().await;
        assert!(!listening.is_finished(), "nobody listens");
    }
    assert_eq!(push(file, media, ports).await, Ending::Finished);
    let (report, result) = listening.await.unwrap();
    relay.abort();

    assert!(matches!(result, Ok(Finish::Completed)), "{result:?}");
    let (spec, heard) = written(&wav);
    assert_eq!((spec.sample_rate, spec.channels), (44_100, 2));
    assert!(heard.len() >= sent.len(), "{} of {}", heard.len(), sent.len());
    let stream = &report.streams[0];
    // 23 blocks: 399 packets of sound, and silence that fills the last.
    assert_eq!((stream.expected, stream.lost_network), (23 * 18, 23 * 8), "{stream:?}");
    assert_eq!((stream.recovered_fec, stream.never_arrived()), (23 * 8, 0), "{stream:?}");
    // What this machine has made wait for two seconds is given up.
    let late = stream.late as f64 / stream.expected as f64;
    let differ = heard.iter().zip(&sent).filter(|(heard, sent)| heard != sent).count();
    assert!(differ as f64 <= 2.0 * late * sent.len() as f64, "{differ} differ: {stream:?}");
}
