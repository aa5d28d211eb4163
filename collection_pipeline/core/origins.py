"""Which requests a server on this machine takes: its own pages' and its users' tools', no other web page's.

A browser lets any page that is open send requests to 127.0.0.1. Two things tell them: the origin that it sends along,
and the host that the request is addressed to, which is a foreign name where somebody's DNS pointed one here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

HARMLESS = ("GET", "HEAD")
"""Methods with which a page may lead its reader here by a link."""


def is_own_host(host: str, allowed: Collection[str] = ()) -> bool:
    """Whether a Host header names this machine, or one of the names that it is known by."""
    name = host_name(host)
    return is_local(name) or name in allowed


def comes_from_elsewhere(headers: Mapping[str, str], method: str) -> bool:
    """Whether a browser sent a request for a page of another origin. `headers` finds names in lower case.

    Tools send no origin. Neither do browsers with requests that need no permission, such as those of an <img>; most of
    them say where such a one comes from. To follow a link is fine.
    """
    origin, host = headers.get("origin"), headers.get("host", "")
    if origin is not None:
        return not host or _netloc(origin) != host
    is_link = headers.get("sec-fetch-mode") == "navigate" and method in HARMLESS
    return not is_link and headers.get("sec-fetch-site") in ("cross-site", "same-site")


def host_name(host: str) -> str:
    """The name in a Host header, without its port, in lower case; empty where there is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_local(name: str) -> bool:
    """Whether a name or an address is this machine itself."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
