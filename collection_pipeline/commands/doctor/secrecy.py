"""The last look at what `doctor` prints: none of the secrets of this environment is in it.

No finding should hold one. A driver or a proxy may quote one all the same, and people paste what they see here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote, urlsplit

from collection_pipeline.core.health import Fact, Finding
from collection_pipeline.settings.pipeline import CREDENTIALS

HIDDEN = "[hidden]"

ORG_TOKENS = "COLLECTION_FEED_ORG_TOKENS"
"""One setting with several secrets in it, each of which is hidden."""

SECRETS = (
    *CREDENTIALS,
    "COLLECTION_NAME_KEY",
    "COLLECTION_FEED_TOKEN",
    "COLLECTION_FEED_CONTROL_TOKEN",
    ORG_TOKENS,
    "COLLECTION_ALERT_WEBHOOK",
)
"""Settings whose value is a secret."""

DATABASES = (
    "COLLECTION_DATABASE_URL",
    "COLLECTION_DATABASE_DIRECT_URL",
    "COLLECTION_READER_DATABASE_URL",
    "COLLECTION_DAGSTER_DATABASE_URL",
    "COLLECTION_BROKER_URL",
)
"""Settings whose value may hold a password."""

SHORTEST = 4
"""Characters; what is shorter is part of ordinary words."""


@dataclass(frozen=True, slots=True)
class Secrecy:
    """Knows the secrets, and cuts them out."""

    _secrets: tuple[str, ...] = field(repr=False)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Secrecy:
        """With the secrets of an environment."""
        secrets = {environment.get(name, "").strip() for name in SECRETS}
        secrets |= {pair.partition("=")[2].strip() for pair in environment.get(ORG_TOKENS, "").split(",")}
        for address in (environment.get(name, "") for name in DATABASES):
            secrets |= _passwords(address)
        forms = {form for secret in secrets for form in (secret, quote(secret, safe=""), unquote(secret))}
        # The longest first: one may hold another.
        return cls(tuple(sorted((form for form in forms if len(form) >= SHORTEST), key=len, reverse=True)))

    def keep(self, finding: Finding) -> Finding:
        """The finding without any secret."""
        return replace(
            finding,
            what=self.hide(finding.what),
            advice=None if finding.advice is None else self.hide(finding.advice),
            facts={name: self._hidden(value) for name, value in finding.facts.items()},
        )

    def hide(self, text: str) -> str:
        """The text without any secret."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text

    def _hidden(self, value: Fact) -> Fact:
        return self.hide(value) if isinstance(value, str) else value


def _passwords(address: str) -> set[str]:
    """What may be a password in a server's address: before the `@`, or in an option."""
    before, at, _ = address.rpartition("@")
    passwords = {before.partition("://")[2].partition(":")[2]} if at else set[str]()
    try:
        options = urlsplit(address).query.split("&")
    except ValueError:
        options = []
    passwords |= {value for name, _, value in (one.partition("=") for one in options) if "password" in name.lower()}
    return passwords - {""}
