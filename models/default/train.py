"""Train the default model's adapter: `python models/default/train.py` (settings: train.json; needs
requirements.txt).

Seeded and resumable: it writes a checkpoint every `checkpoint_steps` steps and, started again, goes on from
there. About half an hour on two idle cores. Writes adapter.safetensors and config.json beside itself, or to --out.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import json
import math
import os
import pathlib
import random
import sys
import time
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(HERE)]

# Threads that spin while they wait stand in the way of whoever else wants the core.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import data  # noqa: E402
import torch  # noqa: E402

from undertone import adapter, emoticons  # noqa: E402

VERSION = 2
REFERENCE_TEXTS = (
    "I love this phone, the screen is gorgeous.",
    "Terrible service, I will never come back.",
    "Where is my order?",
    "a dull , lifeless film , though the music is n't bad .",
    "👍 on time again :)",
)


def main() -> None:
    """Read the options, train, calibrate, write."""
    parser = argparse.ArgumentParser(description="Train the default model's adapter.")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "../shared/data/sentiment")
    parser.add_argument("--settings", type=pathlib.Path, default=HERE / "train.json")
    parser.add_argument("--out", type=pathlib.Path, default=HERE)
    parser.add_argument("--checkpoint", type=pathlib.Path, default=HERE / "checkpoints/last.pt")
    options = parser.parse_args()
    settings = json.loads(options.settings.read_text())
    keep_memory()
    torch.set_num_threads(settings["threads"])
    torch.manual_seed(settings["seed"])
    learn, held = data.hold_back(data.read(options.data), settings["held_back"], settings["seed"])
    print(f"{len(learn):,} rows to learn from, {len(held):,} held back", flush=True)

    model, tokenizer = build(settings)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device)
    average = train(model, tokenizer, learn, settings, options.checkpoint)
    bias, temperature = choose(model, tokenizer, held, average)
    write(model, settings, bias, temperature, options.out)
    write_reference(tokenizer, settings, temperature, options.out)


def keep_memory() -> None:
    """Let the C library keep freed memory: giving it back and fetching it anew each step halves the speed."""
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        for option, value in (
            (-4, 0),
            (-1, -1),
        ):  # M_MMAP_MAX: no block of its own; M_TRIM_THRESHOLD: never trim
            if hasattr(library, "mallopt"):
                library.mallopt(option, value)


class LowRank(torch.nn.Module):
    """A frozen weight plus scaling · B · A: what the layer computes with while A and B are learnt."""

    def __init__(self, outputs: int, inputs: int, rank: int, scaling: float) -> None:
        """`A` is (rank, inputs) and random, `B` (outputs, rank) and zero, both float32."""
        super().__init__()
        self.A = torch.nn.Parameter(torch.empty(rank, inputs))
        self.B = torch.nn.Parameter(torch.zeros(outputs, rank))
        self.scaling = scaling
        torch.nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """The weight to use, as `weight`."""
        return torch.addmm(weight, self.B.to(weight.dtype), self.A.to(weight.dtype), alpha=self.scaling)


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
    """The backbone with fresh low-rank matrices on every linear layer of its encoder, and its tokenizer."""
    import transformers
    from torch.nn.utils import parametrize

    folder = adapter.backbone_folder()
    adapter.check_backbone(folder)
    # Fused attention was the slower one here.
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder,
        num_labels=len(adapter.LABELS),
        attn_implementation="eager",
        attention_probs_dropout_prob=0.0,
        classifier_dropout=0.1,
    )
    model.bert.embeddings.requires_grad_(False)
    encoder = model.bert.encoder.requires_grad_(False)
    dropout = Dropout(settings["dropout"], settings["seed"])
    for layer in encoder.layer:
        layer.attention.output.dropout = dropout
        layer.output.dropout = dropout
    for layer in linear_layers(encoder).values():
        layer.to(torch.bfloat16)
        change = LowRank(
            layer.out_features,
            layer.in_features,
            settings["lora_r"],
            settings["lora_alpha"] / settings["lora_r"],
        )
        parametrize.register_parametrization(layer, "weight", change, unsafe=True)
    return model, transformers.AutoTokenizer.from_pretrained(folder)


def linear_layers(encoder: Any) -> dict[str, Any]:
    """The linear layers of `encoder` by name."""
    return {name: module for name, module in encoder.named_modules() if isinstance(module, torch.nn.Linear)}


def train(
    model: Any, tokenizer: Any, rows: list[data.Row], settings: dict[str, Any], checkpoint: pathlib.Path
) -> dict[str, torch.Tensor]:
    """Train `model` in place, from `checkpoint` where there is one of the same settings.

    Returns the moving average of what was learnt, by parameter name.
    """
    learnt = {name: value for name, value in model.named_parameters() if value.requires_grad}
    optimizer = torch.optim.AdamW(learnt.values(), lr=settings["learning_rate"], weight_decay=settings["weight_decay"])
    counts = [len(data.epoch(rows, settings, number)) for number in range(settings["epochs"])]
    steps = sum(math.ceil(count / settings["batch"]) for count in counts)
    warmup = settings["warmup"] * steps

    def pace(step: int) -> float:
        return min((step + 1) / warmup, max(0.0, (steps - step) / (steps - warmup)))

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, pace)
    average = {name: value.detach().clone() for name, value in learnt.items()}
    done = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        if state["settings"] == json.dumps(settings):
            put(learnt, state["learnt"])
            for name, value in average.items():
                value.copy_(state["average"][name])
            optimizer.load_state_dict(state["optimizer"])
            scheduler.load_state_dict(state["scheduler"])
            torch.set_rng_state(state["rng"])
            done = state["step"]
            print(f"going on from step {done:,}", flush=True)
    if done == steps:
        return average
    model.train()
    started, step, total, first = time.monotonic(), 0, 0.0, done
    for number in range(settings["epochs"]):
        for batch in batches(tokenizer, rows, settings, number):
            step += 1
            if step <= done:
                continue
            loss = wrong(model, batch, settings["label_smoothing"])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learnt.values(), 1.0)
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad(set_to_none=True)
            # Young at first, so that the random start is soon forgotten.
            decay = min(settings["average_decay"], (step + 1) / (step + 10))
            for name, value in learnt.items():
                average[name].lerp_(value.detach(), 1 - decay)
            total += loss.item()
            if step % settings["checkpoint_steps"] == 0 or step == steps:
                save(checkpoint, settings, learnt, average, optimizer, scheduler, step)
                spent = time.monotonic() - started
                left = spent / (step - first) * (steps - step)
                count = min(settings["checkpoint_steps"], step - first)
                print(
                    f"step {step:,} of {steps:,}  loss {total / count:.4f}  {left / 60:.1f} min left",
                    flush=True,
                )
                total = 0.0
    return average


def batches(tokenizer: Any, rows: list[data.Row], settings: dict[str, Any], number: int) -> Any:
    """The batches of one epoch, rows of like length together so that little is padding."""
    made = data.epoch(rows, settings, number)
    draw = random.Random(settings["seed"] * 7919 + number)
    draw.shuffle(made)
    ids = tokenizer([text for (_, text, _), _, _ in made], truncation=False, verbose=False)["input_ids"]
    cut = [cut_to(one, longest, way) for one, (_, longest, way) in zip(ids, made, strict=True)]
    size = settings["batch"]
    groups = []
    for start in range(0, len(made), size * 40):
        group = sorted(range(start, min(start + size * 40, len(made))), key=lambda index: len(cut[index]))
        groups += [group[at : at + size] for at in range(0, len(group), size)]
    draw.shuffle(groups)
    for group in groups:
        yield padded(tokenizer, [cut[index] for index in group], [made[index][0][2] for index in group])


def cut_to(ids: list[int], longest: int, way: str) -> list[int]:
    """At most `longest` of `ids`, first and last token kept: both ends, the head or the tail."""
    if len(ids) <= longest:
        return ids
    tail = {"ends": longest // 2, "head": 1, "tail": longest - 1}[way]
    return ids[: longest - tail] + ids[-tail:]


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


def wrong(model: Any, batch: dict[str, Any], smoothing: float) -> torch.Tensor:
    """Cross-entropy against soft targets."""
    logits = logits_of(model, batch)
    wanted = batch["targets"].to(logits.device) * (1 - smoothing) + smoothing / logits.shape[1]
    return -(wanted * logits.log_softmax(dim=1)).sum(dim=1).mean()


def save(
    path: pathlib.Path, settings: Any, learnt: Any, average: Any, optimizer: Any, scheduler: Any, step: int
) -> None:
    """Write a checkpoint; never half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "settings": json.dumps(settings),
        "learnt": {name: value.detach().cpu() for name, value in learnt.items()},
        "average": {name: value.cpu() for name, value in average.items()},
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "rng": torch.get_rng_state(),
        "step": step,
    }
    new = path.with_suffix(".new")
    torch.save(state, new)
    new.replace(path)


