//! Content that looks like a Factory's and follows from a seed: digests, sizes, names of machines.

/// A stream of made-up words: the generator splitmix64, small, fast and the same everywhere. Not for secrets.
pub(super) struct Stream(u64);

impl Stream {
    /// The stream of one thing: a seed, and what tells the thing from all others.
    pub(super) fn of(seed: u64, parts: &[u64]) -> Stream {
        let mut stream = Stream(seed);
        for part in parts {
            stream.0 = stream.next() ^ part;
        }
        stream
    }

    /// The next 64 bits.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A digest of `DIGITS` lower-case hexadecimal digits.
    pub(super) fn digest<const DIGITS: usize>(&mut self) -> [u8; DIGITS] {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [0; DIGITS];
        for chunk in digits.chunks_mut(16) {
            let mut word = self.next();
            for digit in chunk {
                *digit = HEX[(word & 15) as usize];
                word >>= 4;
            }
        }
        digits
    }
}

/// Machines that a Factory builds for; further ones are numbered gateways.
const MACHINES: [&str; 8] = [
    "intel-corei7-64",
    "raspberrypi4-64",
    "imx8mm-lpddr4-evk",
    "stm32mp1-disco",
    "apalis-imx8",
    "jetson-agx-xavier-devkit",
    "am62xx-evm",
    "beaglebone-yocto",
];

/// So many hardware ids, all different.
pub(super) fn machines(count: usize) -> Vec<String> {
    (0..count)
        .map(|index| {
            MACHINES.get(index).map_or_else(|| format!("gateway-{index:05}"), |name| (*name).to_owned())
        })
        .collect()
}

/// The processor of a machine.
pub(super) fn arch(machine: &str) -> &'static str {
    if machine.starts_with("intel") { "x86_64" } else { "arm64" }
}
