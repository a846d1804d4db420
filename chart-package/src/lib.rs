//! Helm charts as packages that come out the same every time: `helm package` writes the time of day into them, so that nobody
//! could know beforehand what they will be. The developers' tasks publish these, and the program knows the digest of what
//! must come back, because it makes the same package of the charts that are compiled into it.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Component, Path, PathBuf},
};

use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

/// Makes the package of the chart `name` from its files, whose paths begin in the chart's folder. What only its tests and
/// the generator of its page need stays behind.
///
/// # Errors
/// A path is too long for an archive.
pub fn pack<P: AsRef<Path>>(
    name: &str,
    files: impl IntoIterator<Item = (P, Vec<u8>)>,
) -> io::Result<Vec<u8>> {
    let mut sorted = BTreeMap::new();
    for (path, content) in files {
        if is_packed(path.as_ref()) {
            sorted.insert(Path::new(name).join(path), content);
        }
    }
    let gzip = GzBuilder::new().write(Vec::new(), Compression::best());
    let mut archive = Builder::new(gzip);
    // Helm takes the chart's name from the file that comes first.
    let chart = Path::new(name).join("Chart.yaml");
    let first = sorted.remove_entry(&chart);
    for (path, content) in first.into_iter().chain(sorted) {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, path, content.as_slice())?;
    }
    archive.into_inner()?.finish()
}

/// Makes the package of the chart in a folder; links in it lead to the charts that it depends on.
///
/// # Errors
/// The folder cannot be read.
pub fn pack_folder(folder: &Path) -> io::Result<Vec<u8>> {
    let name = folder.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| io::Error::other("the folder has no name"))?;
    let mut files = Vec::new();
    collect(folder, Path::new(""), &mut files)?;
    pack(name, files)
}

fn collect(folder: &Path, path: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let (path, place) = {
            let entry = entry?;
            (path.join(entry.file_name()), entry.path())
        };
        // Of what a link leads to.
        if fs::metadata(&place)?.is_dir() {
            collect(&place, &path, files)?;
        } else {
            files.push((path, fs::read(&place)?));
        }
    }
    Ok(())
}

fn is_packed(path: &Path) -> bool {
    let of_tests = path
        .components()
        .any(|part| part == Component::Normal("tests".as_ref()));
    !of_tests && path.extension().is_none_or(|end| end != "gotmpl")
}

/// The SHA-256 of a package, in hexadecimal digits.
#[must_use]
pub fn sha256(package: &[u8]) -> String {
    format!("{:x}", Sha256::digest(package))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Vec<(&'static str, Vec<u8>)> {
        vec![
            ("templates/a.yaml", b"a".to_vec()),
            ("Chart.yaml", b"name: x".to_vec()),
            ("charts/y/tests/a_test.yaml", b"test".to_vec()),
            ("README.md.gotmpl", b"page".to_vec()),
            ("README.md", b"page".to_vec()),
        ]
    }

    #[test]
    fn order_does_not_matter_and_content_does() {
        let package = pack("x", files()).expect("a package");
        let mut others = files();
        others.reverse();
        assert_eq!(pack("x", others).expect("a package"), package);
        let mut others = files();
        others[0].1 = b"b".to_vec();
        assert_ne!(
            sha256(&pack("x", others).expect("a package")),
            sha256(&package)
        );
    }

    #[test]
    fn it_holds_what_is_rendered_and_read() {
        let package = pack("x", files()).expect("a package");
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(package.as_slice()));
        let paths: Vec<String> = archive
            .entries()
            .expect("an archive")
            .map(|entry| {
                let entry = entry.expect("an entry");
                entry.path().expect("a path").display().to_string()
            })
            .collect();
        assert_eq!(paths, ["x/Chart.yaml", "x/README.md", "x/templates/a.yaml"]);
    }

    #[test]
    fn folders_are_packed_with_what_their_links_lead_to() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let chart = folder.path().join("x");
        fs::create_dir_all(chart.join("charts")).expect("made");
        fs::create_dir(folder.path().join("common")).expect("made");
        fs::write(folder.path().join("common/Chart.yaml"), "name: common").expect("written");
        fs::write(chart.join("Chart.yaml"), "name: x").expect("written");
        std::os::unix::fs::symlink("../../common", chart.join("charts/common")).expect("a link");
        let expected = pack(
            "x",
            [
                ("Chart.yaml", b"name: x".to_vec()),
                ("charts/common/Chart.yaml", b"name: common".to_vec()),
            ],
        );
        assert_eq!(
            pack_folder(&chart).expect("a package"),
            expected.expect("a package")
        );
    }
}
