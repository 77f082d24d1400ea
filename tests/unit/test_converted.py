"""What converted models on disk promise: whole or not there, found again by what they were made of, few."""

from __future__ import annotations

import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from tests.unit import small
from undertone import classifier, converted, hub

ROOT = pathlib.Path(classifier.__file__).resolve().parent.parent
SUFFIXES = (".xml", ".bin", ".json")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> object:
    folder = small.save_small(tmp_path_factory.mktemp("models") / "small", {0: "bad", 1: "good"})
    return converted.convert(classifier.open_model(str(folder)).load())


@pytest.fixture
def kept(model: object, tmp_path: pathlib.Path) -> pathlib.Path:
    target = converted.path(tmp_path / "cache", "small@1", "float32")
    converted.keep(model, target, halve=False)
    return target


def test_what_was_kept_is_three_files_and_nothing_else(kept: pathlib.Path) -> None:
    assert sorted(file.name for file in kept.parent.iterdir()) == sorted(kept.with_suffix(s).name for s in SUFFIXES)
    assert converted.usable(kept)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("damage", ["missing", "empty", "shorter", "longer", "flipped", "a directory"])
def test_what_is_damaged_is_not_used(kept: pathlib.Path, suffix: str, damage: str) -> None:
    file = kept.with_suffix(suffix)
    whole = file.read_bytes()
    middle = len(whole) // 2
    file.unlink()
    if damage == "a directory":
        file.mkdir()
    elif damage != "missing":
        flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
        file.write_bytes({"empty": b"", "shorter": whole[:-1], "longer": whole + b"\0", "flipped": flipped}[damage])
    assert not converted.usable(kept)


@pytest.mark.parametrize("sums", ["[]", "null", "5", '{"xml": 1}', '{".xml": null, ".bin": null}', "{", "\udcff"])
def test_sums_that_are_none_are_no_sums(kept: pathlib.Path, sums: str) -> None:
    kept.with_suffix(".json").write_bytes(sums.encode(errors="surrogateescape"))
    assert not converted.usable(kept)


def test_what_is_damaged_is_made_anew(kept: pathlib.Path, model: object) -> None:
    kept.with_suffix(".bin").write_bytes(b"other")
    converted.keep(model, kept, halve=False)
    assert converted.usable(kept)


