//! End-to-end tests of Cantus live in `tests/`; here is what several of them see of this machine.

/// Whether somebody on this machine receives at UDP port `port`, as Linux tells it. To find out by
/// binding the port would take it from who is about to open it.
pub fn is_bound(port: u16) -> bool {
    let local = format!(":{port:04X}");
    ["/proc/net/udp", "/proc/net/udp6"].iter().any(|table| {
        let table = std::fs::read_to_string(table).unwrap_or_default();
        // After the number of the line stands the address that is bound.
        let mut bound = table.lines().filter_map(|line| line.split_ascii_whitespace().nth(1));
        bound.any(|address| address.ends_with(&local))
    })
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    #[test]
    fn a_port_is_bound_where_a_socket_is() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        assert!(super::is_bound(port));
        assert!(!super::is_bound(0), "no socket has that one");
    }
}
