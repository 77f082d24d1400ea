"""The parts of an answer on a page: its grid, one row in full, its chart, its file."""

from __future__ import annotations

import csv
import io
import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pyarrow
import pytest
from streamlit.testing.v1 import AppTest

from elements import chart as pictures
from elements import download as saving
from elements import grids, labels, messages
from resources import downloads
from tests import running
from tests.pages import conftest
from undertone import asking, chart_data, charts, console, export, settings

NASTY = "<img src=x onerror=alert(1)> **bold** [l](http://127.0.0.1:9) :red[x] $x$"


def result(rows: list[tuple[Any, ...]], *columns: tuple[str, str], seconds: float = 0.1) -> console.Result:
    return console.Result(tuple(console.Column(*column) for column in columns), rows, None, seconds)


def page(answer: console.Result, *rows: int) -> AppTest:
    def script() -> None:
        import streamlit as st

        from elements import answer as shown
        from elements import grids

        rows = st.session_state["rows"]
        plain = grids.st.dataframe
        # A browser selects; here it is said what it had selected.
        grids.st.dataframe = lambda *given, **more: plain(*given, **more) and {"selection": {"rows": list(rows)}}
        try:
            shown.show(st.session_state["given"], key="answer")
        finally:
            grids.st.dataframe = plain
        st.text("end")

    app = AppTest.from_function(script, default_timeout=60)
    app.session_state["given"], app.session_state["rows"] = answer, rows
    app.run()
    assert not app.exception
    assert app.text[-1].value == "end"
    return app


def column(values: list[Any], type: str) -> tuple[list[Any], str]:
    """What the grid gets, and how it shows it."""
    table = grids.frame(["c"], [(value,) for value in values], [type])
    return table.column(0).to_pylist(), str(table.schema.types[0])


# The grid


@pytest.mark.parametrize(
    ("values", "type", "expected", "arrow"),
    [
        ([1, None, -5], "integer", [1, None, -5], "int64"),
        ([2**53, 1], "bigint", [str(2**53), "1"], "string"),
        ([1.5, None], "double precision", [1.5, None], "double"),
        # A browser's grid shows these as errors.
        ([1.5, float("nan"), float("-inf")], "double precision", ["1.5", "NaN", "-Infinity"], "string"),
        ([1e300], "double precision", ["1e+300"], "string"),
        (["12.50", None, "-3.00"], "numeric", [12.5, None, -3], "double"),
        (["3.6666666666666667"], "numeric", ["3.6666666666666667"], "string"),
        (["1" * 1000, "NaN"], "numeric", ["1" * 1000, "NaN"], "string"),
        ([True, None, False], "boolean", ["true", None, "false"], "string"),
        (["", None, "null", " "], "text", ["", None, "null", " "], "string"),
        ([None], "text", [None], "string"),
        (["\ud83d alone", "\x00"], "text", ["? alone", "\x00"], "string"),
        (["infinity", "0044-03-15 BC"], "date", ["infinity", "0044-03-15 BC"], "string"),
        (["12"], "text", ["12"], "string"),
    ],
)
def test_values_reach_the_grid_as_postgresql_means_them(
    values: list[Any], type: str, expected: list[Any], arrow: str
) -> None:
    assert column(values, type) == (expected, arrow)


@pytest.mark.parametrize(
    ("values", "form"),
    [(["12.50", "3.00"], "%.2f"), (["12.5", "3"], "plain"), (["7"], "%.0f"), (["0.1234567890123456"], None)],
)
def test_a_numeric_is_shown_with_its_places(values: list[str], form: str | None) -> None:
    assert grids._values(values, "numeric").form == form


def test_a_very_long_value_is_cut_in_the_grid() -> None:
    ((value,), _) = column(["x" * 10_000_000], "text")
    assert value == "x" * grids.LONGEST + "… (10,000,000 characters)"


