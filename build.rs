//! The charts are compiled in; a changed one must lead to a new binary.

fn main() {
    println!("cargo::rerun-if-changed=charts");
}
