"""From a trained student to the files that Undertone loads: packed, calibrated on the rows held back, written.

Used by train.py alone.
"""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import json
import pathlib
from collections.abc import Callable
from typing import Any

import data
import numpy as np
import safetensors.torch
import torch

from undertone import adapter, classifier, emoticons, engines
from undertone import texts as cleaning

VERSION = 4
LOWEST, HIGHEST = -0.7, 1.2  # of the logarithm of the temperature: 0.5 to 3.3
FOLDS = 5
RIDGES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
NEARLY = 1.005
LENGTH_SCALE = 5.0  # brings the logarithm of a length to the size of the other features
WEIGHTS = {"tweets": 1.5, "written": 0.7, "valence": 0.5}  # of the sources, for the classes' bias
TWO_CLASSES = ("sst2", "imdb")
REFERENCE_TEXTS = (
    "I love this phone, the screen is gorgeous.",
    "Terrible service, I will never come back.",
    "Where is my order?",
    "a dull , lifeless film , though the music is n't bad .",
    "👍 on time again :)",
)


def finish(student: Any, held: list[data.Row], settings: dict[str, Any], out: pathlib.Path) -> None:
    """Write adapter.safetensors, config.json and reference.json to `out`."""
    tensors = packed(student)
    reader = Reader(tensors)
    fitted = calibrate(held, *reader.read([text for _, text, _ in held]))
    tensors["classifier.weight"] = torch.cat((tensors["classifier.weight"].float(), fitted.weight[None])).half()
    start = tensors["classifier.bias"].float() + fitted.bias
    tensors["classifier.bias"] = torch.cat((start, fitted.start[None])).half()

    out.mkdir(parents=True, exist_ok=True)
    path = out / "adapter.safetensors"
    path.write_bytes(safetensors.torch.save({name: tensors[name].contiguous() for name in sorted(tensors)}))
    config = {
        "name": "undertone-default",
        "version": VERSION,
        "labels": list(adapter.LABELS),
        "rank": settings["rank"],
        "positions": 512,
        "calibration": {"lowest": LOWEST, "highest": HIGHEST, "length": round(fitted.length, 4)},
        "backbone": {"package": adapter.PACKAGE, "sha256": adapter.BACKBONE_SHA256},
        "adapter_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, {len(tensors)} tensors")
    write_reference(student, reader.tokenizer, fitted.bias, out)


def packed(student: Any) -> dict[str, torch.Tensor]:
    """What was learnt, by plain module name: low-rank matrices as int8 with a scale a rank, the rest float16."""
    found: dict[str, torch.Tensor] = {}

    def pack(name: str, value: torch.Tensor, axis: int) -> None:
        scale = (value.abs().amax(dim=axis, keepdim=True) / 127).clamp_min(1e-8).half()
        found[f"{name}.scale"] = scale
        found[name] = (value / scale.float()).round().clamp(-127, 127).to(torch.int8)

    for name, value in student.state_dict().items():
        value = value.detach().float().cpu()
        module = name.replace(".parametrizations.weight.0.", ".").replace(".change.", ".")
        if name.endswith(".A"):
            pack(f"{module.removesuffix('.A')}.lora_A", value, 1)
        elif name.endswith(".B"):
            pack(f"{module.removesuffix('.B')}.lora_B", value, 0)
        elif name.endswith((".mask", "position_ids", "token_type_ids")):
            pass  # not learnt
        elif value.dim() == 1 or name.startswith(("bert.pooler.", "classifier.")) or "token_type" in name:
            found[name] = value.half()
    return found


