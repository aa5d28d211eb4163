"""Settings: one frozen object, read from a mapping such as os.environ, one clear sentence per wrong value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from collection_pipeline.core.collecting.collections import DEFAULT_ORG
from collection_pipeline.core.collecting.tariff import Price, Tariff, read_price
from collection_pipeline.core.collecting.usage import DEFAULT_LIMITS, AnswerLimits, Call, Limits, Source
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.retention import LONGEST_DAYS, RULES, RetentionRule, with_days
from collection_pipeline.core.run_retention import DEFAULT_DAYS as KEEP_RUNS_DAYS
from collection_pipeline.core.sellers.pseudonyms import LEAST_KEY, Pseudonyms, plain
from collection_pipeline.settings.values import base_address, choice, given, number, path, shown, whole_number, word

OXYLABS_URL = "https://realtime.oxylabs.io"
EBAY_API_URL = "https://api.ebay.com"

EbaySource = Literal["browse", "pages"]
"""Where listings come from: eBay's Browse API, or its result pages fetched through Oxylabs."""

_SEARCHES: dict[EbaySource, Call] = {"browse": Call("ebay", "search"), "pages": Call("oxylabs", "search_page")}
"""What one page of listings counts as."""

OXYLABS_CREDENTIALS = ("OXYLABS_USERNAME", "OXYLABS_PASSWORD")
SIMULATED = "simulated"
"""What all credentials are at the simulator."""

CREDENTIALS = (*OXYLABS_CREDENTIALS, "EBAY_CLIENT_ID", "EBAY_CLIENT_SECRET")

_NO_NAME_KEY = (
    f"Hashed names need a secret in COLLECTION_NAME_KEY, of {LEAST_KEY} or more characters. Keep it safe: with another "
    "one every seller is a new one."
)

_NO_CREDENTIALS = (
    f"There are no marketplace credentials. Set {', '.join(CREDENTIALS)}, or start everything with "
    "`collection-pipeline up`, which brings the simulator."
)