def choose(
    model: Any, tokenizer: Any, held: list[data.Row], average: dict[str, torch.Tensor]
) -> tuple[list[float], float]:
    """Leaves in `model` the better of the last weights and of their moving average, and calibrates it.

    Better is what the rows held back, calibrated, are likelier under. Returns `calibrate`'s answer.
    """
    learnt = {name: value for name, value in model.named_parameters() if value.requires_grad}
    last = {name: value.detach().clone() for name, value in learnt.items()}
    found = {}
    for kind, values in (("last", last), ("average", average)):
        put(learnt, values)
        found[kind] = calibrate(held, held_logits(model, tokenizer, held))
        print(f"{kind}: neutral {found[kind][1][1]:+.1f}, temperature {found[kind][2]}, loss {found[kind][0]:.4f}")
    kind = min(found, key=lambda name: found[name][0])
    put(learnt, last if kind == "last" else average)
    print(f"taken: {kind}", flush=True)
    return found[kind][1], found[kind][2]


def put(learnt: dict[str, torch.nn.Parameter], values: dict[str, torch.Tensor]) -> None:
    """Copy `values` into the parameters of the same names."""
    for name, value in learnt.items():
        value.data.copy_(values[name])


def held_logits(model: Any, tokenizer: Any, held: list[data.Row]) -> torch.Tensor:
    """The logits of the rows held back, float32 (rows, 3), each row read as in use."""
    model.eval()
    ids = tokenizer([emoticons.spell_out(text) for _, text, _ in held], verbose=False)["input_ids"]
    logits = torch.zeros(len(held), len(adapter.LABELS))
    order = sorted(range(len(held)), key=lambda index: len(ids[index]))
    with torch.inference_mode():
        for start in range(0, len(held), 16):
            part = order[start : start + 16]
            batch = padded(tokenizer, [cut_to(ids[i], 256, "ends") for i in part], [held[i][2] for i in part])
            logits[part] = logits_of(model, batch).cpu()
    return logits


