//! Writes a made-up Factory of any size: what a connected machine downloads before it makes a wave, and the key file.
//!
//! ```text
//! cargo run --release --example factory -- --targets 6000 OUT
//! ```

use clap::Parser;
use countersign::testing::host::RealDisk;
use countersign::testing::host::clock::{Clock as _, SystemClock, Time};
use countersign::testing::host::disk::Disk as _;
use countersign::testing::rehearsal::hostile::Shape;
use countersign::testing::rehearsal::{Factory, Spacing};
use std::error::Error;
use std::path::PathBuf;

/// Writes a valid Factory of any size from a seed, laid out as `countersign request --from OUT` wants it.
#[derive(Parser)]
struct Arguments {
    /// Targets in production after the next wave; a multiple of --hardware.
    #[arg(long, default_value_t = 100)]
    targets: u64,
    /// Hardware ids: the next wave adds one target for each.
    #[arg(long, default_value_t = 2)]
    hardware: usize,
    /// Everything follows from it, the keys too.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The Factory's name.
    #[arg(long, default_value = "acme-gateway")]
    factory: String,
    /// The tag of production devices.
    #[arg(long, default_value = "production")]
    tag: String,
    /// The next wave's target number [default: 42, or the number of builds if that is more].
    #[arg(long)]
    version: Option<u64>,
    /// The time to which all expiries are relative, RFC 3339 [default: now].
    #[arg(long)]
    now: Option<String>,
    /// Leave production empty: the next wave is the first.
    #[arg(long)]
    first: bool,
    /// A second officer's key: root 4, threshold 3.
    #[arg(long)]
    second_officer: bool,
    /// Write CI files with spaces and with members out of order.
    #[arg(long)]
    spaced: bool,
    /// Instead of a Factory, write OUT as one hostile targets.json of --bytes: deep, wide, wide-unsorted, one-string,
    /// all-escapes, numbers, findings.
    #[arg(long, value_name = "SHAPE", value_parser = shape)]
    hostile: Option<Shape>,
    /// Size of the hostile file.
    #[arg(long, default_value_t = 8 << 20)]
    bytes: usize,
    /// A folder that is not there yet.
    out: PathBuf,
}

fn shape(name: &str) -> Result<Shape, String> {
    Shape::ALL.into_iter().find(|shape| shape.name() == name).ok_or_else(|| "no such shape".to_owned())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let now = match &arguments.now {
        Some(text) => Time::parse(text).ok_or("--now is not a time; write it as 2027-11-23T00:00:00Z")?,
        None => SystemClock.now(),
    };
    let builds = arguments.targets.div_ceil(arguments.hardware.max(1) as u64).max(1);
    let version = arguments.version.unwrap_or(builds.max(42));
    if let Some(shape) = arguments.hostile {
        let text = shape.targets_file(version, &now.plus_days(365).to_string(), arguments.bytes);
        RealDisk.create(&arguments.out, 0o644, &[text.as_bytes()])?;
        println!("{}: {} bytes", arguments.out.display(), text.len());
        return Ok(());
    }
    let oldest = version.checked_sub(builds - 1).filter(|oldest| *oldest > 0);
    let oldest = oldest.ok_or("--version is below the number of builds that so many targets need")?;

    let mut factory = Factory::new(arguments.seed, &arguments.factory, now)
        .with_hardware(arguments.hardware.max(1))
        .with_tag(&arguments.tag)
        .with_spacing(if arguments.spaced { Spacing::Spaced } else { Spacing::Compact });
    if arguments.second_officer {
        factory = factory.with_second_officer();
    }
    factory.build(oldest..=version);
    if !arguments.first && oldest < version {
        factory.populate(oldest..version)?;
    }
    let out = &arguments.out;
    for (name, length) in factory.write_step(&RealDisk, out, version)? {
        println!("{length:>12}  {}", out.join(name).display());
    }
    for (officer, name) in ["targets.keys.tgz", "officer2.keys.tgz"].iter().enumerate() {
        if officer < factory.offline_keyids().len() {
            factory.write_key_file(&RealDisk, &out.join(name), officer)?;
            println!("{:>12}  {}", "key", out.join(name).display());
        }
    }
    println!("\nTo try it:\n{}", next_steps(&factory, &out.display().to_string(), version));
    Ok(())
}

fn next_steps(factory: &Factory, out: &str, version: u64) -> String {
    let (name, tag, fingerprint) = (factory.name(), factory.tag(), factory.fingerprint());
    format!(
        "  export COUNTERSIGN_STATION={out}/station
  countersign init --factory {name} --roots {out}/prod-roots --online-key {out}/ci-targets.pub \\
    --fingerprint {fingerprint} --networked
  countersign officer add alice
  countersign key import {out}/targets.keys.tgz --officers alice --quorum 1
  countersign request --from {out} --factory {name} --wave v{version} --version {version} --tag {tag} --out {out}/request
  countersign run {out}/request"
    )
}
