//! The frames of a packet, and packets joined into one (RFC 6716, section 3.2).
//!
//! Frames that follow each other and are of one configuration can travel in one packet: that saves
//! the headers of all but one, and costs the time until the last of them is there.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{LONGEST, PayloadError, frame_ticks};

/// The longest frame in bytes (R2).
const LONGEST_FRAME: usize = 1_275;

/// Sizes from here on take two bytes (section 3.2.1).
const TWO_BYTES: usize = 252;

/// The frames of `payload`, in order, each as it stands behind its size. Padding is left out.
///
/// # Errors
///
/// [`PayloadError::Opus`] where the packet breaks one of the requirements R1 to R7 of RFC 6716,
/// section 3.4.
pub fn frames(payload: &[u8]) -> Result<Vec<&[u8]>, PayloadError> {
    let broken = |reason| PayloadError::Opus { bytes: payload.len(), reason };
    let (&toc, rest) = payload.split_first().ok_or_else(|| broken("it is empty"))?;
    let frames = match toc & 0b11 {
        0 => vec![rest],
        1 => {
            let (first, second) = rest.split_at(rest.len() / 2);
            if first.len() != second.len() {
                return Err(broken("its two frames differ in size"));
            }
            vec![first, second]
        }
        2 => {
            let cut = || broken("its first frame is cut off");
            let (size, rest) = read_size(rest).ok_or_else(cut)?;
            let (first, second) = rest.split_at_checked(size).ok_or_else(cut)?;
            vec![first, second]
        }
        _ => counted(rest).map_err(broken)?,
    };
    if frame_ticks(toc >> 3) * frames.len() as i64 > LONGEST {
        return Err(broken("it lasts longer than 120 ms"));
    }
    if frames.iter().any(|frame| frame.len() > LONGEST_FRAME) {
        return Err(broken("a frame of it is longer than 1275 bytes"));
    }
    Ok(frames)
}

/// The frames of a packet with their count before them (section 3.2.5).
fn counted(payload: &[u8]) -> Result<Vec<&[u8]>, &'static str> {
    let (&head, mut rest) = payload.split_first().ok_or("its frame count is missing")?;
    let count = usize::from(head & 0b11_1111);
    if count == 0 {
        return Err("it counts no frames");
    }
    if head & 0b100_0000 != 0 {
        let (padding, behind) = read_padding(rest).ok_or("the size of its padding is cut off")?;
        let length = behind.len().checked_sub(padding).ok_or("its padding is cut off")?;
        rest = &behind[..length];
    }
    if head & 0b1000_0000 == 0 {
        let size = rest.len() / count;
        if size * count != rest.len() {
            return Err("its frames of equal size do not fill it");
        }
        return Ok((0..count).map(|frame| &rest[frame * size..(frame + 1) * size]).collect());
    }
    let mut sizes = Vec::with_capacity(count);
    for _ in 1..count {
        let (size, behind) = read_size(rest).ok_or("the size of a frame is cut off")?;
        sizes.push(size);
        rest = behind;
    }
    let mut frames = Vec::with_capacity(count);
    for size in sizes {
        let (frame, behind) = rest.split_at_checked(size).ok_or("a frame of it is cut off")?;
        frames.push(frame);
        rest = behind;
    }
    frames.push(rest);
    Ok(frames)
}

/// A size in one or two bytes, and what is behind it.
fn read_size(data: &[u8]) -> Option<(usize, &[u8])> {
    match *data {
        [short @ 0..252, ref rest @ ..] => Some((usize::from(short), rest)),
        [low, high, ref rest @ ..] => Some((usize::from(high) * 4 + usize::from(low), rest)),
        _ => None,
    }
}

/// How much padding stands at the end, and what is behind the bytes that say so: 255 stands for 254
/// and more to come.
fn read_padding(mut data: &[u8]) -> Option<(usize, &[u8])> {
    let mut padding = 0;
    loop {
        let (&byte, rest) = data.split_first()?;
        data = rest;
        if byte < 255 {
            return Some((padding + usize::from(byte), data));
        }
        padding += 254;
    }
}

/// One packet with the frames of `packets`, which follow each other; `None` if they cannot be in
/// one: they differ in mode, bandwidth, frame length or channels, one of them is broken, or they
/// last longer than 120 ms together.
pub fn join(packets: &[Bytes]) -> Option<Bytes> {
    if let [only] = packets {
        return Some(only.clone());
    }
    let configuration = packets.first()?.first()? & !0b11;
    let mut all = Vec::new();
    for packet in packets {
        if packet.first()? & !0b11 != configuration {
            return None;
        }
        all.extend(frames(packet).ok()?);
    }
    let fits = frame_ticks(configuration >> 3) * all.len() as i64 <= LONGEST;
    fits.then(|| write(configuration, &all))
}

