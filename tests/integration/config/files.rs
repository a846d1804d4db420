//! Reading the file: every way in which that can fail, and what the user is told.

use std::{
    fs,
    path::{Path, PathBuf},
};

use k8s_ee::config::{MAX_BYTES, ReadError, Source};
use tempfile::TempDir;

/// A file with these bytes, and the folder that it lives in.
fn file(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("k8s-ee.yaml");
    fs::write(&path, bytes).expect("the file can be written");
    (folder, path)
}

/// What the user reads: error, causes and hint, with the folder's name taken out.
#[track_caller]
fn told(path: &Path) -> String {
    let error = match Source::read(path) {
        Ok(source) => panic!("read: {:?}", source.text().len()),
        Err(error) => error,
    };
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text += &format!("\ncaused by: {error}");
        cause = error.source();
    }
    if let Some(hint) = error.hint() {
        text += &format!("\nhint: {hint}");
    }
    match path.parent() {
        Some(folder) => text.replace(&folder.display().to_string(), "@@FOLDER@@"),
        None => text,
    }
}

#[test]
fn a_good_file() {
    let (_folder, path) = file(b"projectId: shop\n");
    let source = Source::read(&path).expect("the file is readable");
    assert_eq!(source.text(), "projectId: shop\n");
    assert_eq!(source.name(), path.display().to_string());
}

#[test]
fn the_byte_order_mark_is_dropped() {
    let (_folder, path) = file(b"\xef\xbb\xbfprojectId: shop\n");
    let source = Source::read(&path).expect("the file is readable");
    assert_eq!(source.text(), "projectId: shop\n");
}

#[test]
fn missing() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    insta::assert_snapshot!(told(&folder.path().join("k8s-ee.yaml")), @"
        `@@FOLDER@@/k8s-ee.yaml` does not exist
        hint: write a first one: k8s-ee init; or give the path of another file: --config PATH
    ");
}

#[test]
fn missing_because_a_folder_is_a_file() {
    let (_folder, path) = file(b"");
    assert!(matches!(
        Source::read(&path.join("k8s-ee.yaml")),
        Err(ReadError::Missing(_))
    ));
}

#[test]
fn directory() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("configuration");
    fs::create_dir(&path).expect("the folder can be made");
    insta::assert_snapshot!(told(&path), @"
        `@@FOLDER@@/configuration` is a directory, not a file
        hint: give the path of the file: `@@FOLDER@@/configuration/k8s-ee.yaml`
    ");
}

#[cfg(target_os = "linux")]
#[test]
fn unreadable() {
    // A process may not read its own memory from the start, whoever it runs as.
    insta::assert_snapshot!(told(Path::new("/proc/self/mem")), @"
        cannot read `@@FOLDER@@/mem`
        caused by: Input/output error (os error 5)
        hint: see who may read it: `ls -l @@FOLDER@@/mem`
    ");
}

#[test]
fn not_utf_8() {
    let (_folder, path) = file(b"projectId: shop\nenv:\n  A: caf\xe9\n");
    insta::assert_snapshot!(told(&path), @"
        `@@FOLDER@@/k8s-ee.yaml` is not UTF-8 text: line 3, byte 29
        hint: save it as plain text in the encoding UTF-8
    ");
}

#[test]
fn utf_16() {
    let bytes: Vec<u8> = "\u{feff}projectId: shop\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let (_folder, path) = file(&bytes);
    insta::assert_snapshot!(told(&path), @"
        `@@FOLDER@@/k8s-ee.yaml` is not UTF-8 text: line 1, byte 0
        hint: save it as plain text in the encoding UTF-8
    ");
}

#[test]
fn nul_byte() {
    let (_folder, path) = file(b"projectId: shop\n\0\n");
    insta::assert_snapshot!(told(&path), @"
        `@@FOLDER@@/k8s-ee.yaml` is not a text file: NUL byte on line 2
        hint: save it as plain text in the encoding UTF-8
    ");
}

#[test]
fn too_large() {
    let (_folder, path) = file(&vec![b'#'; MAX_BYTES + 1]);
    insta::assert_snapshot!(told(&path), @"
        `@@FOLDER@@/k8s-ee.yaml` is larger than 1 MiB
        hint: a configuration takes a few kilobytes; is this the file you meant?
    ");
}

#[test]
fn as_large_as_allowed() {
    let (_folder, path) = file(&vec![b'#'; MAX_BYTES]);
    assert!(Source::read(&path).is_ok());
}

#[cfg(unix)]
#[test]
fn a_file_without_end_is_too_large() {
    assert!(matches!(
        Source::read(Path::new("/dev/zero")),
        Err(ReadError::TooLarge(_))
    ));
}
