//! Which addresses are the internet: all but those that lead to the cluster, its nodes, its cloud or anything private.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use k8s_openapi::api::networking::v1::{IPBlock, NetworkPolicyPeer};

use super::ClusterFacts;
use crate::model::cidr::Cidr;

/// IPv4 ranges that are not the internet.
const CLOSED_V4: &[(Ipv4Addr, u8)] = &[
    // This network.
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Private.
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Shared by carriers; some clouds put nodes and metadata there.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    // Loopback.
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local: the metadata of a cloud's machine, credentials included.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // A public address by which Azure's machines reach their host.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    // Private.
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    // Protocol assignments.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Private.
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Benchmarks.
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // Multicast.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    // Reserved, and broadcast.
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The IPv6 internet, 2000::/3: the only range from which public addresses are given out. Loopback, IPv4 in IPv6 form,
/// NAT64, unique local (cloud metadata among them), link-local and multicast addresses are all outside of it.
const OPEN_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Ranges within it that tunnel to IPv4 addresses, which may be private: Teredo and 6to4.
const CLOSED_V6: &[(Ipv6Addr, u8)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
];

fn range(address: impl Into<IpAddr>, prefix: u8) -> Cidr {
    Cidr::new(address.into(), prefix).expect("the tables above hold valid prefixes")
}

/// The internet as peers of an egress rule: at most one for each IP version, none when all of it is blocked.
pub(super) fn internet(blocked: &[Cidr], facts: &ClusterFacts) -> Vec<NetworkPolicyPeer> {
    // Where the API server has a public address, being on the internet does not make it reachable.
    let api_server = facts.api_server.iter().map(|address| address.ip().into());
    let blocked = blocked.iter().chain(&facts.networks).copied();
    let blocked: Vec<Cidr> = blocked.chain(api_server).collect();
    let closed_v4 = CLOSED_V4
        .iter()
        .map(|(first, prefix)| range(*first, *prefix));
    let closed_v6 = CLOSED_V6
        .iter()
        .map(|(first, prefix)| range(*first, *prefix));
    let v4 = open(Cidr::IPV4, closed_v4.chain(blocked.iter().copied()));
    let v6 = open(
        range(OPEN_V6.0, OPEN_V6.1),
        closed_v6.chain(blocked.iter().copied()),
    );
    v4.into_iter().chain(v6).collect()
}

/// A range without the closed ones in it; nothing when they leave nothing. The API server refuses exceptions that do
/// not lie within the range, and those that are all of it.
fn open(range: Cidr, closed: impl Iterator<Item = Cidr>) -> Option<NetworkPolicyPeer> {
    let closed: Vec<Cidr> = closed.collect();
    if closed.iter().any(|one| one.contains(range)) {
        return None;
    }
    let within = |one: &Cidr| range.contains(*one);
    // Each range once, and none that is part of another.
    let mut except: Vec<Cidr> = closed.iter().copied().filter(within).collect();
    except.sort_unstable();
    except.dedup();
    let all = except.clone();
    except.retain(|one| !all.iter().any(|other| other != one && other.contains(*one)));
    Some(block(range, except))
}

/// A single range as a peer.
pub(super) fn block(range: Cidr, except: Vec<Cidr>) -> NetworkPolicyPeer {
    NetworkPolicyPeer {
        ip_block: Some(IPBlock {
            cidr: range.to_string(),
            except: (!except.is_empty()).then(|| except.iter().map(Cidr::to_string).collect()),
        }),
        ..NetworkPolicyPeer::default()
    }
}
