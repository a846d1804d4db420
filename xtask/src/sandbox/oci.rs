//! Writes OCI images: one layer, one manifest, as an image layout folder. The same input gives the same digests.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    path::Path,
};

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// What the container runtime is told about an image; the field names are the specification's.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Config {
    pub(super) env: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) entrypoint: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) cmd: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<String>,
}

/// A root file system in the making. Entries come in the order they are added; all belong to root, none has a date.
pub(super) struct Layer {
    tar: Builder<Vec<u8>>,
}

impl Layer {
    /// What every image has: `/tmp`, and names for the users that images run as.
    ///
    /// # Errors
    /// Does not happen on memory; the tar library cannot know.
    pub(super) fn base() -> Result<Self> {
        let mut layer = Self {
            tar: Builder::new(Vec::new()),
        };
        for folder in ["bin", "dev", "etc", "proc", "sys", "var"] {
            layer.folder(folder, 0o755)?;
        }
        layer.folder("tmp", 0o1777)?;
        layer.file(
            "etc/passwd",
            0o644,
            b"root:x:0:0:root:/:/bin/sh\nnonroot:x:65532:65532:nonroot:/:/bin/false\n",
        )?;
        layer.file("etc/group", 0o644, b"root:x:0:\nnonroot:x:65532:\n")?;
        Ok(layer)
    }

    /// Adds a file; `path` has no leading slash.
    ///
    /// # Errors
    /// The path is too long for a tar entry.
    pub(super) fn file(&mut self, path: &str, mode: u32, content: &[u8]) -> Result<()> {
        let mut header = header(EntryType::Regular, mode);
        header.set_size(content.len() as u64);
        Ok(self.tar.append_data(&mut header, path, content)?)
    }

    /// Adds a symbolic link.
    ///
    /// # Errors
    /// As [`Layer::file`].
    pub(super) fn link(&mut self, path: &str, target: &str) -> Result<()> {
        let mut header = header(EntryType::Symlink, 0o777);
        Ok(self.tar.append_link(&mut header, path, target)?)
    }

    /// Adds an empty folder.
    ///
    /// # Errors
    /// As [`Layer::file`].
    pub(super) fn folder(&mut self, path: &str, mode: u32) -> Result<()> {
        let mut header = header(EntryType::Directory, mode);
        Ok(self.tar.append_data(&mut header, path, io::empty())?)
    }

    /// The tar archive.
    ///
    /// # Errors
    /// As [`Layer::base`].
    pub(super) fn finish(self) -> Result<Vec<u8>> {
        Ok(self.tar.into_inner()?)
    }
}

fn header(kind: EntryType, mode: u32) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    header
}

/// Writes the image layout `folder` (new) with `layer`, an uncompressed tar archive. Gives the manifest's digest.
///
/// # Errors
/// The layer cannot be read or the folder not written.
pub(super) fn write(folder: &Path, mut layer: impl Read, config: &Config) -> Result<String> {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).with_context(|| format!("cannot make {}", blobs.display()))?;
    let layer = stream_blob(&blobs, &mut layer)?;
    let image = json!({
        "architecture": architecture(),
        "os": "linux",
        "config": config,
        "rootfs": { "type": "layers", "diff_ids": [layer.digest] },
    });
    let config = json_blob(&blobs, &image)?;
    let manifest = json_blob(
        &blobs,
        &json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config.descriptor(CONFIG),
            "layers": [layer.descriptor(LAYER)],
        }),
    )?;
    let index = json!({ "schemaVersion": 2, "manifests": [manifest.descriptor(MANIFEST)] });
    fs::write(folder.join("index.json"), serde_json::to_vec(&index)?)?;
    fs::write(
        folder.join("oci-layout"),
        r#"{"imageLayoutVersion":"1.0.0"}"#,
    )?;
    Ok(manifest.digest)
}

/// The digest of the image in the layout `folder`.
///
/// # Errors
/// It is not a layout that [`write`] made.
pub(super) fn digest(folder: &Path) -> Result<String> {
    let index: Value = serde_json::from_slice(&fs::read(folder.join("index.json"))?)?;
    let digest = index["manifests"][0]["digest"].as_str();
    Ok(digest.context("the index names no manifest")?.to_owned())
}

struct Blob {
    digest: String,
    size: u64,
}

impl Blob {
    fn descriptor(&self, media_type: &str) -> Value {
        json!({ "mediaType": media_type, "digest": self.digest, "size": self.size })
    }
}

fn json_blob(blobs: &Path, value: &Value) -> Result<Blob> {
    stream_blob(blobs, &mut serde_json::to_vec(value)?.as_slice())
}

/// Copies `content` into the folder under the name of its digest.
fn stream_blob(blobs: &Path, content: &mut impl Read) -> Result<Blob> {
    let scratch = blobs.join("incoming");
    let mut file = BufWriter::new(File::create(&scratch)?);
    let mut hash = Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let length = content.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        hash.update(&buffer[..length]);
        file.write_all(&buffer[..length])?;
        size += length as u64;
    }
    file.flush()?;
    let hex = format!("{:x}", hash.finalize());
    fs::rename(&scratch, blobs.join(&hex))?;
    Ok(Blob {
        digest: format!("sha256:{hex}"),
        size,
    })
}

/// This machine's architecture in the words of Go, which the specification uses.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(version: &str) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let mut layer = Layer::base().expect("a base");
        layer.file("hello", 0o755, b"program").expect("a file");
        layer.link("bin/hello", "/hello").expect("a link");
        let config = Config {
            env: vec![format!("VERSION={version}")],
            entrypoint: vec!["/hello".to_owned()],
            user: Some("65532:65532".to_owned()),
            ..Config::default()
        };
        let layer = layer.finish().expect("an archive");
        let digest = write(folder.path(), layer.as_slice(), &config).expect("an image");
        (folder, digest)
    }

    #[test]
    fn the_same_input_gives_the_same_digest_and_another_a_different_one() {
        let (_one, first) = image("1");
        let (_two, second) = image("1");
        let (_three, other) = image("2");
        assert_eq!(first, second);
        assert_ne!(first, other);
    }

    #[test]
    fn every_descriptor_leads_to_a_blob_of_that_size() {
        let (folder, expected) = image("1");
        assert_eq!(digest(folder.path()).expect("a layout"), expected);
        let blob = |digest: &str| {
            let name = digest.strip_prefix("sha256:").expect("a sha256 digest");
            fs::read(folder.path().join("blobs/sha256").join(name)).expect("the blob is there")
        };
        let manifest: Value = serde_json::from_slice(&blob(&expected)).expect("JSON");
        for descriptor in [&manifest["config"], &manifest["layers"][0]] {
            let content = blob(descriptor["digest"].as_str().expect("a digest"));
            assert_eq!(descriptor["size"], content.len());
        }
        let config: Value =
            serde_json::from_slice(&blob(manifest["config"]["digest"].as_str().expect("one")))
                .expect("JSON");
        assert_eq!(config["config"]["User"], "65532:65532");
        assert_eq!(
            config["rootfs"]["diff_ids"][0],
            manifest["layers"][0]["digest"]
        );
    }
}
