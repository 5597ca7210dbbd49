//! The fates of units, read from what a player wrote with `--trace`.

use cantus_qos::stats::{Fate, Recovery, UnitRecord};
use cantus_qos::time::{MediaTime, MonoTime};

/// The units of the stream called `stream` in a trace (the format is in
/// [`cantus_qos::stats::trace`]); lines that cannot be read are left out.
pub fn read_fates(csv: &str, stream: &str) -> Vec<UnitRecord> {
    let lines = csv.lines().skip(1);
    let of_it = lines.filter_map(|line| {
        // The name may hold commas of its own; the seven columns after it never do.
        let mut cells: Vec<&str> = line.rsplitn(8, ',').collect();
        cells.reverse();
        let name = *cells.first()?;
        let bare = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
        let name = bare.map_or_else(|| name.to_owned(), |bare| bare.replace("\"\"", "\""));
        (name == stream).then(|| unit(&cells[1..])).flatten()
    });
    of_it.collect()
}

fn unit(cells: &[&str]) -> Option<UnitRecord> {
    let &[sequence, media, sent, arrived, recovered, played, fate] = cells else { return None };
    let instant = |cell: &str| {
        let micros: Option<u64> = cell.parse().ok();
        micros.and_then(|micros| micros.checked_mul(1_000)).map(MonoTime::from_nanos)
    };
    Some(UnitRecord {
        sequence: sequence.parse().ok()?,
        media_time: media.parse().ok().map(|micros: i64| MediaTime::from_millis(micros / 1_000)),
        sent: instant(sent),
        arrived: instant(arrived),
        recovery: match recovered {
            "fec" => Recovery::Fec,
            "retransmission" => Recovery::Retransmission,
            _ => Recovery::None,
        },
        played: instant(played),
        fate: match fate {
            "played" => Fate::Played,
            "late" => Fate::Late,
            "lost" => Fate::Lost,
            "duplicate" => Fate::Duplicate,
            _ => return None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cantus_qos::stats::trace;

    #[test]
    fn what_a_player_wrote_is_read_again() {
        let lost = UnitRecord {
            sequence: 65_540,
            media_time: None,
            sent: None,
            arrived: None,
            recovery: Recovery::None,
            played: None,
            fate: Fate::Lost,
        };
        let played = UnitRecord {
            sequence: 65_541,
            media_time: Some(MediaTime::from_millis(40)),
            sent: Some(MonoTime::from_millis(40)),
            arrived: Some(MonoTime::from_nanos(81_234_000)),
            recovery: Recovery::Fec,
            played: Some(MonoTime::from_millis(240)),
            fate: Fate::Played,
        };
        let lines = [
            trace::header().to_owned(),
            trace::line("left, \"L\"", &lost),
            trace::line("other", &played),
            trace::line("left, \"L\"", &played),
            "nonsense,,,".to_owned(),
        ];
        assert_eq!(read_fates(&lines.join("\n"), "left, \"L\""), [lost, played]);
        assert_eq!(read_fates("", "audio"), []);
    }
}
