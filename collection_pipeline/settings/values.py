"""Reading the values of settings: what comes out can be used, or one sentence says which setting is wrong and why.

No sentence repeats a secret, or an address: people put passwords into addresses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.hosts import is_host

PREFIXES = ("COLLECTION_", "EBAY_", "OXYLABS_")
LONGEST_ADDRESS = 2000

_NO_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, ends of lines, and what Python makes of bytes that are not UTF-8."""

_WHOLE = re.compile(r"\d{1,15}", re.ASCII)
_NUMBER = re.compile(r"-?(\d{1,15}(\.\d{0,15})?|\.\d{1,15})(e[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)


def given(environment: Mapping[str, str]) -> dict[str, str]:
    """The product's settings without surrounding space; an empty value counts as none.

    Raises PipelineError for one with characters that are no text: they would fail where the value is used.
    """
    values = {name: value.strip() for name, value in environment.items() if name.startswith(PREFIXES) and value.strip()}
    for name, value in values.items():
        if _NO_TEXT.search(value):
            raise PipelineError(f"{name} holds a control character or bytes that are not UTF-8; it must be plain text.")
    return values


def shown(value: str) -> str:
    """A value as a sentence shows it: on one line, and not longer than that."""
    return repr(value if len(value) <= 80 else f"{value[:77]}…")


def choice(values: Mapping[str, str], name: str, default: str, *others: str) -> str:
    """One of a few words, in any case of letters."""
    chosen = values.get(name, default).lower()
    if chosen not in (default, *others):
        words = ", ".join((f"{default} (the default)", *others[:-1]))
        raise PipelineError(f"{name} is {shown(values[name])}; it must be {words} or {others[-1]}.")
    return chosen


def flag(values: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    """Whether something is wanted; `yes`, `no`, 1 and 0 are understood as well."""
    chosen = values.get(name, str(default)).lower()
    if chosen in ("true", "yes", "1"):
        return True
    if chosen in ("false", "no", "0"):
        return False
    raise PipelineError(f"{name} is {shown(values[name])}; it must be true or false.")


def whole_number(values: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    """A whole number from `least` to `most`, both included."""
    text = values.get(name)
    if text is None:
        return default
    if not _WHOLE.fullmatch(text) or not least <= int(text) <= most:
        raise PipelineError(f"{name} is {shown(text)}; it must be a whole number from {least} to {most}.")
    return int(text)


def number(values: Mapping[str, str], name: str, default: float, *, least: float, most: int) -> float:
    """A number from `least` to `most`, both included."""
    text = values.get(name)
    if text is None:
        return default
    if not _NUMBER.fullmatch(text) or not least <= float(text) <= most:
        raise PipelineError(f"{name} is {shown(text)}; it must be a number from {least:g} to {most}.")
    return float(text)


def share(values: Mapping[str, str], name: str, default: float) -> float:
    """A part of a whole: above 0 and up to 1."""
    text = values.get(name)
    if text is None:
        return default
    if not _NUMBER.fullmatch(text) or not 0 < float(text) <= 1:
        raise PipelineError(f"{name} is {shown(text)}; it must be a share above 0 and up to 1, such as {default}.")
    return float(text)


def word(values: Mapping[str, str], name: str, default: str, *, form: str, needed: str) -> str:
    """A text of a form, which `needed` describes."""
    text = values.get(name, default)
    if not re.fullmatch(form, text, re.ASCII):
        raise PipelineError(f"{name} is {shown(text)}; it must be {needed}.")
    return text


def path(values: Mapping[str, str], name: str, default: str | Path) -> Path:
    """A file or folder, absolute; `~` is the user's home."""
    try:
        return Path(values.get(name, str(default))).expanduser().absolute()
    except RuntimeError:
        raise PipelineError(f"{name} is {shown(values[name])}; there is no user of that name.") from None


def base_address(values: Mapping[str, str], name: str, default: str) -> str:
    """An http address that paths are appended to, without a slash at its end."""
    address = values.get(name, default).rstrip("/")
    parts = _split(name, address)
    if "@" in parts.netloc:
        # Addresses are shown in events and errors; who asks has settings of his own.
        raise PipelineError(f"{name} holds a user or password. Give the bare address; credentials have own settings.")
    if "?" in address or "#" in address:
        raise PipelineError(f"{name} holds a `?` or `#`. Give the bare address.")
    return address


def secret_address(values: Mapping[str, str], name: str) -> str | None:
    """An http address that may hold secrets; None where it is not set."""
    if (address := values.get(name)) is not None:
        _split(name, address)
    return address


def _split(name: str, address: str) -> SplitResult:
    if not address.lower().startswith(("http://", "https://")):
        raise PipelineError(f"{name} must start with http:// or https:// and does not.")
    if len(address) > LONGEST_ADDRESS or re.search(r"\s", address):
        raise PipelineError(f"{name} holds a space, or more than {LONGEST_ADDRESS} characters; that is no address.")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise PipelineError(f"{name} is no address: its host or port is wrong (ports go from 1 to 65535).") from None
    if port == 0 or not is_host(parts.hostname or ""):
        raise PipelineError(
            f"{name} is no address: its host must be a name, an IPv4 address or an IPv6 address in brackets, and its "
            "port, if there is one, from 1 to 65535."
        )
    return parts
