"""Train the default model: `python models/default/train.py` (settings: train.json; needs requirements.txt).

1. Teachers: the whole network, one for each entry of `teachers`.
2. Students, one for each entry of `students`: the mean of what some of the teachers changed in each weight (Wortsman et
   al. 2022, arXiv 2203.05482), as far as low-rank matrices can hold it, then trained further on the labels and on what
   these teachers together think (Hinton et al. 2015, arXiv 1503.02531).
3. The mean of the students' weights, again as far as low-rank matrices can hold it.
4. Calibration, on rows held back.

Seeded and resumable: each stage writes a checkpoint every `checkpoint_steps` steps and, started again, goes on from
there. Nearly two hours on two cores that do nothing else. Writes adapter.safetensors and config.json beside itself, or
to --out.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import operator
import os
import pathlib
import random
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(HERE)]

# Threads that spin while they wait stand in the way of whoever else wants the core.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import data  # noqa: E402
import finish  # noqa: E402
import torch  # noqa: E402

from undertone import adapter  # noqa: E402

HEAD = ("bert.pooler.", "classifier.")


def main() -> None:
    """Read the options, train what is not trained yet, calibrate, write."""
    parser = argparse.ArgumentParser(description="Train the default model's adapter.")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "../shared/data/sentiment")
    parser.add_argument("--settings", type=pathlib.Path, default=HERE / "train.json")
    parser.add_argument("--out", type=pathlib.Path, default=HERE)
    parser.add_argument("--checkpoints", type=pathlib.Path, default=HERE / "checkpoints")
    options = parser.parse_args()
    settings = json.loads(options.settings.read_text())
    keep_memory()
    torch.set_num_threads(settings["threads"])
    learn, held = data.hold_back(data.read(options.data), settings["held_back"], settings["seed"])
    learn += data.written("service")  # none of these is held back
    print(f"{len(learn):,} rows to learn from, {len(held):,} held back", flush=True)

    teachers = []
    for number, plan in enumerate(settings["teachers"]):
        torch.manual_seed(settings["seed"])  # the same start, without which a mean of weights would mean nothing
        teacher, tokenizer = build(settings)
        made = Batches(tokenizer, learn, settings, plan, settings["seed"] + 100 * number)
        train(
            teacher,
            made,
            settings,
            plan,
            options.checkpoints / f"teacher-{number}.pt",
            lambda logits, batch: cross_entropy(logits, batch["targets"], settings["label_smoothing"]),
        )
        teachers.append(teacher.eval().requires_grad_(False))

    students = []
    rows = [*learn, *data.sentences(learn)]
    for number, plan in enumerate(settings["students"]):
        torch.manual_seed(settings["seed"])
        shares = zip(teachers, plan["teachers_of_films"], plan["teachers_of_others"], strict=True)
        asked = [teacher for teacher, *share in shares if any(share)]
        student = low_rank_copy(asked, build(settings)[0], settings)
        made = Batches(tokenizer, rows, settings, plan, settings["seed"] + 1000)
        train(
            student,
            made,
            settings,
            plan,
            options.checkpoints / f"student-{number}.pt",
            lambda logits, batch, plan=plan: distillation(logits, batch, teachers, settings, plan),
        )
        students.append(whole(student, build(settings)[0]))

    torch.manual_seed(settings["seed"])
    student = low_rank_copy(students, build(settings)[0], settings)
    finish.finish(student.eval(), held, settings, options.out)


def keep_memory() -> None:
    """Let the C library keep freed memory: giving it back and fetching it anew each step halves the speed."""
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        # M_MMAP_MAX: no block of its own; M_TRIM_THRESHOLD: never trim
        for option, value in ((-4, 0), (-1, -1)):
            if hasattr(library, "mallopt"):
                library.mallopt(option, value)


class Dropout(torch.nn.Module):
    """Dropout with masks cut from one that was drawn beforehand: drawing took two thirds of the time."""

    DRAWN = 1 << 23

    def __init__(self, share: float, seed: int) -> None:
        """`share` of the values become zero."""
        super().__init__()
        drawn = torch.rand(self.DRAWN, generator=torch.Generator().manual_seed(seed))
        self.register_buffer("mask", (drawn >= share).to(torch.bfloat16) / (1 - share), persistent=False)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """`values` where it trains with a part of them zero."""
        if not self.training:
            return values
        at = int(torch.randint(self.DRAWN - values.numel() + 1, (1,)))
        return values * self.mask[at : at + values.numel()].view(values.shape).to(values.dtype)


def build(settings: dict[str, Any]) -> tuple[Any, Any]:
    """The backbone with a new head, all of it to be trained but the positions, and its tokenizer."""
    import transformers

    folder = adapter.backbone_folder()
    adapter.check_backbone(folder)
    transformers.logging.set_verbosity_error()
    # Fused attention was the slower one here.
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder,
        num_labels=len(adapter.LABELS),
        attn_implementation="eager",
        attention_probs_dropout_prob=0.0,
        classifier_dropout=settings["dropout"],
    )
    # Training sees few tokens far from the start.
    model.bert.embeddings.position_embeddings.requires_grad_(False)
    dropout = Dropout(settings["dropout"], settings["seed"])
    model.bert.embeddings.dropout = dropout
    for layer in model.bert.encoder.layer:
        layer.attention.output.dropout = dropout
        layer.output.dropout = dropout
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return model.to(device), transformers.AutoTokenizer.from_pretrained(folder)


class LowRank(torch.nn.Module):
    """A weight plus B · A: the weight stays, A and B are learnt (Hu et al. 2021, arXiv 2106.09685)."""

    def __init__(self, change: torch.Tensor, rank: int) -> None:
        """Starts from the best approximation of `change` (outputs, inputs): its first `rank` singular vectors."""
        super().__init__()
        left, values, right = torch.svd_lowrank(change, q=rank + 16, niter=4)
        root = values[:rank].sqrt()
        self.A = torch.nn.Parameter((right[:, :rank] * root).T.contiguous())
        self.B = torch.nn.Parameter(left[:, :rank] * root)
        kept = (values[:rank] ** 2).sum() / (change**2).sum()
        print(f"rank {rank} of {tuple(change.shape)} holds {kept:.1%}", flush=True)

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """The weight to use, as `weight`."""
        return torch.addmm(weight, self.B.to(weight.dtype), self.A.to(weight.dtype))


class LowRankEmbedding(torch.nn.Module):
    """An embedding plus its low-rank change, worked out for the tokens at hand alone."""

    def __init__(self, base: torch.nn.Embedding, change: torch.Tensor, rank: int) -> None:
        """`change` is (tokens, width)."""
        super().__init__()
        self.base = base.requires_grad_(False)
        self.change = LowRank(change, rank)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """The embeddings of `tokens`."""
        return self.base(tokens) + torch.nn.functional.embedding(tokens, self.change.B) @ self.change.A


def low_rank_copy(teachers: list[Any], model: Any, settings: dict[str, Any]) -> Any:
    """`model`, fresh from the backbone, with the mean of the teachers' changes.

    Large changes are kept as low-rank matrices, small ones in full.
    """
    from torch.nn.utils import parametrize

    every = [dict(teacher.named_parameters()) for teacher in teachers]
    taught = {name: torch.stack([one[name] for one in every]).mean(0) for name in every[0]}
    # Before anything is wrapped: by then the names differ.
    for name, value in model.named_parameters():
        if value.dim() == 1 or name.startswith(HEAD):
            value.data.copy_(taught[name])
        else:
            value.requires_grad_(False)
    for name, layer in linear_layers(model.bert.encoder).items():
        change = taught[f"bert.encoder.{name}.weight"] - layer.weight.detach()
        parametrize.register_parametrization(layer, "weight", LowRank(change, settings["rank"]), unsafe=True)
    words = model.bert.embeddings.word_embeddings
    change = taught["bert.embeddings.word_embeddings.weight"] - words.weight.detach()
    model.bert.embeddings.word_embeddings = LowRankEmbedding(words, change, settings["embedding_rank"])
    types = model.bert.embeddings.token_type_embeddings.weight
    types.data.copy_(taught["bert.embeddings.token_type_embeddings.weight"])
    return model


def whole(student: Any, model: Any) -> Any:
    """`model`, fresh from the backbone, with the weights of `student`, its low-rank changes added up."""
    with torch.no_grad():
        for name, value in model.named_parameters():
            value.copy_(weight_of(student, name))
    return model.eval().requires_grad_(False)


def weight_of(student: Any, name: str) -> torch.Tensor:
    """The weight that a plain model has under `name`."""
    if name == "bert.embeddings.word_embeddings.weight":
        words = student.bert.embeddings.word_embeddings
        return words.change(words.base.weight)
    found: torch.Tensor = operator.attrgetter(name)(student)
    return found


def linear_layers(encoder: Any) -> dict[str, Any]:
    """The linear layers of `encoder` by name."""
    return {name: module for name, module in encoder.named_modules() if isinstance(module, torch.nn.Linear)}


class Batches:
    """The batches of a stage, the same for the same seed; rows of like length together, so that little is padding."""

    def __init__(
        self, tokenizer: Any, rows: list[data.Row], settings: dict[str, Any], plan: dict[str, Any], seed: int
    ) -> None:
        """`plan` is the stage's part of `settings`."""
        self.tokenizer, self.rows, self.settings, self.plan, self.seed = tokenizer, rows, settings, plan, seed
        size = settings["batch"]
        self.count = sum(math.ceil(len(self._epoch(number)) / size) for number in range(plan["epochs"]))

    def _epoch(self, number: int) -> list[tuple[data.Row, int, str]]:
        return data.epoch(self.rows, self.settings, self.plan["rows"], self.seed * 1000 + number)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Each batch as tensors, see `padded`."""
        size = self.settings["batch"]
        for number in range(self.plan["epochs"]):
            made = self._epoch(number)
            draw = random.Random(self.seed * 7919 + number)
            draw.shuffle(made)
            ids = self.tokenizer([text for (_, text, _), _, _ in made], truncation=False, verbose=False)["input_ids"]
            cut = [cut_to(one, longest, way, draw) for one, (_, longest, way) in zip(ids, made, strict=True)]
            groups = []
            for start in range(0, len(made), size * 40):
                group = sorted(range(start, min(start + size * 40, len(made))), key=lambda index: len(cut[index]))
                groups += [group[at : at + size] for at in range(0, len(group), size)]
            draw.shuffle(groups)
            for group in groups:
                batch = padded(self.tokenizer, [cut[index] for index in group], [made[index][0][2] for index in group])
                yield {**batch, "films": torch.tensor([made[index][0][0] in data.FILMS for index in group])}


def cut_to(ids: list[int], longest: int, way: str, draw: random.Random) -> list[int]:
    """At most `longest` of `ids`, first and last token kept: the head, the tail, or a part from anywhere."""
    if len(ids) <= longest:
        return ids
    spare = len(ids) - longest
    start = {"head": 0, "tail": spare, "middle": draw.randint(0, spare)}[way]
    return [ids[0], *ids[1 + start : longest - 1 + start], ids[-1]]


def padded(tokenizer: Any, ids: list[list[int]], targets: list[tuple[float, float, float]]) -> dict[str, Any]:
    """One batch as tensors: input_ids and attention_mask, int64 (rows, n); targets, float32 (rows, 3)."""
    width = math.ceil(max(map(len, ids)) / 8) * 8  # few different shapes: kernels are made and kept for each
    tokens = torch.full((len(ids), width), tokenizer.pad_token_id)
    mask = torch.zeros_like(tokens)
    for row, one in enumerate(ids):
        tokens[row, : len(one)] = torch.tensor(one)
        mask[row, : len(one)] = 1
    return {"input_ids": tokens, "attention_mask": mask, "targets": torch.tensor(targets)}


def logits_of(model: Any, batch: dict[str, Any]) -> torch.Tensor:
    """The model's logits for `batch`, float32 (rows, 3)."""
    device = next(model.parameters()).device
    inputs = {name: batch[name].to(device) for name in ("input_ids", "attention_mask")}
    with torch.autocast(device.type, dtype=torch.bfloat16):
        return model(**inputs).logits.float()


