//! QR codes: of a paper backup and of a signature slip, with a quiet zone of 4 modules.

use crate::vault::error::{CustodyError, CustodyResult};
use maud::{Markup, html};
use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write as _;

/// Modules of white around the code (ISO/IEC 18004).
const QUIET: usize = 4;
/// Dots of a picture for each module.
const DOTS: usize = 8;

/// How much of a code may be lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Level {
    /// 15 %: for screens, which have neither stains nor folds.
    M,
    /// 25 %: for paper.
    Q,
}

/// A QR code, its quiet zone included.
pub(crate) struct Qr {
    side: usize,
    code: Vec<bool>,
}

fn failed(reason: impl ToString) -> CustodyError {
    CustodyError::Make { what: "a QR code".to_owned(), reason: reason.to_string() }
}

impl Qr {
    /// The QR code of a text, for paper.
    ///
    /// # Errors
    /// The text is longer than a QR code can hold.
    pub(crate) fn of(text: &str) -> CustodyResult<Qr> {
        Qr::at(text, Level::Q)
    }

    /// The QR code of a text.
    ///
    /// # Errors
    /// The text is longer than a QR code can hold.
    pub(crate) fn at(text: &str, level: Level) -> CustodyResult<Qr> {
        let level = match level {
            Level::M => EcLevel::M,
            Level::Q => EcLevel::Q,
        };
        let code = QrCode::with_error_correction_level(text, level).map_err(failed)?;
        Ok(Qr {
            side: code.width(),
            code: code.into_colors().into_iter().map(|color| color == Color::Dark).collect(),
        })
    }

    /// Modules of a side, with the quiet zone.
    pub(crate) fn side(&self) -> usize {
        self.side + 2 * QUIET
    }

    /// Is the module at this column and row dark?
    pub(crate) fn is_dark(&self, x: usize, y: usize) -> bool {
        let (Some(x), Some(y)) = (x.checked_sub(QUIET), y.checked_sub(QUIET)) else { return false };
        x < self.side && y < self.side && self.code.get(y * self.side + x).copied().unwrap_or(false)
    }

    /// As text for a terminal: two modules a character, black on bright white whatever the terminal's own colours are.
    pub(crate) fn half_blocks(&self) -> String {
        let side = self.side();
        let mut text = String::new();
        for y in (0..side).step_by(2) {
            text.push_str("\x1b[30;107m");
            text.extend((0..side).map(|x| match (self.is_dark(x, y), self.is_dark(x, y + 1)) {
                (true, true) => '\u{2588}',
                (true, false) => '\u{2580}',
                (false, true) => '\u{2584}',
                (false, false) => ' ',
            }));
            text.push_str("\x1b[0m\n");
        }
        text
    }

    /// As a picture that scales: one SVG element.
    pub(crate) fn svg(&self) -> Markup {
        let side = self.side();
        let mut path = String::new();
        for y in 0..side {
            let mut x = 0;
            while x < side {
                let run = (x..side).take_while(|x| self.is_dark(*x, y)).count();
                if run > 0 {
                    // Writing to a string cannot fail.
                    let _ = write!(path, "M{x} {y}h{run}v1h-{run}z");
                }
                x += run.max(1);
            }
        }
        html! {
            svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (side) " " (side) } shape-rendering="crispEdges" {
                rect width=(side) height=(side) fill="#fff" {}
                path fill="#000" d=(path) {}
            }
            "\n"
        }
    }

    /// As a PNG picture, black and white, 8 dots a module.
    ///
    /// # Errors
    /// None that a picture of this size can meet; the library's are passed on.
    pub(crate) fn png(&self) -> CustodyResult<Vec<u8>> {
        let width = self.side() * DOTS;
        let dots = u32::try_from(width).map_err(failed)?;
        let mut rows = Vec::with_capacity(width * width.div_ceil(8));
        for y in 0..width {
            for byte in 0..width.div_ceil(8) {
                let dark = |bit: usize| self.is_dark((byte * 8 + bit) / DOTS, y / DOTS);
                rows.push((0..8).fold(0u8, |bits, bit| bits << 1 | u8::from(!dark(bit))));
            }
        }
        let mut picture = Vec::new();
        let mut encoder = png::Encoder::new(&mut picture, dots, dots);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(&rows).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(picture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What another's reader makes of a picture.
    fn scan(picture: &[u8]) -> (String, usize) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(picture)).read_info().expect("a PNG");
        let mut rows = vec![0; reader.output_buffer_size().expect("a size")];
        let info = reader.next_frame(&mut rows).expect("a picture");
        let (width, height) = (info.width as usize, info.height as usize);
        let light = |x: usize, y: usize| rows[y * info.line_size + x / 8] >> (7 - x % 8) & 1 == 1;
        let mut image = rqrr::PreparedImage::prepare_from_bitmap(width, height, |x, y| !light(x, y));
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1);
        let (meta, text) = grids[0].decode().expect("decoded");
        // The format information of level Q reads 3.
        assert_eq!(meta.ecc_level, 3);
        let border = (0..height).find(|y| (0..width).any(|x| !light(x, *y))).expect("something dark");
        (text, border)
    }

    #[test]
    fn a_full_part_is_read_back_from_its_picture() {
        let text = "countersign-paper/1 x\n".to_owned() + &"aZ0+/=\n".repeat(96);
        let qr = Qr::of(&text).expect("a code");
        let (read, border) = scan(&qr.png().expect("a picture"));
        assert_eq!(read, text);
        assert_eq!(border, 4 * 8, "the quiet zone has four modules");
    }

    #[test]
    fn the_svg_has_the_same_modules() {
        let qr = Qr::of("text").expect("a code");
        let svg = qr.svg().into_string();
        let mut dark = 0;
        for run in svg.split('M').skip(1) {
            let (x, rest) = run.split_once(' ').expect("x");
            let (y, rest) = rest.split_once('h').expect("y");
            let (run, _) = rest.split_once('v').expect("a run");
            let (x, y, run): (usize, usize, usize) =
                (x.parse().expect("x"), y.parse().expect("y"), run.parse().expect("a run"));
            assert!((x..x + run).all(|x| qr.is_dark(x, y)));
            dark += run;
        }
        let side = qr.side();
        assert_eq!(dark, (0..side * side).filter(|at| qr.is_dark(at % side, at / side)).count());
    }
}