class Reader:
    """Reads texts as Undertone does, in windows, with the packed weights; keeps the pooled states, too."""

    def __init__(self, tensors: dict[str, torch.Tensor]) -> None:
        """`tensors` as `packed` gives them."""
        import transformers

        folder = adapter.backbone_folder()
        self.tokenizer = transformers.BertTokenizer.from_pretrained(folder)
        self._network = transformers.BertForSequenceClassification.from_pretrained(folder, num_labels=3)
        adapter.merge(self._network, tensors)
        self._network.eval()

    def read(self, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Mean outputs (texts, 3), mean pooled states (texts, 384) and number of tokens (texts), float32."""
        network = self._network

        class Both(torch.nn.Module):
            """Outputs and pooled states side by side, as one row."""

            def forward(self, input_ids: Any, attention_mask: Any) -> Any:
                with torch.autocast("cpu", dtype=torch.bfloat16):
                    state = network.bert(input_ids, attention_mask).pooler_output
                    logits = network.classifier(state)
                return type("Answer", (), {"logits": torch.cat((logits, state), dim=1)})

        opened = adapter.Opened(
            load=Both, tokenizer=self.tokenizer, labels=adapter.LABELS, identity="", positions=512, words=True
        )
        kept: list[tuple[np.ndarray, np.ndarray]] = []

        class Keeping(classifier.Classifier):
            def probabilities(self, outputs: Any, text: Any, own: Any) -> Any:
                kept.append(self.mean(outputs, text, own))
                return super().probabilities(outputs[:, :3], text, own)

        engine = engines.TorchEngine(Both(), "cpu", "float32", torch.get_num_threads())
        reading = Keeping("default", opened, engine)
        clean = [cleaning.clean(text, reading.text_tokens, emoticons.spell_out).text for text in texts]
        unique = list(dict.fromkeys(clean))
        reading._read(unique, lambda: None)
        order = [unique.index(text) for text in clean]
        mean, tokens = (torch.tensor(part)[order] for part in kept[0])
        return mean[:, :3].float(), mean[:, 3:].float(), tokens[:, 0].float()


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What calibration adds: `bias` to the outputs; `weight` (hidden), `start` and `length` make the temperature."""

    bias: torch.Tensor
    weight: torch.Tensor
    start: torch.Tensor
    length: float


def calibrate(held: list[data.Row], outputs: torch.Tensor, states: torch.Tensor, tokens: torch.Tensor) -> Fitted:
    """Fit the calibration on the rows held back.

    One temperature cannot fit all texts: what is said of films is clear, what is said in tweets is not. So its
    logarithm is a linear function of the pooled state and of the logarithm of the number of tokens, fitted so that the
    confidence of the label that is chosen is how often it is right. A penalty keeps the state's part small, for the
    sake of texts unlike these: the largest one that in cross-validation is nearly as good as the best. Every row counts
    the same; where the truth has two classes, so has the choice, as in `evaluate`.
    """
    sources = [source for source, _, _ in held]
    wanted = torch.tensor([target for _, _, target in held])
    two = torch.tensor([source in TWO_CLASSES for source in sources])
    unasked = two[:, None] & torch.tensor([False, True, False])
    bias = class_bias(sources, wanted, outputs.masked_fill(unasked, -1e4))
    print("bias:", [round(value, 2) for value in bias.tolist()])
    logits = (outputs + bias).masked_fill(unasked, -1e4)
    chosen = logits.argmax(1, keepdim=True)
    right = wanted.gather(1, chosen)[:, 0]
    features = torch.cat((states, torch.ones(len(held), 1), tokens.log()[:, None] / LENGTH_SCALE), dim=1)

    def losses(learnt: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        heat = (features[rows] @ learnt).clamp(LOWEST, HIGHEST)
        sure = (logits[rows] / heat.exp()[:, None]).softmax(1).gather(1, chosen[rows])[:, 0].clamp(1e-6, 1 - 1e-6)
        return -(right[rows] * sure.log() + (1 - right[rows]) * (1 - sure).log())

    def fit(rows: torch.Tensor, ridge: float) -> torch.Tensor:
        return minimum(
            lambda learnt: losses(learnt, rows).mean() + ridge * (learnt[:-2] ** 2).sum(),
            features.shape[1],
        )

    everything = torch.arange(len(held))
    fold = torch.tensor(np.random.default_rng(0).permutation(len(held))) % FOLDS
    found = {}
    for ridge in RIDGES:
        parts = [losses(fit(everything[fold != k], ridge), everything[fold == k]) for k in range(FOLDS)]
        found[ridge] = float(torch.cat(parts).mean())
    print("ridge:", ", ".join(f"{ridge}: {value:.4f}" for ridge, value in found.items()))
    taken = max(ridge for ridge, value in found.items() if value <= min(found.values()) * NEARLY)
    learnt = fit(everything, taken)
    print(f"taken: {taken}")
    for source in dict.fromkeys(sources):
        own = [index for index, name in enumerate(sources) if name == source]
        heat = (features[own] @ learnt).clamp(LOWEST, HIGHEST).exp()
        sure = (logits[own] / heat[:, None]).softmax(1).amax(1)
        print(f"{source}: right {right[own].mean():.3f}, sure {sure.mean():.3f}, temperature {heat.mean():.2f}")
    return Fitted(bias, learnt[:-2], learnt[-2], float(learnt[-1]) / LENGTH_SCALE)


def class_bias(sources: list[str], wanted: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """What to add to the outputs, (3).

    Half of the tweets are neutral, which says nothing of other texts: fitted with every class of a source counting the
    same, and with one temperature, which is then forgotten.
    """
    truth = wanted.argmax(1).tolist()
    groups = [f"{source} {label}" for source, label in zip(sources, truth, strict=True)]
    each = evenly(groups)
    for source in dict.fromkeys(sources):
        own = torch.tensor([name == source for name in sources])
        each[own] *= WEIGHTS.get(source, 1.0) / each[own].sum()

    def loss(learnt: torch.Tensor) -> torch.Tensor:
        spread = ((logits + learnt[:3]) / learnt[3].exp()).log_softmax(1).clamp_min(-50)
        return -((wanted * spread).sum(1) * each).sum() / each.sum()

    return minimum(loss, 4)[:3]


def evenly(groups: list[str]) -> torch.Tensor:
    """What each row counts, so that every group counts the same and all together 1."""
    count = collections.Counter(groups)
    return torch.tensor([1 / count[group] / len(count) for group in groups])


def minimum(loss: Callable[[torch.Tensor], torch.Tensor], size: int) -> torch.Tensor:
    """Where `loss` of a vector is least, from zero on."""
    learnt = torch.zeros(size, requires_grad=True)
    optimizer = torch.optim.LBFGS([learnt], max_iter=200, line_search_fn="strong_wolfe")

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        value = loss(learnt)
        value.backward()
        return value

    optimizer.step(step)
    return learnt.detach()


def write_reference(student: Any, tokenizer: Any, bias: torch.Tensor, out: pathlib.Path) -> None:
    """reference.json: what the student computes as it was trained, to test what Undertone makes of the packed files."""
    logits = {}
    for parameter in student.parameters():
        parameter.data = parameter.data.float()
    with torch.inference_mode():
        for text in REFERENCE_TEXTS:
            inputs = tokenizer([emoticons.spell_out(text)], return_tensors="pt")
            answer = student(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits[0]
            logits[text] = [round(value, 5) for value in (answer.cpu() + bias).tolist()]
    (out / "reference.json").write_text(json.dumps({"logits": logits}, indent=2, ensure_ascii=False) + "\n", "utf-8")
