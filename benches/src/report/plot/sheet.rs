//! A plot: axes and the marks between them, drawn as SVG.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::{Axis, Ink};
use crate::report::html::escape;

/// The size of a plot, in the units of its viewBox: two for each pixel that it is meant to take.
const SIZE: (u32, u32) = (880, 500);
/// The size of a flat one.
const FLAT: (u32, u32) = (880, 300);

/// Room for what is written around the plot.
const TOP: i32 = 44;
const RIGHT: i32 = 22;
const LEFT: i32 = 88;
const BOTTOM: i32 = 66;

/// A plot to be drawn.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    /// Its name, for those who cannot see it too.
    pub title: String,
    /// What it shows, for those who cannot see it.
    pub about: String,
    /// From left to right.
    pub x: Axis,
    /// From bottom to top.
    pub y: Axis,
    /// What is drawn, one over the other.
    pub marks: Vec<(Ink, Mark)>,
    /// Whether it is lower than others.
    pub flat: bool,
}

/// Something in a plot. Positions are values of the axes; what lies beyond an axis is drawn at its
/// end.
#[derive(Clone, Debug)]
pub(crate) enum Mark {
    /// A line from point to point.
    Line(Vec<(f64, f64)>),
    /// The same, thin and broken.
    Dashes(Vec<(f64, f64)>),
    /// The room between a line and the bottom.
    Area(Vec<(f64, f64)>),
    /// Bars from the bottom: from, to, height.
    Bars(Vec<(f64, f64, f64)>),
    /// A small dot at each point.
    Dots(Vec<(f64, f64)>),
    /// A larger dot at each point.
    Spots(Vec<(f64, f64)>),
    /// A short line at the top edge at each value of x.
    Rug(Vec<f64>),
    /// A large dot with a line from low to high.
    Whiskers(Vec<(f64, f64, f64, f64)>),
    /// A shape with a text that appears when it is pointed at.
    Shape(Shape, f64, f64, String),
}

/// The shape of a mark.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shape {
    /// On its corner.
    Diamond,
    /// On its side.
    Square,
    /// Pointing up.
    Triangle,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

impl Sheet {
    /// The plot as an SVG element. Its colours are CSS variables, see [`Ink::variable`].
    pub(crate) fn to_svg(&self) -> String {
        let size = if self.flat { FLAT } else { SIZE };
        let mut drawn = String::new();
        let (mut under, mut over) = (String::new(), String::new());
        {
            let area = SVGBackend::with_string(&mut drawn, size).into_drawing_area();
            self.draw(&area, &mut under, &mut over).expect("a String takes every plot");
            area.present().expect("a String takes every plot");
        }
        // Its own first line is replaced by one that scales and speaks.
        let start = drawn.find('>').map_or(0, |end| end + 1);
        let body = Ink::dye(drawn[start..].trim_end().trim_end_matches("</svg>"));
        let (width, height) = size;
        let (title, about) = (escape(&self.title), escape(&self.about));
        format!(
            "<svg viewBox=\"0 0 {width} {height}\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" \
             aria-label=\"{title}\"><title>{title}</title><desc>{about}</desc>{under}{body}{over}</svg>"
        )
    }

    fn draw(
        &self,
        area: &Area<'_>,
        under: &mut String,
        over: &mut String,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let (x, y) = (self.x.ends(), self.y.ends());
        let mut chart = ChartBuilder::on(area)
            .margin_top(TOP)
            .margin_right(RIGHT)
            .margin_left(LEFT)
            .margin_bottom(BOTTOM)
            .build_cartesian_2d(x.0..x.1, y.0..y.1)?;
        let plane = chart.plotting_area().clone();
        let at = |(x, y): (f64, f64)| plane.map_coordinate(&(self.x.place(x), self.y.place(y)));
        let place = |(x, y): (f64, f64)| (self.x.place(x), self.y.place(y));
        for (ink, mark) in &self.marks {
            let color = ink.stand_in();
            match mark {
                Mark::Line(points) => {
                    let line = thinned(points.iter().copied().map(place));
                    chart.draw_series(LineSeries::new(line, color.stroke_width(3)))?;
                }
                Mark::Area(points) => {
                    let line = thinned(points.iter().copied().map(place));
                    chart.draw_series(AreaSeries::new(line, y.0, color.mix(0.3)))?;
                }
                Mark::Bars(bars) => {
                    chart.draw_series(bars.iter().map(|&(from, to, height)| {
                        let (from, to) = (place((from, height)), self.x.place(to));
                        Rectangle::new([(from.0, y.0), (to, from.1)], color.filled())
                    }))?;
                }
                mark => overlay(over, *ink, mark, at, plane.get_pixel_range().1.start),
            }
        }
        self.write_axes(under, |point| at(point), plane.get_pixel_range());
        Ok(())
    }