def calibrate(held: list[data.Row], logits: torch.Tensor) -> tuple[float, list[float], float]:
    """(loss, what to add to each class's logit, temperature), fitted on the rows held back.

    The addition is for the neutral class alone: half of the tweets are neutral, which says nothing of other
    texts, so it is fitted with each class of the tweets counting the same, and the temperature with it. The
    temperature to keep is then fitted with every source counting the same. The loss is the first fit's.
    """
    wanted = torch.tensor([target for _, _, target in held])
    truth = wanted.argmax(1).tolist()
    sources = [source for source, _, _ in held]
    classes = [
        f"{source} {label}" if source == "tweets" else source for source, label in zip(sources, truth, strict=True)
    ]

    def loss(neutral: float, temperature: float, counted: torch.Tensor) -> float:
        spread = ((logits + torch.tensor([0.0, neutral, 0.0])) / temperature).log_softmax(1)
        return float(-((wanted * spread).sum(1) * counted).sum())

    even = weights(classes, {"tweets 0": 1 / 3, "tweets 1": 1 / 3, "tweets 2": 1 / 3, "valence": 0.0})
    least, neutral = min(
        (loss(tenth / 10, twentieth / 20, even), tenth / 10) for tenth in range(-15, 11) for twentieth in range(10, 40)
    )
    by_source = weights(sources, {})
    _, temperature = min((loss(neutral, hundredth / 100, by_source), hundredth / 100) for hundredth in range(50, 200))
    return least, [0.0, neutral, 0.0], temperature


