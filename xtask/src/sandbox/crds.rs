//! The custom resource definitions of the operators that may run databases, for tests: nothing of them is in the
//! repository, and no operator is installed.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure as check};
use serde_json::{Map, Value, json};

use super::{
    build::{self, Go},
    parts::{Crd, Table},
    paths, process,
};

/// Makes the definitions that are missing, one file each, and gives their folder.
///
/// # Errors
/// One of them cannot be downloaded or made.
pub(super) fn ensure() -> Result<PathBuf> {
    let folder = paths::cache().join("crds");
    for crd in &Table::load()?.crds {
        let file = folder.join(format!("{}.yaml", crd.name));
        let origin = format!("# {} {}\n", crd.origin()?, crd.version);
        let there = fs::read_to_string(&file).unwrap_or_default();
        if there.starts_with(&origin) {
            continue;
        }
        let text =
            make(crd).with_context(|| format!("cannot make the definition of {}", crd.name))?;
        fs::create_dir_all(&folder)?;
        // Renamed into place, so that a test never reads half of it.
        let fresh = tempfile::NamedTempFile::new_in(&folder)?;
        fs::write(&fresh, origin + &text)?;
        fresh.persist(&file)?;
    }
    Ok(folder)
}

impl Crd {
    fn origin(&self) -> Result<&str> {
        match (&self.module, &self.package) {
            (Some(name), None) | (None, Some(name)) => Ok(name),
            _ => bail!(
                "{} in sandbox/parts.toml needs `module` or `crate`",
                self.name
            ),
        }
    }
}

fn make(crd: &Crd) -> Result<String> {
    let origin = crd.origin()?;
    if crd.package.is_some() {
        let bindings = fs::read_to_string(crate_source(origin, &crd.version)?.join(&crd.file))?;
        return Ok(format!("{:#}\n", definition(&bindings)?));
    }
    let go = Go::find()?;
    let scratch = tempfile::tempdir()?;
    let file = match &crd.types {
        None => go.source(origin, &crd.version)?.join(&crd.file),
        Some(types) => {
            let program = build::program("controller-gen")?;
            // Nobody drops Go's caches meanwhile.
            let _lock = paths::lock_cache()?;
            let package = format!("{origin}/{types}");
            generate(&go, crd, &package, &program, scratch.path())?
        }
    };
    fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
}

/// Makes definitions of a package of API types as its authors do, save for the descriptions.
fn generate(go: &Go, crd: &Crd, package: &str, program: &Path, scratch: &Path) -> Result<PathBuf> {
    let go_mod = go.requiring(crd.origin()?, &crd.version);
    fs::write(scratch.join("go.mod"), go_mod)?;
    let import = format!("package sandbox\n\nimport _ \"{package}\"\n");
    fs::write(scratch.join("sandbox.go"), import)?;
    let mut tidy = go.command();
    process::output(tidy.args(["mod", "tidy"]).current_dir(scratch))?;
    let mut generate = go.with_caches(Command::new(program));
    generate
        .current_dir(scratch)
        .args(["crd:maxDescLen=0", &format!("paths={package}")])
        .arg("output:crd:dir=.");
    process::output(&mut generate)?;
    Ok(scratch.join(&crd.file))
}

/// Folder of the source of a crate, which cargo downloads and verifies.
fn crate_source(name: &str, version: &str) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut info = Command::new(cargo);
    info.args(["info", "--quiet", "--registry", "crates-io"])
        .arg(format!("{name}@{version}"))
        .current_dir(paths::cache());
    process::output(&mut info)?;
    let home = env::var_os("CARGO_HOME").map_or_else(
        || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cargo"),
        PathBuf::from,
    );
    let registries = home.join("registry/src");
    for registry in fs::read_dir(&registries)? {
        let source = registry?.path().join(format!("{name}-{version}"));
        if source.is_dir() {
            return Ok(source);
        }
    }
    bail!(
        "cargo left no source of {name} {version} in {}",
        registries.display()
    )
}

