//! The auditor's command line: what `countersign audit` does, in a program without the code that opens the Factory's keys.

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign::audit_main(std::env::args_os(), &countersign::Host::real())
}