def test_headings_say_the_type_and_numbers_stand_right() -> None:
    app = page(result([(1, "9" * 40, "x")], ("n", "bigint"), ("big", "numeric"), ("n", '"evil](x)"')))
    config = json.loads(app.dataframe[0].proto.columns)
    assert config["n"]["help"] == "bigint"
    assert config["big"]["alignment"] == "right"
    assert config["n (2)"]["help"] == '\\"evil\\]\\(x\\)\\"'
    assert app.dataframe[0].proto.placeholder == "null"


def test_a_wide_answer_is_shown_in_part() -> None:
    wide = [(f"c{index}", "integer") for index in range(1_600)]
    app = page(result([tuple(range(1_600))] * 1_000, *wide))
    assert app.dataframe[0].value.shape == (625, 1_600)
    assert "the first 625 of 1,000 rows" in app.caption[0].value


def test_an_answer_without_columns_or_rows_says_so() -> None:
    assert "2 rows and no column" in page(result([(), ()])).info[0].value
    assert list(page(result([], ("n", "bigint"))).dataframe[0].value.columns) == ["n"]


# A row in full


def test_a_selected_row_is_shown_whole_and_as_plain_text() -> None:
    row = (NASTY, None, "", True, "x" * 10_000, "1" * 1000)
    names = [("a", "text"), (NASTY, "text"), ("c", "text"), ("d", "boolean"), ("e", "text"), ("f", "numeric")]
    app = page(result([("no",) * 6, row], *names), 1)
    assert [code.value for code in app.code] == [NASTY, "true", "x" * 2_000 + "…", "1" * 1000]
    said = [markdown.value for markdown in app.markdown]
    assert ":gray[null]" in said
    assert ":gray[empty text]" in said
    assert any(messages.plain(NASTY) in text for text in said)
    assert not any(NASTY in text for text in said)
    app.toggle[0].set_value(True).run()
    assert app.code[2].value == "x" * 10_000


def test_a_wide_row_is_shown_in_pages() -> None:
    wide = [(f"c{index}", "integer") for index in range(1_600)]
    app = page(result([tuple(range(1_600))], *wide), 0)
    assert [code.value for code in app.code] == [str(index) for index in range(40)]
    app.selectbox[0].set_value(1_560).run()
    assert [code.value for code in app.code] == [str(index) for index in range(1_560, 1_600)]


def test_a_selection_of_another_answer_selects_nothing() -> None:
    assert not page(result([(1,)], ("n", "integer")), 7).code


# The chart


def chart_page(answer: console.Result, chosen: charts.Chart | None = None) -> AppTest:
    def script() -> None:
        import streamlit as st

        from elements import chart

        found = chart.edit(st.session_state["given"], st.session_state["chosen"], key="chart")
        st.json(found.to_dict() if found else None)

    app = AppTest.from_function(script, default_timeout=60)
    app.session_state["given"], app.session_state["chosen"] = answer, chosen
    app.run()
    assert not app.exception
    return app


def chosen_in(app: AppTest) -> Any:
    return json.loads(app.json[0].value)


SALES = result(
    [(f"2024-01-{day:02d}", label, day, day / 2) for day in range(1, 29) for label in labels.COLOURS],
    ("day", "date"),
    ("label", "text"),
    ("n", "bigint"),
    ("half", "double precision"),
)


def test_the_proposed_chart_is_drawn_and_can_be_changed() -> None:
    app = chart_page(SALES)
    assert chosen_in(app) == {"kind": "line", "x": "day", "y": ["n"], "color": "label"}
    assert app.get("vega_lite_chart") or app.get("arrow_vega_lite_chart")
    app.button_group[0].set_value("scatter").run()
    app.multiselect[0].set_value(["half"]).run()
    assert not app.exception
    assert chosen_in(app)["kind"] == "scatter"
    assert chosen_in(app)["y"] == ["half"]


