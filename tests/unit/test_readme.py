"""Docs are tested: every page and command that exists is in the README, and the reverse. Settings: test_settings.py."""

from __future__ import annotations

import re

from tests import running
from undertone import cli

README = (running.ROOT / "README.md").read_text(encoding="utf-8")


def table(heading: str) -> list[str]:
    """The first cells of the table under a heading."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")][1:]


def test_every_page_is_in_the_readme_and_the_reverse() -> None:
    titles = re.findall(r'st\.Page\([^)]*title="([^"]+)"', (running.ROOT / "Home.py").read_text(encoding="utf-8"))
    assert table("Pages") == titles


def test_every_command_is_in_the_readme_and_the_reverse() -> None:
    commands = {
        command.name or command.callback.__name__ for command in cli.app.registered_commands if command.callback
    }
    assert {cell.strip("`").split()[3] for cell in table("Command line")} == commands


def test_what_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    assert not [link for link in links if not (running.ROOT / link).exists()]


def test_the_readme_names_the_commands_of_the_repository() -> None:
    for name in ("bin/run", "bin/test"):
        assert f"    {name} " in README
        assert (running.ROOT / name).stat().st_mode & 0o111
