//! The connected side's command line: everything is in the library, so that the tests can call what people call.

use std::process::ExitCode;

/// Wipes what is freed, so that no token outlives its use in a buffer of a library.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    countersign::courier_main(std::env::args_os(), &countersign::Host::real())
}
