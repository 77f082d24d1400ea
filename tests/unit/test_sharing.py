from __future__ import annotations

import base64
import json
import random
import zlib
from typing import Any

import pytest

from undertone import parameters, sharing

CHART = {"kind": "bar", "x": "rating", "y": ["count"], "color": None}


def packed(content: Any) -> str:
    """What `pack` would have made of something else."""
    deflated = zlib.compress(json.dumps(content).encode())
    return f"{sharing.VERSION}.{base64.urlsafe_b64encode(deflated).decode().rstrip('=')}"


@pytest.mark.parametrize(
    "shared",
    [
        sharing.Shared("SELECT 1"),
        sharing.Shared(""),
        sharing.Shared("SELECT 'ä', '😀', ':x' -- %20&+=#\n;\t\r\n\0"),
        sharing.Shared("SELECT '\ud800'"),  # half of a pair, which the lane refuses in words of its own
        sharing.Shared(
            "SELECT :a::int, :b",
            {"a": parameters.Value("integer", "7"), "b": parameters.Value("text", None)},
            CHART,
            "scores",
        ),
    ],
)
def test_a_link_brings_back_what_was_shared(shared: sharing.Shared) -> None:
    link = sharing.pack(shared)
    assert sharing.unpack(link) == shared
    assert set(link) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_a_long_statement_that_repeats_itself_fits() -> None:
    shared = sharing.Shared("SELECT 1 UNION ALL\n" * 5_000 + "SELECT 2")
    assert sharing.unpack(sharing.pack(shared)) == shared


def test_what_is_too_long_for_an_address_is_refused_with_the_way_out() -> None:
    noise = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz", k=20_000))
    with pytest.raises(sharing.SharingError, match="6,000 are safe"):
        sharing.pack(sharing.Shared(f"SELECT '{noise}'"))


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 10, -1, -2, -8])
def test_a_link_that_was_cut_is_broken(cut: int) -> None:
    link = sharing.pack(sharing.Shared("SELECT * FROM reviews WHERE rating = :rating"))
    with pytest.raises(sharing.SharingError, match="broken"):
        sharing.unpack(link[:cut])


@pytest.mark.parametrize(
    "content",
    [
        [],
        "SELECT 1",
        None,
        7,
        {},
        {"s": 7},
        {"s": "SELECT 1", "t": 7},
        {"s": "SELECT 1", "p": []},
        {"s": "SELECT 1", "p": {"a": "7"}},
        {"s": "SELECT 1", "p": {"a": ["integer"]}},
        {"s": "SELECT 1", "p": {"a": ["no such kind", "7"]}},
        {"s": "SELECT 1", "p": {"a": [["text"], "7"]}},
        {"s": "SELECT 1", "p": {"a": ["integer", 7]}},
        {"s": "SELECT 1", "p": {str(number): ["text", ""] for number in range(sharing.MOST_PARAMETERS + 1)}},
        {"s": "SELECT 1", "c": []},
    ],
)
def test_what_others_have_made_is_checked(content: Any) -> None:
    with pytest.raises(sharing.SharingError, match="broken"):
        sharing.unpack(packed(content))
    sharing.unpack(packed({"s": "SELECT 1", "unknown": 1}))


@pytest.mark.parametrize("text", ["", ".", "1.", "1.!!!!", "1.AAAA", "ü.ä", "1." + "A" * 10_000, "x.eJw"])
def test_rubbish_is_broken(text: str) -> None:
    with pytest.raises(sharing.SharingError, match="broken"):
        sharing.unpack(text)


def test_another_versions_link_says_so() -> None:
    link = sharing.pack(sharing.Shared("SELECT 1"))
    with pytest.raises(sharing.SharingError, match="another version"):
        sharing.unpack("2" + link[1:])


def test_a_short_link_cannot_unpack_to_a_huge_text() -> None:
    bomb = packed({"s": " " * 3_000_000})
    assert len(bomb) < sharing.MOST_CHARACTERS
    with pytest.raises(sharing.SharingError, match="broken"):
        sharing.unpack(bomb)


def test_deep_nesting_is_broken() -> None:
    deflated = zlib.compress(b"[" * 200_000)
    with pytest.raises(sharing.SharingError, match="broken"):
        sharing.unpack(f"1.{base64.urlsafe_b64encode(deflated).decode().rstrip('=')}")
