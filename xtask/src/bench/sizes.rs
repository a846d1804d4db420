//! How large what is handed out is.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use anyhow::{Context, Result};
use flate2::{Compression, write::GzEncoder};

use super::{
    Bench,
    report::{Measured, Table, Verdict},
};

const MIB: f64 = 1024.0 * 1024.0;

/// Measures the binary, and what the Dockerfile puts into the image.
///
/// # Errors
/// One of them is not there.
pub(super) fn run(bench: &Bench) -> Result<Measured> {
    let helm = bench.bin.join("helm3");
    let size = |file: &Path| -> Result<f64> {
        let metadata = fs::metadata(file).with_context(|| format!("no {}", file.display()))?;
        Ok(metadata.len() as f64 / MIB)
    };
    let binary = size(&bench.binary)?;
    let image = (compressed(&bench.binary)? + compressed(&helm)?) as f64 / MIB;
    let mut table = Table::new("Sizes", &["", "MiB"]);
    let rows = [
        ("`k8s-ee`, linked statically", binary),
        ("`helm`", size(&helm)?),
        ("both as layers of an image", image),
    ];
    for (what, size) in rows {
        table.row(vec![what.to_owned(), format!("{size:.1}")]);
    }
    let verdict = |what: &str, goal: f64, measured: f64| Verdict {
        what: what.to_owned(),
        goal: format!("< {goal} MiB"),
        measured: format!("{measured:.1} MiB"),
        holds: measured < goal,
    };
    Ok(Measured {
        tables: vec![table],
        verdicts: vec![
            verdict("size of the binary", 25.0, binary),
            verdict("size of the image", 60.0, image),
        ],
        ..Measured::default()
    })
}

/// Bytes of a file as layers of images have it.
fn compressed(file: &Path) -> Result<u64> {
    /// Counts what is written.
    struct Counter(u64);
    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut file = File::open(file).with_context(|| format!("no {}", file.display()))?;
    let mut gzip = GzEncoder::new(Counter(0), Compression::default());
    io::copy(&mut file, &mut gzip)?;
    Ok(gzip.finish()?.0)
}
