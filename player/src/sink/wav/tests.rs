use std::io::{self, Cursor, SeekFrom};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;
use crate::scratch::Scratch;

/// A disk of so many bytes, whose content outlives the sink.
#[derive(Clone)]
struct Disk {
    content: Arc<Mutex<Cursor<Vec<u8>>>>,
    capacity: u64,
}

impl Disk {
    fn of(capacity: u64) -> Self {
        Self { content: Arc::default(), capacity }
    }

    fn samples(&self) -> Vec<i16> {
        let content = self.content.lock().unwrap().get_ref().clone();
        hound::WavReader::new(content.as_slice()).unwrap().samples().map(Result::unwrap).collect()
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut content = self.content.lock().unwrap();
        let room = self.capacity.saturating_sub(content.position());
        let fitting = bytes.len().min(room as usize);
        if fitting == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        content.write(&bytes[..fitting])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Disk {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.content.lock().unwrap().seek(position)
    }
}

fn sink(disk: &Disk) -> Wav<Disk> {
    Wav::to(disk.clone(), Path::new("talk.wav"), AudioFormat::OPUS_STEREO).unwrap()
}

#[test]
fn each_of_the_65536_samples_comes_out_as_it_went_in() {
    let disk = Disk::of(u64::MAX);
    let mut sink = sink(&disk);
    let all: Vec<i16> = (i16::MIN..=i16::MAX).collect();
    let sound: Vec<f32> = all.iter().map(|&sample| f32::from(sample) / 32_768.0).collect();
    sink.write(&sound).unwrap();
    sink.finish().unwrap();
    assert_eq!(disk.samples(), all);
}

#[test]
fn what_is_too_loud_is_clipped_and_what_is_no_number_is_silence() {
    let loud = [1.0, 9.0, f32::INFINITY, -1.0, -9.0, f32::NAN].map(to_i16);
    assert_eq!(loud, [i16::MAX, i16::MAX, i16::MAX, i16::MIN, i16::MIN, 0]);
}

#[test]
fn a_file_left_by_a_killed_player_is_readable_up_to_the_last_header() {
    let disk = Disk::of(u64::MAX);
    let mut sink = sink(&disk);
    assert!(disk.samples().is_empty(), "a file without sound is a file");
    let second = vec![0.25; 96_000];
    sink.write(&second).unwrap();
    assert_eq!(disk.samples().len(), 0, "one second is not worth a header");
    sink.write(&second).unwrap();
    sink.write(&second).unwrap();
    let left = disk.samples();
    std::mem::forget(sink);
    assert_eq!(left, vec![8_192; 2 * 96_000]);
}

#[test]
fn the_sound_goes_on_where_it_was_after_a_header() {
    let disk = Disk::of(u64::MAX);
    let mut sink = sink(&disk);
    for second in 1..=5 {
        sink.write(&vec![second as f32 / 8.0; 96_000]).unwrap();
    }
    sink.finish().unwrap();
    let expected: Vec<i16> = (1..=5).flat_map(|n| vec![n * 4_096; 96_000]).collect();
    assert!(disk.samples() == expected);
}

#[test]
fn a_full_disk_is_one_error_that_names_the_file_and_leaves_a_proper_one() {
    let disk = Disk::of(44 + 1_000);
    let mut sink = sink(&disk);
    sink.write(&[0.5; 400]).unwrap();
    let error = sink.write(&[0.5; 400]).unwrap_err();
    let line = error.to_string();
    assert!(line.starts_with("cannot write the sound to talk.wav: "), "{line}");
    assert!(matches!(
        error,
        SinkError::File { cause, .. } if cause.kind() == io::ErrorKind::StorageFull
    ));
    assert_eq!(disk.samples(), [16_384; 400]);
    assert!(matches!(sink.write(&[0.5; 2]), Err(SinkError::Finished)));
    sink.finish().unwrap();
    assert_eq!(disk.samples(), [16_384; 400]);
}

#[test]
fn a_disk_without_room_for_a_header_is_an_error_at_the_start() {
    for capacity in [0, 43] {
        let wav = Wav::to(Disk::of(capacity), Path::new("talk.wav"), AudioFormat::OPUS_MONO);
        assert!(matches!(wav, Err(SinkError::File { .. })), "{capacity}");
    }
    assert!(Wav::to(Disk::of(44), Path::new("talk.wav"), AudioFormat::OPUS_MONO).is_ok());
}

#[test]
fn a_file_that_reaches_its_greatest_length_is_finished_with_an_error() {
    let disk = Disk::of(u64::MAX);
    let mut sink = sink(&disk);
    sink.most_bytes = 800;
    sink.write(&[0.5; 400]).unwrap();
    assert!(matches!(sink.write(&[0.5; 2]), Err(SinkError::Length { .. })));
    assert_eq!(disk.samples().len(), 400);
}

#[test]
fn a_place_where_no_file_can_be_is_named() {
    let scratch = Scratch::new("wav-nowhere");
    let file = scratch.path("missing/talk.wav");
    let line = Wav::create(&file, AudioFormat::OPUS_STEREO).unwrap_err().to_string();
    assert!(line.contains("missing/talk.wav: "), "{line}");
    assert!(!line.contains('\n'));
}

#[test]
fn a_file_tells_the_format_of_its_sound() {
    let scratch = Scratch::new("wav-format");
    let file = scratch.path("talk.wav");
    let format = AudioFormat::new(44_100, 1).unwrap();
    let mut sink = Wav::create(&file, format).unwrap();
    sink.write(&[0.0; 441]).unwrap();
    sink.finish().unwrap();
    let reader = hound::WavReader::open(&file).unwrap();
    assert_eq!((reader.spec().sample_rate, reader.spec().channels), (44_100, 1));
    assert_eq!(reader.duration(), 441);
}

proptest! {
    #[test]
    fn wherever_the_disk_ends_the_file_holds_every_write_that_succeeded(
        capacity in 44u64..3_000,
        writes in prop::collection::vec(1usize..100, 1..20),
    ) {
        let disk = Disk::of(capacity);
        let mut sink = sink(&disk);
        let mut kept = 0;
        for frames in writes {
            if sink.write(&vec![0.5; frames * 2]).is_ok() {
                kept += frames * 2;
            }
        }
        sink.finish().unwrap();
        prop_assert_eq!(disk.samples(), vec![16_384; kept]);
    }
}
