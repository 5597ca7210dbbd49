//! Parameters of the Transport header (RFC 2326, section 12.39), replaced where they stand.
//!
//! The rest of the header stays as it was written: alternatives and parameters that the relay does
//! not know are none of its business.

/// A pair of ports, RTP and RTCP.
pub(super) type Ports = (u16, u16);

/// The ports that the parameter `name` first has. A single port stands for itself and the next.
pub(super) fn ports(header: &str, name: &str) -> Option<Ports> {
    let value = parts(header).find_map(|part| value_of(part, name))?;
    match value.split_once('-') {
        Some((rtp, rtcp)) => Some((rtp.trim().parse().ok()?, rtcp.trim().parse().ok()?)),
        None => {
            let rtp: u16 = value.parse().ok()?;
            Some((rtp, rtp.checked_add(1)?))
        }
    }
}

/// The header with `ports` wherever the parameter `name` has some.
pub(super) fn with_ports(header: &str, name: &str, (rtp, rtcp): Ports) -> String {
    with_value(header, name, &format!("{rtp}-{rtcp}"))
}

/// The header with `value` wherever the parameter `name` has one.
pub(super) fn with_value(header: &str, name: &str, value: &str) -> String {
    let replaced = |part: &str| match value_of(part, name) {
        Some(old) => part.replacen(&format!("={old}"), &format!("={value}"), 1),
        None => part.to_owned(),
    };
    parts(header).map(replaced).collect()
}

/// The header in pieces, each with the separator that ends it.
fn parts(header: &str) -> impl Iterator<Item = &str> {
    header.split_inclusive([';', ','])
}

fn value_of<'a>(part: &'a str, name: &str) -> Option<&'a str> {
    let (key, value) = part.trim_end_matches([';', ',']).split_once('=')?;
    key.trim().eq_ignore_ascii_case(name).then_some(value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_as_a_pair_or_as_the_first_of_one() {
        let header = "RTP/AVP;unicast;client_port=5000-5001";
        assert_eq!(ports(header, "client_port"), Some((5000, 5001)));
        assert_eq!(ports(header, "server_port"), None);
        assert_eq!(ports("RTP/AVP;Client_Port = 5000", "client_port"), Some((5000, 5001)));
        assert_eq!(ports("RTP/AVP;client_port=65535", "client_port"), None);
        assert_eq!(ports("RTP/AVP;client_port=x-y", "client_port"), None);
    }

    #[test]
    fn ports_are_replaced_in_every_alternative_and_nothing_else_is() {
        let header = "RTP/AVPF;unicast;client_port=5000-5001;mode=\"PLAY,RECORD\", \
                      RTP/AVP;unicast;client_port=5000-5001,RTP/AVP/TCP;interleaved=0-1";
        let expected = "RTP/AVPF;unicast;client_port=7000-7001;mode=\"PLAY,RECORD\", \
                        RTP/AVP;unicast;client_port=7000-7001,RTP/AVP/TCP;interleaved=0-1";
        assert_eq!(with_ports(header, "client_port", (7000, 7001)), expected);
    }

    #[test]
    fn a_header_without_the_parameter_stays_as_it_is() {
        let header = "RTP/AVPF/QUIC;unicast;flow=1";
        assert_eq!(with_ports(header, "client_port", (7000, 7001)), header);
        assert_eq!(
            with_value("RTP/AVP;source=::1;ttl=2", "source", "127.0.0.1"),
            "RTP/AVP;source=127.0.0.1;ttl=2"
        );
    }
}
