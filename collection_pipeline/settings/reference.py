"""Every setting, what it means, and its default: for docs/settings.md, and for whoever says what is set."""

from __future__ import annotations

from dataclasses import dataclass

from collection_pipeline.core.collecting.scheduling import ScheduleConfig
from collection_pipeline.core.collecting.usage import DEFAULT_LIMITS, AnswerLimits
from collection_pipeline.core.retention import RULES
from collection_pipeline.core.run_retention import DEFAULT_DAYS as KEEP_RUNS_DAYS
from collection_pipeline.settings.alerts import AlertSettings
from collection_pipeline.settings.pipeline import EBAY_API_URL, OXYLABS_URL
from collection_pipeline.settings.runs import RunSettings
from collection_pipeline.tables.schema.time_limits import LIST_LIMIT_S


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable of the environment. `default` is what it would have to hold for nothing to change; None: nothing.

    A secret's value is never shown; neither is that of an address or a name that tells who somebody is.
    """

    name: str
    meaning: str
    default: str | None = None
    is_secret: bool = False


_SCHEDULE = ScheduleConfig()
_ANSWERS = AnswerLimits()

SECTIONS: dict[str, tuple[Setting, ...]] = {
    "Where things are": (
        Setting(
            "COLLECTION_HOME",
            "Folder of the embedded database and the logs. It is made private to its user.",
            ".collection",
        ),
        Setting(
            "COLLECTION_DATABASE_URL",
            "Postgres database of the output tables. Without it, the embedded one.",
            is_secret=True,
        ),
        Setting(
            "COLLECTION_DATABASE_DIRECT_URL",
            "The same database and login without the pooler that `COLLECTION_DATABASE_URL` leads through. See "
            "[operations](operations.md#through-a-pooler).",
            is_secret=True,
        ),
        Setting(
            "COLLECTION_READER_DATABASE_URL",
            "The same database under a login that can only read, for `sql` and `query`. Without it, "
            "`COLLECTION_DATABASE_DIRECT_URL` or `COLLECTION_DATABASE_URL`.",
            is_secret=True,
        ),
        Setting(
            "COLLECTION_DAGSTER_DATABASE_URL",
            "Postgres database of Dagster itself. Without it, the embedded one.",
            is_secret=True,
        ),
        Setting("COLLECTION_INBOX", "Folder whose seller files are imported.", ".collection/inbox"),
        Setting("COLLECTION_EXPORTS", "Folder that the job `sellers_export` writes to.", ".collection/exports"),
    ),
    "The marketplaces": (
        Setting(
            "OXYLABS_USERNAME",
            "User of the Oxylabs Web Scraper API. Without credentials, the simulator answers.",
            is_secret=True,
        ),
        Setting("OXYLABS_PASSWORD", "That user's password.", is_secret=True),
        Setting("EBAY_CLIENT_ID", "The eBay application's App ID.", is_secret=True),
        Setting("EBAY_CLIENT_SECRET", "The eBay application's Cert ID.", is_secret=True),
        Setting("EBAY_SOURCE", "`browse`: the Browse API. `pages`: eBay's result pages, through Oxylabs.", "browse"),
        Setting("EBAY_MARKETPLACE", "The eBay site that is searched.", "EBAY_US"),
        Setting("OXYLABS_URL", "Address of Oxylabs.", OXYLABS_URL),
        Setting("EBAY_API_URL", "Address of eBay's API.", EBAY_API_URL),
    ),
    "Limits": (
        *(
            setting
            for source, limits in DEFAULT_LIMITS.items()
            for setting in (
                Setting(
                    f"COLLECTION_{source.upper()}_REQUESTS_PER_S",
                    f"Requests to {source} a second, of all runs on all machines together.",
                    f"{limits.requests_per_s:g}",
                ),
                Setting(
                    f"COLLECTION_{source.upper()}_PRICE",
                    f"What one call of {source} costs you, such as `0.0028 USD`; then costs are said in money too.",
                ),
                Setting(
                    f"COLLECTION_{source.upper()}_IN_FLIGHT",
                    f"Requests to {source} in flight, of all runs on all machines together.",
                    str(limits.in_flight),
                ),
                Setting(
                    f"COLLECTION_{source.upper()}_CALLS_PER_DAY",
                    f"The quota of {source}: calls a day, 0 being without limit. eBay's day turns at midnight Pacific.",
                    str(limits.calls_per_day or 0),
                ),
            )
        ),
        Setting(
            "COLLECTION_ANSWER_LIMIT_MB",
            "How large an answer of a marketplace may be, unpacked, in MB.",
            f"{_ANSWERS.largest / 2**20:g}",
        ),
        Setting(
            "COLLECTION_ANSWER_DEADLINE_S",
            "Seconds until all of an answer has to be there.",
            f"{_ANSWERS.deadline_s:g}",
        ),
        Setting(
            "COLLECTION_LIST_LIMIT_S",
            "Seconds that one statement may hold a seller list before it is stopped.",
            str(LIST_LIMIT_S),
        ),
    ),
    "Runs and workers": (
        Setting(
            "COLLECTION_LAUNCHER",
            "What starts a run: `fork` on this machine (Linux), `default` for Dagster's own launcher, `celery` for "
            "[workers](deployment.md) on any machine.",
            RunSettings.launcher,
        ),
        Setting("COLLECTION_BROKER_URL", "The Redis that workers take runs from.", is_secret=True),
        Setting(
            "COLLECTION_MAX_RUNS",
            "Collecting runs at a time, on all machines together. Two more may run that collect nothing.",
            str(RunSettings.max_runs),
        ),
        Setting(
            "COLLECTION_WORKER_GRACE_S",
            "Seconds that the runs of a worker that is told to stop may go on, before they are handed back.",
            str(RunSettings.worker_grace_s),
        ),
    ),
    "The catalogue and the list": (
        Setting(
            "COLLECTION_CATALOGUE",
            "A YAML file with categories and presets of your own, in addition to the starter ones.",
        ),
        Setting("COLLECTION_ORG", "Organisation whose seller list is fed.", "default"),
        Setting("COLLECTION_ACTOR", "Who edits the list, for its audit log. Without it, the login.", is_secret=True),
        Setting(
            "COLLECTION_REMOVED_SELLERS",
            "`stay`, or `return`: whether a removed seller comes back when it is seen again.",
            "stay",
        ),
        Setting(
            "COLLECTION_EVIDENCE_MATCH",
            "From which [match](matching.md) on, 0 to 1, a listing is evidence that its seller sells the product. "
            "0 takes all, also those whose match is not known.",
            "0",
        ),
        Setting(
            "COLLECTION_SELLER_NAMES",
            "`plain`, or `hashed`: sellers' names are kept as keyed hashes. See [the data policy](data-policy.md).",
            "plain",
        ),
        Setting("COLLECTION_EXPORT_NAMES", "The same for the names in exports.", "plain"),
        Setting("COLLECTION_NAME_KEY", "The secret of these hashes.", is_secret=True),
    ),
    "By itself": (
        Setting(
            "COLLECTION_SCHEDULE_CRON",
            "When the schedule `scheduled_collection` collects, once it is switched on.",
            _SCHEDULE.cron,
        ),
        Setting("COLLECTION_SCHEDULE_TIMEZONE", "The time zone of the cron.", _SCHEDULE.timezone),
        Setting("COLLECTION_SCHEDULE_PRESET", "What it collects.", _SCHEDULE.preset),
        Setting("COLLECTION_SCHEDULE_NAME", "What its collections' ids begin with.", _SCHEDULE.name),
        Setting("COLLECTION_SCHEDULE_CAP", "The cost cap of its collections, in calls."),
        Setting(
            "COLLECTION_SCHEDULE_BUDGET",
            "Calls that the searches of each may take, or what it may cost ([planning](planning.md)).",
        ),
        Setting(
            "COLLECTION_SCHEDULE_MIN_MARKUP",
            "Lower end of their price band, as a markup in percent.",
            f"{_SCHEDULE.band.min_markup_percent}",
        ),
        Setting(
            "COLLECTION_SCHEDULE_MAX_MARKUP",
            "Upper end of their price band, as a markup in percent.",
            f"{_SCHEDULE.band.max_markup_percent}",
        ),
        Setting(
            "COLLECTION_SCHEDULE_AS_FAR_AS_IT_GOES",
            "Whether they begin even if the cap or the day's quota will not do for all of it.",
            "false",
        ),
        Setting("COLLECTION_ALERT_WEBHOOK", "Where alerts are posted, in the form that Slack takes.", is_secret=True),
        Setting(
            "COLLECTION_ALERT_BUDGET_SHARE",
            "Share of a budget from which on it counts as nearly spent.",
            f"{AlertSettings.budget_share:g}",
        ),
        Setting(
            "COLLECTION_ALERT_UNUSUAL_SHARE",
            "How far off the median of earlier ones, as a share of it, a count is unusual.",
            f"{AlertSettings.unusual_share:g}",
        ),
        *(
            Setting(
                f"COLLECTION_KEEP_{rule.table.upper()}_DAYS",
                f"Days that rows of `{rule.table}` are kept; 0 keeps them for ever.",
                str(rule.days or 0),
            )
            for rule in RULES
        ),
        Setting(
            "COLLECTION_KEEP_RUNS_DAYS",
            "Days that Dagster's runs and their events are kept; 0 keeps them for ever.",
            str(KEEP_RUNS_DAYS),
        ),
    ),
    "Pages and logs": (
        Setting(
            "COLLECTION_DAGSTER_URL",
            "Address of the Dagster UI, for links in alerts and on the live page. `up` sets it.",
            AlertSettings.dagster_url,
        ),
        Setting(
            "COLLECTION_FEED_URL",
            "Address under which people reach the live activity page and the answer page, for links to them. `up` sets "
            "it.",
        ),
        Setting(
            "COLLECTION_FEED_TOKEN",
            "Secret that readers of these pages have to bring. It shows all organisations.",
            is_secret=True,
        ),
        Setting(
            "COLLECTION_FEED_ORG_TOKENS",
            "Secrets that each show one organisation only: `acme=secret, globex=another`. See [live](live.md#access).",
            is_secret=True,
        ),
        Setting(
            "COLLECTION_FEED_CONTROL",
            "`true`: readers who bring a token may pause, resume and cancel collections, and flag, export and remove "
            "sellers.",
            "false",
        ),
        Setting(
            "COLLECTION_FEED_CONTROL_TOKEN",
            "A token that lets whoever brings it control, where everybody on the machine may look. `up` makes one for "
            "the address that it prints.",
            is_secret=True,
        ),
        Setting(
            "COLLECTION_UI_HOSTS",
            "Names, with commas between them, under which a proxy with a login makes the Dagster UI reachable. See "
            "[operations](operations.md#for-others).",
        ),
        Setting("COLLECTION_LOG_FORMAT", "`text`, or `json`: one object a line.", "text"),
    ),
}
