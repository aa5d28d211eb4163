"""Names and addresses of hosts."""

from __future__ import annotations

import ipaddress
import re

_NAME = re.compile(r"[a-z0-9._-]{1,253}", re.ASCII | re.IGNORECASE)


def is_host(host: str) -> bool:
    """Whether that can be a host: an IP address, or a name in the letters that names are looked up in."""
    if ":" in host or re.fullmatch(r"[\d.]+", host):
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return False
        return "%" not in host
    return _NAME.fullmatch(host) is not None
