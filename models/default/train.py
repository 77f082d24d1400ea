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
import pathlib
import random
import sys
import time
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(HERE)]

import data  # noqa: E402
import torch  # noqa: E402

from undertone import adapter, emoticons  # noqa: E402

VERSION = 1
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
    train(model, tokenizer, learn, settings, options.checkpoint)
    bias, temperature = calibrate(model, tokenizer, held)
    write(model, settings, bias, temperature, options.out)
    write_reference(model, tokenizer, bias, temperature, options.out)


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


def build(settings: dict[str, Any]) -> tuple[Any, Any]:
    """The backbone with fresh low-rank matrices on every linear layer, and its tokenizer."""
    import peft
    import transformers

    folder = adapter.backbone_folder()
    adapter.check_backbone(folder)
    # Drawing dropout masks took two thirds of the time on a processor; the smoothed targets, the noise and
    # the small number of learnt weights hold over-fitting down. So did the fused attention's slow forward
    # pass.
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder,
        num_labels=len(adapter.LABELS),
        attn_implementation="eager",
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        classifier_dropout=0.1,
    )
    plan = peft.LoraConfig(
        r=settings["lora_r"],
        lora_alpha=settings["lora_alpha"],
        lora_dropout=settings["lora_dropout"],
        target_modules=r".*encoder.*\.(query|key|value|dense)",
        modules_to_save=["pooler", "classifier"],
    )
    return peft.get_peft_model(model, plan), transformers.AutoTokenizer.from_pretrained(folder)


def train(model: Any, tokenizer: Any, rows: list[data.Row], settings: dict[str, Any], checkpoint: pathlib.Path) -> None:
    """Train `model` in place, from `checkpoint` where there is one of the same settings."""
    learnt = {name: value for name, value in model.named_parameters() if value.requires_grad}
    optimizer = torch.optim.AdamW(learnt.values(), lr=settings["learning_rate"], weight_decay=settings["weight_decay"])
    counts = [len(data.epoch(rows, settings, number)) for number in range(settings["epochs"])]
    steps = sum(math.ceil(count / settings["batch"]) for count in counts)
    warmup = settings["warmup"] * steps

    def pace(step: int) -> float:
        return min((step + 1) / warmup, max(0.0, (steps - step) / (steps - warmup)))

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, pace)
    done = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        if state["settings"] == json.dumps(settings):
            for name, value in learnt.items():
                value.data.copy_(state["learnt"][name])
            optimizer.load_state_dict(state["optimizer"])
            scheduler.load_state_dict(state["scheduler"])
            torch.set_rng_state(state["rng"])
            done = state["step"]
            print(f"going on from step {done:,}", flush=True)
    if done == steps:
        return
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
            total += loss.item()
            if step % settings["checkpoint_steps"] == 0 or step == steps:
                save(checkpoint, settings, learnt, optimizer, scheduler, step)
                spent = time.monotonic() - started
                left = spent / (step - first) * (steps - step)
                count = min(settings["checkpoint_steps"], step - first)
                print(
                    f"step {step:,} of {steps:,}  loss {total / count:.4f}  {left / 60:.1f} min left",
                    flush=True,
                )
                total = 0.0


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


def save(path: pathlib.Path, settings: Any, learnt: Any, optimizer: Any, scheduler: Any, step: int) -> None:
    """Write a checkpoint; never half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "settings": json.dumps(settings),
        "learnt": {name: value.detach().cpu() for name, value in learnt.items()},
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "rng": torch.get_rng_state(),
        "step": step,
    }
    new = path.with_suffix(".new")
    torch.save(state, new)
    new.replace(path)


def calibrate(model: Any, tokenizer: Any, held: list[data.Row]) -> tuple[list[float], float]:
    """(what to add to each class's logit, temperature), fitted on the rows held back.

    The addition is for the neutral class alone: as much as serves best SST-2's sentences, where nothing is
    neutral, and tweets, where half is. The temperature then makes the confidences right.
    """
    model.eval()
    collected, targets = [], []
    with torch.inference_mode():
        for start in range(0, len(held), 32):
            part = held[start : start + 32]
            ids = tokenizer([emoticons.spell_out(row[1]) for row in part], verbose=False)["input_ids"]
            batch = padded(tokenizer, [cut_to(one, 256, "ends") for one in ids], [row[2] for row in part])
            collected.append(logits_of(model, batch).cpu())
            targets.append(batch["targets"])
    logits, wanted = torch.cat(collected), torch.cat(targets)
    sources = [row[0] for row in held]
    best = (-1.0, 0.0)
    for tenth in range(-10, 6):
        moved = logits + torch.tensor([0.0, tenth / 10, 0.0])
        right = moved.argmax(1) == wanted.argmax(1)
        scores = []
        for source in ("sst2", "imdb"):
            of = torch.tensor([name == source for name in sources])
            scores.append(right[of].float().mean().item())
        of = torch.tensor([name == "tweets" for name in sources])
        recalls = [right[of & (wanted.argmax(1) == label)].float().mean().item() for label in range(3)]
        value = sum(scores) / 2 + sum(recalls) / 3
        shown = "  ".join(f"{score:.4f}" for score in (*scores, sum(recalls) / 3))
        print(f"neutral {tenth / 10:+.1f}  sst2, imdb, tweets: {shown}")
        if value > best[0] + 1e-6:
            best = (value, tenth / 10)
    bias = torch.tensor([0.0, best[1], 0.0])
    temperature, least = 1.0, math.inf
    for hundredth in range(40, 200):
        spread = ((logits + bias) / (hundredth / 100)).log_softmax(1)
        value = -(wanted * spread).sum(1).mean().item()
        if value < least:
            temperature, least = hundredth / 100, value
    print(f"neutral {best[1]:+.1f}, temperature {temperature}", flush=True)
    return bias.tolist(), temperature


def write(model: Any, settings: dict[str, Any], bias: list[float], temperature: float, out: pathlib.Path) -> None:
    """adapter.safetensors in float16 under plain module names, and config.json."""
    import safetensors.torch

    tensors = {}
    for name, value in model.state_dict().items():
        plain = name.removeprefix("base_model.model.").replace(".default", "")
        if ".lora_A." in name or ".lora_B." in name:
            tensors[plain.removesuffix(".weight")] = value
        elif ".modules_to_save." in plain:
            tensors[plain.replace(".modules_to_save", "")] = value
    tensors["classifier.bias"] = tensors["classifier.bias"].cpu() + torch.tensor(bias)
    out.mkdir(parents=True, exist_ok=True)
    path = out / "adapter.safetensors"
    halves = {name: value.detach().cpu().half().contiguous() for name, value in sorted(tensors.items())}
    safetensors.torch.save_file(halves, path)
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


def write_reference(model: Any, tokenizer: Any, bias: list[float], temperature: float, out: pathlib.Path) -> None:
    """reference.json: what peft computes for a few texts, to test the merging without peft."""
    logits = {}
    with torch.inference_mode():
        for text in REFERENCE_TEXTS:
            inputs = tokenizer([emoticons.spell_out(text)], return_tensors="pt").to(model.device)
            values = model(**inputs).logits[0].float().cpu() + torch.tensor(bias)
            logits[text] = [round(value, 5) for value in values.tolist()]
    reference = {"temperature": temperature, "logits": logits}
    (out / "reference.json").write_text(json.dumps(reference, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
