"""Pages as Streamlit runs them, on embedded databases of their own and without a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests import running

SECONDS = 60
Open = Callable[..., AppTest]


@pytest.fixture(scope="session")
def shop_home() -> Iterator[running.Home]:
    with running.home() as home:
        yield home


@pytest.fixture(scope="session")
def bare_home() -> Iterator[running.Home]:
    with running.home() as home:
        yield home


def opener(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Open:
    """Open a page of an app with this environment; "" is the home page."""
    for name, value in (environment | {"UNDERTONE_LOCAL_WORKER": "false", "UNDERTONE_THREADS": "1"}).items():
        monkeypatch.setenv(name, value)

    def open_page(name: str = "", **query: Any) -> AppTest:
        app = AppTest.from_file(str(running.ROOT / "Home.py"), default_timeout=SECONDS)
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        if name:
            app.switch_page(f"pages/{name}.py").run()
        return app

    return open_page


@pytest.fixture
def shop(shop_home: running.Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """The app on the demo shop."""
    yield opener(monkeypatch, UNDERTONE_HOME=str(shop_home.path))
    release()


@pytest.fixture
def bare(bare_home: running.Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """The app on a database without a table."""
    yield opener(monkeypatch, UNDERTONE_HOME=str(bare_home.path), UNDERTONE_DEMO="false")
    release()


def release() -> None:
    """What one test's app has opened is not the next one's."""
    st.cache_data.clear()
    st.cache_resource.clear()


def texts(app: AppTest) -> str:
    """Everything that a page says, as the Markdown or the text that it was given."""
    kinds = ("title", "subheader", "markdown", "text", "caption", "error", "warning", "info", "code")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind))
