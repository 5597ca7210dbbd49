//! Plots as SVG: what each shows is in a file of its own, how they are drawn in [`sheet`].

mod arrivals;
mod axis;
mod course;
mod ink;
mod residual;
mod runs;
mod sheet;

pub(crate) use arrivals::available;
pub(crate) use axis::Axis;
pub(crate) use course::{buffer, delay, rate};
pub(crate) use ink::Ink;
pub(crate) use residual::{Curve, residual};
pub(crate) use runs::{loss_runs, skew};
pub(crate) use sheet::{Mark, Shape, Sheet};
