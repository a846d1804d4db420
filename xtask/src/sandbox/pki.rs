//! The cluster's certificates and kubeconfigs, made once for each state folder.

use std::{
    fs,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use serde_json::json;

use super::settings::{API_SERVICE_IP, NODE, NODE_IP};

/// Kubernetes reads group and user of a client from its certificate.
const ADMINS: &str = "system:masters";

/// The user of `admin.kubeconfig`.
pub(super) const ADMIN: &str = "sandbox-admin";

/// The folder with everything.
#[derive(Clone)]
pub(super) struct Pki {
    folder: PathBuf,
}

impl Pki {
    /// Opens the folder, after filling it if it is not complete. `server` is the URL in the kubeconfigs.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn ensure(folder: PathBuf, server: &str) -> Result<Self> {
        let pki = Self { folder };
        let complete = pki.path("complete");
        if !complete.exists() {
            fs::create_dir_all(&pki.folder)?;
            fs::set_permissions(&pki.folder, fs::Permissions::from_mode(0o700))?;
            pki.make(server).with_context(|| {
                format!("cannot make the certificates in {}", pki.folder.display())
            })?;
            fs::write(complete, "")?;
        }
        Ok(pki)
    }

    /// A file of the folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn make(&self, server: &str) -> Result<()> {
        let ca = self.authority("ca")?;
        let front_proxy = self.authority("front-proxy-ca")?;
        let accounts = KeyPair::generate()?;
        self.secret("service-accounts.key", &accounts.serialize_pem())?;
        self.write("service-accounts.pub", &accounts.public_key_pem())?;

        let api_names = [
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
            "localhost",
            "127.0.0.1",
            NODE_IP,
            API_SERVICE_IP,
        ];
        self.server(&ca, "apiserver", &api_names)?;
        self.server(&ca, "kubelet-server", &[NODE, NODE_IP, "127.0.0.1"])?;
        self.client(&ca, "apiserver-kubelet", "kube-apiserver", Some(ADMINS))?;
        self.client(
            &front_proxy,
            "front-proxy-client",
            "front-proxy-client",
            None,
        )?;
        let node = format!("system:node:{NODE}");
        for (name, user, group) in [
            ("admin", ADMIN, Some(ADMINS)),
            // Fills a control plane for the one who is measured, so that the API server can tell the two apart.
            ("fleet", "fleet", Some(ADMINS)),
            ("controller-manager", "system:kube-controller-manager", None),
            ("scheduler", "system:kube-scheduler", None),
            ("kube-proxy", "system:kube-proxy", None),
            ("kubelet", node.as_str(), Some("system:nodes")),
        ] {
            let (certificate, key) = self.client(&ca, name, user, group)?;
            let config = kubeconfig(server, &ca.pem(), &certificate, &key);
            self.secret(&format!("{name}.kubeconfig"), &config)?;
        }
        Ok(())
    }

    fn authority(&self, name: &str) -> Result<CertifiedIssuer<'static, KeyPair>> {
        let mut params = CertificateParams::default();
        params.distinguished_name = subject(&format!("{NODE} {name}"), None);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        self.write(&format!("{name}.crt"), &issuer.pem())?;
        self.secret(&format!("{name}.key"), &issuer.key().serialize_pem())?;
        Ok(issuer)
    }

    fn server(
        &self,
        ca: &CertifiedIssuer<'_, KeyPair>,
        name: &str,
        addresses: &[&str],
    ) -> Result<()> {
        let names: Vec<String> = addresses.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = subject(name, None);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(ca, name, params)?;
        Ok(())
    }

    fn client(
        &self,
        ca: &CertifiedIssuer<'_, KeyPair>,
        name: &str,
        user: &str,
        group: Option<&str>,
    ) -> Result<(String, String)> {
        let mut params = CertificateParams::default();
        params.distinguished_name = subject(user, group);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(ca, name, params)
    }

    fn sign(
        &self,
        ca: &CertifiedIssuer<'_, KeyPair>,
        name: &str,
        mut params: CertificateParams,
    ) -> Result<(String, String)> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, ca)?.pem();
        let key = key.serialize_pem();
        self.write(&format!("{name}.crt"), &certificate)?;
        self.secret(&format!("{name}.key"), &key)?;
        Ok((certificate, key))
    }

    fn write(&self, name: &str, content: &str) -> Result<()> {
        write(&self.path(name), content, 0o644)
    }

    fn secret(&self, name: &str, content: &str) -> Result<()> {
        write(&self.path(name), content, 0o600)
    }
}

fn write(path: &Path, content: &str, mode: u32) -> Result<()> {
    let mut file = fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(mode)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(file.write_all(content.as_bytes())?)
}

fn subject(user: &str, group: Option<&str>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    if let Some(group) = group {
        name.push(DnType::OrganizationName, group);
    }
    name.push(DnType::CommonName, user);
    name
}

/// A kubeconfig with one context, called like the sandbox. It is JSON, which every reader of YAML takes.
fn kubeconfig(server: &str, ca: &str, certificate: &str, key: &str) -> String {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": NODE, "cluster": {
            "server": server,
            "certificate-authority-data": STANDARD.encode(ca),
        }}],
        "users": [{ "name": NODE, "user": {
            "client-certificate-data": STANDARD.encode(certificate),
            "client-key-data": STANDARD.encode(key),
        }}],
        "contexts": [{ "name": NODE, "context": { "cluster": NODE, "user": NODE } }],
        "current-context": NODE,
    });
    format!("{config:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "https://127.0.0.1:6443";

    #[test]
    fn keys_are_for_their_owner_only_and_made_once() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let pki = Pki::ensure(folder.path().join("pki"), SERVER).expect("certificates");
        for name in [
            "ca.key",
            "admin.key",
            "admin.kubeconfig",
            "service-accounts.key",
        ] {
            let mode = fs::metadata(pki.path(name))
                .expect("a file")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        let before = fs::read(pki.path("ca.crt")).expect("a certificate");
        let again = Pki::ensure(folder.path().join("pki"), SERVER).expect("certificates");
        assert_eq!(
            fs::read(again.path("ca.crt")).expect("a certificate"),
            before
        );
    }

    #[test]
    fn the_kubeconfig_has_the_one_context() {
        let config: serde_json::Value =
            serde_json::from_str(&kubeconfig(SERVER, "ca", "crt", "key")).expect("JSON");
        assert_eq!(config["current-context"], "k8s-ee-sandbox");
        assert_eq!(config["contexts"][0]["name"], "k8s-ee-sandbox");
        assert_eq!(config["users"][0]["user"]["client-key-data"], "a2V5");
    }
}