@dataclass(frozen=True)
class Settings:
    """Where the pipeline keeps its data and whom it calls. Secrets are not part of the representation."""

    home: Path
    """Folder of the embedded database and of logs (COLLECTION_HOME)."""
    database_url: str | None = field(repr=False)
    """Address of a Postgres server's database, or None for the embedded one (COLLECTION_DATABASE_URL)."""
    database_direct_url: str | None = field(repr=False)
    """The same database without the pooler that the other address leads through (COLLECTION_DATABASE_DIRECT_URL)."""
    reader_database_url: str | None = field(repr=False)
    """The same database under a login that can only read, for queries of people (COLLECTION_READER_DATABASE_URL)."""
    catalogue_file: Path | None
    """A team's own catalogue, in addition to the starter one (COLLECTION_CATALOGUE)."""
    org_id: str
    """Organisation whose seller list runs feed (COLLECTION_ORG)."""
    limits: Mapping[Source, Limits]
    """What all runs together may ask of each source (COLLECTION_EBAY_REQUESTS_PER_S and the like)."""
    prices: Mapping[Source, Price]
    """What a call of each source costs in money, where that is known (COLLECTION_OXYLABS_PRICE, _EBAY_PRICE)."""
    are_names_hashed: bool
    """Whether sellers' names are kept as keyed hashes (COLLECTION_SELLER_NAMES)."""
    are_exported_names_hashed: bool
    """Whether exports hold keyed hashes in place of names (COLLECTION_EXPORT_NAMES)."""
    name_key: str | None = field(repr=False)
    """The secret of these hashes (COLLECTION_NAME_KEY)."""
    do_removed_return: bool
    """Whether a seller removed by hand comes back when a collection sees it again (COLLECTION_REMOVED_SELLERS)."""
    evidence_match: float
    """From which match on a listing counts as evidence for its seller, 0 (all) to 1 (COLLECTION_EVIDENCE_MATCH)."""
    answer_limits: AnswerLimits
    """How large and how slow an answer of a marketplace may be (COLLECTION_ANSWER_LIMIT_MB, _DEADLINE_S)."""
    list_limit_s: int
    """Seconds that one statement may hold a seller list (COLLECTION_LIST_LIMIT_S)."""
    retention: tuple[RetentionRule, ...]
    """How long what is kept (COLLECTION_KEEP_ACTIVITY_EVENTS_DAYS and the like)."""
    keep_runs_days: int | None
    """How many days Dagster's runs and their events are kept; None is for ever (COLLECTION_KEEP_RUNS_DAYS)."""
    feed_url: str | None
    """Address of the live activity page, for links to it (COLLECTION_FEED_URL)."""
    ui_hosts: tuple[str, ...]
    """Names under which others reach Dagster's UI, through a proxy that knows who they are (COLLECTION_UI_HOSTS)."""
    inbox: Path
    """Folder in which dropped seller files are found (COLLECTION_INBOX)."""
    exports: Path
    """Folder that exports started from the Dagster UI are written to (COLLECTION_EXPORTS)."""
    oxylabs_url: str
    ebay_api_url: str
    ebay_marketplace: str
    ebay_source: EbaySource
    """Where listings come from (EBAY_SOURCE)."""
    oxylabs_username: str | None = field(repr=False)
    oxylabs_password: str | None = field(repr=False)
    ebay_client_id: str | None = field(repr=False)
    ebay_client_secret: str | None = field(repr=False)

    @property
    def is_simulated(self) -> bool:
        """Whether there are no credentials at all, so that only the simulator can answer."""
        return self.oxylabs_username is None

    @property
    def has_simulated_data(self) -> bool:
        """Whether what these settings lead to was made up by the simulator: `up` gives its services such accounts."""
        return self.oxylabs_username == SIMULATED or (self.is_simulated and self.database_url is None)

    @property
    def naming(self) -> Callable[[str], str]:
        """What a seller's name is kept as: itself, or a keyed hash of it."""
        return Pseudonyms(self._required_key) if self.are_names_hashed else plain

    def exported_naming(self, *, are_hashed: bool) -> Callable[[str], str]:
        """What a seller's name is in an export. Raises PipelineError for hashes without a secret."""
        if not are_hashed:
            return plain
        if self.name_key is None or len(self.name_key) < LEAST_KEY:
            raise PipelineError(_NO_NAME_KEY)
        return Pseudonyms(self.name_key)

    @property
    def _required_key(self) -> str:
        assert self.name_key is not None, "checked when the settings were read"
        return self.name_key

    @property
    def tariff(self) -> Tariff:
        """What one page of listings counts as, and what calls cost."""
        return Tariff(_SEARCHES[self.ebay_source], self.prices)

    @property
    def oxylabs_credentials(self) -> tuple[str, str]:
        """User name and password. Raises PipelineError where there are none."""
        if self.oxylabs_username is None or self.oxylabs_password is None:
            raise PipelineError(_NO_CREDENTIALS)
        return self.oxylabs_username, self.oxylabs_password

    @property
    def ebay_credentials(self) -> tuple[str, str]:
        """Client id and client secret. Raises PipelineError where there are none."""
        if self.ebay_client_id is None or self.ebay_client_secret is None:
            raise PipelineError(_NO_CREDENTIALS)
        return self.ebay_client_id, self.ebay_client_secret

    @classmethod
    def from_mapping(cls, environment: Mapping[str, str]) -> Settings:
        """Reads and checks every setting. An empty value counts as none. Raises PipelineError."""
        values = given(environment)
        ebay_source = _ebay_source(values)
        _require_whole_credentials(values, CREDENTIALS if ebay_source == "browse" else OXYLABS_CREDENTIALS)
        home = path(values, "COLLECTION_HOME", ".collection")
        are_names_hashed = choice(values, "COLLECTION_SELLER_NAMES", "plain", "hashed") == "hashed"
        exported = choice(values, "COLLECTION_EXPORT_NAMES", "plain", "hashed")
        return cls(
            home=home,
            database_url=values.get("COLLECTION_DATABASE_URL"),
            database_direct_url=_direct_url(values),
            reader_database_url=values.get("COLLECTION_READER_DATABASE_URL"),
            catalogue_file=path(values, "COLLECTION_CATALOGUE", "") if "COLLECTION_CATALOGUE" in values else None,
            org_id=word(values, "COLLECTION_ORG", DEFAULT_ORG, form=".{1,200}", needed="200 characters at most"),
            limits={source: _limits(values, source, limits) for source, limits in DEFAULT_LIMITS.items()},
            prices=_prices(values),
            are_names_hashed=are_names_hashed,
            are_exported_names_hashed=exported == "hashed",
            name_key=_name_key(values, is_needed=are_names_hashed or exported == "hashed"),
            do_removed_return=choice(values, "COLLECTION_REMOVED_SELLERS", "stay", "return") == "return",
            evidence_match=number(values, "COLLECTION_EVIDENCE_MATCH", 0, least=0, most=1),
            answer_limits=_answer_limits(values),
            list_limit_s=whole_number(values, "COLLECTION_LIST_LIMIT_S", 120, least=1, most=86_400),
            retention=_retention(values),
            keep_runs_days=whole_number(values, "COLLECTION_KEEP_RUNS_DAYS", KEEP_RUNS_DAYS, least=0, most=LONGEST_DAYS)
            or None,
            feed_url=base_address(values, "COLLECTION_FEED_URL", "") if "COLLECTION_FEED_URL" in values else None,
            ui_hosts=_hosts(values, "COLLECTION_UI_HOSTS"),
            inbox=path(values, "COLLECTION_INBOX", home / "inbox"),
            exports=path(values, "COLLECTION_EXPORTS", home / "exports"),
            oxylabs_url=base_address(values, "OXYLABS_URL", OXYLABS_URL),
            ebay_api_url=base_address(values, "EBAY_API_URL", EBAY_API_URL),
            ebay_marketplace=word(
                values, "EBAY_MARKETPLACE", "EBAY_US", form="[A-Z][A-Z_]{1,39}", needed="a name such as EBAY_US"
            ),
            ebay_source=ebay_source,
            oxylabs_username=values.get("OXYLABS_USERNAME"),
            oxylabs_password=values.get("OXYLABS_PASSWORD"),
            ebay_client_id=values.get("EBAY_CLIENT_ID"),
            ebay_client_secret=values.get("EBAY_CLIENT_SECRET"),
        )