fn write(configuration: u8, frames: &[&[u8]]) -> Bytes {
    let others = &frames[..frames.len().saturating_sub(1)];
    let equal = frames.windows(2).all(|pair| pair[0].len() == pair[1].len());
    let size: usize = frames.iter().map(|frame| frame.len() + 2).sum();
    let mut packet = BytesMut::with_capacity(2 + size);
    match (frames.len(), equal) {
        (1, _) => packet.put_u8(configuration),
        (2, true) => packet.put_u8(configuration | 1),
        (2, false) => {
            packet.put_u8(configuration | 2);
            write_size(&mut packet, others[0].len());
        }
        (count, _) => {
            packet.put_u8(configuration | 3);
            packet.put_u8(count as u8 | if equal { 0 } else { 0b1000_0000 });
            if !equal {
                others.iter().for_each(|frame| write_size(&mut packet, frame.len()));
            }
        }
    }
    frames.iter().for_each(|frame| packet.put_slice(frame));
    packet.freeze()
}

fn write_size(packet: &mut BytesMut, size: usize) {
    if size < TWO_BYTES {
        packet.put_u8(size as u8);
    } else {
        let low = TWO_BYTES + size % 4;
        packet.put_u8(low as u8);
        packet.put_u8(((size - low) / 4) as u8);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::duration;
    use super::*;
    use crate::time::MediaTime;

    const CELT_20: u8 = 31 << 3;

    fn packet(configuration: u8, frame: &[u8]) -> Bytes {
        let mut packet = vec![configuration];
        packet.extend(frame);
        packet.into()
    }

    #[test]
    fn two_frames_of_equal_size_need_one_byte_and_three_need_two() {
        let twenty = packet(CELT_20, &[7; 40]);
        let two = join(&[twenty.clone(), twenty.clone()]).unwrap();
        assert_eq!((two[0] & 0b11, two.len()), (1, 81));
        let three = join(&[twenty.clone(), twenty.clone(), twenty]).unwrap();
        assert_eq!((three[0] & 0b11, three[1], three.len()), (3, 3, 122));
        assert_eq!(duration(&three), Ok(MediaTime::from_millis(60)));
    }

    #[test]
    fn what_differs_in_more_than_size_cannot_be_joined() {
        let (long, short) = (packet(CELT_20, &[1, 2]), packet(30 << 3, &[1]));
        assert_eq!(join(&[long.clone(), short]), None, "20 and 10 ms");
        assert_eq!(join(&[long.clone(), packet(CELT_20 | 4, &[1])]), None, "mono and stereo");
        assert_eq!(join(&vec![long.clone(); 7]), None, "140 ms");
        assert!(join(&vec![long; 6]).is_some(), "120 ms");
        assert_eq!(join(&[]), None);
    }

    #[test]
    fn a_packet_of_one_byte_is_a_frame_of_nothing() {
        assert_eq!(frames(&[CELT_20]), Ok(vec![&[][..]]));
        let joined = join(&[packet(CELT_20, &[]), packet(CELT_20, &[1, 2])]).unwrap();
        assert_eq!(frames(&joined), Ok(vec![&[][..], &[1, 2]]));
    }

    #[test]
    fn padding_of_any_size_is_no_frame() {
        for padding in [0, 1, 254, 255, 600_usize] {
            let mut packet = vec![CELT_20 | 3, 0b100_0000 | 2];
            packet.extend(std::iter::repeat_n(255, padding / 254));
            packet.push((padding % 254) as u8);
            packet.extend([1, 2, 3, 4]);
            packet.extend(vec![0; padding]);
            assert_eq!(frames(&packet), Ok(vec![&[1, 2][..], &[3, 4]]), "{padding}");
            assert_eq!(duration(&packet), Ok(MediaTime::from_millis(40)));
        }
    }

    fn millis(frames: i64, configuration: u8) -> MediaTime {
        MediaTime::from_flicks(MediaTime::FLICKS_PER_SEC / 48_000)
            .as_flicks()
            .checked_mul(frames * frame_ticks(configuration))
            .map(MediaTime::from_flicks)
            .unwrap()
    }

    proptest! {
        #[test]
        fn joined_frames_come_apart_as_they_were_and_last_as_long_together(
            configuration in 0_u8..32,
            stereo in any::<bool>(),
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 1..49)
        ) {
            let head = configuration << 3 | u8::from(stereo) << 2;
            let packets: Vec<Bytes> = bodies.iter().map(|body| packet(head, body)).collect();
            let lasting = frame_ticks(configuration) * bodies.len() as i64;
            let joined = join(&packets);
            prop_assert_eq!(joined.is_some(), lasting <= LONGEST);
            if let Some(joined) = joined {
                let expected: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
                prop_assert_eq!(frames(&joined), Ok(expected));
                let lasts = millis(bodies.len() as i64, configuration);
                prop_assert_eq!(duration(&joined), Ok(lasts));
            }
        }

        #[test]
        fn no_bytes_panic_and_what_has_frames_has_a_duration(
            payload in prop::collection::vec(any::<u8>(), 0..600)
        ) {
            if let Ok(frames) = frames(&payload) {
                let lasts = millis(frames.len() as i64, payload[0] >> 3);
                prop_assert_eq!(duration(&payload), Ok(lasts));
                let _ = join(&[Bytes::from(payload.clone()), Bytes::from(payload)]);
            }
        }
    }
}
