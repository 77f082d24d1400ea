"""What computes a network: torch, which is always there, or OpenVINO, which is faster on most processors.

Importing this module is cheap. An engine takes batches of tokens and gives the network's raw outputs; what they mean is
the classifier's business, and which engine is taken that of `choice`.
"""

from __future__ import annotations

import collections
import concurrent.futures
import os
import pathlib
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from undertone import adapter, converted

ENGINES = ("auto", "openvino", "torch")
PRECISIONS = ("auto", "float32", "bfloat16")
Outputs = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Batch:
    """Tokens for the network: both int64, (rows, width); `mask` is 1 where `tokens` are no padding."""

    tokens: npt.NDArray[np.int64]
    mask: npt.NDArray[np.int64]


class Engine(Protocol):
    """A network, ready to compute. One caller at a time."""

    name: str
    device: str
    precision: str
    threads: int
    batch_tokens: int
    """Tokens of a batch, padding counted, with which it is fast."""

    def outputs(self, batches: Iterable[Batch]) -> Iterator[Outputs]:
        """The raw outputs of each batch, float32 (rows, outputs), in the order of the batches.

        The next batches are asked for while earlier ones are computed. Raises ModelError where the network fails.
        """


@dataclass(frozen=True)
class Wish:
    """What the settings ask of an engine; `threads` 0: all processors that this process may use."""

    engine: str = "auto"
    precision: str = "auto"
    threads: int = 0


class _Pooled:
    """An engine whose threads compute while its caller makes the next batches."""

    def __init__(self, side_by_side: int) -> None:
        """So many batches are computed at once."""
        self._side_by_side = side_by_side
        self._pool = concurrent.futures.ThreadPoolExecutor(side_by_side, "engine")

    def _compute(self, batch: Batch) -> Outputs:
        raise NotImplementedError

    def outputs(self, batches: Iterable[Batch]) -> Iterator[Outputs]:
        """See `Engine`."""
        waiting: collections.deque[concurrent.futures.Future[Outputs]] = collections.deque()

        def first() -> Outputs:
            try:
                return waiting.popleft().result()
            except Exception as error:  # whatever a stranger's network comes up with
                raise adapter.ModelError(f"The model failed at a batch: {first_line(error)}") from error

        try:
            for batch in batches:
                waiting.append(self._pool.submit(self._compute, batch))
                # One more than are computed, so that none of the threads waits for its next.
                while len(waiting) > self._side_by_side + 1:
                    yield first()
            while waiting:
                yield first()
        finally:
            for one in waiting:
                one.cancel()
            concurrent.futures.wait(waiting)


class TorchEngine(_Pooled):
    """Computes with torch, on a graphics processor where there is one."""

    name = "torch"

    def __init__(self, network: Any, device: str, precision: str, threads: int) -> None:
        """Takes `network`, a float32 torch module, over: it is moved and converted in place."""
        import torch

        super().__init__(1)
        self.device, self.precision, self.threads = device, precision, threads
        self.batch_tokens = 2048 if device == "cpu" else 65_536
        if device == "cpu":
            torch.set_num_threads(threads)
        self._network = network.to(device=device, dtype=getattr(torch, precision)).eval()

    def _compute(self, batch: Batch) -> Outputs:
        import torch

        with torch.inference_mode():
            logits = self._network(
                input_ids=torch.from_numpy(batch.tokens).to(self.device),
                attention_mask=torch.from_numpy(batch.mask).to(self.device),
            ).logits
            found: Outputs = logits.float().cpu().numpy()
            return found


class OpenVinoEngine(_Pooled):
    """Computes with OpenVINO on the processor, `streams` batches side by side.

    Not with its AsyncInferQueue: that calls Python from OpenVINO's own threads, and a process that ended meanwhile hung
    or aborted, now and then.
    """

    name = "openvino"
    device = "cpu"
    batch_tokens = 1024

    def __init__(self, model: Any, precision: str, threads: int, streams: int) -> None:
        """`model` is the path of a converted model, or one in memory. Raises what OpenVINO raises."""
        super().__init__(streams)
        self.precision, self.threads, self.streams = precision, threads, streams
        self._compiled = (
            converted.openvino()
            .Core()
            .compile_model(
                model,
                "CPU",
                {
                    "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
                    "NUM_STREAMS": str(streams),
                    "INFERENCE_NUM_THREADS": threads,
                    # A thread that is tied to a processor waits there for whoever else uses it.
                    "ENABLE_CPU_PINNING": False,
                },
            )
        )
        self._own = threading.local()
        # Once, before there are several threads: the first two that enter OpenVINO's binding at one moment may wait for
        # each other for ever, one for a guard of C++, the other, which holds it, for Python's lock.
        self._compute(Batch(np.zeros((1, 4), dtype=np.int64), np.ones((1, 4), dtype=np.int64)))

    def _compute(self, batch: Batch) -> Outputs:
        if not hasattr(self._own, "request"):
            self._own.request = self._compiled.create_infer_request()
        answer = self._own.request.infer({"input_ids": batch.tokens, "attention_mask": batch.mask})
        found: Outputs = answer[0].copy()  # the next batch takes its place
        return found


def processors() -> int:
    """How many processors this process may use: its affinity, and a container's share where there is one."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = pathlib.Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, min(count, -(-int(quota) // int(period))))
    except (OSError, ValueError):  # no such file, or "max"
        return count


def accelerator() -> str:
    """ "cuda", "mps" or "cpu". torch, which takes a second to import, is asked only where there may be something."""
    if sys.platform == "linux" and not any(map(os.path.exists, ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg"))):
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def torch_precision(device: str) -> str:
    """bfloat16 where torch multiplies in it by hardware: elsewhere it is slower than float32."""
    import torch

    if device == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    if device == "mps":
        return "float32"
    able: Any = torch.cpu.get_capabilities()
    return "bfloat16" if able.get("avx512_bf16") or able.get("amx_bf16") else "float32"


def first_line(error: Exception) -> str:
    """What an error says, in one line of at most 200 characters; its kind where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