    /// Lines behind everything at the ticks of y, and what is written beside both axes.
    fn write_axes(
        &self,
        under: &mut String,
        at: impl Fn((f64, f64)) -> (i32, i32),
        (across, down): (Range<i32>, Range<i32>),
    ) {
        let grid = Ink::Grid.variable();
        let (left, right, bottom) = (across.start, across.end, down.end);
        let mut lines = String::new();
        for (value, text) in &self.y.ticks {
            let y = at((self.x.range.0, *value)).1;
            let _ = write!(lines, "M{left} {y}H{right}");
            label(under, left - 12, y + 8, "end", text);
        }
        for (value, text) in &self.x.ticks {
            let x = at((*value, self.y.range.0)).0;
            let _ = write!(lines, "M{x} {bottom}v8");
            label(under, x, bottom + 32, "middle", text);
        }
        let _ = write!(
            under,
            "<path class=\"grid\" stroke=\"var({grid})\" d=\"{lines}M{left} {bottom}H{right}\"/>"
        );
        label(under, 4, TOP - 18, "start", &self.y.title);
        label(under, right, bottom + 60, "end", &self.x.title);
    }
}

fn label(over: &mut String, x: i32, y: i32, anchor: &str, text: &str) {
    let (ink, text) = (Ink::Text.variable(), escape(text));
    let _ = write!(
        over,
        "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"var({ink})\">{text}</text>"
    );
}

/// Points of a line without those that lie on it anyway.
fn thinned(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut line: Vec<(f64, f64)> = Vec::new();
    for point in points {
        if let [.., before, last] = line[..]
            && before.1 == last.1
            && last.1 == point.1
        {
            line.pop();
        }
        line.push(point);
    }
    line
}

/// What would take an element for each point is one path here.
fn overlay(
    over: &mut String,
    ink: Ink,
    mark: &Mark,
    at: impl Fn((f64, f64)) -> (i32, i32),
    top: i32,
) {
    let ink = ink.variable();
    let mut path = String::new();
    let class = match mark {
        Mark::Dots(points) | Mark::Spots(points) => {
            let places: BTreeSet<(i32, i32)> = points.iter().map(|point| at(*point)).collect();
            for (x, y) in places {
                let _ = write!(path, "M{x} {y}h0");
            }
            if matches!(mark, Mark::Dots(_)) { "dots" } else { "spots" }
        }
        Mark::Rug(values) => {
            let places: BTreeSet<i32> = values.iter().map(|x| at((*x, 0.0)).0).collect();
            for x in places {
                let _ = write!(path, "M{x} {top}v26");
            }
            "rug"
        }
        Mark::Dashes(points) => {
            for (index, point) in points.iter().enumerate() {
                let (x, y) = at(*point);
                let _ = write!(path, "{}{x} {y}", if index == 0 { 'M' } else { 'L' });
            }
            "dashes"
        }
        Mark::Whiskers(points) => {
            for &(x, y, low, high) in points {
                let ((x, y), low, high) = (at((x, y)), at((x, low)).1, at((x, high)).1);
                let _ = write!(path, "M{x} {low}V{high}");
                let _ = write!(over, "<circle cx=\"{x}\" cy=\"{y}\" r=\"8\" fill=\"var({ink})\"/>");
            }
            "whiskers"
        }
        Mark::Shape(shape, x, y, text) => {
            let (x, y) = at((*x, *y));
            let outline = match shape {
                Shape::Diamond => format!("M{x} {}l11 11-11 11-11-11z", y - 11),
                Shape::Square => format!("M{} {}h18v18h-18z", x - 9, y - 9),
                Shape::Triangle => format!("M{x} {}l11 19h-22z", y - 11),
            };
            let text = escape(text);
            let _ = write!(
                over,
                "<path class=\"shape\" fill=\"var({ink})\" d=\"{outline}\"><title>{text}</title></path>"
            );
            return;
        }
        Mark::Line(_) | Mark::Area(_) | Mark::Bars(_) => return,
    };
    if !path.is_empty() {
        let _ = write!(over, "<path class=\"{class}\" stroke=\"var({ink})\" d=\"{path}\"/>");
    }
}
