//! What runs came to, as others read it: JSON, CSV and a page with plots.
//!
//! * [`Run`]: the figures of one session; [`FIGURES`] names them for everybody.
//! * [`Results`]: those of a matrix, with an [`Estimate`] for each cell over its seeds.
//! * [`Course`]: what happened when in one session, and [`Spread`]: how units and cues of many
//!   were distributed, for the plots.
//! * [`html`]: the page. It needs no network, no script and no font of its own.

mod course;
mod csv;
mod estimate;
mod fates;
mod figure;
pub mod html;
mod measure;
mod others;
mod pipe;
mod plot;
mod results;
mod run;
mod sharing;
mod spread;
pub mod students_t;

pub use course::{Course, RatePoint, UnitPoint};
pub use csv::write as to_csv;
pub use estimate::{CONFIDENCE, Estimate, half_width, mean, nine_digits, standard_error};
pub use fates::read_fates;
pub use figure::{FIGURES, Figure, Unit};
pub use measure::{Measured, PLAIN_FRAME, UNIT};
pub use others::{Other, Who, others_on};
pub use results::{CellKey, CellResult, Results, ResultsError, VERSION};
pub use run::Run;
pub use spread::Spread;
