"""What the measurement of the SQL page counts on."""

from __future__ import annotations

from bench import console


def test_what_psql_says_about_time_is_read() -> None:
    said = "Timing is on.\nTime: 0.170 ms\nCOPY 1000000\nTime: 1512.345 ms (00:01.512)\n"
    assert console.TIMING.findall(said) == ["0.170", "1512.345"]


def test_ratios_are_ours_to_theirs() -> None:
    seconds = {
        **{"statement psycopg2": 0.001, "statement lane": 0.005, "statement page": 0.009},
        **{"grid ours": 0.08, "grid psql": 0.02, "first rows ours": 0.004, "export ours": 3.0, "export psql": 1.0},
    }
    found = console.Results(seconds, {"an export": 0, "a value of a gigabyte": 42_000_000})
    lines = list(console.ratios(found, console.Sizes()))
    assert lines[0].startswith("overhead of the lane on a statement: 4.0 ms")
    assert lines[1].startswith("overhead of the lane and the log on a statement: 8.0 ms")
    assert "in a grid's data: 80 ms (goal: at most 100); ours / psql to a file: 4.00" in lines[2]
    assert "4.0 ms (goal: under 100)" in lines[3]
    assert "ours / \\copy: 3.00" in lines[4]
    assert "at most 42 MB more" in lines[6]


def test_growth_of_memory_is_seen() -> None:
    memory = console.Memory()
    with memory.watched("a list"):
        kept = b"x" * 50_000_000
        assert len(kept) == 50_000_000
    with memory.watched("nothing", anew=True):
        pass
    assert memory.growth["a list"] > 45_000_000
    assert memory.growth["nothing"] < 5_000_000
