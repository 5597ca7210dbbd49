//! What is heard where sound is made up or scaled: never a click.

mod clicks;
mod material;
