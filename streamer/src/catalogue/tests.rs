use super::*;
use crate::media::MediaDir;
use cantus_qos::time::MediaTime;

fn catalogue(media: &MediaDir) -> Catalogue {
    Catalogue::open(media.path()).unwrap()
}

fn names(listing: &Listing) -> Vec<&str> {
    listing.presentations.iter().map(|entry| entry.name.as_str()).collect()
}

fn reasons(listing: &Listing) -> Vec<String> {
    listing.skipped.iter().map(|skipped| skipped.error.to_string()).collect()
}

const CUE: &str = "WEBVTT\n\n00:00.010 --> 00:00.020\nHello\n";

#[test]
fn a_sound_with_subtitles_beside_it_is_one_presentation() {
    let media = MediaDir::new("beside");
    media.wav("narration.wav", 48_000, 1, &[1, 2, 3, 4]);
    media.text("narration.en.vtt", CUE);
    media.text("narration.fr-CA.vtt", CUE);
    media.text("README.md", "passed over");
    let presentation = catalogue(&media).presentation("narration").unwrap();
    assert_eq!(presentation.title, "narration");
    assert_eq!(presentation.audio[0].frames, 4);
    let languages: Vec<_> = presentation.texts.iter().map(|t| t.language.as_str()).collect();
    assert_eq!(languages, ["en", "fr-CA"]);
    assert_eq!(presentation.texts[0].cues[0].text, "Hello");
    assert!(presentation.skipped.is_empty());
}

#[test]
fn a_folder_is_one_presentation_with_its_tracks_in_order() {
    let media = MediaDir::new("folder");
    for track in ["10", "2", "1"] {
        media.wav(&format!("duet/{track}.wav"), 44_100, 2, &[0; 8]);
    }
    media.text("duet/en.vtt", CUE);
    media.text("duet/duet.fr.vtt", CUE);
    media.text(
        "duet/duet.toml",
        "title = 'Duet'\n[audio]\n2 = 'Viola'\n[subtitles]\nen = 'English'",
    );
    let presentation = catalogue(&media).presentation("duet").unwrap();
    let tracks: Vec<_> = presentation.audio.iter().map(|track| track.name.as_str()).collect();
    assert_eq!((presentation.title.as_str(), tracks), ("Duet", vec!["1", "Viola", "10"]));
    let texts: Vec<_> = presentation.texts.iter().map(|text| text.name.as_str()).collect();
    assert_eq!(texts, ["English", "fr"]);
}

#[test]
fn the_list_is_json_without_samples() {
    let media = MediaDir::new("json");
    media.wav("a.wav", 48_000, 2, &[0; 2 * 960]);
    media.text("a.vtt", CUE);
    media.text("b.wav", "");
    let listing = catalogue(&media).list().unwrap();
    assert_eq!(listing.presentations[0].duration, MediaTime::from_millis(20));
    let json = serde_json::to_value(&listing).unwrap();
    let expected = serde_json::json!({
        "presentations": [{
            "name": "a", "title": "a", "duration_ms": 20,
            "tracks": [
                { "kind": "audio", "name": "audio", "rate": 48_000, "channels": 2 },
                { "kind": "text", "name": "und", "language": "und" },
            ],
        }],
        "skipped": [{ "path": "b.wav", "reason": "b.wav: the file is empty" }],
    });
    assert_eq!(json, expected);
}

#[test]
fn one_bad_file_never_hides_the_others() {
    let media = MediaDir::new("bad");
    media.wav("good.wav", 48_000, 1, &[1]);
    media.text("good.en.vtt", CUE);
    media.text("good.fr.vtt", "WEBVTT\n\n00:02.000 --> 00:01.000\nBad");
    media.text("good.toml", "titel = 'x'");
    media.text("noise.wav", "this is no sound");
    media.text("lonely.en.vtt", CUE);
    media.wav("duet/1.wav", 48_000, 1, &[1]);
    media.wav("duet/2.wav", 8_000, 1, &[1]);
    media.wav("good/1.wav", 48_000, 1, &[1]);
    media.folder("empty");
    let catalogue = catalogue(&media);
    let listing = catalogue.list().unwrap();
    assert_eq!(names(&listing), ["duet", "good"]);
    let reasons = reasons(&listing);
    let expected = [
        "duet/2.wav: 8000 Hz is not supported, 44100 and 48000 are",
        "empty: has no WAV file",
        "good: \"good\" is there already",
        "good.fr.vtt, line 3: the cue ends at 1000 ms, but starts at 2000 ms",
        "good.toml, line 1: unknown field `titel`",
        "lonely.en.vtt: no WAV file goes with it",
        "noise.wav: not a WAV file",
    ];
    assert_eq!(reasons.len(), expected.len(), "{reasons:#?}");
    for (reason, expected) in reasons.iter().zip(expected) {
        assert!(reason.starts_with(expected), "{reason:?} is not {expected:?}");
    }
    let good = catalogue.presentation("good").unwrap();
    assert_eq!((good.texts.len(), good.skipped.len()), (1, 2));
    assert_eq!(catalogue.presentation("duet").unwrap().audio.len(), 1);
}

#[test]
fn what_cannot_be_opened_says_why() {
    let media = MediaDir::new("why");
    media.text("noise.wav", "this is no sound");
    media.folder("empty");
    let catalogue = catalogue(&media);
    let why = |name| catalogue.presentation(name).unwrap_err().to_string();
    assert_eq!(why("noise"), "noise.wav: not a WAV file");
    assert_eq!(why("empty"), "empty: has no WAV file");
    assert_eq!(why("nothing"), "there is no presentation \"nothing\"");
}