def test_the_name_changes_with_weights_version_and_precision(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = hub.open_named(str(small.save_small(tmp_path / "one" / "small", {0: "bad", 1: "good"})))
    other = hub.open_named(str(small.save_small(tmp_path / "two" / "small", {0: "bad", 1: "good"}, hidden_act="relu")))
    assert first.identity.split("@")[0] == other.identity.split("@")[0] == "small"
    names = {
        converted.path(tmp_path, opened.identity, precision).name
        for opened in (first, other)
        for precision in ("float32", "bfloat16")
    }
    monkeypatch.setattr(converted, "version", lambda: "1.2.3")
    names.add(converted.path(tmp_path, first.identity, "float32").name)
    assert len(names) == 5
    assert sum("1.2.3" in name for name in names) == 1


@pytest.mark.parametrize(
    "identity", ["owner/name@abc", "../../etc/passwd@1", "a b\n@2", "x" * 500 + "@3", "Müller/模型@4"]
)
def test_a_name_stays_in_its_folder_and_fits(tmp_path: pathlib.Path, identity: str) -> None:
    path = converted.path(tmp_path, identity, "bfloat16")
    assert path.parent == tmp_path
    assert len(os.fsencode(path.name)) < 250
    assert "@" + identity.split("@")[1] in path.name, "what tells weights apart is never cut off"


def test_the_folder_s_hash_changes_with_all_that_changes_an_answer(tmp_path: pathlib.Path) -> None:
    folder = small.save_small(tmp_path / "small", {0: "bad", 1: "good"})
    seen = {hub.folder_hash(folder)}
    (folder / "README.md").write_text("not part of it")
    assert {hub.folder_hash(folder)} == seen
    shutil.copytree(folder, tmp_path / "copy")
    assert {hub.folder_hash(tmp_path / "copy")} == seen, "wherever it lies"
    for name in ("config.json", "model.safetensors", "vocab.txt", "tokenizer.json"):
        with (folder / name).open("ab") as file:
            file.write(b"\n")
        seen.add(hub.folder_hash(folder))
    assert len(seen) == 5


def test_the_longest_unused_go_first(model: object, tmp_path: pathlib.Path) -> None:
    paths = [converted.path(tmp_path, f"model@{number}", "float32") for number in range(converted.MOST + 2)]
    for age, path in enumerate(paths[: converted.MOST]):
        converted.keep(model, path, halve=False)
        os.utime(path, (1_000_000 + age,) * 2)
    assert converted.usable(paths[0]), "and so it was used just now"
    (tmp_path / "notes.xml").write_text("somebody else's")
    for path in paths[converted.MOST :]:
        converted.keep(model, path, halve=False)
    left = [path for path in paths if path.exists()]
    assert left == [paths[0], *paths[3:]], "all were there until there was one too many"
    assert all(converted.usable(path) for path in left)
    for suffix in SUFFIXES:
        assert len(list(tmp_path.glob(f"model*{suffix}"))) == converted.MOST, "all three go"
    assert (tmp_path / "notes.xml").exists()


def test_what_is_kept_twice_at_once_is_whole(model: object, kept: pathlib.Path) -> None:
    def keep(_: int) -> bool:
        converted.keep(model, kept, halve=False)
        return converted.usable(kept)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        # Whatever order the files of several come in, all of them are the same.
        assert all(pool.map(keep, range(16)))
    assert len(list(kept.parent.iterdir())) == 3, "and nothing half-made stays behind"


def test_who_has_a_model_open_is_not_disturbed(model: object, kept: pathlib.Path) -> None:
    from tests.unit import test_engines
    from undertone import engines

    engine = engines.OpenVinoEngine(kept, "float32", 1, 1)
    asked = test_engines.batches(3)
    before = list(engine.outputs(asked))
    for suffix in SUFFIXES:
        kept.with_suffix(suffix).unlink()
    converted.keep(model, kept, halve=True)
    for one, two in zip(before, engine.outputs(asked), strict=True):
        assert (one == two).all()


def test_a_folder_that_cannot_be_made_is_an_os_error(model: object, tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        converted.keep(model, converted.path(tmp_path / "file" / "cache", "small@1", "float32"), halve=False)
    target = converted.path(tmp_path, "small@1", "float32")
    target.mkdir()
    (target / "full").write_text("in the way")
    with pytest.raises(OSError, match="small@1"):
        converted.keep(model, target, halve=False)


def test_nothing_is_counted_and_nothing_sent_home(tmp_path: pathlib.Path) -> None:
    folder = small.save_small(tmp_path / "small", {0: "bad", 1: "good"})
    home = tmp_path / "home"
    home.mkdir()
    code = (
        "import socket, sys\n"
        "def refuse(*_): raise SystemExit('reached for the network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "import pathlib\n"
        "from undertone import choice, classifier, engines\n"
        "opened = classifier.open_model(sys.argv[1])\n"
        "print(choice.choose(opened, engines.Wish('openvino', 'float32', 1), pathlib.Path(sys.argv[2])).engine)\n"
        "print([name for name in sys.modules if name.startswith('openvino_telemetry') and sys.modules[name]])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(tmp_path / "cache")],
        cwd=ROOT,
        env={**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.splitlines(), done.returncode) == (["openvino", "[]"], 0), done.stderr
    assert [place.name for place in home.iterdir() if place.name != ".cache"] == []
    sums = json.loads(next((tmp_path / "cache").glob("*-openvino-*.json")).read_text())
    assert set(sums) == {".xml", ".bin"}
