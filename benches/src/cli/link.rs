//! `cantus-bench link`.

use std::path::PathBuf;
use std::time::Duration;

use cantus_qos::quantity::parse_duration;
use clap::{ArgGroup, Args};

use crate::link::LinkSpec;
use crate::tunnel::Until;

const EXAMPLES: &str = "\
Examples:
  cantus-bench link --tun --left 'python3 -m http.server' --until right \\
      --right 'sleep 1; curl -O http://$CANTUS_PEER:8000/file' -- delay 40ms 15ms loss gemodel 1% 25%
  cantus-bench link --tc --left true --right 'ping -c 10 $CANTUS_PEER' -- delay 20ms duplicate 10%
  cantus-bench link --tun -- bursty --left 'iperf3 -s -1' --right 'sleep 1; iperf3 -c $CANTUS_PEER'

Each command finds its own address in CANTUS_HERE and the other's in CANTUS_PEER (IPv6: CANTUS_HERE6,
CANTUS_PEER6). The exit status is that of a command that failed.";

/// `cantus-bench link`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
#[command(group = ArgGroup::new("joint").required(true).args(["tun", "tc"]))]
pub struct LinkOptions {
    /// Join the hosts by our own emulator: a TUN device each, a process between
    #[arg(long)]
    pub tun: bool,

    /// Join the hosts by the kernel's netem on a veth pair
    #[arg(long)]
    pub tc: bool,

    /// The command on the left host, for a shell
    #[arg(long, value_name = "CMD")]
    pub left: Option<String>,

    /// The command on the right host, for a shell
    #[arg(long, value_name = "CMD")]
    pub right: Option<String>,

    /// Whose end is the end; what still runs then is told to end
    #[arg(long, value_enum, value_name = "WHOSE", default_value_t)]
    pub until: Until,

    /// When it is over at the latest, such as 60s
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
    pub length: Option<Duration>,

    /// What our emulator does on the way from right to left, where that is another
    #[arg(long, value_name = "WORDS", conflicts_with = "tc")]
    pub back: Option<LinkSpec>,

    /// What the luck of our emulator follows from
    #[arg(long, default_value_t = 1, conflicts_with = "tc")]
    pub seed: u64,

    /// Write what our emulator did to every packet, as CSV
    #[arg(long, value_name = "FILE", conflicts_with = "tc")]
    pub log: Option<PathBuf>,

    /// What the link does, both ways unless there is --back, in the words of tc-netem(8); --left and --right may follow
    #[arg(last = true, value_name = "TC-NETEM-ARGUMENTS")]
    pub words: Vec<String>,
}

/// A link that lacks one of its commands.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0} needs a command, such as {0} 'ping -c 3 $CANTUS_PEER'")]
pub struct NoCommand(&'static str);

impl LinkOptions {
    /// The commands on the left and on the right, and the words of the link. The commands may
    /// stand behind the words: netem has no words that begin with `--`.
    ///
    /// # Errors
    ///
    /// [`NoCommand`].
    pub fn parts(&self) -> Result<(String, String, Vec<String>), NoCommand> {
        let (mut left, mut right) = (self.left.clone(), self.right.clone());
        let mut words = Vec::new();
        let mut rest = self.words.iter();
        while let Some(word) = rest.next() {
            match word.as_str() {
                "--left" => left = rest.next().cloned(),
                "--right" => right = rest.next().cloned(),
                _ => words.extend(word.split_whitespace().map(str::to_owned)),
            }
        }
        Ok((left.ok_or(NoCommand("--left"))?, right.ok_or(NoCommand("--right"))?, words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;

    fn parse(line: &[&str]) -> Result<LinkOptions, clap::Error> {
        match Cli::try_parse_from([&["cantus-bench", "link"], line].concat())?.command {
            Command::Link(options) => Ok(*options),
            other => panic!("not a link: {other:?}"),
        }
    }

    #[test]
    fn commands_may_stand_before_the_words_and_behind_them() {
        let before = ["--tun", "--left", "a b", "--right", "c", "--", "delay", "40ms", "loss 1%"];
        let behind = ["--tun", "--", "delay", "40ms", "loss 1%", "--left", "a b", "--right", "c"];
        for line in [&before, &behind] {
            let (left, right, words) = parse(line).unwrap().parts().unwrap();
            assert_eq!((left.as_str(), right.as_str()), ("a b", "c"));
            assert_eq!(words, ["delay", "40ms", "loss", "1%"]);
        }
    }

    #[test]
    fn a_link_has_one_kind_and_two_commands() {
        assert!(parse(&["--left", "a", "--right", "b"]).is_err(), "neither --tun nor --tc");
        assert!(parse(&["--tun", "--tc", "--left", "a", "--right", "b"]).is_err(), "both");
        assert!(parse(&["--tc", "--seed", "3"]).is_err(), "the kernel takes no seed of ours");
        let one = parse(&["--tun", "--left", "a", "--", "delay", "1ms"]).unwrap();
        assert_eq!(one.parts(), Err(NoCommand("--right")));
        let cut = parse(&["--tun", "--left", "a", "--", "delay", "1ms", "--right"]).unwrap();
        assert_eq!(cut.parts(), Err(NoCommand("--right")));
    }
}
