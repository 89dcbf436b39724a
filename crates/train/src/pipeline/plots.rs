//! Plots as SVG: two axes with ticks, lines, points and a legend. Plain text, so that a model
//! folder can be looked at in any browser and compared line by line.

use std::fmt::Write as _;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 52.0;
/// Ticks of an axis, about.
const TICKS: f64 = 5.0;
/// Names of a legend; what comes after them is drawn without one.
const NAMES: usize = 12;

/// Colours that are told apart by most eyes, also in print (Okabe and Ito 2008).
const COLOURS: [&str; 8] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999",
];

/// How values are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Line,
    Points,
    /// A thin broken line, for what is compared with.
    Guide,
}

struct Series {
    name: String,
    mark: Mark,
    values: Vec<(f64, f64)>,
}

/// A plot to be drawn.
pub(crate) struct Plot {
    title: String,
    across: String,
    up: String,
    /// What the axes show at least.
    x: (f64, f64),
    y: (f64, f64),
    /// Names in the place of numbers below the axis, at 0, 1, 2 …
    names: Vec<String>,
    series: Vec<Series>,
}

/// One axis, from numbers to places on the page.
struct Axis {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
}

impl Plot {
    /// An empty plot; the axes grow with what is added.
    pub fn new(title: &str, across: &str, up: &str) -> Self {
        Self {
            title: title.to_owned(),
            across: across.to_owned(),
            up: up.to_owned(),
            x: (f64::INFINITY, f64::NEG_INFINITY),
            y: (f64::INFINITY, f64::NEG_INFINITY),
            names: Vec::new(),
            series: Vec::new(),
        }
    }

    /// Both axes show at least 0 to 1.
    pub fn of_shares(mut self) -> Self {
        (self.x, self.y) = ((0.0, 1.0), (0.0, 1.0));
        self
    }

    /// The upward axis begins at 0.
    pub fn with_zero(mut self) -> Self {
        self.y = (0.0, f64::max(self.y.1, 0.0));
        self
    }

    /// Names for the places 0, 1, 2 … below the axis.
    pub fn named(mut self, names: Vec<String>) -> Self {
        self.names = names;
        self
    }

    /// Adds values; those that are no numbers are left out. A nameless series is not in the legend.
    pub fn add(
        mut self,
        name: &str,
        mark: Mark,
        values: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        let values: Vec<(f64, f64)> = values
            .into_iter()
            .filter(|(x, y)| x.is_finite() && y.is_finite())
            .collect();
        for &(x, y) in &values {
            self.x = (self.x.0.min(x), self.x.1.max(x));
            self.y = (self.y.0.min(y), self.y.1.max(y));
        }
        self.series.push(Series {
            name: name.to_owned(),
            mark,
            values,
        });
        self
    }

    /// The file's text.
    pub fn svg(&self) -> String {
        let x = Axis::new(self.x, LEFT, WIDTH - RIGHT);
        let y = Axis::new(self.y, HEIGHT - BOTTOM, TOP);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n"
        );
        text(&mut svg, (WIDTH / 2.0, 22.0), "middle", &self.title);
        text(
            &mut svg,
            ((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 10.0),
            "middle",
            &self.across,
        );
        let _ = writeln!(
            svg,
            "<text transform=\"translate(16 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            (TOP + HEIGHT - BOTTOM) / 2.0,
            escaped(&self.up)
        );
        self.axes(&mut svg, &x, &y);
        for (at, series) in self.series.iter().enumerate() {
            draw(&mut svg, series, colour(at), &x, &y);
        }
        self.legend(&mut svg);
        svg.push_str("</svg>\n");
        svg
    }

    fn axes(&self, svg: &mut String, x: &Axis, y: &Axis) {
        for tick in y.ticks() {
            let at = y.place(tick);
            line(svg, (LEFT, at), (WIDTH - RIGHT, at), "#ddd");
            text(svg, (LEFT - 6.0, at + 4.0), "end", &number(tick));
        }
        if self.names.is_empty() {
            for tick in x.ticks() {
                let at = x.place(tick);
                line(
                    svg,
                    (at, HEIGHT - BOTTOM),
                    (at, HEIGHT - BOTTOM + 4.0),
                    "#444",
                );
                text(svg, (at, HEIGHT - BOTTOM + 18.0), "middle", &number(tick));
            }
        }
        for (at, name) in self.names.iter().enumerate() {
            text(
                svg,
                (x.place(at as f64), HEIGHT - BOTTOM + 18.0),
                "middle",
                name,
            );
        }
        line(
            svg,
            (LEFT, HEIGHT - BOTTOM),
            (WIDTH - RIGHT, HEIGHT - BOTTOM),
            "#444",
        );
        line(svg, (LEFT, TOP), (LEFT, HEIGHT - BOTTOM), "#444");
    }

