//! The relay between a client and a server that speak just enough RTSP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;

use super::transport::ports;
use super::*;
use crate::duplex::{Direction, Fate};
use crate::link::LinkSpec;

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work).await.expect("nothing came for 20 s")
}

/// Reads one RTSP head.
async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within(stream.read_u8()).await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.into_iter().find(|(key, _)| *key == name).expect("the header is there").1
}

/// Two neighbouring ports, for RTP and RTCP.
async fn pair(address: IpAddr) -> ([UdpSocket; 2], u16) {
    loop {
        let first = UdpSocket::bind((address, 0)).await.unwrap();
        let port = first.local_addr().unwrap().port();
        if let Some(next) = port.checked_add(1)
            && let Ok(second) = UdpSocket::bind((address, next)).await
        {
            return ([first, second], port);
        }
    }
}

/// Answers SETUP with ports of its own and echoes what comes to them to the client's ports.
async fn echo_server(address: IpAddr) -> SocketAddr {
    let listener = TcpListener::bind((address, 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut control, _) = listener.accept().await.unwrap();
        let (media, port) = pair(address).await;
        let mut to = (0, 0);
        while let Some(head) = read_head(&mut control).await {
            let cseq = header(&head, "CSeq");
            let transport = head.lines().find_map(|line| line.strip_prefix("Transport: "));
            let Some(transport) = transport else {
                let answer = format!("RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n\r\n");
                control.write_all(answer.as_bytes()).await.unwrap();
                continue;
            };
            to = ports(transport, "client_port").unwrap();
            let answer = format!(
                "RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\nSession: 1\r\n\
                 Transport: {transport};server_port={port}-{}\r\n\r\n",
                port + 1
            );
            control.write_all(answer.as_bytes()).await.unwrap();
            break;
        }
        let mut buffers = [[0; 2048]; 2];
        loop {
            let [rtp, rtcp] = &mut buffers;
            tokio::select! {
                got = media[0].recv_from(rtp) => {
                    let data = &rtp[..got.unwrap().0];
                    media[0].send_to(data, (address, to.0)).await.unwrap();
                }
                got = media[1].recv_from(rtcp) => {
                    let data = &rtcp[..got.unwrap().0];
                    media[1].send_to(data, (address, to.1)).await.unwrap();
                }
            }
        }
    });
    at
}

/// Sets up media that come to `port` and the next; the ports that the relay has for them.
async fn set_up(control: &mut TcpStream, port: u16) -> (u16, u16) {
    let setup = format!(
        "SETUP rtsp://localhost/tone/audio RTSP/1.0\r\nCSeq: 2\r\n\
         Transport: RTP/AVP;unicast;client_port={port}-{}\r\n\r\n",
        port + 1
    );
    control.write_all(setup.as_bytes()).await.unwrap();
    let answer = read_head(control).await.unwrap();
    let transport = header(&answer, "Transport");
    assert_eq!(ports(transport, "client_port"), Some((port, port + 1)));
    ports(transport, "server_port").unwrap()
}

async fn media_pass_both_ways(address: IpAddr) {
    let server = echo_server(address).await;
    let spec: LinkSpec = "delay 3ms".parse().unwrap();
    let relay = start((address, 0).into(), server, &spec, 7).await.unwrap();
    let mut control = TcpStream::connect(relay.address()).await.unwrap();
    let (media, port) = pair(address).await;

    control.write_all(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n").await.unwrap();
    assert_eq!(read_head(&mut control).await.unwrap(), "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n");

    let facing = set_up(&mut control, port).await;
    let mut buffer = [0; 2048];
    for (socket, to, text) in [(&media[0], facing.0, "rtp"), (&media[1], facing.1, "rtcp")] {
        socket.send_to(text.as_bytes(), (address, to)).await.unwrap();
        let (length, from) = within(socket.recv_from(&mut buffer)).await.unwrap();
        assert_eq!(&buffer[..length], text.as_bytes());
        assert_eq!(from, SocketAddr::new(address, to));
    }

    let record = relay.stop().await;
    let log = &record.log;
    let story: Vec<_> = log.entries().iter().map(|entry| (entry.direction, entry.route)).collect();
    let (there, back) = (Direction::ToServer, Direction::ToClient);
    assert_eq!(story, [(there, 0), (back, 0), (there, 1), (back, 1)]);
    assert!(log.entries().iter().all(|entry| entry.fate == Fate::Delivered));
    assert_eq!(control.read(&mut buffer).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn media_pass_both_ways_over_ipv4() {
    media_pass_both_ways(Ipv4Addr::LOCALHOST.into()).await;
}

#[tokio::test]
async fn media_pass_both_ways_over_ipv6() {
    media_pass_both_ways(Ipv6Addr::LOCALHOST.into()).await;
}

#[tokio::test]
async fn media_to_the_server_take_the_way_back_and_messages_are_not_lost_on_it() {
    let address = Ipv4Addr::LOCALHOST.into();
    let path = PathSpec { back: Some("loss 100%".parse().unwrap()), ..LinkSpec::default().into() };
    let server = echo_server(address).await;
    let relay = start((address, 0).into(), server, path, 7).await.unwrap();
    let mut control = TcpStream::connect(relay.address()).await.unwrap();
    let (media, port) = pair(address).await;
    let (facing, _) = set_up(&mut control, port).await;
    media[0].send_to(b"rtp", (address, facing)).await.unwrap();
    within(async {
        while relay.counts().to_server.entered == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let log = relay.stop().await.log;
    assert_eq!(log.entries()[0].fate, Fate::Lost);
}

#[tokio::test]
async fn messages_each_way_take_the_base_delay_of_that_way() {
    const OPTIONS: &str = "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n";
    let (quick, slow) = (LinkSpec::default(), "delay 60s".parse::<LinkSpec>().unwrap());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let server = listener.local_addr().unwrap();
    for (there, back) in [(&quick, &slow), (&slow, &quick)] {
        let path = PathSpec { back: Some(back.clone()), ..there.clone().into() };
        let relay = start((Ipv4Addr::LOCALHOST, 0).into(), server, path, 7).await.unwrap();
        let mut client = TcpStream::connect(relay.address()).await.unwrap();
        let (mut server, _) = within(listener.accept()).await.unwrap();
        let (from, to) =
            if there == &quick { (&mut server, &mut client) } else { (&mut client, &mut server) };
        from.write_all(OPTIONS.as_bytes()).await.unwrap();
        assert_eq!(read_head(to).await.as_deref(), Some(OPTIONS));
    }
}

#[tokio::test]
async fn a_client_whose_server_is_not_there_is_hung_up_on() {
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let listen = (Ipv4Addr::LOCALHOST, 0).into();
    let relay = start(listen, nobody, LinkSpec::default(), 7).await.unwrap();
    let mut control = TcpStream::connect(relay.address()).await.unwrap();
    assert_eq!(within(control.read(&mut [0; 16])).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn a_client_that_does_not_speak_rtsp_is_hung_up_on() {
    let server = echo_server(Ipv4Addr::LOCALHOST.into()).await;
    let listen = (Ipv4Addr::LOCALHOST, 0).into();
    let relay = start(listen, server, LinkSpec::default(), 7).await.unwrap();
    let mut control = TcpStream::connect(relay.address()).await.unwrap();
    control.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(within(control.read(&mut [0; 16])).await.unwrap_or(0), 0);
}