#[test]
fn names_never_leave_the_directory() {
    let media = MediaDir::new("names");
    media.wav("inside/a.wav", 48_000, 1, &[1]);
    media.wav("outside.wav", 48_000, 1, &[1]);
    let catalogue = Catalogue::open(&media.path().join("inside")).unwrap();
    let absolute = media.path().join("outside").to_str().unwrap().to_owned();
    for name in [
        "",
        ".",
        "..",
        "../outside",
        "/etc",
        "a/",
        "./a",
        "a/../a",
        "a\0",
        "a\n",
        "..\\outside",
        ".a",
        &absolute,
        &"x".repeat(256),
    ] {
        let error = catalogue.presentation(name).unwrap_err();
        assert!(matches!(error, CatalogueError::BadName { .. }), "{name:?}: {error}");
        assert_eq!(error.to_string().lines().count(), 1, "{name:?}");
    }
    assert!(catalogue.presentation("a").is_ok());
    let error = catalogue.presentation(&"x".repeat(255)).unwrap_err();
    assert!(matches!(error, CatalogueError::Unknown { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn links_that_lead_out_are_refused_and_links_within_are_followed() {
    use std::os::unix::fs::symlink;
    let media = MediaDir::new("links");
    media.wav("inside/a.wav", 48_000, 1, &[1]);
    media.wav("outside.wav", 48_000, 1, &[1]);
    media.wav("elsewhere/1.wav", 48_000, 1, &[1]);
    let inside = media.path().join("inside");
    symlink("../outside.wav", inside.join("file.wav")).unwrap();
    symlink(media.path().join("elsewhere"), inside.join("folder")).unwrap();
    symlink("a.wav", inside.join("same.wav")).unwrap();
    symlink("nowhere.wav", inside.join("broken.wav")).unwrap();
    media.wav("inside/duet/1.wav", 48_000, 1, &[1]);
    symlink("../../outside.wav", inside.join("duet/2.wav")).unwrap();

    let catalogue = Catalogue::open(&inside).unwrap();
    let listing = catalogue.list().unwrap();
    assert_eq!(names(&listing), ["a", "duet", "same"]);
    for name in ["file", "folder"] {
        let error = catalogue.presentation(name).unwrap_err();
        assert!(matches!(error, CatalogueError::Outside { .. }), "{name}: {error}");
    }
    let error = catalogue.presentation("broken").unwrap_err();
    assert!(matches!(error, CatalogueError::Io { .. }), "{error}");
    let duet = catalogue.presentation("duet").unwrap();
    assert_eq!(duet.audio.len(), 1);
    assert_eq!(duet.skipped[0].error.to_string(), "duet/2.wav: leads out of the media directory");
}

#[test]
fn a_directory_that_is_none_is_refused() {
    let media = MediaDir::new("none");
    media.text("file", "");
    let error = Catalogue::open(&media.path().join("missing")).unwrap_err();
    assert!(matches!(error, CatalogueError::Io { .. }), "{error}");
    let error = Catalogue::open(&media.path().join("file")).unwrap_err();
    assert!(matches!(error, CatalogueError::NotADirectory { .. }), "{error}");
}

#[test]
fn presentations_are_shared_while_in_use_and_read_again_when_changed() {
    let media = MediaDir::new("shared");
    media.wav("a.wav", 48_000, 1, &[1]);
    let catalogue = catalogue(&media);
    let first = catalogue.presentation("a").unwrap();
    assert!(Arc::ptr_eq(&first, &catalogue.presentation("a").unwrap()));
    media.wav("a.wav", 48_000, 1, &[1, 2]);
    let second = catalogue.presentation("a").unwrap();
    assert_eq!((first.audio[0].frames, second.audio[0].frames), (1, 2));
}

#[test]
fn new_files_appear_and_removed_ones_go() {
    let media = MediaDir::new("appear");
    let catalogue = catalogue(&media);
    assert!(catalogue.list().unwrap().presentations.is_empty());
    media.wav("a.wav", 48_000, 1, &[1]);
    assert_eq!(names(&catalogue.list().unwrap()), ["a"]);
    std::fs::remove_file(media.path().join("a.wav")).unwrap();
    assert!(catalogue.list().unwrap().presentations.is_empty());
}

#[test]
fn sound_that_fits_into_memory_is_read_and_one_byte_less_is_refused() {
    let media = MediaDir::new("memory");
    media.wav("a.wav", 48_000, 1, &[0; 100]);
    media.wav("b.wav", 48_000, 1, &[0; 100]);
    let catalogue = catalogue(&media).with_memory(200);
    let held = catalogue.presentation("a").unwrap();
    let error = catalogue.presentation("b").unwrap_err();
    let expected = "b.wav: needs 200 bytes of memory; of 200 allowed, 200 are in use";
    assert_eq!(error.to_string(), expected);
    drop(held);
    assert!(catalogue.presentation("b").is_ok());
    assert!(catalogue.with_memory(199).presentation("a").is_err());
}

#[test]
fn subtitle_files_up_to_the_limit_are_read_and_longer_ones_refused() {
    let media = MediaDir::new("long");
    media.wav("a.wav", 48_000, 1, &[0; 100]);
    let fill = |bytes: usize| format!("WEBVTT\n\nNOTE {}", "x".repeat(bytes - 13));
    media.text("a.en.vtt", &fill(4 << 20));
    media.text("a.fr.vtt", &fill((4 << 20) + 1));
    let presentation = catalogue(&media).presentation("a").unwrap();
    assert_eq!(presentation.texts[0].language, "en");
    let expected = "a.fr.vtt: has 4194305 bytes, at most 4194304 are read";
    assert_eq!(presentation.skipped[0].error.to_string(), expected);
}
