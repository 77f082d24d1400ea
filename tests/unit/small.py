"""Models of random weights, small enough to make on the spot, and an engine that computes nothing."""

from __future__ import annotations

import pathlib
import threading
from typing import Any

import numpy as np

from undertone import engines

KINDS = ("bert", "distilbert", "roberta", "xlm-roberta", "electra")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def save_small(folder: pathlib.Path, labels: dict[int, str], kind: str = "bert", **settings: Any) -> pathlib.Path:
    """A model of random weights with a vocabulary of letters, as a folder; no labels, no classification head."""
    import torch
    import transformers

    folder.mkdir(parents=True)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    tokenizer = transformers.BertTokenizer(vocab=str(folder / "vocab.txt"), model_max_length=64)
    torch.manual_seed(1)
    own: dict[str, Any] = {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_position_embeddings": 64,
    }
    if kind == "distilbert":
        own = {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 16, "max_position_embeddings": 64}
    elif kind in ("roberta", "xlm-roberta", "camembert"):
        own |= {"pad_token_id": 0, "max_position_embeddings": 65}  # their first position is behind the padding's
    elif kind == "electra":
        own |= {"embedding_size": 8}
    own |= {"vocab_size": len(words), "initializer_range": 0.5, "id2label": labels or {0: "bad", 1: "good"}}
    config = transformers.AutoConfig.for_model(kind, **(own | settings))
    made = transformers.AutoModelForSequenceClassification if labels else transformers.AutoModel
    made.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


class Engine(engines._Pooled):
    """Answers each text with the sum and the number of its tokens, and remembers every batch."""

    name, device, precision, threads, batch_tokens = "fake", "cpu", "float32", 1, 256

    def __init__(self, side_by_side: int = 1, wait: float = 0) -> None:
        super().__init__(side_by_side)
        self.batches: list[engines.Batch] = []
        self.wait = wait
        self.at_once = self.most_at_once = 0
        self.fail: BaseException | None = None
        self._lock = threading.Lock()

    @property
    def rows(self) -> list[list[int]]:
        """The tokens of every text that was computed."""
        return [
            row[mask.astype(bool)].tolist()
            for batch in self.batches
            for row, mask in zip(batch.tokens, batch.mask, strict=True)
        ]

    def _compute(self, batch: engines.Batch) -> engines.Outputs:
        with self._lock:
            self.batches.append(batch)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        threading.Event().wait(self.wait * (1 + len(self.batches) % 2))  # some overtake others
        with self._lock:
            self.at_once -= 1
            if self.fail is not None:
                raise self.fail
        tokens = batch.tokens * batch.mask
        return np.stack([tokens.sum(axis=1), batch.mask.sum(axis=1)], axis=1).astype(np.float32) / 100
