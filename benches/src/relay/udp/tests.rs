use super::*;

use std::net::{Ipv4Addr, Ipv6Addr};

use tokio::net::UdpSocket;

use crate::duplex::{DirectionCounts, Fate, PacketCounts, PacketLog};
use crate::link::LinkSpec;
use crate::plan::Plan;
use crate::sim::Scenario;

/// A server that answers every datagram with itself in capitals.
async fn shouting_server(address: SocketAddr) -> SocketAddr {
    let socket = UdpSocket::bind(address).await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            buffer[..length].make_ascii_uppercase();
            socket.send_to(&buffer[..length], from).await.unwrap();
        }
    });
    address
}

async fn ask(client: &UdpSocket, text: &str) -> String {
    client.send(text.as_bytes()).await.unwrap();
    let mut buffer = [0; 2048];
    let receive = client.recv(&mut buffer);
    let length = tokio::time::timeout(Duration::from_secs(20), receive).await.unwrap().unwrap();
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

#[tokio::test]
async fn each_of_two_clients_gets_its_own_answers() {
    for any in [(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()] {
        let server = shouting_server(any).await;
        let spec: LinkSpec = "delay 5ms".parse().unwrap();
        let relay = start(any, server, &spec, 7).unwrap();
        let (first, second) =
            (UdpSocket::bind(any).await.unwrap(), UdpSocket::bind(any).await.unwrap());
        first.connect(relay.address()).await.unwrap();
        second.connect(relay.address()).await.unwrap();
        for round in 0..5 {
            assert_eq!(ask(&first, &format!("first {round}")).await, format!("FIRST {round}"));
            assert_eq!(ask(&second, &format!("second {round}")).await, format!("SECOND {round}"));
        }
        let log = relay.stop().await.log;
        assert_eq!((log.counts().to_server.delivered, log.counts().to_client.delivered), (10, 10));
        for entry in log.entries() {
            assert_eq!(entry.fate, Fate::Delivered);
            assert!(entry.left.unwrap().since(entry.entered) >= Duration::from_millis(5));
        }
    }
}

#[tokio::test]
async fn what_the_link_loses_never_reaches_the_server() {
    let any = (Ipv4Addr::LOCALHOST, 0).into();
    let server = UdpSocket::bind(any).await.unwrap();
    let spec: LinkSpec = "loss 100%".parse().unwrap();
    let relay = start(any, server.local_addr().unwrap(), &spec, 7).unwrap();
    let client = UdpSocket::bind(any).await.unwrap();
    client.send_to(b"hello", relay.address()).await.unwrap();
    while relay.counts().to_server.entered == 0 {
        tokio::task::yield_now().await;
    }
    let log = relay.stop().await.log;
    assert_eq!(log.entries()[0].fate, Fate::Lost);
    assert!(server.try_recv(&mut [0; 16]).is_err());
}

/// What becomes of `packets` packets that a client sends through a relay, and of the answers.
async fn converse(path: PathSpec, seed: u64, packets: u64) -> PacketLog {
    let any = (Ipv4Addr::LOCALHOST, 0).into();
    let relay = start(any, shouting_server(any).await, path, seed).unwrap();
    let client = UdpSocket::bind(any).await.unwrap();
    for _ in 0..packets {
        client.send_to(b"hello", relay.address()).await.unwrap();
    }
    let ended = |way: DirectionCounts, all| way.entered == all && way.delivered + way.lost == all;
    let settled = async {
        loop {
            let PacketCounts { to_server, to_client, .. } = relay.counts();
            if ended(to_server, packets) && ended(to_client, to_server.delivered) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), settled).await.expect("all has come to an end");
    relay.stop().await.log
}

fn fates(log: &PacketLog, direction: Direction) -> Vec<Fate> {
    let entries = log.entries().iter().filter(|entry| entry.direction == direction);
    entries.map(|entry| entry.fate).collect()
}

#[tokio::test]
async fn the_way_back_may_be_another_link() {
    let clean = LinkSpec::default();
    let lossy: LinkSpec = "loss 100%".parse().unwrap();
    let path = PathSpec { back: Some(lossy.clone()), ..clean.clone().into() };
    let log = converse(path, 7, 3).await;
    assert_eq!(fates(&log, Direction::ToServer), [Fate::Lost; 3]);
    let path = PathSpec { back: Some(clean), ..lossy.into() };
    let log = converse(path, 7, 3).await;
    assert_eq!(fates(&log, Direction::ToServer), [Fate::Delivered; 3]);
    assert_eq!(fates(&log, Direction::ToClient), [Fate::Lost; 3]);
}

#[tokio::test]
async fn a_plan_has_the_same_luck_both_ways_through_a_relay_and_in_virtual_time() {
    let plan: Plan = r#"
        seed = 11
        link = "loss 30%"
        back = "loss gemodel 20% 50%"
        media = "media-samples/narration"
    "#
    .parse()
    .unwrap();
    let real = converse(plan.path(), plan.seed, 60).await;
    let scenario = Scenario::from_plan(&plan).unwrap();
    let log = SharedLog::default();
    let mut duplex = Duplex::new(scenario.path, scenario.seed, log.clone()).unwrap();
    for entry in real.entries() {
        let (data, peer) = (Bytes::new(), Ipv4Addr::LOCALHOST.into());
        duplex.push(MonoTime::ZERO, Enter::udp(entry.direction, 0, Kind::Other, data, peer));
        while duplex.pop(MonoTime::ZERO).is_some() {}
    }
    for direction in [Direction::ToServer, Direction::ToClient] {
        let real = fates(&real, direction);
        assert!(real.contains(&Fate::Lost) && real.contains(&Fate::Delivered), "{direction:?}");
        assert_eq!(real, fates(&log.snapshot(), direction), "{direction:?}");
    }
}

#[test]
fn idle_clients_are_forgotten_and_their_number_is_bounded() {
    let vigil = Vigil::new(Clock::start()).unwrap();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = (Ipv4Addr::LOCALHOST, 9).into();
    let mut clients = Clients::of(vec![Door { socket: socket::bind(any).unwrap(), server }]);
    let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    for port in 1..=MAX_CLIENTS as u16 {
        clients.route(MonoTime::ZERO, &vigil, 0, address(port)).unwrap();
    }
    let almost = MonoTime::ZERO + IDLE - Duration::from_nanos(1);
    assert!(clients.route(almost, &vigil, 0, address(1000)).is_err());
    assert_eq!(clients.route(almost, &vigil, 0, address(1)).unwrap(), 0);
    let route = clients.route(MonoTime::ZERO + IDLE, &vigil, 0, address(1000)).unwrap();
    assert_eq!(route, MAX_CLIENTS as u32);
    assert_eq!(clients.by_address.len(), 2);
    assert_eq!(clients.by_route.len(), 2);
}

#[tokio::test]
async fn pairs_of_ports_share_one_link_and_keep_their_servers_apart() {
    let any = (Ipv4Addr::LOCALHOST, 0).into();
    let rtp = shouting_server(any).await;
    let rtcp = shouting_server(any).await;
    let pairs = [Pair { listen: any, to: rtp }, Pair { listen: any, to: rtcp }];
    let relay = start_all(&pairs, "delay 2ms".parse::<LinkSpec>().unwrap(), 7).unwrap();
    let client = UdpSocket::bind(any).await.unwrap();
    for (door, text) in [(0, "rtp"), (1, "rtcp"), (0, "again")] {
        let address = relay.addresses()[door];
        client.connect(address).await.unwrap();
        assert_eq!(ask(&client, text).await, text.to_uppercase());
    }
    let record = relay.stop().await;
    let routes: Vec<_> = record.log.entries().iter().map(|entry| entry.route).collect();
    assert_eq!(routes, [0, 0, 1, 1, 0, 0]);
    assert_eq!(record.lateness.quantiles().map(|it| it.count), Some(6));
    assert_eq!(record.overruns, 0);
}

#[tokio::test]
async fn servers_behind_several_doors_see_a_client_come_from_one_port() {
    let any = (Ipv4Addr::LOCALHOST, 0).into();
    let servers = [UdpSocket::bind(any).await.unwrap(), UdpSocket::bind(any).await.unwrap()];
    let pairs = [0, 1].map(|it| Pair { listen: any, to: servers[it].local_addr().unwrap() });
    let relay = start_all(&pairs, "delay 2ms".parse::<LinkSpec>().unwrap(), 7).unwrap();
    let clients = [UdpSocket::bind(any).await.unwrap(), UdpSocket::bind(any).await.unwrap()];
    let mut seen = Vec::new();
    for client in &clients {
        for (door, server) in servers.iter().enumerate() {
            client.send_to(b"hello", relay.addresses()[door]).await.unwrap();
            let (length, from) = server.recv_from(&mut [0; 16]).await.unwrap();
            server.send_to(&[0; 16][..length], from).await.unwrap();
            // What it answers comes from the door that it was asked through.
            assert_eq!(client.recv_from(&mut [0; 16]).await.unwrap().1, relay.addresses()[door]);
            seen.push(from);
        }
    }
    assert!(seen[0] == seen[1] && seen[2] == seen[3] && seen[0] != seen[2], "{seen:?}");
}

#[test]
fn the_packets_of_all_pairs_wait_in_the_same_queue() {
    let vigil = Vigil::new(Clock::start()).unwrap();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let doors = [1, 2].map(|port| Door {
        socket: socket::bind(any).unwrap(),
        server: (Ipv4Addr::LOCALHOST, port).into(),
    });
    let mut clients = Clients::of(doors.into());
    // 100 bytes and their headers take 16 ms each at 64 kbit/s, and three have room.
    let spec: LinkSpec = "rate 64kbit limit 3".parse().unwrap();
    let mut duplex = Duplex::new(&spec, 7, SharedLog::default()).unwrap();
    let client = (Ipv4Addr::LOCALHOST, 5000).into();
    for door in [0, 1, 0, 1] {
        let now = MonoTime::ZERO;
        let enter = clients.entrance(now, &vigil, door, client, &[0; 100]).unwrap();
        duplex.push(now, enter);
    }
    let mut story = Vec::new();
    while let Some(at) = duplex.next_deadline() {
        story.extend(duplex.pop(at).map(|forward| (at, forward.route)));
    }
    let millis = MonoTime::from_millis;
    assert_eq!(story, [(millis(16), 0), (millis(32), 1), (millis(48), 0)]);
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = taken.local_addr().unwrap();
    let error = start(address, address, LinkSpec::default(), 7).unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}
