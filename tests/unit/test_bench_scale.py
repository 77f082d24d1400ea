"""What the measurements of runs count on: work between two moments, and that little runs show what they promise."""

from __future__ import annotations

import time

import pytest

from bench import carrying, rerun, scale, simulated


def steady(worker: str, seconds: float, number: int, start: float = 0.0) -> list[tuple[str, float, float, int]]:
    """Chunks of a worker that ends one every so many seconds, each begun while the last one was computed."""
    return [
        (worker, start + max(0, index - 1) * seconds, start + (index + 1) * seconds, 100) for index in range(number)
    ]


@pytest.mark.parametrize("begin", [4.0, 4.5, 5.9])
def test_a_chunk_counts_by_the_part_that_lies_between_the_moments(begin: float) -> None:
    chunks = steady("a", 2.0, 10) + steady("b", 2.0, 10, start=0.7)
    assert carrying.done_between(chunks, begin, begin + 7) == (pytest.approx(7.0), pytest.approx(700.0))


def test_a_worker_that_has_nothing_to_do_any_more_is_not_counted_as_busy() -> None:
    assert carrying.done_between(steady("a", 2.0, 3), 2.0, 12.0) == (pytest.approx(2.0), pytest.approx(200.0))


def test_the_first_chunk_counts_from_when_it_was_begun() -> None:
    assert carrying.done_between(steady("a", 4.0, 2, start=10.0), 0.0, 12.0) == (
        pytest.approx(0.5),
        pytest.approx(50.0),
    )


def test_efficiency_is_measured_against_one_worker() -> None:
    def carried(workers: int, rows: float) -> carrying.Carried:
        return carrying.Carried(workers, rows / 1000, rows, 0.1, 0.1, 10, 2, 500.0, 1.0, 1000, ())

    assert scale.efficiency(carried(32, 15_200), carried(1, 500)) == pytest.approx(0.95)


def test_a_model_that_sleeps_takes_its_time_once_for_each_of_its_callers() -> None:
    looks: list[int] = []
    model = simulated.Asleep(0.01)
    begun = time.monotonic()
    found = model.classify(["a text"] * 25, lambda: looks.append(1))
    assert time.monotonic() - begun >= 0.25
    assert looks, "it asks whether to go on"
    assert len(found) == 25
    for one in found:
        assert one.label is not None
        assert one.confidence == max(one.probabilities.values())
        assert sum(one.probabilities.values()) == pytest.approx(1)


def test_the_same_run_again_does_exactly_what_has_changed(capsys: pytest.CaptureFixture[str]) -> None:
    rerun.main("--rows", "2000", "--quick")
    said = capsys.readouterr().out.splitlines()
    assert "20 rows updated, 20 inserted, 20 deleted of 2,000: 1 chunks" in said[3]
    assert said[4] == "exactly these were done: 40 scored, 20 marked as vanished, 1,960 left"
    assert said[-1].startswith("the same run again / psql's COPY: ")


def test_simulated_workers_share_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    scale.main("--chunk-seconds", "0.4", "--seconds", "3", "--workers", "1", "2")
    said = capsys.readouterr().out.splitlines()
    assert said[-2].startswith("2 workers: ")
    assert said[-1].startswith("2 workers, of 2 times one: ")
