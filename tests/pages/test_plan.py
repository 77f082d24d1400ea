"""A plan on a page: what it came to, advice, the tree as the browser gets it, text and JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from streamlit.testing.v1 import AppTest

from elements import messages, plan
from tests.pages import conftest
from tests.unit import test_plan_steps as made
from undertone import plans

NASTY = "<img src=x onerror=alert(1)> **bold** [l](http://x.y) $x$ :red[r]"


def page(answer: str) -> None:
    from elements import plan
    from undertone import plans

    plan.show(plans.read(answer), key="test_plan")


def shown(answer: Any, **around: Any) -> AppTest:
    whole = [{"Plan": answer} | {name.replace("_", " "): value for name, value in around.items()}]
    app = AppTest.from_function(page, default_timeout=conftest.SECONDS, args=(json.dumps(whole),)).run()
    assert not app.exception
    return app


def tree(app: AppTest) -> dict[str, Any]:
    """What the browser is given to draw."""
    (element,) = app.get("bidi_component")
    found: dict[str, Any] = json.loads(element.proto.json)
    return found


def sort() -> made.Raw:
    scan = made.step("Seq Scan", ms=40.0, rows=5000, expected=5000, relation="orders", alias="o", shared_hit_blocks=20)
    raw = made.step("Sort", scan, ms=250.0, rows=5000, expected=5000, sort_space_type="Disk", sort_space_used=2000)
    return raw | {"Sort Key": ["total DESC"], "Shared Hit Blocks": 20, "Shared Read Blocks": 3}


def test_the_whole_is_summed_up_and_advised_on() -> None:
    app = shown(sort(), Planning_Time=0.5, Execution_Time=260.0)
    said = conftest.texts(app)
    assert "Ran in **260 ms** · planned in 0.5 ms · **5,000 rows**, 5,000 expected" in said
    assert "costliest **Sort**, 84 % of the time" in said
    assert messages.plain("Sort did not fit into memory and wrote 2.0 MB to disk") in said
    assert [tab.label.split()[-1] for tab in app.tabs] == ["Tree", "Text", "JSON"]
    text, source = [code.value for code in app.code]
    assert text.startswith("Sort  (cost=")
    assert "  ->  Seq Scan on orders o  (cost=" in text
    assert json.loads(source)[0]["Plan"]["Node Type"] == "Sort"


def test_the_tree_has_a_row_for_each_step() -> None:
    data = tree(shown(sort(), Execution_Time=260.0))
    assert [name for name, _ in data["head"]] == ["Step", "Share", "Time", "Rows", "Expected", "Pages"]
    first, second = data["rows"]
    assert (first["kind"], first["depth"], first["costliest"], first["share"]) == ("Sort", 0, True, 0.84)
    assert (second["kind"], second["depth"], second["costliest"]) == ("Seq Scan", 1, False)
    assert second["about"] == "on orders o"
    assert second["words"].startswith("Reads the whole table")
    assert first["warnings"] == ["spilled 2.0 MB to disk"]
    assert [text for text, _ in second["cells"]] == ["40 ms", "5,000", "5,000", "20"]
    assert first["cells"][-1] == ["3", "3 read"]
    assert ["Sort Space Used", "2000kB"] in first["details"]
    assert all(len(row["cells"]) == len(data["head"]) - 2 for row in data["rows"])


def test_a_plan_that_was_not_run_has_costs_only() -> None:
    app = shown(made.step("Sort", made.step("Seq Scan", cost=70.0, expected=5), cost=100.0, expected=5))
    data = tree(app)
    assert [name for name, _ in data["head"]] == ["Step", "Share", "Cost", "Expected"]
    assert [text for text, _ in data["rows"][0]["cells"]] == ["30.00", "5"]
    assert "The statement was not run" in conftest.texts(app)


def test_steps_never_run_and_run_often_say_so() -> None:
    inner = made.step("Seq Scan", ms=0, rows=0, loops=0, role="Inner")
    outer = made.step("Index Scan", ms=0.5, rows=1, loops=30, role="Outer")
    data = tree(shown(made.step("Nested Loop", outer, inner, ms=20)))
    assert data["head"][-1][0] == "Runs"
    assert [row["unrun"] for row in data["rows"]] == [False, False, True]
    assert data["rows"][2]["cells"][1][0] == "not run"
    assert data["rows"][1]["cells"][-1][0] == "30"


def test_texts_of_the_database_are_text() -> None:
    scan = made.step("Seq Scan", ms=40.0, rows=5, expected=5, relation=NASTY, alias=NASTY, filter=f"(a = '{NASTY}')")
    scan |= {"Rows Removed by Filter": 90_000, NASTY: NASTY}
    app = shown(scan, Settings={"work_mem": NASTY})
    data = tree(app)
    assert NASTY in data["rows"][0]["about"]
    assert [NASTY, NASTY] in data["rows"][0]["details"]
    rendered = "\n".join(str(element.value) for element in app.markdown)
    assert messages.plain("reads 90,005 rows and keeps 5") in rendered
    active = re.sub(r"\\.", "", rendered)  # but for what has a backslash before it
    assert "img src" in active
    assert not [sign for sign in "<>[]$:" if sign in active]


def test_of_a_long_plan_the_costliest_part_is_drawn() -> None:
    scans = [
        made.step("Seq Scan", ms=500.0 if at == 3_333 else 1.0, role="Member", relation=f"t{at}", filter="x" * 500)
        for at in range(5_000)
    ]
    app = shown(made.step("Append", *scans, ms=5510.0))
    data = tree(app)
    rows = [row for row in data["rows"] if "gap" not in row]
    assert len(rows) == plan.MOST_STEPS
    assert [row["about"] for row in rows if row["costliest"]] == [f"on t3333: {'x' * 500}"[:199] + "…"]
    assert f"The costliest {plan.MOST_STEPS} of 5,001 steps" in conftest.texts(app)
    gaps = [row["gap"] for row in data["rows"] if "gap" in row]
    assert gaps
    assert all("more step" in gap for gap in gaps)
    assert len(json.dumps(data)) < 500_000
    assert all(len(code.value) <= plan.MOST_CHARACTERS for code in app.code)
    assert len(app.get("download_button")) == 2
    assert "This is the beginning." in conftest.texts(app)


def test_a_deep_plan_is_drawn() -> None:
    answer = '{"Node Type":"Limit","Plans":[' * 3_000 + "{}" + "]}" * 3_000
    app = AppTest.from_function(page, default_timeout=conftest.SECONDS, args=(f'[{{"Plan":{answer}}}]',)).run()
    assert not app.exception
    assert max(row["depth"] for row in tree(app)["rows"]) == plans.DEEPEST // 2


def test_the_same_plan_twice_is_drawn_the_same() -> None:
    found = plans.read(json.dumps([{"Plan": sort()}]))
    assert plan.described(found) == plan.described(plans.read(found.json))