    fn legend(&self, svg: &mut String) {
        let named = self.series.iter().enumerate();
        let named = named.filter(|(_, series)| !series.name.is_empty());
        for (row, (at, series)) in named.take(NAMES).enumerate() {
            let down = TOP + 8.0 + 16.0 * row as f64;
            let _ = writeln!(
                svg,
                "<rect x=\"{}\" y=\"{}\" width=\"10\" height=\"10\" fill=\"{}\"/>",
                WIDTH - RIGHT - 16.0,
                down,
                colour(at)
            );
            text(svg, (WIDTH - RIGHT - 22.0, down + 9.0), "end", &series.name);
        }
    }
}

impl Axis {
    fn new((from, to): (f64, f64), start: f64, end: f64) -> Self {
        // Nothing to show, or one number only, still wants an axis.
        let (from, to) = if from.is_finite() && to.is_finite() {
            (from, to)
        } else {
            (0.0, 1.0)
        };
        let (from, to) = if to > from {
            (from, to)
        } else {
            (from - 0.5, to + 0.5)
        };
        Self {
            from,
            to,
            start,
            end,
        }
    }

    fn place(&self, number: f64) -> f64 {
        self.start + (number - self.from) / (self.to - self.from) * (self.end - self.start)
    }

    /// Round numbers: multiples of 1, 2 or 5 times a power of ten.
    fn ticks(&self) -> Vec<f64> {
        let rough = (self.to - self.from) / TICKS;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|factor| factor * power)
            .find(|&step| step >= rough)
            .unwrap_or(rough);
        let first = (self.from / step).ceil() as i64;
        let last = (self.to / step + 1e-9).floor() as i64;
        (first..=last)
            .take(100)
            .map(|tick| tick as f64 * step)
            .collect()
    }
}

fn draw(svg: &mut String, series: &Series, colour: &str, x: &Axis, y: &Axis) {
    let places = series.values.iter().map(|&(a, b)| (x.place(a), y.place(b)));
    if series.mark == Mark::Points {
        for (across, down) in places {
            let _ = writeln!(
                svg,
                "<circle cx=\"{across:.1}\" cy=\"{down:.1}\" r=\"2.5\" fill=\"{colour}\" fill-opacity=\"0.6\"/>"
            );
        }
        return;
    }
    let points: Vec<String> = places.map(|(a, b)| format!("{a:.1},{b:.1}")).collect();
    let style = if series.mark == Mark::Guide {
        "stroke-width=\"1\" stroke-dasharray=\"4 4\""
    } else {
        "stroke-width=\"2\""
    };
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" {style}/>",
        points.join(" ")
    );
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), colour: &str) {
    let _ = writeln!(
        svg,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(svg: &mut String, at: (f64, f64), anchor: &str, text: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
        at.0,
        at.1,
        escaped(text)
    );
}

fn colour(at: usize) -> &'static str {
    COLOURS[at % COLOURS.len()]
}

/// As short as it can be without the dust of floating point.
fn number(number: f64) -> String {
    let text = format!("{number:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// Text from the shop as XML has it; control characters, which it has not, are left out.
fn escaped(text: &str) -> String {
    text.chars()
        .filter(|character| {
            !character.is_control() && !matches!(character, '\u{fffe}' | '\u{ffff}')
        })
        .map(|character| match character {
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '&' => "&amp;".to_owned(),
            '"' => "&quot;".to_owned(),
            other => other.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_within_the_axis() {
        let ticks = |from, to| -> Vec<String> {
            let axis = Axis::new((from, to), 0.0, 1.0);
            axis.ticks().into_iter().map(number).collect()
        };
        assert_eq!(ticks(0.0, 1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(ticks(1.0, 24.0), ["5", "10", "15", "20"]);
        assert!(ticks(3.0, 3.0).contains(&"3".to_owned()));
        assert!(!ticks(f64::INFINITY, f64::NEG_INFINITY).is_empty());
    }

    #[test]
    fn names_of_the_shop_cannot_break_the_file() {
        let plot = Plot::new("a < b", "\"x\"", "y & z")
            .add("<script>\u{1}", Mark::Points, [(0.0, f64::NAN), (1.0, 2.0)])
            .svg();
        assert!(plot.contains("&lt;script&gt;</text>"));
        assert!(!plot.contains("<script") && !plot.contains("NaN"));
    }
}