def weights(groups: list[str], shares: dict[str, float]) -> torch.Tensor:
    """What each row counts, float32 (rows): every group 1 in all, or what `shares` says, together 1."""
    wanted = {group: shares.get(group, 1.0) for group in groups}
    each = torch.tensor([wanted[group] / groups.count(group) for group in groups])
    return each / each.sum()


def write(model: Any, settings: dict[str, Any], bias: list[float], temperature: float, out: pathlib.Path) -> None:
    """adapter.safetensors in float16 under plain module names, and config.json."""
    import safetensors.torch

    tensors = {
        name: value.detach()
        for name, value in model.state_dict().items()
        if name.startswith(("bert.pooler.", "classifier."))
    }
    for name, layer in linear_layers(model.bert.encoder).items():
        change = layer.parametrizations["weight"][0]
        tensors[f"bert.encoder.{name}.lora_A"] = change.A.detach()
        tensors[f"bert.encoder.{name}.lora_B"] = change.B.detach()
    tensors["classifier.bias"] = tensors["classifier.bias"].cpu() + torch.tensor(bias)
    out.mkdir(parents=True, exist_ok=True)
    path = out / "adapter.safetensors"
    halves = {name: value.cpu().half().contiguous() for name, value in sorted(tensors.items())}
    path.write_bytes(safetensors.torch.save(halves))
    config = {
        "name": "undertone-default",
        "version": VERSION,
        "labels": list(adapter.LABELS),
        "r": settings["lora_r"],
        "alpha": settings["lora_alpha"],
        "scaling": settings["lora_alpha"] / settings["lora_r"],
        "temperature": temperature,
        "max_length": 256,
        "reading": "ends",
        "backbone": {"package": adapter.PACKAGE, "sha256": adapter.BACKBONE_SHA256},
        "adapter_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, {len(halves)} tensors")


def write_reference(tokenizer: Any, settings: dict[str, Any], temperature: float, out: pathlib.Path) -> None:
    """reference.json: what peft computes for a few texts, to test the merging without peft."""
    import peft
    import safetensors.torch
    import transformers

    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        adapter.backbone_folder(), num_labels=len(adapter.LABELS)
    )
    plan = peft.LoraConfig(
        r=settings["lora_r"],
        lora_alpha=settings["lora_alpha"],
        target_modules=r".*encoder.*\.(query|key|value|dense)",
    )
    wrapped = peft.get_peft_model(model, plan).eval()
    parameters = {
        name.removeprefix("base_model.model.").replace(".default.weight", ""): value
        for name, value in wrapped.named_parameters()
    }
    for name, value in safetensors.torch.load_file(out / "adapter.safetensors").items():
        parameters[name].data.copy_(value)
    logits = {}
    with torch.inference_mode():
        for text in REFERENCE_TEXTS:
            inputs = tokenizer([emoticons.spell_out(text)], return_tensors="pt")
            logits[text] = [round(value, 5) for value in wrapped(**inputs).logits[0].tolist()]
    reference = {"temperature": temperature, "logits": logits}
    (out / "reference.json").write_text(json.dumps(reference, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
