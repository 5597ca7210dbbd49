use super::*;

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

const BELL: u64 = 7;

fn vigil() -> (Clock, Vigil) {
    let clock = Clock::start();
    (clock, Vigil::new(clock).unwrap())
}

/// Waits for what must come: a wait may end without cause.
fn ready(vigil: &mut Vigil) -> Vec<u64> {
    let mut ready = Vec::new();
    while ready.is_empty() {
        vigil.wait(None, &mut ready).unwrap();
    }
    ready.sort_unstable();
    ready
}

#[test]
fn a_wait_never_ends_before_its_instant_unless_something_can_be_read() {
    let (clock, mut vigil) = vigil();
    let mut ready = Vec::new();
    for micros in [0, 1, 50, 500, 5_000] {
        let until = clock.now() + Duration::from_micros(micros);
        while clock.now() < until {
            vigil.wait(Some(until), &mut ready).unwrap();
        }
        // The instant is past: this one looks and does not wait.
        vigil.wait(Some(until), &mut ready).unwrap();
        assert!(ready.is_empty());
    }
    assert!(vigil.set_to.is_some_and(|set_to| set_to <= clock.now()));
}

#[test]
fn everything_that_can_be_read_is_told_of_until_it_is_read() {
    let (_, mut vigil) = vigil();
    let sockets = [0, 1, 2].map(|_| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    for (mark, socket) in sockets.iter().enumerate() {
        socket.set_nonblocking(true).unwrap();
        vigil.watch(socket, mark as u64).unwrap();
    }
    sockets[0].send_to(b"to 2", sockets[2].local_addr().unwrap()).unwrap();
    sockets[0].send_to(b"to 1", sockets[1].local_addr().unwrap()).unwrap();
    assert_eq!(ready(&mut vigil), [1, 2]);
    sockets[1].recv(&mut [0; 16]).unwrap();
    assert_eq!(ready(&mut vigil), [2]);
    sockets[0].send_to(b"to 1", sockets[1].local_addr().unwrap()).unwrap();
    vigil.forget(&sockets[2]).unwrap();
    assert_eq!(ready(&mut vigil), [1]);
}

#[test]
fn a_bell_ends_the_wait_of_another_thread() {
    let (_, mut vigil) = vigil();
    let bell = Bell::new().unwrap();
    vigil.watch(&bell, BELL).unwrap();
    let waiting = thread("waiting", {
        let bell = bell.clone();
        move || {
            let marks = ready(&mut vigil);
            (marks, bell.silence(), bell.silence())
        }
    });
    bell.ring();
    assert_eq!(waiting.unwrap().join().unwrap(), (vec![BELL], true, false));
}

#[test]
fn an_instant_beyond_all_time_is_waited_for_like_none() {
    let (_, mut vigil) = vigil();
    let bell = Bell::new().unwrap();
    vigil.watch(&bell, BELL).unwrap();
    bell.ring();
    let mut ready = Vec::new();
    for until in [MonoTime::from_nanos(u64::MAX), MonoTime::ZERO + Duration::MAX] {
        vigil.wait(Some(until), &mut ready).unwrap();
        assert_eq!(ready, [BELL]);
    }
}

#[test]
fn an_instant_is_the_same_for_the_clock_and_for_a_runtime() {
    let (clock, _) = vigil();
    let at = MonoTime::from_millis(1500);
    let between = clock.instant(at).unwrap() - clock.instant(MonoTime::ZERO).unwrap();
    assert_eq!(between, Duration::from_millis(1500));
    assert_eq!(clock.mono(clock.timespec(at)), at);
}
