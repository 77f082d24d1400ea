"""What a model is given to read: every character that it can take, every token, in pieces of the right size."""

from __future__ import annotations

import itertools

import pytest

from undertone import emoticons, texts

SIZES = [(1, 0), (2, 0), (2, 1), (3, 1), (14, 3), (14, 7), (62, 15), (254, 63), (510, 127)]
COUNTS = sorted({0, 1, 2, 3, 13, 14, 15, 16, 61, 62, 63, 100, 253, 254, 255, 256, 444, 445, 446, 508, 509, 1000, 8190})


# Windows


@pytest.mark.parametrize(("size", "overlap"), SIZES)
def test_windows_cover_every_token_and_overlap(size: int, overlap: int) -> None:
    for count in (*COUNTS, *range(4 * size + 2)):
        found = texts.windows(count, size, overlap)
        assert found[0][0] == 0
        assert found[-1][1] == count
        if count <= size:
            assert found == [(0, count)]
            continue
        (length,) = {end - start for start, end in found}
        assert length <= size
        steps = [after - before for (before, _), (after, _) in itertools.pairwise(found)]
        assert min(steps) >= 1, "no window is read twice"
        assert max(steps) <= length - overlap, "neighbours share what they should"
        assert max(steps) - min(steps) <= 1, "none is nearly empty of its own"
        assert len(found) == 1 + -(-(count - size) // (size - overlap)), "there are no more than it takes"
        assert sum(end - start for start, end in found) < count + len(found) * (overlap + 1), "and little is read twice"


# Batches and blocks


@pytest.mark.parametrize("budget", [1, 2, 100, 121, 10_000])
@pytest.mark.parametrize(
    "lengths", [[], [5], [3, 50, 7, 7, 120, 1, 30, 30, 2], [0, 0, 0], [8] * 100, list(range(1, 200))], ids=len
)
def test_batches_hold_every_text_once_within_the_budget(lengths: list[int], budget: int) -> None:
    groups = texts.batches(lengths, budget)
    assert sorted(index for group in groups for index in group) == list(range(len(lengths)))
    for group in groups:
        assert group
        assert len(group) == 1 or len(group) * max(lengths[index] for index in group) <= budget
    shortest = [min(lengths[index] for index in group) for group in groups]
    longest = [max(lengths[index] for index in group) for group in groups]
    assert all(before >= after for before, after in zip(shortest, longest[1:], strict=False)), "like with like"
    for group, width in zip(groups[:-1], longest, strict=False):
        assert (len(group) + 1) * width > budget, "another one would not have fitted"


@pytest.mark.parametrize("most", [1, 3, 1000])
@pytest.mark.parametrize("characters", [1, 10, 1_000_000])
@pytest.mark.parametrize("lengths", [[], [0], [7], [5, 5, 5], [100, 1, 1, 1, 9, 9, 0, 50], [1] * 2500], ids=len)
def test_blocks_are_neighbours_within_both_bounds(lengths: list[int], most: int, characters: int) -> None:
    found = list(texts.blocks(lengths, most, characters))
    assert [place for block in found for place in block] == list(range(len(lengths)))
    sums = [sum(lengths[place] for place in block) for block in found]
    for block, together, after in itertools.zip_longest(found, sums, [block.start for block in found[1:]]):
        assert 1 <= len(block) <= most
        assert len(block) == 1 or together <= characters
        if after is not None:
            assert len(block) == most or together + lengths[after] > characters, "another one would not have fitted"


# Clean


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ("  plain\n", "plain"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("a\x00b\x7fc", "a b c"),
        ("a\ud800b", "a b"),
        ("\ud83d\ude00", "😀"),  # two halves that belong together
        ("\ude00\ud83d", "  "),
        ("שלום \u202eabc", "שלום \u202eabc"),
    ],
)
def test_text_is_made_such_that_any_tokenizer_takes_it(value: str, clean: str) -> None:
    found = texts.clean(value, 100, None)
    if clean.strip():
        assert found == texts.Clean(clean, 1.0, None)
    else:
        assert found == texts.Clean("", 1.0, "empty")
    found.text.encode()


@pytest.mark.parametrize("value", ["", " ", "\n\t\r", "\u3000\u00a0", "\x00\x1f", "\u200b\ufeff", "\ud800"])
def test_where_nothing_can_be_seen_there_is_nothing_to_read(value: str) -> None:
    assert texts.clean(value, 100, emoticons.spell_out) == texts.Clean("", 1.0, "empty")


def test_line_breaks_of_html_alone_are_nothing_to_read() -> None:
    assert texts.clean("<br><BR /> <br/>", 100, emoticons.spell_out).reason == "empty"
    assert texts.clean("<br>", 100, None).text == "<br>", "whoever does not spell out reads it as it is"
    assert texts.clean("<br>👍", 100, emoticons.spell_out).text.split() == ["thumbs", "up"]


@pytest.mark.parametrize("value", [0, 1.5, True, b"good", ["good"], {"a": 1}, object()])
def test_what_is_no_text_is_said_to_be_none(value: object) -> None:
    assert texts.clean(value, 100, None) == texts.Clean("", 1.0, "not text")
    assert texts.clean(None, 100, None) == texts.Clean("", 1.0, "empty")


def test_a_very_long_text_is_cut_and_the_share_is_of_what_can_be_read() -> None:
    most = 10 * texts.CHARACTERS_PER_TOKEN
    assert texts.clean("x" * most, 10, None).share == 1
    assert texts.clean("x" * most + "   ", 10, None).share == 1, "blanks at the end are not text"
    assert texts.clean(" " + "x" * most + "x", 10, None).share == pytest.approx(most / (most + 1))
    found = texts.clean("x" * 4 * most, 10, None)
    assert (len(found.text), found.share) == (most, 0.25)


def test_a_character_that_the_cut_divides_does_no_harm() -> None:
    most = 10 * texts.CHARACTERS_PER_TOKEN
    found = texts.clean("x" * (most - 1) + "\ud83d\ude00", 10, None)
    assert found.text == "x" * (most - 1) + " "
    found.text.encode()
