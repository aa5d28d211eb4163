"""Whether the marketplaces can be reached from here. Nothing is asked that needs an account, or counts."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from collection_pipeline.commands.session import with_simulator
from collection_pipeline.core.health import Finding, fault, ok, skipped
from collection_pipeline.settings.pipeline import Settings

PATIENCE_S = 10.0


def marketplace_findings(settings: Settings, *, is_offline: bool) -> Iterator[Finding]:
    """Oxylabs and eBay, or the simulator of a running `up`."""
    asked = with_simulator(settings)
    if asked.is_simulated:
        yield skipped(
            "marketplaces",
            "There are no credentials, and no simulator runs.",
            "`collection-pipeline up` brings one; README.md says how to set credentials.",
        )
        return
    addresses = {"oxylabs": asked.oxylabs_url} | ({"ebay": asked.ebay_api_url} if asked.ebay_source == "browse" else {})
    for name, address in addresses.items():
        check = f"marketplace: {name}"
        yield skipped(check, f"{address} was not asked.") if is_offline else _reached(check, address)


def _reached(check: str, address: str) -> Finding:
    try:
        status = httpx.get(address, timeout=PATIENCE_S, follow_redirects=False).status_code
    except httpx.HTTPError as error:
        return fault(
            check,
            f"{address} does not answer ({type(error).__name__}).",
            "Look whether this machine reaches it: its name, a firewall, HTTPS_PROXY.",
        )
    return ok(check, f"{address} answers (HTTP {status}, asked without an account).", status=status)
