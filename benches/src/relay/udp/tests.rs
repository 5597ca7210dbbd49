use super::*;

use crate::duplex::Fate;

/// A server that answers every datagram with itself in capitals.
async fn shouting_server(address: SocketAddr) -> (SocketAddr, Owned) {
    let socket = UdpSocket::bind(address).await.unwrap();
    let address = socket.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let mut buffer = [0; 2048];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            buffer[..length].make_ascii_uppercase();
            socket.send_to(&buffer[..length], from).await.unwrap();
        }
    });
    (address, Owned(task.abort_handle()))
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
        let (server, _task) = shouting_server(any).await;
        let spec = "delay 5ms".parse().unwrap();
        let relay = start(any, server, &spec, 7).await.unwrap();
        let (first, second) =
            (UdpSocket::bind(any).await.unwrap(), UdpSocket::bind(any).await.unwrap());
        first.connect(relay.address()).await.unwrap();
        second.connect(relay.address()).await.unwrap();
        for round in 0..5 {
            assert_eq!(ask(&first, &format!("first {round}")).await, format!("FIRST {round}"));
            assert_eq!(ask(&second, &format!("second {round}")).await, format!("SECOND {round}"));
        }
        let log = relay.stop().await;
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
    let spec = "loss 100%".parse().unwrap();
    let relay = start(any, server.local_addr().unwrap(), &spec, 7).await.unwrap();
    let client = UdpSocket::bind(any).await.unwrap();
    client.send_to(b"hello", relay.address()).await.unwrap();
    while relay.counts().to_server.entered == 0 {
        tokio::task::yield_now().await;
    }
    let log = relay.stop().await;
    assert_eq!(log.entries()[0].fate, Fate::Lost);
    assert!(server.try_recv(&mut [0; 16]).is_err());
}

#[tokio::test]
async fn idle_clients_are_forgotten_and_their_number_is_bounded() {
    let (to_relay, _from_server) = mpsc::channel(1);
    let server = (Ipv4Addr::LOCALHOST, 9).into();
    let mut clients = Clients {
        server,
        to_relay,
        by_address: BTreeMap::new(),
        by_route: BTreeMap::new(),
        routes: 0,
    };
    let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    for port in 1..=MAX_CLIENTS as u16 {
        clients.route(MonoTime::ZERO, address(port)).await.unwrap();
    }
    let almost = MonoTime::ZERO + IDLE - Duration::from_nanos(1);
    assert!(clients.route(almost, address(1000)).await.is_err());
    assert_eq!(clients.route(almost, address(1)).await.unwrap(), 0);
    let route = clients.route(MonoTime::ZERO + IDLE, address(1000)).await.unwrap();
    assert_eq!(route, MAX_CLIENTS as u32);
    assert_eq!(clients.by_address.len(), 2);
    assert_eq!(clients.by_route.len(), 2);
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = taken.local_addr().unwrap();
    let error = start(address, address, &LinkSpec::default(), 7).await.unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}
