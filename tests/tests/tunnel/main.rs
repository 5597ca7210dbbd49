//! Two network namespaces joined by an emulated IP link: what crosses it, and what stays behind.
//!
//! Needs Linux, root, `/dev/net/tun` and iproute2. Where one of them is missing the tests say
//! `NOT RUN` and why.
//!
//! Packets are counted by this test binary itself, run again as the command on either side; and a
//! presentation is pushed to a group.

mod multicast;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cantus_bench::agreement::replay;
use cantus_bench::cli::{CountReceive, CountSend};
use cantus_bench::count::{self, Observation};
use cantus_bench::link::LinkSpec;
use cantus_bench::tunnel::{Job, Joint, Outcome, TunnelError, Until, run};

/// What the link does to the packets.
const LINK: &str = "delay 20ms loss 20% duplicate 5%";
const SEED: u64 = 7;
/// Packets at a thousand a second.
const PACKETS: u32 = 800;
const PAYLOAD: usize = 100;
/// In front of each: the headers of UDP and IPv4.
const HEADERS: usize = 28;
/// In case that anything hangs.
const PATIENCE: Duration = Duration::from_secs(30);
/// Where the test binary, run again, finds the logs.
const FOLDER: &str = "CANTUS_TUNNEL_FOLDER";

#[test]
fn what_crosses_the_tunnel_has_the_luck_that_it_has_in_virtual_time() {
    let folder = Folder::new("luck");
    let (sent, received) = (folder.0.join("sent.csv"), folder.0.join("received.csv"));
    let wait = format!("until [ -e '{}' ]; do sleep 0.05; done", received.display());
    let job = Job {
        left: format!("{wait}; {}", again(&folder, "the_sender_inside_the_tunnel")),
        right: again(&folder, "the_receiver_inside_the_tunnel"),
        until: Until::Both,
        length: Some(PATIENCE),
    };
    let Some(outcome) = cross(LINK, &job) else {
        return;
    };
    assert_eq!(outcome.ended.code(), 0, "{:?}", outcome.ended);
    let real = Observation::read(&sent, &received).expect("the logs of both ends");
    let spec = LINK.parse().expect("a link");
    let virtually = replay(&spec, SEED, real.sent(), PAYLOAD + HEADERS).expect("the same link");
    assert_eq!(real.copies(), virtually.copies());
    assert!(real.lost().contains(&true) && real.duplicated().contains(&true));
    let early = real.delays().into_iter().find(|delay| *delay < Duration::from_millis(20));
    assert_eq!(early, None, "no packet is faster than the link");
    let counts = outcome.passage.expect("a link of ours").log.counts();
    assert_eq!(
        counts.to_client.entered,
        u64::from(PACKETS),
        "nothing else used the link's luck up"
    );
    assert_eq!(counts.unsent, 0);
}

#[test]
fn the_commands_that_end_by_themselves_give_the_status_and_no_process_stays() {
    let folder = Folder::new("status");
    let trace = folder.0.join("trace");
    let job = Job {
        left: format!("sleep 60 & echo $! >'{0}.part'; mv '{0}.part' '{0}'; wait", trace.display()),
        right: format!("until [ -e '{}' ]; do sleep 0.05; done; exit 3", trace.display()),
        until: Until::Right,
        length: Some(PATIENCE),
    };
    let Some(outcome) = cross("delay 1ms", &job) else {
        return;
    };
    assert_eq!(outcome.ended.code(), 3);
    assert_eq!(outcome.ended.left, None, "it was told to end");
    let process = std::fs::read_to_string(&trace).expect("the left command began");
    // What has ended, and only waits to be noticed, is in no namespace any more.
    let namespace = Path::new("/proc").join(process.trim()).join("ns/net");
    assert!(namespace.metadata().is_err(), "what the left command started in the background");
}

#[test]
fn a_link_that_cannot_be_made_leaves_nothing_behind() {
    let words = ["delay", "1ms", "nonsense"].map(str::to_owned).to_vec();
    let job = Job {
        left: "true".into(),
        right: "true".into(),
        until: Until::Both,
        length: Some(PATIENCE),
    };
    match run_alone(&Joint::Kernel { words }, &job) {
        Err(error) if is_missing(&error) => not_run(&error),
        Err(TunnelError::NoNetem { .. } | TunnelError::Refused { .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
#[ignore = "run by the first test, on the left of its tunnel"]
fn the_sender_inside_the_tunnel() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return not_run(&"the sender, because there is no tunnel around it");
    };
    count::send(&CountSend {
        to: format!("{}:7000", std::env::var("CANTUS_PEER").unwrap()).parse().unwrap(),
        count: PACKETS,
        rate: 1000.try_into().unwrap(),
        size: PAYLOAD,
        log: Path::new(&folder).join("sent.csv"),
    })
    .expect("all packets, sent");
}

#[test]
#[ignore = "run by the first test, on the right of its tunnel"]
fn the_receiver_inside_the_tunnel() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return not_run(&"the receiver, because there is no tunnel around it");
    };
    count::receive(&CountReceive {
        listen: format!("{}:7000", std::env::var("CANTUS_HERE").unwrap()).parse().unwrap(),
        idle: Duration::from_secs(2),
        log: Path::new(&folder).join("received.csv"),
    })
    .expect("packets, received");
}

/// Runs a job across a link of ours; `None`, said aloud, where that cannot be done here.
fn cross(words: &str, job: &Job) -> Option<Outcome> {
    let link: LinkSpec = words.parse().expect("a link");
    let joint = Joint::Emulated { path: Box::new(link.into()), seed: SEED };
    match run_alone(&joint, job) {
        Ok(outcome) => Some(outcome),
        Err(error) if is_missing(&error) => {
            not_run(&error);
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Runs a job, after those of other tests, and looks whether anything stays behind.
fn run_alone(joint: &Joint, job: &Job) -> Result<Outcome, TunnelError> {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let result = runtime.block_on(run(joint, job));
    let ours = format!("cantus-{}-", std::process::id());
    let names = std::fs::read_dir("/run/netns").into_iter().flatten().flatten();
    let mut names = names.filter_map(|entry| entry.file_name().into_string().ok());
    assert_eq!(names.find(|name| name.starts_with(&ours)), None, "a namespace stays behind");
    result
}

/// Whether it is this machine that lacks something.
fn is_missing(error: &TunnelError) -> bool {
    match error {
        TunnelError::NotRoot | TunnelError::NoDevice(_) | TunnelError::NoProgram { .. } => true,
        TunnelError::Refused { message, .. } => message.contains("not permitted"),
        _ => false,
    }
}

/// Past the harness, which keeps what passing tests print to itself.
fn not_run(why: &dyn std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "NOT RUN: the tunnel, because {why}");
}

/// This test binary, as a command that runs one of its tests.
fn again(folder: &Folder, test: &str) -> String {
    let this = std::env::current_exe().expect("the path of this test");
    format!(
        "{FOLDER}='{}' '{}' --ignored --exact {test} >/dev/null",
        folder.0.display(),
        this.display()
    )
}

/// A directory of a test, which ends with it.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let name = format!("cantus-tunnel-{test}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a directory for the logs");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
