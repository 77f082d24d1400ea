"""Models converted for OpenVINO, kept on disk: converting takes seconds and half a gigabyte, opening neither.

A file's name changes with the model's weights, OpenVINO's version, the precision and what we make of a model before.
Importing this module is cheap.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.metadata
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time
import warnings
from typing import Any

ABANDONED_SECONDS = 86_400.0
FORM = 2  # of what is made of a network before it is converted: another number makes what is kept out of date
MOST = 6  # converted models that are kept; the longest unused go first


def openvino() -> Any:
    """The library, imported so that it neither counts its uses nor sends them home."""
    # It imports this module where it is there, and does without where it is not.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    return importlib.import_module("openvino")


def version() -> str:
    """OpenVINO's version; raises importlib.metadata.PackageNotFoundError where it is not installed."""
    return importlib.metadata.version("openvino")


def convert(network: Any) -> Any:
    """A float32 torch module that takes input_ids and attention_mask, as OpenVINO's model in memory.

    Raises whatever OpenVINO and the module come up with.
    """
    import torch

    example = {name: torch.ones(2, 16, dtype=torch.long) for name in ("input_ids", "attention_mask")}
    with warnings.catch_warnings(), torch.inference_mode(False), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer's remarks on the model's own code
        model = openvino().convert_model(network.eval(), example_input=example)
    names = {port.get_any_name() for port in model.inputs}
    if names != set(example):
        raise ValueError(f"its inputs are {', '.join(sorted(names))}")
    return model


def path(folder: pathlib.Path, identity: str, precision: str) -> pathlib.Path:
    """Where the model `identity` (a name with a hash of the weights) is kept."""
    safe = re.sub(r"[^\w.@-]+", "_", identity)[-100:]
    return folder / f"{safe}-openvino-{version()}-{precision}-{FORM}.xml"


def keep(model: Any, target: pathlib.Path, *, halve: bool) -> None:
    """Write `model` to `target`: all of it or nothing. `halve` keeps the weights in float16.

    Raises OSError where it cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as new:
        made = pathlib.Path(new) / target.name
        try:
            openvino().save_model(model, made, compress_to_fp16=halve)
        except RuntimeError as error:  # a full disk, in OpenVINO's words
            raise OSError(str(error).splitlines()[0]) from error
        sums = {suffix: _sum(made.with_suffix(suffix)) for suffix in (".xml", ".bin")}
        made.with_suffix(".json").write_text(json.dumps(sums))
        # The sums last: without them the others count as absent.
        for suffix in (".xml", ".bin", ".json"):
            made.with_suffix(suffix).replace(target.with_suffix(suffix))
    _forget(target.parent)
    for old in target.parent.glob(".new-*"):  # of a conversion that was killed
        with contextlib.suppress(OSError):
            if time.time() - old.stat().st_mtime > ABANDONED_SECONDS:
                shutil.rmtree(old, ignore_errors=True)


def usable(target: pathlib.Path) -> bool:
    """Whether `target` is there and is what was written: a damaged one would answer with wrong labels."""
    try:
        sums = json.loads(target.with_suffix(".json").read_text())
        whole = all(_sum(target.with_suffix(suffix)) == sums[suffix] for suffix in (".xml", ".bin"))
    except (OSError, ValueError, KeyError, TypeError):
        return False
    if whole:
        with contextlib.suppress(OSError):
            os.utime(target)
    return whole


def _sum(file: pathlib.Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _forget(folder: pathlib.Path) -> None:
    """Remove the models that were not used for the longest time, beyond the number that is kept."""
    used: dict[pathlib.Path, float] = {}
    for file in folder.glob("*-openvino-*.xml"):
        with contextlib.suppress(OSError):  # another process may do the same
            used[file] = file.stat().st_mtime
    for old in sorted(used, key=used.__getitem__, reverse=True)[MOST:]:
        for suffix in (".json", ".xml", ".bin"):
            with contextlib.suppress(OSError):
                old.with_suffix(suffix).unlink()
