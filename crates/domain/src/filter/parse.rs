//! The grammar: `OR` of `AND`s of conditions, `NOT` and parentheses.
//!
//! A recursive descent parser whose depth is bounded, so that no text can
//! overflow the stack; every error says what was expected and where.

use super::lexeme::{Lexeme, Placed, error, is_keyword, shortened, split};
use super::{Comparison, Filter, FilterError, FilterValue, GEO};
use crate::{GeoArea, GeoPoint};

/// Parentheses and `NOT`s inside one another.
const DEEPEST: usize = 64;

const AFTER_ATTRIBUTE: &str =
    "`=`, `!=`, `>`, `>=`, `<`, `<=`, `TO`, `IN`, `EXISTS`, `IS`, `CONTAINS` or `STARTS WITH`";

pub(super) fn parse(text: &str) -> Result<Filter, FilterError> {
    let mut parser = Parser {
        text,
        lexemes: split(text)?,
        at: 0,
        depth: 0,
    };
    if *parser.peek() == Lexeme::End {
        return Err(parser.error("expected a condition but the filter is empty"));
    }
    let filter = parser.alternatives()?;
    if *parser.peek() != Lexeme::End {
        return Err(parser.expected("`AND`, `OR` or the end of the filter"));
    }
    Ok(filter)
}

