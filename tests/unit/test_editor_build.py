"""The editor's program is built from its sources, asks nobody, and knows PostgreSQL's words."""

from __future__ import annotations

import hashlib
import json
import pathlib
import re
from collections.abc import Callable

ROOT = pathlib.Path(__file__).parents[2]
EDITOR = ROOT / "elements" / "editor"
PROGRAM = EDITOR / "build" / "editor.js"


def test_the_build_is_of_these_sources() -> None:
    """If not: cd elements/editor && npm ci && npm run build."""
    stamp, program = PROGRAM.read_text(encoding="utf-8").split("\n", 1)
    names = ["build.mjs", "package-lock.json", "package.json"]
    names += sorted(f"src/{file.name}" for file in (EDITOR / "src").iterdir())
    sources = hashlib.sha256()
    for name in names:
        sources.update(name.encode() + b"\0" + (EDITOR / name).read_bytes() + b"\0")
    assert f"sources {sources.hexdigest()} " in stamp
    assert f"program {hashlib.sha256(program.encode()).hexdigest()} " in stamp


def test_the_build_is_small_and_has_no_map() -> None:
    assert PROGRAM.stat().st_size < 600_000
    assert "sourceMappingURL" not in PROGRAM.read_text(encoding="utf-8")


def test_the_program_asks_nobody() -> None:
    program = PROGRAM.read_text(encoding="utf-8")
    # The only address is the name of a format, which nobody fetches.
    assert set(re.findall(r"https?://[\w./-]+", program)) == {"http://www.w3.org/2000/svg"}
    for asks in ("fetch(", "XMLHttpRequest", "importScripts", "WebSocket", "import(", "eval(", "new Function"):
        assert asks not in program, asks


def test_nothing_is_put_in_as_html() -> None:
    for file in (EDITOR / "src").glob("*.js"):
        for puts in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write"):
            assert puts not in file.read_text(encoding="utf-8"), file


def test_packages_are_pinned_and_come_from_wherever_npm_is_told_to_look() -> None:
    wanted = json.loads((EDITOR / "package.json").read_text())["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    packages = json.loads((EDITOR / "package-lock.json").read_text())["packages"]
    for name, version in wanted.items():
        assert packages[f"node_modules/{name}"]["version"] == version
    for name, package in packages.items():
        assert "resolved" not in package
        assert not name or package["integrity"].startswith("sha512-"), name
    for file in (path for path in EDITOR.rglob("*") if path.is_file() and "node_modules" not in path.parts):
        assert "registry" + ".npmjs" not in file.read_text(encoding="utf-8", errors="replace"), file


def test_the_licence_of_each_package_in_the_build_is_beside_it() -> None:
    licences = (EDITOR / "build" / "LICENCES.txt").read_text(encoding="utf-8")
    packages = re.findall(r"^(\S+) (\d+\.\d+\.\d+) \((\S+)\)$", licences, re.MULTILINE)
    locked = json.loads((EDITOR / "package-lock.json").read_text())["packages"]
    assert {"@codemirror/view", "@lezer/common", "sql-formatter", "nearley"} <= {name for name, _, _ in packages}
    for name, version, licence in packages:
        assert locked[f"node_modules/{name}"]["version"] == version
        assert licence == "MIT", name
    assert licences.count("Permission is hereby granted") == len(packages)


def test_names_are_quoted_where_postgresql_wants_it(execute: Callable[..., list[tuple[object, ...]]]) -> None:
    source = (EDITOR / "src" / "names.js").read_text(encoding="utf-8")
    found = re.search(r"RESERVED = new Set\(\s*`([^`]*)`", source)
    assert found
    wanted = {word for (word,) in execute("SELECT word FROM pg_get_keywords() WHERE catcode <> 'U'")}
    assert set(found[1].split()) == wanted
