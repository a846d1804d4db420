//! Ranges of IP addresses as NetworkPolicies take them.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A range of addresses, such as `10.0.0.0/8`; a single address is a range of one. Its address is always the first of
/// the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(with = "String")]
pub struct Cidr {
    first: IpAddr,
    prefix: u8,
}

/// A string that is no range of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a range of addresses such as `10.0.0.0/8`, `203.0.113.7` or `fc00::/7`")]
pub struct InvalidCidr(String);

impl Cidr {
    /// All IPv4 addresses.
    pub const IPV4: Self = Self {
        first: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        prefix: 0,
    };

    /// The range of `prefix` bits that the address is in; none when the address has not so many bits.
    #[must_use]
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let first = match address {
            IpAddr::V4(v4) => {
                let host_bits = 32_u32.checked_sub(prefix.into())?;
                let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
                Ipv4Addr::from_bits(v4.to_bits() & mask).into()
            }
            IpAddr::V6(v6) => {
                let host_bits = 128_u32.checked_sub(prefix.into())?;
                let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
                Ipv6Addr::from_bits(v6.to_bits() & mask).into()
            }
        };
        Some(Self { first, prefix })
    }

    /// Its first address.
    #[must_use]
    pub fn address(self) -> IpAddr {
        self.first
    }

    /// True for IPv4.
    #[must_use]
    pub fn is_ipv4(self) -> bool {
        self.first.is_ipv4()
    }

    /// Whether all addresses of `other` are in this range.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.prefix <= other.prefix
            && Self::new(other.first, self.prefix).is_some_and(|range| range == self)
    }
}

impl From<IpAddr> for Cidr {
    fn from(address: IpAddr) -> Self {
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        Self {
            first: address,
            prefix,
        }
    }
}

impl FromStr for Cidr {
    type Err = InvalidCidr;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidCidr(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        // The API server refuses IPv4 addresses in IPv6 form (`::ffff:10.0.0.1`).
        if matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some()) {
            return Err(invalid());
        }
        let Some(prefix) = prefix else {
            return Ok(address.into());
        };
        if !prefix.bytes().all(|b| b.is_ascii_digit()) {
            return Err(invalid());
        }
        let prefix = prefix.parse().map_err(|_| invalid())?;
        Self::new(address, prefix).ok_or_else(invalid)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

impl Serialize for Cidr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cidr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        text.parse().expect("a range")
    }

    #[test]
    fn is_written_with_the_first_address_of_the_range() {
        for (given, written) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("203.0.113.7", "203.0.113.7/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("fd00:ec2::254", "fd00:ec2::254/128"),
            ("fd00:ec2::254/7", "fc00::/7"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(cidr(given).to_string(), written);
        }
        for wrong in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0/8",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "host",
            "::ffff:10.0.0.1/104",
        ] {
            assert!(wrong.parse::<Cidr>().is_err(), "{wrong} was accepted");
        }
    }

    #[test]
    fn contains_what_lies_within() {
        assert!(cidr("10.0.0.0/8").contains(cidr("10.200.0.0/16")));
        assert!(cidr("10.0.0.0/8").contains(cidr("10.0.0.0/8")));
        assert!(!cidr("10.0.0.0/16").contains(cidr("10.0.0.0/8")));
        assert!(!cidr("10.0.0.0/8").contains(cidr("11.0.0.0/8")));
        assert!(Cidr::IPV4.contains(cidr("10.0.0.1")));
        assert!(!Cidr::IPV4.contains(cidr("::1")));
        assert!(!cidr("::/0").contains(cidr("10.0.0.1")));
    }
}
