//! From a kubeconfig, or a pod's service account, to a connection.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use kube::{
    Config,
    client::{Body, ClientBuilder},
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use tower::{layer::layer_fn, util::MapRequestLayer};

use super::{Cluster, ClusterError, RequestCount, patience::Patience};

/// Which cluster is meant.
#[derive(Clone, Debug, Default)]
pub struct ClusterChoice {
    /// Kubeconfig; `KUBECONFIG` or `~/.kube/config` when absent.
    pub kubeconfig: Option<PathBuf>,
    /// Context; the current one when absent.
    pub context: Option<String>,
}

/// Longest that connecting may take.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

impl Cluster {
    /// Sets up a connection; nothing is sent yet.
    ///
    /// # Errors
    /// When there is no kubeconfig, it cannot be used, or it has no such context.
    pub async fn connect(choice: &ClusterChoice) -> Result<Self, ClusterError> {
        let (mut config, context) = match read_kubeconfig(choice)? {
            Some((kubeconfig, file)) => from_kubeconfig(kubeconfig, file, choice).await?,
            None => (
                Config::incluster().map_err(|_| ClusterError::NoKubeconfig { path: None })?,
                "in-cluster".to_owned(),
            ),
        };
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        let server = config.cluster_url.to_string();
        let server = server.trim_end_matches('/').to_owned();
        let address: Arc<str> = server.as_str().into();
        let requests = Arc::new(RequestCount::default());
        let counter = Arc::clone(&requests);
        let count = MapRequestLayer::new(move |request: http::Request<Body>| {
            counter.count(request.method());
            tracing::debug!(method = %request.method(), uri = %request.uri(), "request");
            request
        });
        let login = config.auth_info.exec.as_ref();
        let program = login.and_then(|login| login.command.clone());
        let client = ClientBuilder::try_from(config)
            .map_err(|error| ClusterError::setup(&context, program, error))?
            .with_layer(&count)
            .with_layer(&layer_fn(|inner| Patience {
                inner,
                server: Arc::clone(&address),
            }))
            .build();
        Ok(Self {
            client,
            context,
            server,
            requests,
        })
    }
}

/// The kubeconfig that was chosen or is the default, and what to call it; none inside a pod that has none.
fn read_kubeconfig(choice: &ClusterChoice) -> Result<Option<(Kubeconfig, String)>, ClusterError> {
    let named = |file: String, read: Result<Kubeconfig, KubeconfigError>| match read {
        Ok(kubeconfig) => Ok(Some((kubeconfig, file))),
        Err(source) => Err(ClusterError::BadKubeconfig {
            what: file,
            source: Box::new(source),
        }),
    };
    let at = |path: &Path| named(shown(path), Kubeconfig::read_from(path));
    if let Some(path) = &choice.kubeconfig {
        if !path.exists() {
            return Err(ClusterError::NoKubeconfig {
                path: Some(path.clone()),
            });
        }
        return at(path);
    }
    if let Some(read) = Kubeconfig::from_env().transpose() {
        let files = std::env::var_os("KUBECONFIG").unwrap_or_default();
        return named(shown(Path::new(&files)), read);
    }
    let default = std::env::home_dir().map(|home| home.join(".kube/config"));
    match default {
        Some(path) if path.exists() => at(&path),
        path if std::env::var_os("KUBERNETES_SERVICE_HOST").is_none() => {
            Err(ClusterError::NoKubeconfig { path })
        }
        _ => Ok(None),
    }
}

fn shown(path: &Path) -> String {
    format!("the kubeconfig {}", path.display())
}

async fn from_kubeconfig(
    kubeconfig: Kubeconfig,
    file: String,
    choice: &ClusterChoice,
) -> Result<(Config, String), ClusterError> {
    let name = choice
        .context
        .clone()
        .or_else(|| kubeconfig.current_context.clone())
        .unwrap_or_default();
    if !kubeconfig
        .contexts
        .iter()
        .any(|context| context.name == name)
    {
        return Err(ClusterError::NoContext {
            file,
            name,
            available: kubeconfig.contexts.into_iter().map(|c| c.name).collect(),
        });
    }
    let options = KubeConfigOptions {
        context: Some(name.clone()),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|source| ClusterError::BadKubeconfig {
            what: format!("context `{name}` of {file}"),
            source: Box::new(source),
        })?;
    Ok((config, name))
}