def _prices(values: Mapping[str, str]) -> Mapping[Source, Price]:
    found: dict[Source, Price] = {}
    for source in DEFAULT_LIMITS:
        name = f"COLLECTION_{source.upper()}_PRICE"
        if (text := values.get(name)) is None:
            continue
        price = read_price(text)
        if price is None:
            raise PipelineError(f"{name} is {shown(text)}; it must be an amount and a currency, such as 0.0028 USD.")
        found[source] = price
    if len(currencies := sorted({price.currency for price in found.values()})) > 1:
        raise PipelineError(f"The prices of calls are in {' and '.join(currencies)}. Give all of them in one currency.")
    return found


def wants_json(environment: Mapping[str, str]) -> bool:
    """Whether logs are to be lines of JSON (COLLECTION_LOG_FORMAT=json). Raises PipelineError."""
    return choice(given(environment), "COLLECTION_LOG_FORMAT", "text", "json") == "json"


def simulated_accounts(simulator_url: str) -> dict[str, str]:
    """The environment that makes a simulator both marketplaces. Only addresses differ; no code asks who answers."""
    return {
        "OXYLABS_URL": f"{simulator_url}/oxylabs",
        "EBAY_API_URL": f"{simulator_url}/ebay",
        **dict.fromkeys(CREDENTIALS, SIMULATED),
        # Nobody has to be spared, and nobody should have to wait.
        **dict.fromkeys(("COLLECTION_OXYLABS_REQUESTS_PER_S", "COLLECTION_EBAY_REQUESTS_PER_S"), "500"),
        "COLLECTION_EBAY_CALLS_PER_DAY": "0",
    }


