//! Shaping: how much leaves, and when.
//!
//! A [`TokenBucket`] says whether a packet may leave: in any span of time `t`, no more than
//! `burst + rate * t` may. A [`Pacer`] holds packets until both their release time and the bucket
//! allow them out.
//!
//! [`RateControl`] says how much the path can bear, by the [`QueueDelay`] that packets find on it.
//! Over UDP the receiver tells it with what its [`ArrivalLog`] has noted.
//!
//! A [`CircuitBreaker`] ends what is beyond all that.

mod arrivals;
mod circuit_breaker;
mod loss_share;
mod pacer;
mod path_rate;
mod queue_delay;
mod rate_control;
mod throughput;
mod token_bucket;

pub use arrivals::{ArrivalLog, FarClock};
pub use circuit_breaker::{BreakerTerms, CircuitBreaker, Tripped};
pub use pacer::Pacer;
pub use path_rate::PathRate;
pub use queue_delay::QueueDelay;
pub use rate_control::RateControl;
pub use token_bucket::{ShapingError, TokenBucket};