def cross_entropy(logits: torch.Tensor, targets: torch.Tensor, smoothing: float) -> torch.Tensor:
    """Against soft targets; rows without one (all zero) count nothing."""
    wanted = targets.to(logits.device)
    known = wanted.sum(dim=1)
    wanted = wanted * (1 - smoothing) + smoothing / logits.shape[1]
    return -((wanted * logits.log_softmax(dim=1)).sum(dim=1) * known).sum() / len(logits)


def distillation(
    logits: torch.Tensor, batch: dict[str, Any], teachers: list[Any], settings: dict[str, Any], plan: dict[str, Any]
) -> torch.Tensor:
    """What the labels say, and what the teachers say together, softened: of films another mean than of all else."""
    with torch.no_grad():
        said = torch.stack([logits_of(teacher, batch) for teacher in teachers])
        films, others = torch.tensor(plan["teachers_of_films"]), torch.tensor(plan["teachers_of_others"])
        shares = torch.where(batch["films"][:, None], films, others).T[:, :, None].to(said.device)
        taught = (said * shares).sum(0) / settings["softness"]
    apart = torch.nn.functional.kl_div(
        (logits / settings["softness"]).log_softmax(1), taught.softmax(1), reduction="batchmean"
    ) * (settings["softness"] ** 2)
    own = cross_entropy(logits, batch["targets"], settings["label_smoothing"])
    return settings["teacher_share"] * apart + (1 - settings["teacher_share"]) * own


