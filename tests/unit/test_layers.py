"""Arrows point one way: pages → elements → resources → undertone; and what is heavy is imported where it is needed."""

from __future__ import annotations

import ast
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).parents[2]
LAYERS = {name: sorted((ROOT / name).rglob("*.py")) for name in ("undertone", "resources", "elements", "pages")}
LAYERS["pages"].append(ROOT / "Home.py")
FORBIDDEN = {
    "undertone": {"streamlit", "resources", "elements", "pages", "Home", "tests"},
    "resources": {"elements", "pages", "Home", "tests", "psycopg2", "psycopg", "sqlalchemy"},
    "elements": {"pages", "Home", "tests", "psycopg2", "psycopg", "sqlalchemy", "torch", "transformers"},
    "pages": {"pages", "Home", "tests", "psycopg2", "psycopg", "sqlalchemy", "aiosql", "torch", "transformers"},
}
STATEMENT = re.compile(
    r"\s*(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|WITH\s+\S+\s+AS\s*\(|CREATE\s+\w+\s)"
)


def tree(file: pathlib.Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def imports(file: pathlib.Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("importlib.import_module", "__import__"):
            # `util.find_spec` finds without importing; a name that is put together may be anything.
            yield from (str(part.value) for part in node.args if isinstance(part, ast.Constant))


@pytest.mark.parametrize("layer", LAYERS)
def test_no_layer_imports_what_is_above_it(layer: str) -> None:
    assert LAYERS[layer]
    wrong = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in LAYERS[layer]
        for name in imports(file)
        if name.split(".")[0] in FORBIDDEN[layer]
    ]
    assert wrong == []


def test_caches_are_made_in_resources_alone() -> None:
    """All pages run as one module, so two of their cached functions could share a cache."""
    wrong = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for layer in ("undertone", "elements", "pages")
        for file in LAYERS[layer]
        for node in ast.walk(tree(file))
        if (isinstance(node, ast.Attribute) and node.attr.startswith("cache_"))
        or (isinstance(node, ast.ImportFrom) and any(name.name.startswith("cache_") for name in node.names))
    ]
    assert wrong == []
    kept = [node for file in LAYERS["resources"] for node in ast.walk(tree(file)) if isinstance(node, ast.Attribute)]
    assert {"cache_data", "cache_resource"} <= {node.attr for node in kept}


def test_cached_answers_end_some_time() -> None:
    for file in LAYERS["resources"]:
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.FunctionDef):
                calls = [ast.unparse(decorator) for decorator in node.decorator_list]
                wrong = [call for call in calls if "cache_data" in call and "ttl=" not in call]
                assert wrong == [], f"{file}: {node.name}"
                # An argument with an underscore is not part of the key.
                names = [argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)]
                assert not calls or not [name for name in names if name.startswith("_")], f"{file}: {node.name}"


def test_pages_hold_no_statements() -> None:
    """But for an example that a person is shown."""
    wrong = []
    for file in LAYERS["pages"]:
        module = tree(file)
        shown = {
            id(node.value)
            for node in module.body
            if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["EXAMPLE"]
        }
        wrong += [
            f"{file.relative_to(ROOT)}:{node.lineno}"
            for node in ast.walk(module)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and STATEMENT.match(node.value)
            and id(node) not in shown
        ]
    assert wrong == []


def test_pages_read_top_to_bottom() -> None:
    for file in LAYERS["pages"]:
        module = tree(file)
        assert ast.get_docstring(module), f"{file} says not what it is"
        assert len(file.read_text().splitlines()) <= 120, f"{file} is too long for a page"
        assert "unsafe_allow_html" not in file.read_text(), f"{file} renders HTML"


def modules(*layers: str) -> list[str]:
    return [
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for layer in layers
        for file in LAYERS[layer]
        if file.name != "Home.py"
    ]


def heavy(names: list[str]) -> list[str]:
    """What of the heavy is imported once a process has imported `names`."""
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "print(*sorted({'torch', 'transformers', 'openvino', 'onnxruntime', 'safetensors'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, *names], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_the_command_line_starts_without_the_model() -> None:
    assert heavy(["undertone.cli"]) == []


def test_the_app_starts_without_the_model() -> None:
    ours = [name for name in imports(ROOT / "Home.py") if name.split(".")[0] in LAYERS]
    assert len(ours) > 3
    assert heavy([*ours, *modules("elements", "resources")]) == []


def test_no_module_brings_the_model_by_being_imported() -> None:
    # __main__ would run the command line.
    assert heavy([name for name in modules("undertone") if name != "undertone.__main__"]) == []
