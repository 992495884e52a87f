//! countersign's command line: everything is in the library, so that a whole ceremony runs in a test.

use std::process::ExitCode;

/// Wipes what is freed, so that no copy of a key outlives its use in a buffer of a library (tests/custody_memory.rs).
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    countersign::main(std::env::args_os(), &countersign::Host::real())
}
