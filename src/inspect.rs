//! What `doctor` looks at beside the objects of a cluster: DNS, GitHub, one environment. It gathers facts and judges
//! nothing; `doctor` does, which is pure.

pub mod environment;
pub mod github;

use std::{net::IpAddr, time::Duration};

use crate::model::settings::PlatformSettings;

/// Longest that is waited for an answer of DNS.
const DNS_LIMIT: Duration = Duration::from_secs(10);

/// What DNS says of a host that an environment could have; none without a domain, and where the settings name an address
/// to use in its place.
pub async fn dns(settings: &PlatformSettings) -> Option<(String, Result<Vec<IpAddr>, String>)> {
    let domain = settings.domain.as_ref()?;
    if settings.ingress.address.is_some() {
        return None;
    }
    let host = format!("k8s-ee-doctor.{domain}");
    let look_up = tokio::net::lookup_host((host.as_str(), 443));
    let addresses = match tokio::time::timeout(DNS_LIMIT, look_up).await {
        Ok(Ok(found)) => Ok(found.map(|address| address.ip()).collect()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", DNS_LIMIT.as_secs())),
    };
    Some((host, addresses))
}