def test_a_chosen_chart_is_where_the_widgets_begin() -> None:
    chosen = charts.Chart("bar", "label", (), None)
    assert chosen_in(chart_page(SALES, chosen)) == chosen.to_dict()


def test_a_chart_of_other_columns_gives_way_to_the_proposal() -> None:
    assert chosen_in(chart_page(SALES, charts.Chart("bar", "gone", ("n",))))["kind"] == "line"


def test_where_nothing_suggests_itself_nothing_is_drawn() -> None:
    app = chart_page(result([(f"t{n}",) for n in range(60)], ("t", "text")))
    assert chosen_in(app) is None
    assert "no kind suggests itself" in app.info[0].value


def test_one_number_is_shown_large_and_with_all_its_digits() -> None:
    app = chart_page(result([(1_234_567, "3.6666666666666667")], ("n", "bigint"), ("*avg*", "numeric")))
    assert [(metric.label, metric.value) for metric in app.metric] == [
        ("n", "1,234,567"),
        ("\\*avg\\*", "3.6666666666666667"),
    ]


@pytest.mark.parametrize(
    "chart",
    [charts.Chart(kind, x, ("half",), "label") for kind in charts.KINDS[:4] for x in ("day", "label", "n")]
    + [charts.Chart("histogram", x, ()) for x in ("n", "half")],
)
def test_every_kind_can_be_drawn_of_every_column(chart: charts.Chart) -> None:
    assert charts.fits(chart, SALES.columns)
    spec = pictures.picture(chart_data.prepare(SALES, chart), chart).to_dict()
    assert spec["mark"]["type"]


@pytest.mark.parametrize(("x", "color"), [("label", None), ("day", "label")])
def test_labels_have_their_colours_everywhere(x: str, color: str | None) -> None:
    chart = charts.Chart("bar", x, ("n",), color)
    spec = pictures.picture(chart_data.prepare(SALES, chart), chart).to_dict()
    scale = spec["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == {
        labels.title(label): colour for label, colour in labels.COLOURS.items()
    }


@pytest.mark.parametrize("name", ["image", "title"])
def test_a_columns_name_means_nothing_to_vegas_tooltip(name: str) -> None:
    answer = result([("http://127.0.0.1:9/x.png", 1), ("b", 2)], (name, "text"), ("n", "integer"))
    chart = charts.Chart("bar", name, ("n",))
    spec = pictures.picture(chart_data.prepare(answer, chart), chart).to_dict()
    titles = [tooltip["title"] for tooltip in spec["encoding"]["tooltip"]]
    assert name not in titles
    assert titles[0].strip() == name


# The file


@pytest.fixture
def opened(shop_home: running.Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[settings.Settings]:
    monkeypatch.setenv("UNDERTONE_HOME", str(shop_home.path))
    monkeypatch.setenv("UNDERTONE_LOCAL_WORKER", "false")
    monkeypatch.setenv("UNDERTONE_EXPORT_ROWS", "100")
    # There is no browser here whose session it would be.
    session = downloads.Session("")
    monkeypatch.setattr(downloads, "get_session", lambda: session)
    yield settings.load_settings()
    conftest.release()


def prepared(statement: str, format: str = "csv") -> downloads.Download:
    download = downloads.start(asking.Question(statement, who="somebody"), format)
    assert download.wait(60)
    return download


def whole(download: downloads.Download) -> bytes:
    """The file as the browser puts it together."""
    content, name = b"", download.path.stem
    while True:
        message = saving.described(download, {"id": name, "start": len(content)})
        length = int.from_bytes(message[:4], "big")
        about = json.loads(message[4 : 4 + length])
        assert about["start"] == len(content)
        content += message[4 + length :]
        if len(content) >= about["size"]:
            assert len(content) == about["size"]
            return content


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize("format", export.FORMATS)
def test_a_file_comes_whole_piece_by_piece(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "PIECE", 1_000)
    download = prepared("SELECT n, 'text ' || n AS t FROM generate_series(1, 100) AS n", format)
    assert (download.error, download.rows, download.truncated) == (None, 100, None)
    content = whole(download)
    assert content == download.path.read_bytes()
    if format == "csv":
        assert len(list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))) == 101
    if format == "parquet":
        assert pyarrow.parquet.read_table(io.BytesIO(content)).num_rows == 100


