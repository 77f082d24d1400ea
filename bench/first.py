"""The first page: time to first content and memory of the app, Home with everything running beside a bare app.

Both are asked in turn by a new browser context each time, so that a slower moment of the machine meets both.
"""

from __future__ import annotations

import contextlib
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import playwright.sync_api
import psutil

from tests import running
from tests.browser import conftest

ROUNDS = 9
BARE = 'import streamlit as st\n\nst.title("Home")\nst.write("Hello")\n'


@contextlib.contextmanager
def bare_app(source: str = BARE) -> Iterator[tuple[str, psutil.Process]]:
    """The smallest app: a title and a sentence; or what `source` makes of it."""
    port = running.free_port()
    with tempfile.TemporaryDirectory() as directory:
        script = pathlib.Path(directory) / "bare.py"
        script.write_text(source)
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "streamlit",
                "run",
                str(script),
                "--server.port",
                str(port),
                "--server.headless=true",
            ],
            cwd=directory,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        app = running.App(running.Home(pathlib.Path(directory)), process, f"http://localhost:{port}", script)
        running.wait_until(app.answers, "the bare app answers")
        yield app.address, psutil.Process(process.pid)
        app.stop()


def first_content(browser: playwright.sync_api.Browser, address: str) -> tuple[float, float]:
    """Seconds until the title is seen, and until the page has finished."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    begun = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.get_by_role("heading", name="Home").wait_for()
    seen = time.perf_counter() - begun
    conftest.settle(page)
    whole = time.perf_counter() - begun
    context.close()
    return seen, whole


def main() -> None:
    """Measure and print."""
    with (
        running.home() as home,
        running.app(home) as ours,
        bare_app() as (bare_address, bare_process),
        playwright.sync_api.sync_playwright() as driver,
    ):
        running.wait_until(lambda: home.processes("undertone", "worker"), "the worker is there")
        browser = driver.chromium.launch(executable_path=conftest.executable(), args=conftest.ARGUMENTS)
        for address in (bare_address, ours.address):
            first_content(browser, address)
        times: dict[str, list[tuple[float, float]]] = {"bare": [], "Home": []}
        for _ in range(ROUNDS):
            times["bare"].append(first_content(browser, bare_address))
            times["Home"].append(first_content(browser, ours.address))
        memory = {"bare": bare_process.memory_info().rss, "Home": psutil.Process(ours.process.pid).memory_info().rss}
        browser.close()
    seen = {name: statistics.median(first for first, _ in found) for name, found in times.items()}
    whole = {name: statistics.median(last for _, last in found) for name, found in times.items()}
    for name in times:
        print(f"{name}: title after {seen[name]:.3f} s, all after {whole[name]:.3f} s, {memory[name] / 1e6:.0f} MB")
    print(
        f"Home / bare, median of {ROUNDS}: title {seen['Home'] / seen['bare']:.2f},"
        f" all {whole['Home'] / whole['bare']:.2f}, memory {memory['Home'] / memory['bare']:.2f}"
    )