def simulated(environment: Mapping[str, str], simulator_url: str) -> dict[str, str]:
    """An environment in which a simulator is both marketplaces. Limits that somebody has set hold for it too."""
    accounts = simulated_accounts(simulator_url)
    limits = {name: value for name, value in accounts.items() if name.startswith("COLLECTION_")}
    return {**environment, **accounts, **{name: environment.get(name) or value for name, value in limits.items()}}


def _direct_url(values: Mapping[str, str]) -> str | None:
    direct = values.get("COLLECTION_DATABASE_DIRECT_URL")
    if direct is not None and "COLLECTION_DATABASE_URL" not in values:
        raise PipelineError(
            "COLLECTION_DATABASE_DIRECT_URL is set and COLLECTION_DATABASE_URL is not. The first is the way around the "
            "pooler that the second leads through; where there is no pooler, set the second alone."
        )
    return direct


def _ebay_source(values: Mapping[str, str]) -> EbaySource:
    return "pages" if choice(values, "EBAY_SOURCE", "browse", "pages") == "pages" else "browse"


def _hosts(values: Mapping[str, str], name: str) -> tuple[str, ...]:
    hosts = tuple(host.strip().lower() for host in values.get(name, "").split(",") if host.strip())
    for host in hosts:
        if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", host):
            raise PipelineError(
                f"{name} has {host!r}; name hosts only, as in dagster.example.com, without http://, port or *, and "
                "with commas between them."
            )
    return hosts


def _name_key(values: Mapping[str, str], *, is_needed: bool) -> str | None:
    key = values.get("COLLECTION_NAME_KEY")
    if is_needed and (key is None or len(key) < LEAST_KEY):
        raise PipelineError(_NO_NAME_KEY)
    return key


def _retention(values: Mapping[str, str]) -> tuple[RetentionRule, ...]:
    chosen: dict[str, int | None] = {}
    for rule in RULES:
        name = f"COLLECTION_KEEP_{rule.table.upper()}_DAYS"
        if name in values:
            chosen[rule.table] = whole_number(values, name, 0, least=0, most=LONGEST_DAYS) or None
    return with_days(chosen)


def _require_whole_credentials(values: Mapping[str, str], needed: tuple[str, ...]) -> None:
    missing = [name for name in needed if name not in values]
    given = [name for name in CREDENTIALS if name in values]
    if missing and given:
        raise PipelineError(
            f"Credentials are only half there: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set. "
            "A collection needs both Amazon (through Oxylabs) and eBay. Set what is missing, or EBAY_SOURCE=pages to "
            "do without eBay's API, or unset all four to try the pipeline on simulated data."
        )


def _limits(values: Mapping[str, str], source: Source, default: Limits) -> Limits:
    prefix = f"COLLECTION_{source.upper()}"
    calls_per_day = whole_number(
        values, f"{prefix}_CALLS_PER_DAY", default.calls_per_day or 0, least=0, most=1_000_000_000
    )
    return Limits(
        requests_per_s=number(values, f"{prefix}_REQUESTS_PER_S", default.requests_per_s, least=0.01, most=1_000_000),
        in_flight=whole_number(values, f"{prefix}_IN_FLIGHT", default.in_flight, least=1, most=10_000),
        calls_per_day=calls_per_day or None,
    )


def _answer_limits(values: Mapping[str, str]) -> AnswerLimits:
    default = AnswerLimits()
    largest = number(values, "COLLECTION_ANSWER_LIMIT_MB", default.largest / 2**20, least=1, most=10_000)
    deadline = number(values, "COLLECTION_ANSWER_DEADLINE_S", default.deadline_s, least=1, most=86_400)
    return AnswerLimits(int(largest * 2**20), deadline)
