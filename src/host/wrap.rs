//! Long lines for a screen: broken at words, so that no word and no command stands half on one line and half on the next.

/// Text whose lines fit in `width` columns wherever their words do; what goes on begins under the text of its line, not
/// under its label. Colours take no room.
pub(crate) fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push('\n');
        }
        wrap_line(&mut out, line, hanging(line, width), width);
    }
    out
}

/// Adds a line to the text. What does not fit goes on under the column `indent`; a word longer than that is left whole.
pub(crate) fn wrap_line(out: &mut String, line: &str, indent: usize, width: usize) {
    if columns(line) <= width {
        out.push_str(line);
        return;
    }
    let width = width.max(indent + 20);
    let (mut column, mut is_first) = (0, true);
    for word in line.split(' ') {
        let length = columns(word);
        if !is_first && column > indent && column + 1 + length > width {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if !is_first {
            out.push(' ');
            column += 1;
        }
        is_first = false;
        out.push_str(word);
        column += length;
    }
}

/// The column under which a line goes on: where its text begins after white space and a label, if it has one. A label is
/// what two spaces end.
fn hanging(line: &str, width: usize) -> usize {
    let margin = line.len() - line.trim_start_matches(' ').len();
    let rest = line.get(margin..).unwrap_or_default();
    let after = rest.find("  ").map(|label| {
        let gap = rest.get(label..).unwrap_or_default();
        margin + columns(&rest[..label]) + gap.len() - gap.trim_start_matches(' ').len()
    });
    after.filter(|column| *column <= width / 3).unwrap_or(margin).min(width / 2)
}

/// Columns that a text takes on the screen.
pub(super) fn columns(text: &str) -> usize {
    let mut rest = text;
    let mut count = 0;
    while let Some(at) = rest.find("\x1b[") {
        count += rest[..at].chars().count();
        rest = rest[at..].split_once('m').map_or("", |(_, rest)| rest);
    }
    count + rest.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_breaks_at_words_and_goes_on_under_its_text() {
        assert_eq!(
            wrapped("Key  opens with two officers together\nshort\n", 30),
            "Key  opens with two officers\n     together\nshort\n"
        );
        assert_eq!(wrapped("  one two three four five six", 22), "  one two three four\n  five six");
        assert_eq!(wrapped("\x1b[31mone two\x1b[0m three", 14), "\x1b[31mone two\x1b[0m three");
    }

    #[test]
    fn a_word_longer_than_the_screen_is_left_whole() {
        let digest = "0123456789abcdef".repeat(4);
        let text = format!("Digest {digest} of it");
        assert_eq!(wrapped(&text, 40), format!("Digest\n{digest}\nof it"));
    }

    #[test]
    fn nothing_but_spaces_is_lost_at_any_width() {
        let text = "Key  \x1b[1mf0208b9d\x1b[0m  opens with any 2 of alice, bob,  cho: countersign key drill f0208b9d --officer alice";
        for width in 1..120 {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(words(&wrapped(text, width)), words(text), "{width}");
        }
    }
}
