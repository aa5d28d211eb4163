from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.settings.values import (
    base_address,
    choice,
    flag,
    given,
    number,
    path,
    secret_address,
    share,
    shown,
    whole_number,
    word,
)

Read = Callable[[Mapping[str, str]], object]
READERS: dict[str, Read] = {
    "choice": lambda values: choice(values, "X", "hash", "plain"),
    "whole": lambda values: whole_number(values, "X", 3, least=1, most=50),
    "number": lambda values: number(values, "X", 1.5, least=0.5, most=50),
    "share": lambda values: share(values, "X", 0.9),
    "word": lambda values: word(values, "X", "default", form=r"[a-z]+", needed="a word"),
    "address": lambda values: base_address(values, "X", "http://h.example"),
    "secret": lambda values: secret_address(values, "X"),
}


def test_only_the_products_settings_are_read_and_an_empty_one_counts_as_none() -> None:
    environment = {"COLLECTION_HOME": " /data ", "EBAY_CLIENT_ID": " ", "OXYLABS_URL": "http://x", "PATH": "/bin"}
    assert given(environment) == {"COLLECTION_HOME": "/data", "OXYLABS_URL": "http://x"}


@pytest.mark.parametrize("value", ["a\x00b", "a\x1bb", "a\nb", "a\u2028b", "a\udc80b"])
def test_what_is_no_text_is_refused_without_being_repeated(value: str) -> None:
    with pytest.raises(PipelineError, match="COLLECTION_HOME holds a control character") as refused:
        given({"COLLECTION_HOME": value})
    assert value not in str(refused.value)


@pytest.mark.parametrize(
    ("reader", "expected"),
    [
        ("choice", "hash"),
        ("whole", 3),
        ("number", 1.5),
        ("share", 0.9),
        ("word", "default"),
        ("address", "http://h.example"),
        ("secret", None),
    ],
)
def test_a_setting_that_is_not_given_has_its_default(reader: str, expected: object) -> None:
    assert READERS[reader]({}) == expected


@pytest.mark.parametrize(
    ("reader", "text", "value"),
    [
        ("choice", "PLAIN", "plain"),
        ("whole", "1", 1),
        ("whole", "50", 50),
        ("number", "0.5", 0.5),
        ("number", "5e-1", 0.5),
        ("number", "50", 50.0),
        ("share", "1", 1.0),
        ("share", "0.01", 0.01),
        ("word", "abc", "abc"),
        ("address", "HTTPS://H.example:8443/path/", "HTTPS://H.example:8443/path"),
        ("address", "http://[::1]:80", "http://[::1]:80"),
        ("secret", "https://user:pw@h.example/x?y", "https://user:pw@h.example/x?y"),
    ],
)
def test_a_right_value_is_read(reader: str, text: str, value: object) -> None:
    assert READERS[reader]({"X": text}) == value


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        ("choice", "other"),
        *[("whole", text) for text in ("0", "51", "-1", "1.0", "1_0", "٣", "ten", "1" * 40)],
        *[("number", text) for text in ("0.4", "51", "nan", "inf", "1e999", "1,5")],
        *[("share", text) for text in ("0", "1.1", "-0.5", "90", "half")],
        *[("word", text) for text in ("A", "a b", "")],
        *[
            ("address", text)
            for text in (
                "h.example",
                "ftp://h.example",
                "http://",
                "http://h.example:0",
                "http://h.example:99999",
                "http://[::1",
                "http://user:pw@h.example",
                "http://h.example?x=1",
                "http://h.example#x",
                "http://h example",
                "http://999.1.1.1",
                f"http://h.example/{'x' * 2001}",
            )
        ],
        ("secret", "hooks.example/s3cret"),
    ],
)
def test_a_wrong_value_is_refused_by_the_settings_name(reader: str, text: str) -> None:
    with pytest.raises(PipelineError, match=r"^X "):
        READERS[reader]({"X": text})


@pytest.mark.parametrize("text", ["http://user:pw@h.example", "http://h.example/s3cret s3cret", "s3cret.example"])
def test_an_address_is_never_repeated(text: str) -> None:
    with pytest.raises(PipelineError) as refused:
        base_address({"X": text}, "X", "")
    assert not {"pw", "s3cret"} & set(str(refused.value).replace("/", " ").replace(":", " ").replace("@", " ").split())
    assert text not in str(refused.value)


def test_a_path_is_absolute_and_knows_the_home() -> None:
    assert path({"X": "~/data"}, "X", ".") == Path.home() / "data"
    assert path({}, "X", "data") == Path("data").absolute()
    with pytest.raises(PipelineError, match="no user of that name"):
        path({"X": "~nobody-of-that-name/data"}, "X", ".")


def test_a_long_value_is_shown_in_part() -> None:
    assert len(shown("x" * 500)) < 90


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("Yes", True), ("1", True), ("FALSE", False), ("no", False)]
)
def test_a_flag_is_understood_in_the_words_that_people_use(text: str, value: bool) -> None:
    assert flag({"COLLECTION_X": text}, "COLLECTION_X", default=not value) is value


def test_a_flag_that_is_not_set_has_its_default_and_a_strange_one_is_refused() -> None:
    assert flag({}, "COLLECTION_X", default=True)
    with pytest.raises(PipelineError, match="COLLECTION_X is 'perhaps'; it must be true or false"):
        flag({"COLLECTION_X": "perhaps"}, "COLLECTION_X")