def train(
    model: Any,
    made: Batches,
    settings: dict[str, Any],
    plan: dict[str, Any],
    checkpoint: pathlib.Path,
    loss_of: Callable[[torch.Tensor, dict[str, Any]], torch.Tensor],
) -> None:
    """Train `model` in place, from `checkpoint` where there is one of the same settings.

    Leaves in it the moving average of what was learnt.
    """
    learnt = {name: value for name, value in model.named_parameters() if value.requires_grad}
    head = [value for name, value in learnt.items() if name.startswith(HEAD)]
    rest = [value for name, value in learnt.items() if not name.startswith(HEAD)]
    pace = plan["learning_rate"]
    optimizer = torch.optim.AdamW(
        [{"params": rest, "lr": pace}, {"params": head, "lr": plan.get("head_learning_rate", pace)}],
        weight_decay=settings["weight_decay"],
        fused=True,
    )
    steps = made.count
    warmup = settings["warmup"] * steps
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warmup, max(0.0, (steps - step) / (steps - warmup)))
    )
    average = {name: value.detach().clone() for name, value in learnt.items()}
    wanted = json.dumps([plan, settings["seed"], steps])  # other data make another number of steps
    done = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        if state["settings"] == wanted:
            for name, value in learnt.items():
                average[name].copy_(state["average"][name])
                if state["step"] < steps:
                    value.data.copy_(state["learnt"][name])
            done = state["step"]
            if done < steps:
                optimizer.load_state_dict(state["optimizer"])
                scheduler.load_state_dict(state["scheduler"])
                torch.set_rng_state(state["rng"])
            print(f"{checkpoint.name}: going on from step {done:,} of {steps:,}", flush=True)
    model.train()
    started, total, first = time.monotonic(), 0.0, done
    for step, batch in enumerate(made if done < steps else [], start=1):
        if step <= done:
            continue
        loss = loss_of(logits_of(model, batch), batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learnt.values(), 1.0)
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad(set_to_none=True)
        if step % AVERAGE_EVERY == 0 or step == steps:
            # Young at first, so that the random start is soon forgotten.
            decay = min(settings["average_decay"], (step + 1) / (step + 10)) ** AVERAGE_EVERY
            torch._foreach_lerp_(list(average.values()), [value.detach() for value in learnt.values()], 1 - decay)
        total += loss.item()
        if step % settings["checkpoint_steps"] == 0 or step == steps:
            save(checkpoint, wanted, learnt, average, optimizer, scheduler, step, last=step == steps)
            left = (time.monotonic() - started) / (step - first) * (steps - step)
            count = min(settings["checkpoint_steps"], step - first)
            print(
                f"{checkpoint.stem}: step {step:,} of {steps:,}  loss {total / count:.4f}  {left / 60:.1f} min left",
                flush=True,
            )
            total = 0.0
    for name, value in learnt.items():
        value.data.copy_(average[name])


AVERAGE_EVERY = 4  # steps; each takes a pass over all weights


def save(
    path: pathlib.Path,
    settings: str,
    learnt: Any,
    average: Any,
    optimizer: Any,
    scheduler: Any,
    step: int,
    *,
    last: bool,
) -> None:
    """Write a checkpoint; never half a file. After the last step only the average is wanted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {"settings": settings, "average": {name: value.cpu() for name, value in average.items()}, "step": step}
    if not last:
        state |= {
            "learnt": {name: value.detach().cpu() for name, value in learnt.items()},
            "optimizer": optimizer.state_dict(),
            "scheduler": scheduler.state_dict(),
            "rng": torch.get_rng_state(),
        }
    new = path.with_suffix(".new")
    torch.save(state, new)
    new.replace(path)


if __name__ == "__main__":
    main()
