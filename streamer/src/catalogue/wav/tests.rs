use super::*;
use crate::media::MediaDir;
use hound::WavSpec;
use proptest::prelude::*;

fn spec(bits_per_sample: u16, sample_format: SampleFormat) -> WavSpec {
    WavSpec { channels: 1, sample_rate: 48_000, bits_per_sample, sample_format }
}

fn open(media: &MediaDir) -> Result<WavFile, CatalogueError> {
    WavFile::open(&media.path().join("a.wav"), Path::new("a.wav"))
}

fn read(media: &MediaDir) -> Samples {
    open(media).unwrap().read().unwrap()
}

fn floats(media: &MediaDir) -> Vec<f32> {
    match read(media) {
        Samples::Float(samples) => samples.to_vec(),
        Samples::Int16(_) => panic!("read as 16 bit"),
    }
}

/// What is wrong with a file of these bytes.
fn problem(media: &MediaDir, bytes: &[u8]) -> String {
    media.bytes("a.wav", bytes);
    match open(media).and_then(WavFile::read) {
        Ok(samples) => panic!("read as {samples:?}"),
        Err(error) => error.to_string(),
    }
}

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut bytes = kind.to_vec();
    bytes.extend((content.len() as u32).to_le_bytes());
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"RIFF\xff\xff\xff\xffWAVE".to_vec();
    bytes.extend(chunks.concat());
    bytes
}

fn format_chunk(tag: u16, channels: u16, hz: u32, bits: u16) -> Vec<u8> {
    let block = channels * bits.div_ceil(8);
    let mut content = [tag.to_le_bytes(), channels.to_le_bytes()].concat();
    content.extend(hz.to_le_bytes());
    content.extend((hz * u32::from(block)).to_le_bytes());
    content.extend([block.to_le_bytes(), bits.to_le_bytes()].concat());
    chunk(b"fmt ", &content)
}

#[test]
fn sixteen_bit_samples_stay_as_they_are() {
    let media = MediaDir::new("wav16");
    media.wav("a.wav", 44_100, 2, &[i16::MIN, -1, 0, i16::MAX]);
    let file = open(&media).unwrap();
    let format = AudioFormat { rate: ClockRate::new(44_100).unwrap(), channels: 2 };
    assert_eq!((file.format(), file.frames(), file.memory()), (format, 2, 8));
    match file.read().unwrap() {
        Samples::Int16(samples) => assert_eq!(*samples, [i16::MIN, -1, 0, i16::MAX]),
        Samples::Float(_) => panic!("read as float"),
    }
}

#[test]
fn wider_samples_become_floats_of_full_scale_one() {
    let media = MediaDir::new("wav24");
    media.wav_as("a.wav", spec(24, SampleFormat::Int), &[-8_388_608, 1, 4_194_304]);
    assert_eq!(floats(&media), [-1.0, 1.0 / 8_388_608.0, 0.5]);
    media.wav_as("a.wav", spec(32, SampleFormat::Int), &[i32::MIN, 1 << 30, 256]);
    assert_eq!(floats(&media), [-1.0, 0.5, 256.0 / 2_147_483_648.0]);
    media.wav_as("a.wav", spec(32, SampleFormat::Float), &[-1.0f32, 0.25, 1.5]);
    assert_eq!(floats(&media), [-1.0, 0.25, 1.5]);
}

#[test]
fn formats_that_are_not_served_are_named() {
    let media = MediaDir::new("wavformats");
    let problem = |format| problem(&media, &riff(&[format, chunk(b"data", &[0; 96])]));
    assert_eq!(
        problem(format_chunk(1, 1, 48_000, 8)),
        "a.wav: 8 bit integer samples are not supported, 16, 24, 32 bit and 32 bit float are"
    );
    assert_eq!(
        problem(format_chunk(1, 3, 48_000, 16)),
        "a.wav: 3 channels are not supported, 1 and 2 are"
    );
    assert_eq!(
        problem(format_chunk(1, 2, 96_000, 16)),
        "a.wav: 96000 Hz is not supported, 44100 and 48000 are"
    );
    assert_eq!(
        problem(format_chunk(6, 1, 48_000, 8)),
        "a.wav: The wave format of the file is not supported"
    );
    assert_eq!(problem(format_chunk(1, 0, 48_000, 16)), "a.wav: file contains zero channels");
}

