"""The JSON of a plan is read whole, whatever its depth, and long texts are cut."""

from __future__ import annotations

import json

import pytest

from undertone import plan_json

GOOD = [
    "[]",
    "{}",
    "[[], {}, [{}]]",
    ' \n{ "a" : { "b" : [ 1 , 2.50 , -3 , 1e5 , true , false , null ] } } ',
    '{"Plan": {"Node Type": "Seq Scan", "Rows": 5, "Cost": 0.00, "Filter": "(a = \'\\"x\\\\y\\n\\u00e4\')"}}',
    '{"a": "", "b": "x", "a": "the last one counts"}',
    '{"a b": 1,"c":2, "d":"e" ,"f":[],"g":{},"h":-0.5}',
    "17",
    '"a text"',
    '["ü", "𝄞", "\\ud834\\udd1e"]',
]
BAD = [
    *("", " ", "[", "{", "[1", "[1,]", "[,1]", "[1 2]", "1 2", "]", "{]", "[}", "[]]", ","),
    *('{"a"}', '{"a":}', '{"a":1,}', '{"a":1 "b":2}', "{a:1}", "{1:2}", '{"a":1', '{"a":"b', '{"a":"b"', '"a', "nope"),
    *('{"a":1,,"b":2}', '{"a":1.2.3,"b":1}', '{"a":-,"b":1}', '{,"a":1}', '{"a":1,"b"', "\\", "9" * 1_000),
]


@pytest.mark.parametrize("text", GOOD)
def test_it_reads_as_the_standard_library_does(text: str) -> None:
    assert plan_json.parse(text) == json.loads(text)
    assert repr(plan_json.parse(text)) == repr(json.loads(text))  # 5 and 5.0 are not the same here


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_json_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"not JSON|could not convert"):
        plan_json.parse(text)


@pytest.mark.parametrize("text", [text for text in GOOD if len(text) > 30])
def test_a_part_of_json_is_an_error(text: str) -> None:
    whole = text.strip()
    for end in range(len(whole)):
        with pytest.raises(ValueError, match=r"not JSON|could not convert"):
            plan_json.parse(whole[:end])


def test_depth_is_no_matter() -> None:
    depth = 50_000
    found = plan_json.parse('{"a":[' * depth + "]}" * depth)
    levels = 0
    while found:
        found = found["a"][0] if found["a"] else None
        levels += 1
    assert levels == depth


@pytest.mark.parametrize("piece", ["x", "\\n", "\\u00e4", "\\\\", '\\"'])
def test_a_long_text_is_cut_between_its_characters(piece: str) -> None:
    text = json.dumps({"before": 1})[:-1] + f', "long": "{piece * 100_000}", "after": 2}}'
    found = plan_json.parse(text)
    assert (found["before"], found["after"]) == (1, 2)
    assert found["long"] == json.loads(f'"{piece}"') * plan_json.MOST_CHARACTERS + "…"


def test_half_of_a_pair_does_not_remain() -> None:
    assert plan_json.parse('["\\ud834"]')[0].encode()