@pytest.mark.usefixtures("opened")
def test_a_file_is_under_its_own_limit_and_says_when_it_was_cut() -> None:
    download = prepared("SELECT * FROM generate_series(1, 101)")
    assert (download.rows, download.truncated) == (100, "rows")


@pytest.mark.usefixtures("opened")
def test_a_download_can_be_cancelled_and_leaves_nothing() -> None:
    download = downloads.start(asking.Question("SELECT count(*) FROM generate_series(1, 10000000000)"), "csv")
    download.cancel()
    assert download.wait(30)
    assert isinstance(download.error, console.StatementCancelled)
    assert not download.path.exists()


@pytest.mark.usefixtures("opened")
def test_another_download_takes_the_place_of_the_first() -> None:
    first = prepared("SELECT 1")
    assert first.path.exists()
    second = prepared("SELECT 2")
    assert not first.path.exists()
    assert json.loads(saving.described(first, {"id": first.path.stem, "start": 0})[4:])["error"]
    second.remove()
    assert not second.path.exists()


@pytest.mark.usefixtures("opened")
def test_nobody_gets_pieces_of_another_file_or_outside_it() -> None:
    download = prepared("SELECT 1")
    for wanted in (None, {"id": "another", "start": 0}, {"id": download.path.stem, "start": "0"}, "x", {"start": 0}):
        message = saving.described(download, wanted)
        assert len(message) == 4 + int.from_bytes(message[:4], "big")
    message = saving.described(download, {"id": download.path.stem, "start": 10**12})
    assert len(message) == 4 + int.from_bytes(message[:4], "big")
    message = saving.described(download, {"id": download.path.stem, "start": -5})
    assert message.endswith(download.path.read_bytes())


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize("statement", ["DELETE FROM reviews", "SELECT wrong"])
def test_a_statement_that_brings_no_answer_leaves_no_file(statement: str) -> None:
    download = prepared(statement)
    assert isinstance(download.error, console.StatementError)
    assert not download.path.exists()


@pytest.mark.usefixtures("opened")
def test_what_a_killed_process_left_goes_and_what_a_living_one_has_stays(tmp_path: pathlib.Path) -> None:
    tmp = pathlib.Path(downloads.tempfile.gettempdir())
    left = pathlib.Path(downloads.tempfile.mkdtemp(prefix=downloads.PREFIX, dir=tmp))
    (left / "answer.csv").write_text("somebody's")
    living = pathlib.Path(downloads.tempfile.mkdtemp(prefix=downloads.PREFIX, dir=tmp))
    held = downloads._lock(living)
    assert held is not None
    downloads._tidy()
    assert not left.exists()
    assert living.exists()
    held.close()
    downloads._tidy()
    assert not living.exists()


def test_the_page_prepares_a_file_and_offers_it(shop: conftest.Open, shop_home: running.Home) -> None:
    shop()  # opens the databases of this home

    def script() -> None:
        from elements import download
        from undertone import asking

        download.show(asking.Question("SELECT * FROM reviews"), key="d")

    app = AppTest.from_function(script, default_timeout=60).run()
    assert not app.exception
    app.button(key="d_prepare").click().run()
    download = app.session_state["d_file"]
    assert download.wait(60)
    app.run()
    assert not app.exception
    (element,) = app.get("bidi_component")
    message = element.proto.bytes
    about = json.loads(message[4 : 4 + int.from_bytes(message[:4], "big")])
    assert about["name"] == "answer.csv"
    assert about["words"].startswith("321 rows, ")
    download.remove()