struct Parser<'t> {
    text: &'t str,
    lexemes: Vec<Placed>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn alternatives(&mut self) -> Result<Filter, FilterError> {
        let mut parts = vec![self.conjunction()?];
        while self.take("OR") {
            parts.push(self.conjunction()?);
        }
        Ok(Filter::or(parts))
    }

    fn conjunction(&mut self) -> Result<Filter, FilterError> {
        let mut parts = vec![self.factor()?];
        while self.take("AND") {
            parts.push(self.factor()?);
        }
        Ok(Filter::and(parts))
    }

    fn factor(&mut self) -> Result<Filter, FilterError> {
        if self.peek().is("NOT") {
            self.descend()?;
            let negated = self.factor()?;
            self.depth -= 1;
            return Ok(Filter::not(negated));
        }
        if *self.peek() == Lexeme::Sign("(") {
            self.descend()?;
            let inner = self.alternatives()?;
            if !self.take_sign(")") {
                return Err(self.expected("`AND`, `OR` or a closing `)`"));
            }
            self.depth -= 1;
            return Ok(inner);
        }
        self.condition()
    }

    /// Steps over a `NOT` or a parenthesis, one level deeper.
    fn descend(&mut self) -> Result<(), FilterError> {
        if self.depth == DEEPEST {
            let reason = format!(
                "a filter may nest at most {DEEPEST} levels of parentheses and `NOT`s and goes deeper"
            );
            return Err(self.error(reason));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    fn condition(&mut self) -> Result<Filter, FilterError> {
        if let Lexeme::Bare(word) = self.peek()
            && word.starts_with(GEO)
            && *self.peek_after(1) == Lexeme::Sign("(")
        {
            return self.area();
        }
        let attribute = self.word("an attribute")?;
        if let Lexeme::Sign(sign) = *self.peek() {
            return self.comparison(attribute, sign);
        }
        if self.take("NOT") {
            return self
                .word_operator(
                    attribute,
                    "`IN`, `EXISTS`, `CONTAINS` or `STARTS WITH` after `NOT`",
                )
                .map(Filter::not);
        }
        if self.take("IS") {
            return self.state(attribute);
        }
        if matches!(self.peek_after(1), Lexeme::Bare(word) if word.eq_ignore_ascii_case("TO")) {
            let low = self.number("before `TO`")?;
            self.at += 1;
            let high = self.number("after `TO`")?;
            return Ok(Filter::Between {
                attribute,
                low,
                high,
            });
        }
        self.word_operator(attribute, AFTER_ATTRIBUTE)
    }

    fn comparison(&mut self, attribute: String, sign: &'static str) -> Result<Filter, FilterError> {
        let comparison = match sign {
            "=" | "!=" => Comparison::Equal,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            _ => return Err(self.expected(&after_attribute(&attribute))),
        };
        self.at += 1;
        let place = format!("after `{sign}`");
        let position = self.position();
        let value = FilterValue::new(self.word(&format!("a value {place}"))?);
        if comparison != Comparison::Equal && value.number.is_none() {
            return Err(self.no_number(position, &value.text, &place));
        }
        let filter = Filter::Compare {
            attribute,
            comparison,
            value,
        };
        Ok(if sign == "!=" {
            Filter::not(filter)
        } else {
            filter
        })
    }

    /// `_geoRadius(lat, lng, metres)`, `_geoBoundingBox([lat, lng], [lat, lng])` or
    /// `_geoPolygon([lat, lng], [lat, lng], [lat, lng])`.
    fn area(&mut self) -> Result<Filter, FilterError> {
        let position = self.position();
        let name = self.word("an area")?;
        self.sign("(")?;
        let area = match name.as_str() {
            "_geoRadius" => {
                let centre = self.point(position)?;
                self.sign(",")?;
                let metres = self.number("for the radius")?;
                // How finely a circle is drawn is of no matter to one that is not drawn.
                if self.take_sign(",") {
                    self.number("for the resolution")?;
                }
                GeoArea::radius(centre, metres)
            }
            "_geoBoundingBox" => {
                let top_right = self.corner()?;
                self.sign(",")?;
                GeoArea::rectangle(top_right, self.corner()?)
            }
            "_geoPolygon" => {
                let mut corners = vec![self.corner()?];
                while self.take_sign(",") {
                    corners.push(self.corner()?);
                }
                GeoArea::polygon(corners)
            }
            other => {
                let reason = format!(
                    "`{}` is a reserved keyword and thus can't be used as a filter expression; use `_geoRadius(latitude, longitude, distance)`, `_geoBoundingBox([latitude, longitude], [latitude, longitude])` or `_geoPolygon([latitude, longitude], …)` to filter on `_geo` coordinates",
                    shortened(other)
                );
                return Err(error(self.text, position, reason));
            }
        };
        let area = area.map_err(|reason| error(self.text, position, reason.to_string()))?;
        self.sign(")")?;
        Ok(Filter::Within(area))
    }

    /// `[lat, lng]`
    fn corner(&mut self) -> Result<GeoPoint, FilterError> {
        let position = self.position();
        self.sign("[")?;
        let corner = self.point(position)?;
        self.sign("]")?;
        Ok(corner)
    }

    /// `lat, lng`
    fn point(&mut self, position: usize) -> Result<GeoPoint, FilterError> {
        let lat = self.number("for the latitude")?;
        self.sign(",")?;
        let lng = self.number("for the longitude")?;
        GeoPoint::new(lat, lng).map_err(|reason| error(self.text, position, reason.to_string()))
    }

    fn sign(&mut self, sign: &'static str) -> Result<(), FilterError> {
        if self.take_sign(sign) {
            return Ok(());
        }
        Err(self.expected(&format!("`{sign}`")))
    }

    /// What follows `IS`.
    fn state(&mut self, attribute: String) -> Result<Filter, FilterError> {
        let negated = self.take("NOT");
        let filter = if self.take("NULL") {
            Filter::IsNull { attribute }
        } else if self.take("EMPTY") {
            Filter::IsEmpty { attribute }
        } else if negated {
            return Err(self.expected("`NULL` or `EMPTY` after `IS NOT`"));
        } else {
            return Err(self.expected("`NULL`, `EMPTY`, `NOT NULL` or `NOT EMPTY` after `IS`"));
        };
        Ok(if negated { Filter::not(filter) } else { filter })
    }

    /// The operators that are words and may follow a `NOT`.
    fn word_operator(&mut self, attribute: String, expected: &str) -> Result<Filter, FilterError> {
        if self.take("EXISTS") {
            return Ok(Filter::Exists { attribute });
        }
        if self.take("IN") {
            let values = self.list()?;
            return Ok(Filter::In { attribute, values });
        }
        if self.take("CONTAINS") {
            let text = self.word("a value after `CONTAINS`")?;
            return Ok(Filter::Contains { attribute, text });
        }
        if self.take("STARTS") {
            if !self.take("WITH") {
                return Err(self.expected("`WITH` after `STARTS`"));
            }
            let text = self.word("a value after `STARTS WITH`")?;
            return Ok(Filter::StartsWith { attribute, text });
        }
        if expected == AFTER_ATTRIBUTE {
            return Err(self.expected(&after_attribute(&attribute)));
        }
        Err(self.expected(expected))
    }

    /// `[a, b]`; a comma after the last value is allowed, as is an empty list.
    fn list(&mut self) -> Result<Vec<FilterValue>, FilterError> {
        if !self.take_sign("[") {
            return Err(self.expected("a list in `[` and `]` after `IN`"));
        }
        let mut values = Vec::new();
        while !self.take_sign("]") {
            values.push(FilterValue::new(self.word("a value or `]`")?));
            if !self.take_sign(",") && *self.peek() != Lexeme::Sign("]") {
                return Err(self.expected("`,` or `]` after a value of the list"));
            }
        }
        Ok(values)
    }

    fn number(&mut self, place: &str) -> Result<f64, FilterError> {
        let position = self.position();
        let value = FilterValue::new(self.word(&format!("a number {place}"))?);
        value
            .number
            .ok_or_else(|| self.no_number(position, &value.text, place))
    }

    /// A bare word that is no keyword, or a quoted one.
    fn word(&mut self, what: &str) -> Result<String, FilterError> {
        let word = match self.peek() {
            Lexeme::Bare(word) if is_keyword(word) => {
                let reason = format!(
                    "expected {what} but `{word}` is a keyword; quotes make it an ordinary word"
                );
                return Err(self.error(reason));
            }
            Lexeme::Bare(word) | Lexeme::Quoted(word) => word.clone(),
            Lexeme::Sign(_) | Lexeme::End => return Err(self.expected(what)),
        };
        self.at += 1;
        Ok(word)
    }

    fn peek(&self) -> &Lexeme {
        self.peek_after(0)
    }

    fn peek_after(&self, steps: usize) -> &Lexeme {
        let placed = self.lexemes.get(self.at + steps);
        placed.map_or(&Lexeme::End, |placed| &placed.lexeme)
    }

    fn take(&mut self, keyword: &str) -> bool {
        let found = self.peek().is(keyword);
        self.at += usize::from(found);
        found
    }

    fn take_sign(&mut self, sign: &'static str) -> bool {
        let found = *self.peek() == Lexeme::Sign(sign);
        self.at += usize::from(found);
        found
    }

    fn position(&self) -> usize {
        let placed = self.lexemes.get(self.at).or(self.lexemes.last());
        placed.map_or(1, |placed| placed.position)
    }

    fn error(&self, reason: impl Into<String>) -> FilterError {
        error(self.text, self.position(), reason)
    }

    fn expected(&self, what: &str) -> FilterError {
        self.error(format!("expected {what} but {}", self.peek().describe()))
    }

    fn no_number(&self, position: usize, found: &str, place: &str) -> FilterError {
        let reason = format!("expected a number {place} but found `{}`", shortened(found));
        error(self.text, position, reason)
    }
}

fn after_attribute(attribute: &str) -> String {
    format!(
        "{AFTER_ATTRIBUTE} after the attribute `{}`",
        shortened(attribute)
    )
}
