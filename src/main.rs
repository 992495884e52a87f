//! countersign's command line.

fn main() {}
