//! What has to be built before an environment can be deployed: the images of services that name none.

use serde::Serialize;

use super::{
    defaults,
    file::{File, Image},
};

/// An image that is built from the repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Build {
    /// The service that it is for.
    pub service: String,
    /// Build context, relative to the repository.
    pub context: String,
    /// Dockerfile, relative to the context.
    pub dockerfile: String,
    /// What it is pushed as, without a tag.
    pub image: String,
}

impl File {
    /// The images that are built, in the order of the services. `registry` is where they are pushed to, such as
    /// `ghcr.io/acme/shop`; where none is known, the names stand for themselves.
    #[must_use]
    pub fn builds(&self, registry: Option<&str>) -> Vec<Build> {
        let built: Vec<_> = self
            .services()
            .into_iter()
            .filter_map(|named| match &named.service.image {
                Some(Image::Reference(_)) => None,
                Some(Image::Build(build)) => Some((named.name.to_owned(), build.clone())),
                None => Some((named.name.to_owned(), super::file::Build::default())),
            })
            .collect();
        let several = built.len() > 1;
        let base = match registry {
            Some(registry) => format!("{}/{}", registry.trim_end_matches('/'), self.project_id),
            None => self.project_id.clone(),
        };
        built
            .into_iter()
            .map(|(service, build)| Build {
                context: build
                    .context
                    .unwrap_or_else(|| defaults::CONTEXT.to_owned()),
                dockerfile: build
                    .dockerfile
                    .unwrap_or_else(|| defaults::DOCKERFILE.to_owned()),
                image: build.repository.unwrap_or_else(|| match several {
                    true => format!("{base}-{service}"),
                    false => base.clone(),
                }),
                service,
            })
            .collect()
    }
}

/// Where the images of a repository on GitHub are pushed to, `ghcr.io/{owner}/{repo}`.
#[must_use]
pub fn registry_of(repository: &str) -> String {
    format!("ghcr.io/{}", repository.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Source};

    fn builds(text: &str, registry: Option<&str>) -> Vec<(String, String)> {
        let source = Source::new("k8s-ee.yaml", format!("projectId: shop\n{text}"));
        let config = Config::parse(source).expect("a valid file");
        let all = config.file.builds(registry).into_iter();
        all.map(|build| (build.service, build.image)).collect()
    }

    #[test]
    fn names_of_images() {
        let registry = registry_of("Acme/Shop");
        let registry = Some(registry.as_str());
        let pair = |service: &str, image: &str| (service.to_owned(), image.to_owned());
        assert_eq!(
            builds("", registry),
            [pair("app", "ghcr.io/acme/shop/shop")]
        );
        assert_eq!(builds("", None), [pair("app", "shop")]);
        assert_eq!(builds("image: nginx:1\n", registry), []);
        assert_eq!(
            builds(
                "services:\n  api: {}\n  web: {image: {context: web}}\n  proxy: {image: nginx:1}\n",
                registry
            ),
            [
                pair("api", "ghcr.io/acme/shop/shop-api"),
                pair("web", "ghcr.io/acme/shop/shop-web")
            ]
        );
        assert_eq!(
            builds("image: {repository: reg.example.com/x}\n", registry),
            [pair("app", "reg.example.com/x")]
        );
    }
}