/// By name of a struct, its fields: name in JSON and type in Rust.
type Structs<'a> = BTreeMap<&'a str, Vec<(String, &'a str)>>;

/// The definition that the bindings of one kind were made of, as far as they tell it.
fn definition(bindings: &str) -> Result<Value> {
    let structs = structs(bindings);
    let of_kind = |key: &str| quoted(bindings, &format!("{key} = \""));
    let kind = of_kind("kind").context("the bindings have no kind")?;
    let plural = of_kind("plural").context("the bindings have no plural")?;
    let group = of_kind("group").context("the bindings have no group")?;
    let version = of_kind("version").context("the bindings have no version")?;
    let mut properties = Map::new();
    for part in ["spec", "status"] {
        let name = format!("{kind}{}{}", part[..1].to_uppercase(), &part[1..]);
        if structs.contains_key(name.as_str()) {
            properties.insert(part.to_owned(), schema(&structs, &name)?);
        }
    }
    check!(
        properties.contains_key("spec"),
        "the bindings have no {kind}Spec"
    );
    for (field, of_type) in [
        ("apiVersion", "string"),
        ("kind", "string"),
        ("metadata", "object"),
    ] {
        properties.insert(field.to_owned(), json!({"type": of_type}));
    }
    Ok(json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group,
            "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase()},
            "scope": "Namespaced",
            "versions": [{
                "name": version,
                "served": true,
                "storage": true,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "required": ["spec"], "properties": properties}},
            }],
        },
    }))
}

/// What stands in quotes after `before`.
fn quoted<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split('"').next()
}

fn structs(bindings: &str) -> Structs<'_> {
    let mut structs = Structs::new();
    let mut current = "";
    let mut renamed = None;
    for line in bindings.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("pub struct ") {
            current = rest.trim_end_matches(" {");
            structs.insert(current, Vec::new());
        } else if line.starts_with("#[serde(") {
            renamed = quoted(line, "rename = \"");
        } else if let Some((name, of_type)) =
            line.strip_prefix("pub ").and_then(|l| l.split_once(": "))
        {
            let name = renamed.take().unwrap_or(name.trim_start_matches("r#"));
            if let Some(fields) = structs.get_mut(current) {
                fields.push((name.to_owned(), of_type.trim_end_matches(',')));
            }
        }
    }
    structs
}

fn schema(structs: &Structs<'_>, of_type: &str) -> Result<Value> {
    let inside = |generic: &str| {
        let rest = of_type.strip_prefix(generic)?;
        rest.strip_prefix('<')?.strip_suffix('>')
    };
    if let Some(item) = inside("Option") {
        return schema(structs, item);
    }
    if let Some(item) = inside("Vec") {
        return Ok(json!({"type": "array", "items": schema(structs, item)?}));
    }
    if let Some(value) = inside("BTreeMap").and_then(|i| i.strip_prefix("String, ")) {
        return Ok(json!({"type": "object", "additionalProperties": schema(structs, value)?}));
    }
    Ok(match of_type {
        "String" => json!({"type": "string"}),
        "bool" => json!({"type": "boolean"}),
        "i32" | "i64" => json!({"type": "integer"}),
        "IntOrString" => json!({"x-kubernetes-int-or-string": true}),
        "Condition" => json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
        name => {
            let fields = structs
                .get(name)
                .with_context(|| format!("the bindings have no type {name}"))?;
            let mut properties = Map::new();
            let mut required = Vec::new();
            for (field, of_type) in fields {
                properties.insert(field.clone(), schema(structs, of_type)?);
                if !of_type.starts_with("Option<") {
                    required.push(field.clone());
                }
            }
            let mut object = json!({"type": "object", "properties": properties});
            if !required.is_empty() {
                object["required"] = json!(required);
            }
            object
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BINDINGS: &str = r#"
#[derive(CustomResource, Serialize)]
#[kube(group = "example.com", version = "v2", kind = "Tenant", plural = "tenants")]
pub struct TenantSpec {
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "imagePullSecret")]
    pub image_pull_secret: Option<TenantImagePullSecret>,
    pub pools: Vec<TenantPools>,
}

pub struct TenantImagePullSecret {
    pub name: String,
}

pub struct TenantPools {
    pub servers: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<BTreeMap<String, IntOrString>>,
    pub r#type: bool,
}
"#;

    #[test]
    fn bindings_become_the_definition_they_were_made_of() {
        let definition = definition(BINDINGS).expect("bindings of a kind");
        assert_eq!(definition["metadata"]["name"], "tenants.example.com");
        let version = &definition["spec"]["versions"][0];
        assert_eq!(version["name"], "v2");
        assert_eq!(
            version["schema"]["openAPIV3Schema"]["properties"]["spec"],
            json!({
                "type": "object",
                "required": ["pools"],
                "properties": {
                    "imagePullSecret": {
                        "type": "object", "required": ["name"], "properties": {"name": {"type": "string"}},
                    },
                    "pools": {"type": "array", "items": {
                        "type": "object",
                        "required": ["servers", "type"],
                        "properties": {
                            "servers": {"type": "integer"},
                            "limits": {"type": "object", "additionalProperties": {"x-kubernetes-int-or-string": true}},
                            "type": {"type": "boolean"},
                        },
                    }},
                },
            })
        );
    }
}
