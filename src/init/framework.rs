//! Frameworks that are known by their manifests: where they listen, and what answers when they are up.

use super::{Repository, dependencies::words};

/// A framework, as it is in a directory of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Framework {
    pub(super) name: &'static str,
    /// File that says so, and line.
    pub(super) place: String,
    pub(super) port: u16,
    /// Path that answers when it is up, and whose habit that is.
    pub(super) health: Option<(&'static str, &'static str)>,
}

struct Known {
    /// Word of a manifest, in small letters.
    word: &'static str,
    /// How the names of the manifests end where it has this meaning.
    manifests: &'static [&'static str],
    name: &'static str,
    port: u16,
    /// Path, and the word of the manifest without which it is not there; empty for always.
    health: Option<(&'static str, &'static str)>,
}

const NODE: &[&str] = &["package.json"];
const JAVA: &[&str] = &["pom.xml", "build.gradle", "build.gradle.kts"];
const PYTHON: &[&str] = &["pyproject.toml", "requirements.txt", "Pipfile"];

/// In order of precedence: what is built on another comes before that.
const KNOWN: &[Known] = &[
    known("next", NODE, "Next.js", 3000, None),
    known("nuxt", NODE, "Nuxt", 3000, None),
    known(
        "@nestjs/core",
        NODE,
        "NestJS",
        3000,
        Some(("/health", "@nestjs/terminus")),
    ),
    known("@remix-run/node", NODE, "Remix", 3000, None),
    known("@sveltejs/kit", NODE, "SvelteKit", 3000, None),
    known("astro", NODE, "Astro", 4321, None),
    known("fastify", NODE, "Fastify", 3000, None),
    known("koa", NODE, "Koa", 3000, None),
    known("@hapi/hapi", NODE, "hapi", 3000, None),
    known("hono", NODE, "Hono", 3000, None),
    known("express", NODE, "Express", 3000, None),
    known("@angular/core", NODE, "Angular", 8080, None),
    known("vite", NODE, "Vite", 8080, None),
    known("react-scripts", NODE, "Create React App", 8080, None),
    known(
        "spring-boot-starter-web",
        JAVA,
        "Spring Boot",
        8080,
        Some(("/actuator/health", "spring-boot-starter-actuator")),
    ),
    known(
        "spring-boot-starter-webflux",
        JAVA,
        "Spring Boot",
        8080,
        Some(("/actuator/health", "spring-boot-starter-actuator")),
    ),
    known(
        "org.springframework.boot",
        JAVA,
        "Spring Boot",
        8080,
        Some(("/actuator/health", "spring-boot-starter-actuator")),
    ),
    known(
        "quarkus-bom",
        JAVA,
        "Quarkus",
        8080,
        Some(("/q/health", "quarkus-smallrye-health")),
    ),
    known(
        "io.micronaut.application",
        JAVA,
        "Micronaut",
        8080,
        Some(("/health", "micronaut-management")),
    ),
    known("django", PYTHON, "Django", 8000, None),
    known("fastapi", PYTHON, "FastAPI", 8000, Some(("/docs", ""))),
    known("flask", PYTHON, "Flask", 5000, None),
    known(
        "streamlit",
        PYTHON,
        "Streamlit",
        8501,
        Some(("/_stcore/health", "")),
    ),
    known("rails", &["Gemfile"], "Rails", 3000, Some(("/up", ""))),
    known("sinatra", &["Gemfile"], "Sinatra", 4567, None),
    known(
        "laravel/framework",
        &["composer.json"],
        "Laravel",
        8000,
        Some(("/up", "")),
    ),
    known(
        "symfony/framework-bundle",
        &["composer.json"],
        "Symfony",
        8000,
        None,
    ),
    known("microsoft.net.sdk.web", &[".csproj"], "ASP.NET", 8080, None),
    known("github.com/gin-gonic/gin", &["go.mod"], "Gin", 8080, None),
    known(
        "github.com/labstack/echo/v4",
        &["go.mod"],
        "Echo",
        8080,
        None,
    ),
    known(
        "github.com/gofiber/fiber/v2",
        &["go.mod"],
        "Fiber",
        3000,
        None,
    ),
    known("github.com/go-chi/chi/v5", &["go.mod"], "chi", 8080, None),
    known("module", &["go.mod"], "Go", 8080, None),
    known("rocket", &["Cargo.toml"], "Rocket", 8000, None),
    known("actix-web", &["Cargo.toml"], "Actix Web", 8080, None),
    known("axum", &["Cargo.toml"], "axum", 3000, None),
    known("phoenix", &["mix.exs"], "Phoenix", 4000, None),
];