#[test]
fn files_that_are_no_sound_are_named() {
    let media = MediaDir::new("wavnone");
    let missing = open(&media).map(|_| ()).unwrap_err().to_string();
    assert!(missing.starts_with("a.wav: No such file"), "{missing}");
    assert_eq!(problem(&media, b""), "a.wav: the file is empty");
    assert_eq!(problem(&media, b"RIF"), "a.wav: not a WAV file");
    assert_eq!(problem(&media, b"ID3 and then some music"), "a.wav: not a WAV file");
    assert_eq!(problem(&media, b"RIFF\0\0\0\0AVI LIST"), "a.wav: not a WAV file");
    let format = format_chunk(1, 1, 48_000, 16);
    let silent = riff(&[format.clone(), chunk(b"data", b"")]);
    assert_eq!(problem(&media, &silent), "a.wav: there is no sound in it");
    let no_format = riff(&[chunk(b"data", &[0; 4])]);
    assert_eq!(problem(&media, &no_format), "a.wav: no fmt chunk before the samples");
    let many = riff(&vec![chunk(b"junk", b""); 1_001]);
    assert_eq!(problem(&media, &many), "a.wav: no samples among its first 1000 chunks");
}

#[test]
fn a_file_cut_anywhere_is_truncated() {
    let media = MediaDir::new("wavcut");
    let whole = riff(&[format_chunk(1, 1, 48_000, 16), chunk(b"data", &[1; 100])]);
    for length in 1..whole.len() {
        let problem = problem(&media, &whole[..length]);
        let expected = match length {
            0..4 => "a.wav: not a WAV file".to_owned(),
            4..44 => "a.wav: truncated: the file ends before its samples begin".to_owned(),
            _ => format!("a.wav: truncated: {} of 100 bytes of sound are there", length - 44),
        };
        assert_eq!(problem, expected, "{length} bytes");
    }
}

#[test]
fn chunks_of_odd_length_are_padded() {
    let media = MediaDir::new("wavodd");
    let list = chunk(b"LIST", b"odd");
    let bytes =
        riff(&[list.clone(), format_chunk(1, 1, 48_000, 16), list, chunk(b"data", &[1, 0])]);
    media.bytes("a.wav", &bytes);
    assert!(matches!(read(&media), Samples::Int16(samples) if *samples == [1]));
}

#[test]
fn samples_that_are_no_numbers_are_refused() {
    let media = MediaDir::new("wavnan");
    for bad in [f32::NAN, f32::INFINITY] {
        media.wav_as("a.wav", spec(32, SampleFormat::Float), &[0.0, bad]);
        let error = open(&media).and_then(WavFile::read).unwrap_err();
        assert_eq!(error.to_string(), "a.wav: sample 1 is not a finite number");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn hostile_headers_never_panic(
        format in prop::collection::vec(any::<u8>(), 0..48),
        data in prop::collection::vec(any::<u8>(), 0..64),
        tag in prop::sample::select(vec![1u8, 3, 0xfe]),
    ) {
        let media = MediaDir::new("wavhostile");
        let mut format = format;
        if let [low, high, ..] = &mut format[..] {
            (*low, *high) = (tag, if tag == 0xfe { 0xff } else { 0 });
        }
        media.bytes("a.wav", &riff(&[chunk(b"fmt ", &format), chunk(b"data", &data)]));
        if let Err(error) = open(&media).and_then(WavFile::read) {
            prop_assert_eq!(error.to_string().lines().count(), 1);
        }
    }
}
