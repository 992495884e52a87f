//! The innermost loop of the reader: how far a string's plain bytes reach, eight at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// From `at`, the offset of the first byte that ends a string's plain run (`"`, `\` or a byte below 0x20), or the
/// length of `bytes`; and whether a byte of 0x80 or above stands before it.
#[inline]
pub(crate) fn plain_run(bytes: &[u8], mut at: usize) -> (usize, bool) {
    let mut high = 0u64;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let stops = stop_bits(word);
        if stops != 0 {
            let run = stops.trailing_zeros() & !7;
            let before = if run == 0 { 0 } else { word & (u64::MAX >> (64 - run)) };
            return (at + (run / 8) as usize, (high | before) & HIGHS != 0);
        }
        high |= word;
        at += 8;
    }
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' || byte == b'\\' || byte < 0x20 {
            break;
        }
        high |= u64::from(byte);
        at += 1;
    }
    (at, high & HIGHS != 0)
}

/// The high bit of every byte that ends the run. Bits above the first such byte may be wrong; only the first is used.
#[inline]
fn stop_bits(word: u64) -> u64 {
    // Subtracting borrows into the high bit of a byte that is zero (or below 0x20); a byte whose high bit was set
    // before is none of the three, so one mask serves all.
    let quote = (word ^ (ONES * 0x22)).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * 0x5c)).wrapping_sub(ONES);
    let control = word.wrapping_sub(ONES * 0x20);
    (quote | backslash | control) & !word & HIGHS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plainly(bytes: &[u8]) -> (usize, bool) {
        let end = bytes.iter().position(|b| *b == b'"' || *b == b'\\' || *b < 0x20).unwrap_or(bytes.len());
        (end, bytes[..end].iter().any(|b| *b >= 0x80))
    }

    proptest! {
        #[test]
        fn eight_at_a_time_finds_what_one_at_a_time_finds(
            bytes in prop::collection::vec(prop_oneof![4 => 0x20u8..0x7f, 1 => any::<u8>()], 0..40),
        ) {
            prop_assert_eq!(plain_run(&bytes, 0), plainly(&bytes));
        }
    }
}