const fn known(
    word: &'static str,
    manifests: &'static [&'static str],
    name: &'static str,
    port: u16,
    health: Option<(&'static str, &'static str)>,
) -> Known {
    Known {
        word,
        manifests,
        name,
        port,
        health,
    }
}

/// A file of a directory, with its words and their lines.
struct Manifest<'a> {
    path: &'a str,
    name: &'a str,
    words: Vec<(usize, String)>,
}

/// The framework of what is in a directory.
pub(super) fn detect(repository: &Repository, directory: &str) -> Option<Framework> {
    let files: Vec<Manifest<'_>> = repository
        .files_in(directory)
        .map(|(path, text)| Manifest {
            path,
            name: path.rsplit('/').next().unwrap_or(path),
            words: words(text).collect(),
        })
        .collect();
    KNOWN.iter().find_map(|known| {
        let fitting = files.iter().filter(|file| {
            known.manifests.iter().any(|manifest| {
                *manifest == file.name
                    || (manifest.starts_with('.') && file.name.ends_with(manifest))
            })
        });
        let (path, line) = fitting.clone().find_map(|file| {
            let (line, _) = file.words.iter().find(|(_, word)| word == known.word)?;
            Some((file.path, line))
        })?;
        let is_there = |wanted: &str| {
            wanted.is_empty()
                || fitting
                    .clone()
                    .any(|file| file.words.iter().any(|(_, word)| word == wanted))
        };
        Some(Framework {
            name: known.name,
            place: format!("{path}:{line}"),
            port: known.port,
            health: known
                .health
                .filter(|(_, wanted)| is_there(wanted))
                .map(|(path, _)| (path, known.name)),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, text: &str) -> Option<(&'static str, u16, Option<&'static str>)> {
        let mut repository = Repository::default();
        repository.files.insert(name.to_owned(), text.to_owned());
        let found = detect(&repository, "")?;
        Some((found.name, found.port, found.health.map(|(path, _)| path)))
    }

    #[test]
    fn frameworks_are_known_by_their_manifests() {
        for (name, text, expected) in [
            (
                "package.json",
                "{\"dependencies\": {\"next\": \"15\", \"express\": \"5\"}}",
                ("Next.js", 3000, None),
            ),
            (
                "package.json",
                "{\"dependencies\": {\"@nestjs/core\": \"11\", \"@nestjs/terminus\": \"11\"}}",
                ("NestJS", 3000, Some("/health")),
            ),
            (
                "package.json",
                "{\"devDependencies\": {\"vite\": \"7\"}}",
                ("Vite", 8080, None),
            ),
            (
                "pom.xml",
                "<artifactId>spring-boot-starter-web</artifactId>\n<artifactId>spring-boot-starter-actuator</artifactId>",
                ("Spring Boot", 8080, Some("/actuator/health")),
            ),
            (
                "build.gradle.kts",
                "plugins { id(\"org.springframework.boot\") version \"3.5.0\" }",
                ("Spring Boot", 8080, None),
            ),
            (
                "requirements.txt",
                "Django==5.2\ngunicorn\n",
                ("Django", 8000, None),
            ),
            (
                "pyproject.toml",
                "dependencies = [\"fastapi[standard]>=0.115\"]",
                ("FastAPI", 8000, Some("/docs")),
            ),
            ("requirements.txt", "Flask\n", ("Flask", 5000, None)),
            (
                "go.mod",
                "module example.com/shop\n\ngo 1.25\n",
                ("Go", 8080, None),
            ),
            (
                "go.mod",
                "module x\nrequire github.com/gin-gonic/gin v1.10.0\n",
                ("Gin", 8080, None),
            ),
            (
                "Cargo.toml",
                "[dependencies]\naxum = \"0.8\"\n",
                ("axum", 3000, None),
            ),
            (
                "Gemfile",
                "gem \"rails\", \"~> 8.0\"\n",
                ("Rails", 3000, Some("/up")),
            ),
            (
                "composer.json",
                "{\"require\": {\"laravel/framework\": \"^12\"}}",
                ("Laravel", 8000, Some("/up")),
            ),
            (
                "Shop.Web.csproj",
                "<Project Sdk=\"Microsoft.NET.Sdk.Web\">",
                ("ASP.NET", 8080, None),
            ),
        ] {
            assert_eq!(of(name, text), Some(expected), "{name}: {text}");
        }
        assert_eq!(
            of("package.json", "{\"dependencies\": {\"left-pad\": \"1\"}}"),
            None
        );
        assert_eq!(of("Gemfile", "# gem \"rails\"\n"), None);
        assert_eq!(of("README.md", "next"), None);
    }
}
