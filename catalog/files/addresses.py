"""Which addresses may be asked for something: of the web by their text, and of the public internet by their number."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# IANA's registries of special-purpose addresses (iana-ipv4-special-registry and iana-ipv6-special-registry, RFC 6890)
# stand here and not in the standard library, whose answer differs from one patch of Python to the next. Also refused
# are the few blocks that the registries call reachable: services of networks themselves, among which is no archive.
_SPECIAL_V4 = tuple(
    ipaddress.IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private use
        "100.64.0.0/10",  # shared by the customers of a provider
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, and the metadata of clouds
        "172.16.0.0/12",  # private use
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # multicast tunnels
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private use
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# All that is given out for hosts of the internet. Outside lie loopback, IPv4 in disguise (::/96, ::ffff:0:0/96,
# 64:ff9b::/96 and 64:ff9b:1::/48), discard (100::/64), segment routing (5f00::/16), fc00::/7, fe80::/10, fec0::/10
# and multicast.
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(
    ipaddress.IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, both ORCHIDs, tags of drones, anycast of networks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, IPv4 in disguise
        "2620:4f:8000::/48",  # AS112
        "3ffe::/16",  # the test network that was given back
        "3fff::/20",  # documentation
    )
)


class AddressRefused(ValueError):
    """This address is not asked for anything; the text says why."""


def check_url(url: str) -> SplitResult:
    """Return the parts of an acceptable http or https address, or raise AddressRefused; nothing is resolved yet."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused(f"{url!r} is not an address: {error}.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise AddressRefused(f"{url!r} is not a web address: give one that begins with https:// or http://.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused(
            "An address that contains a user name or password would be stored in plain text: give it without them."
        )
    return parts


def is_public(address: Address) -> bool:
    """Tell whether an address is one of a host of the public internet."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in block for block in _SPECIAL_V4)
    return address in _GLOBAL_V6 and not any(address in block for block in _SPECIAL_V6)
