//! countersign's command line: everything is in the library, so that a whole ceremony runs in a test.

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign::cli::main(std::env::args_os(), &countersign::host::Host::real())
}
