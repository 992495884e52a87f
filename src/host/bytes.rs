//! The bytes of a file that was read. A large file lies in memory of its own, in huge pages where the kernel gives them:
//! touching fresh memory four kilobytes at a time takes longer than hashing what is in it.

use memmap2::{Advice, MmapMut};
use std::fmt;
use std::io::{self, Read};
use std::ops::Deref;

/// From this length on, a file has memory of its own: the size of a huge page. It is not wiped when it is given back, as
/// all other memory is; what is secret is far shorter.
const LARGE: usize = 2 << 20;

/// The bytes of a file.
pub struct Bytes(Room);

enum Room {
    Small(Vec<u8>),
    /// Anonymous: no file behind it, so nothing outside can change it.
    Large(MmapMut),
}

impl Bytes {
    /// Reads so many bytes, or as many as there are, and says how many were read.
    ///
    /// # Errors
    /// The file, or there is no memory.
    pub(super) fn read(file: &mut impl Read, length: usize) -> io::Result<(Bytes, usize)> {
        if length < LARGE {
            let mut bytes = Vec::with_capacity(length);
            let read = file.take(length as u64).read_to_end(&mut bytes)?;
            return Ok((Bytes(Room::Small(bytes)), read));
        }
        let mut room = MmapMut::map_anon(length)?;
        // A kernel without huge pages says no, and small ones do as well.
        let _ = room.advise(Advice::HugePage);
        let mut read = 0;
        while read < length {
            match file.read(&mut room[read..]) {
                Ok(0) => break,
                Ok(count) => read += count,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok((Bytes(Room::Large(room)), read))
    }

    /// The bytes as a vector.
    pub(crate) fn into_vec(self) -> Vec<u8> {
        match self.0 {
            Room::Small(bytes) => bytes,
            Room::Large(room) => room.to_vec(),
        }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Room::Small(bytes) => bytes,
            Room::Large(room) => room,
        }
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Bytes {
        Bytes(Room::Small(bytes))
    }
}

impl Default for Bytes {
    fn default() -> Bytes {
        Bytes::from(Vec::new())
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Bytes) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} bytes", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes in pieces of three.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = into.len().min(3);
            self.0.read(&mut into[..count])
        }
    }

    #[test]
    fn a_large_file_is_the_same_bytes_as_a_small_one_would_be() {
        let file: Vec<u8> = (0..LARGE + 5).map(|at| (at % 251) as u8).collect();
        for length in [0, 1, 5, LARGE - 1, LARGE, LARGE + 5] {
            let (bytes, read) = Bytes::read(&mut Slow(&file[..length]), length).expect("read");
            assert_eq!((read, &bytes[..]), (length, &file[..length]));
            assert_eq!(bytes, Bytes::from(file[..length].to_vec()));
            assert_eq!(bytes.into_vec(), file[..length]);
        }
    }

    #[test]
    fn a_file_that_shrank_is_noticed_by_its_count() {
        let file = vec![7; LARGE];
        for (there, length) in [(10, 20), (LARGE - 1, LARGE)] {
            let (_, read) = Bytes::read(&mut &file[..there], length).expect("read");
            assert_eq!(read, there);
        }
    }
}
