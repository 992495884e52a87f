//! A made-up Factory of any size from a seed: for `rehearse`, for benchmarks and for tests.
