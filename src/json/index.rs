//! Where everything stands in a document: one slot of eight bytes for a plain value or key, two for a container.
//!
//! The index is what reading a large file costs in memory, so it is packed: of a targets file it takes less than half
//! of the file's size.

use super::Kind;
use super::value::Flags;

/// One value or key, unpacked.
#[derive(Clone, Copy)]
pub(crate) struct Node {
    /// Offset of the first byte.
    pub(crate) start: u32,
    /// Offset after the last byte.
    pub(crate) end: u32,
    /// The slot after everything inside this one.
    pub(crate) next: usize,
    pub(crate) kind: Kind,
    pub(crate) flags: Flags,
}

/// Values and keys in document order. A member is its key followed by its value.
///
/// A slot: 32 bits of start, 3 of kind, 7 of flags, and 22 of length. Where the length is [`WIDE`], a second slot
/// holds 32 bits of end and 32 of the next slot: so for each container, and for a text of more than 4 MiB.
pub(crate) struct Index {
    slots: Vec<u64>,
}

const KIND_AT: u32 = 32;
const FLAGS_AT: u32 = 35;
const LENGTH_AT: u32 = 42;
const WIDE: u64 = (1 << 22) - 1;

const KINDS: [Kind; 8] = [
    Kind::Null,
    Kind::True,
    Kind::False,
    Kind::Number,
    Kind::String,
    Kind::Array,
    Kind::Object,
    // Eight, so that three bits always name one.
    Kind::Null,
];

#[inline]
fn pack(start: usize, kind: Kind, flags: Flags, length: u64) -> u64 {
    // The cap on the document's bytes keeps offsets within 32 bits.
    (start as u64 & 0xffff_ffff)
        | (kind as u64) << KIND_AT
        | u64::from(flags.bits()) << FLAGS_AT
        | length << LENGTH_AT
}

impl Index {
    /// An empty index for a document of so many bytes. Targets metadata needs a slot for 17 bytes; room for that is
    /// taken at once, because an index that grows is copied, and what is freed is wiped.
    pub(crate) fn for_bytes(bytes: usize) -> Index {
        Index { slots: Vec::with_capacity(bytes / 16 + 8) }
    }

    /// How many slots there are: the slot of the next value.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// A value that holds no others.
    #[inline]
    pub(crate) fn leaf(&mut self, kind: Kind, start: usize, end: usize, flags: Flags) {
        let length = (end - start) as u64;
        if length < WIDE {
            self.slots.push(pack(start, kind, flags, length));
            return;
        }
        let next = self.slots.len() as u64 + 2;
        self.slots.extend([pack(start, kind, flags, WIDE), end as u64 | next << 32]);
    }

    /// Begins a container; returns its slot, for [`Index::close`].
    #[inline]
    pub(crate) fn open(&mut self, kind: Kind, start: usize) -> usize {
        let slot = self.slots.len();
        self.slots.extend([pack(start, kind, Flags::NONE, WIDE), 0]);
        slot
    }

    /// Ends a container after everything inside it.
    #[inline]
    pub(crate) fn close(&mut self, slot: usize, end: usize, flags: Flags) {
        let next = self.slots.len() as u64;
        if let Some([first, second]) = self.slots.get_mut(slot..slot + 2) {
            *first |= u64::from(flags.bits()) << FLAGS_AT;
            *second = end as u64 | next << 32;
        }
    }

    /// The slot of a container's first key or value.
    #[inline]
    pub(crate) const fn first_within(slot: usize) -> usize {
        slot + 2
    }

    /// What stands in a slot.
    #[inline]
    pub(crate) fn node(&self, slot: usize) -> Node {
        let packed = self.slots.get(slot).copied().unwrap_or_default();
        let start = packed as u32;
        let length = packed >> LENGTH_AT;
        let (end, next) = match length {
            WIDE => {
                let second = self.slots.get(slot + 1).copied().unwrap_or_default();
                (second as u32, (second >> 32) as usize)
            }
            _ => (start + length as u32, slot + 1),
        };
        let kind = KINDS[(packed >> KIND_AT & 7) as usize];
        Node { start, end, next, kind, flags: Flags::from_bits((packed >> FLAGS_AT & 0x7f) as u8) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        let mut index = Index::for_bytes(0);
        let flags = Flags::CANONICAL.with(Flags::SORTED_HERE);
        let object = index.open(Kind::Object, 7);
        index.leaf(Kind::String, 8, 12, Flags::ESCAPED);
        index.leaf(Kind::String, 13, 13 + (5 << 20), Flags::CANONICAL);
        index.leaf(Kind::Null, 6_000_000, 6_000_004, Flags::NONE);
        index.close(object, 4_000_000_000, flags);
        let seen: Vec<_> = std::iter::successors(Some(Index::first_within(object)), |slot| {
            Some(index.node(*slot).next).filter(|next| *next < index.len())
        })
        .map(|slot| index.node(slot))
        .map(|node| (node.kind, node.start, node.end, node.flags.bits()))
        .collect();
        assert_eq!(
            seen,
            [
                (Kind::String, 8, 12, Flags::ESCAPED.bits()),
                (Kind::String, 13, 13 + (5 << 20), Flags::CANONICAL.bits()),
                (Kind::Null, 6_000_000, 6_000_004, 0),
            ]
        );
        let whole = index.node(object);
        assert_eq!((whole.start, whole.end, whole.next), (7, 4_000_000_000, index.len()));
        assert!(whole.kind == Kind::Object && whole.flags == flags);
    }
}
