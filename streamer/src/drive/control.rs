//! The way out of one control connection.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use cantus_qos::delivery::DeliveryClass;
use cantus_qos::quantity::Bitrate;
use cantus_qos::roq::{self, FlowId};
use cantus_qos::rtsp;
use cantus_qos::shaping::PathRate;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use tracing::{debug, warn};

use crate::quic::GrantedRate;
use crate::wire::ConnectionId;

/// What a client has not read yet: answers, and media between them. One that asks and does not read
/// is cut off; media is left out before that.
const UNREAD: usize = 256;

/// With so much unread, media between the answers has no use any more: it would come seconds late.
const UNREAD_MEDIA: usize = UNREAD / 2;

/// Units of a reliable flow that wait for the network.
const UNITS: usize = 4_096;

/// Names control connections, whatever carries them.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionIds(Arc<AtomicU64>);

impl ConnectionIds {
    pub(crate) fn next(&self) -> ConnectionId {
        ConnectionId(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// What the writing task of a control connection is told.
#[derive(Debug)]
pub(crate) enum Write {
    Data(Bytes),
    Close,
}

/// How a connection is ended.
#[derive(Debug)]
pub(crate) enum Parting {
    /// With what is written already, if that is taken in time.
    Polite,
    /// At once: its client does not read, or there is nothing to be said.
    Rude,
}

/// The way out of a connection, held by the pacing thread.
#[derive(Debug)]
pub(crate) struct Outlet {
    control: Sender<Write>,
    /// Tells that it ends; it does too when the outlet is dropped.
    parting: Option<oneshot::Sender<Parting>>,
    /// Packets between the answers that were left out.
    left_out: u64,
    quic: Option<QuicOutlet>,
}

/// What the tasks of a connection hold.
#[derive(Debug)]
pub(crate) struct Outbound {
    /// What is to be written.
    pub(crate) written: Receiver<Write>,
    /// Told when it is to end.
    pub(crate) parting: oneshot::Receiver<Parting>,
}

#[derive(Debug)]
struct QuicOutlet {
    connection: quinn::Connection,
    rate: GrantedRate,
    runtime: tokio::runtime::Handle,
    streams: BTreeMap<FlowId, Sender<Bytes>>,
    /// Times that there was no room for a datagram, and older ones went without being sent.
    overflows: u64,
}

impl Outlet {
    /// For RTSP over TCP; and the other end of it.
    pub(crate) fn tcp() -> (Self, Outbound) {
        Self::new(None)
    }

    /// For a QUIC connection; and the other end of its flow 0.
    pub(crate) fn quic(connection: quinn::Connection, rate: GrantedRate) -> (Self, Outbound) {
        let runtime = tokio::runtime::Handle::current();
        let streams = BTreeMap::new();
        Self::new(Some(QuicOutlet { connection, rate, runtime, streams, overflows: 0 }))
    }

    fn new(quic: Option<QuicOutlet>) -> (Self, Outbound) {
        let (control, written) = channel(UNREAD);
        let (part, parting) = oneshot::channel();
        (Self { control, parting: Some(part), left_out: 0, quic }, Outbound { written, parting })
    }

    pub(crate) fn control(&mut self, data: Bytes) {
        self.write(Write::Data(data));
    }

    /// A packet between the answers. TCP holds it back where the network is slower than the media:
    /// then sound is left out, as a network would.
    pub(crate) fn interleaved(&mut self, channel: u8, class: DeliveryClass, data: &[u8]) {
        let unread = self.control.max_capacity() - self.control.capacity();
        if unread >= UNREAD_MEDIA && class != DeliveryClass::Synchronous {
            self.left_out += 1;
        } else if let Some(frame) = rtsp::write_interleaved(channel, data) {
            self.write(Write::Data(frame));
        }
    }

    /// The end, once everything is written.
    pub(crate) fn close(mut self) {
        self.write(Write::Close);
        self.part(Parting::Polite);
    }

    fn write(&mut self, write: Write) {
        if self.control.try_send(write).is_err() {
            debug!("a client does not read its answers: it is cut off");
            self.part(Parting::Rude);
        }
    }

    /// The end, in this way.
    pub(crate) fn part(&mut self, how: Parting) {
        if let Some(parting) = self.parting.take() {
            // A connection that has ended by itself need not be told.
            let _ = parting.send(how);
        }
    }

    pub(crate) fn granted(&self, rate: Bitrate) {
        if let Some(quic) = &self.quic {
            quic.rate.set(rate);
        }
    }

    pub(crate) fn datagram(&mut self, flow: FlowId, data: &[u8]) {
        let Some(quic) = &mut self.quic else { return };
        let datagram = roq::datagram(flow, data);
        // What waits longest then goes without a word (quinn_proto::Datagrams::send).
        if quic.connection.datagram_send_buffer_space() < datagram.len() {
            quic.overflows += 1;
            if quic.overflows == 1 {
                let to = quic.connection.remote_address();
                warn!(%to, "datagrams wait too long: the network, or this machine, is too slow");
            }
        }
        if let Err(error) = quic.connection.send_datagram(datagram) {
            debug!(%error, "a datagram was not sent");
        }
    }

    /// What the path bears, if that is news.
    pub(crate) fn take_path(&self) -> Option<PathRate> {
        self.quic.as_ref()?.rate.take_path()
    }

    pub(crate) fn stream(&mut self, flow: FlowId, data: Bytes) {
        let Some(quic) = &mut self.quic else { return };
        let stream = quic.streams.entry(flow).or_insert_with(|| {
            let (units, waiting) = channel(UNITS);
            quic.runtime.spawn(write_stream(quic.connection.clone(), flow, waiting));
            units
        });
        if stream.try_send(data).is_err() {
            debug!(?flow, "a reliable flow does not move");
        }
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        if self.left_out > 0 {
            warn!(packets = self.left_out, "left out for a client that reads too slowly");
        }
    }
}

impl Drop for QuicOutlet {
    fn drop(&mut self) {
        if self.overflows > 0 {
            let (to, overflows) = (self.connection.remote_address(), self.overflows);
            warn!(%to, overflows, "datagrams were dropped before they were sent");
        }
    }
}

/// One server-opened unidirectional stream a flow, packet after packet.
async fn write_stream(connection: quinn::Connection, flow: FlowId, mut units: Receiver<Bytes>) {
    let Ok(mut stream) = connection.open_uni().await else { return };
    let mut writer = roq::StreamWriter::new(flow);
    while let Some(unit) = units.recv().await {
        let Ok(framed) = writer.write(&unit) else { continue };
        if stream.write_all(&framed).await.is_err() {
            return;
        }
    }
    // A stream that cannot be finished is one whose connection is gone.
    let _ = stream.finish();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_reads_too_slowly_misses_sound_and_no_words_and_is_cut_off_last() {
        let (mut outlet, Outbound { mut written, .. }) = Outlet::tcp();
        for _ in 0..UNREAD {
            outlet.interleaved(0, DeliveryClass::Isochronous, b"sound");
        }
        outlet.control(Bytes::from_static(b"an answer"));
        outlet.interleaved(2, DeliveryClass::Synchronous, b"words");
        outlet.interleaved(0, DeliveryClass::Isochronous, b"sound");
        assert_eq!(outlet.left_out, (UNREAD - UNREAD_MEDIA) as u64 + 1);
        let mut unread = Vec::new();
        while let Ok(Write::Data(data)) = written.try_recv() {
            unread.push(data);
        }
        let (sound, rest) = unread.split_at(UNREAD_MEDIA);
        assert!(sound.iter().all(|frame| frame == "$\x00\x00\x05sound"));
        assert_eq!(rest, ["an answer", "$\x02\x00\x05words"]);
        outlet.interleaved(0, DeliveryClass::Isochronous, b"sound");
        assert!(written.try_recv().is_ok(), "who catches up hears again");
    }
}
