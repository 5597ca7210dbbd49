//! The way out of one control connection.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use cantus_qos::quantity::Bitrate;
use cantus_qos::roq::{self, FlowId};
use cantus_qos::shaping::PathRate;
use tokio::sync::Notify;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tracing::{debug, warn};

use crate::quic::GrantedRate;
use crate::wire::ConnectionId;

/// Answers that a client has not read yet. One that asks and does not read is cut off.
const ANSWERS: usize = 256;

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

/// The way out of a connection, held by the pacing thread.
#[derive(Debug)]
pub(crate) struct Outlet {
    control: Sender<Write>,
    cut: Arc<Notify>,
    quic: Option<QuicOutlet>,
}

/// What the tasks of a connection hold.
#[derive(Debug)]
pub(crate) struct Outbound {
    /// What is to be written.
    pub(crate) written: Receiver<Write>,
    /// Told when it is over at once.
    pub(crate) cut: Arc<Notify>,
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
        let (control, written) = channel(ANSWERS);
        let cut = Arc::new(Notify::new());
        (Self { control, cut: cut.clone(), quic }, Outbound { written, cut })
    }

    pub(crate) fn control(&self, data: Bytes) {
        self.write(Write::Data(data));
    }

    pub(crate) fn close(&self) {
        self.write(Write::Close);
    }

    fn write(&self, write: Write) {
        if self.control.try_send(write).is_err() {
            debug!("a client does not read its answers: it is cut off");
            self.cut.notify_one();
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
