//! Planted truth, and whole sessions.

mod planted;
mod sessions;

use std::path::Path;
use std::sync::LazyLock;

use cantus_streamer::encoding::Codec;
use cantus_streamer::programme::ProgrammeKey;

use crate::probe::Reference;
use crate::sim::Media;

static SAMPLES: LazyLock<Media> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../media-samples");
    Media::open(&folder).expect("the media samples are there")
});

fn reference(name: &str, codec: Codec) -> Reference {
    let programme = SAMPLES.programme(&ProgrammeKey::new(name, codec)).expect("it is encoded");
    Reference::of(&programme).expect("it is decoded")
}
