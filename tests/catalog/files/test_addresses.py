"""Which addresses the door leads to: none of IANA's registries of special purposes, whatever Python's patch says."""

from __future__ import annotations

import ipaddress

import pytest

from catalog.files.addresses import AddressRefused, check_url, is_public

# Every block of the registries iana-ipv4-special-registry and iana-ipv6-special-registry, and what is not for hosts:
# multicast, the reserved rest, and blocks that once had a purpose (site-local, IPv4-compatible, 6bone).
V4 = """
0.0.0.0/8 0.0.0.0/32 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.0.0/29
192.0.0.8/32 192.0.0.9/32 192.0.0.10/32 192.0.0.170/32 192.0.0.171/32 192.0.2.0/24 192.31.196.0/24 192.52.193.0/24
192.88.99.0/24 192.88.99.2/32 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4
255.255.255.255/32 224.0.0.0/4
"""
V6 = """
::1/128 ::/128 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001::/32 2001:1::1/128
2001:1::2/128 2001:1::3/128 2001:2::/48 2001:3::/32 2001:4:112::/48 2001:10::/28 2001:20::/28 2001:30::/28
2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8 ::/96 3ffe::/16
4000::/3 6000::/3 8000::/3 a000::/3 c000::/3 e000::/4 f000::/5 f800::/6 fe00::/9
"""


@pytest.mark.parametrize("block", (V4 + V6).split())
def test_no_address_of_a_special_block_is_public(block):
    network = ipaddress.ip_network(block)
    for number in (0, network.num_addresses // 2, network.num_addresses - 1):
        assert not is_public(network[number])


@pytest.mark.parametrize(
    "address",
    [
        "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
        "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0",
        "192.31.195.255", "192.31.197.0", "192.52.192.255", "192.52.194.0", "192.88.98.255", "192.88.100.0",
        "192.167.255.255", "192.169.0.0", "192.175.47.255", "192.175.49.0", "198.17.255.255", "198.20.0.0",
        "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255", "8.8.8.8", "193.0.6.139",
        "2000::", "2001:200::", "2001:db7:ffff::", "2001:db9::", "2001:ffff::", "2003::", "2606:4700:4700::1111",
        "2620:4f:7fff::", "2620:4f:8001::", "2a02:ec80::1",
    ],
)  # fmt: skip
def test_the_neighbours_of_special_blocks_are_public(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    ["ftp://example.org/a", "file:///etc/passwd", "a.fits", "http://", "http://host:0/", "http://host:99999/", ""],
)
def test_what_is_no_address_of_the_web_is_refused(url):
    with pytest.raises(AddressRefused):
        check_url(url)


def test_an_address_with_a_password_is_refused():
    with pytest.raises(AddressRefused, match="password"):
        check_url("https://me:secret@example.org/a.fits")
