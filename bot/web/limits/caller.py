"""Who a request comes from, as far as limits are concerned: an address, or a network where one has many.

A proxy that is trusted has put the reader's address into the scope before this is asked.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

from starlette.types import Scope

# What a provider hands to one household, or one machine: counting single addresses would count nothing.
_IPV6_PREFIX = 64


def caller_of(scope: Scope) -> str:
    """Return what requests of one caller have in common."""
    host = str((scope.get("client") or ("", 0))[0])
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host[:100]
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or ip_network((address, _IPV6_PREFIX), strict=False))
