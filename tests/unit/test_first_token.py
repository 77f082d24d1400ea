"""The last layer for the first token alone: the same answers, and less work."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
import torch
import transformers

from tests.unit import small
from undertone import adapter, first_token

LABELS = {0: "bad", 1: "good", 2: "odd"}
# Three texts of 12, 7 and 3 tokens, and one of one.
LENGTHS = ((12, 7, 3), (1,))


def network(folder: pathlib.Path, kind: str) -> Any:
    small.save_small(folder, LABELS, kind, **({"n_layers": 3} if kind == "distilbert" else {"num_hidden_layers": 3}))
    return transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()


def inputs(lengths: tuple[int, ...]) -> dict[str, torch.Tensor]:
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
    tokens = torch.randint(5, 50, mask.shape, generator=torch.Generator().manual_seed(3))
    return {"input_ids": tokens * mask, "attention_mask": mask}


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("kind", [*small.KINDS, "camembert"])
def test_the_outputs_stay_what_they_were(tmp_path: pathlib.Path, kind: str, attention: str) -> None:
    made = network(tmp_path / kind, kind)
    made.set_attn_implementation(attention)
    layers = made.get_submodule(first_token.ENCODERS[type(made).__name__]).layer
    with torch.inference_mode():
        before = [made(**inputs(lengths)).logits for lengths in LENGTHS]
        assert first_token.shorten(made) is made
        after = [made(**inputs(lengths)).logits for lengths in LENGTHS]
        last = []
        layers[-1].register_forward_hook(lambda _module, _given, found: last.append(found.shape))
        made(**inputs((12, 7, 3)))
    assert last == [(3, 1, 16)]
    for one, other in zip(before, after, strict=True):
        assert one.std() > 0.01  # random weights say something
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_a_network_whose_head_reads_other_tokens_is_left_alone() -> None:
    config = transformers.GPT2Config(vocab_size=60, n_positions=64, n_embd=16, n_layer=2, n_head=2, num_labels=3)
    made = transformers.GPT2ForSequenceClassification(config)
    layers = list(made.transformer.h)
    assert list(first_token.shorten(made).transformer.h) == layers


def test_a_decoder_is_left_alone(tmp_path: pathlib.Path) -> None:
    made = network(tmp_path / "bert", "bert")
    made.config.is_decoder = True
    last = made.bert.encoder.layer[-1]
    assert first_token.shorten(made).bert.encoder.layer[-1] is last


def test_the_model_that_ships_is_computed_this_way_and_can_still_be_had_whole() -> None:
    opened = adapter.open_default()
    whole, short = opened.load(), opened.network()
    with torch.inference_mode():
        torch.testing.assert_close(
            whole(**inputs((40, 9))).logits, short(**inputs((40, 9))).logits, rtol=1e-4, atol=1e-4
        )
        assert whole.bert(**inputs((40, 9))).last_hidden_state.shape[1] == 40
        assert short.bert(**inputs((40, 9))).last_hidden_state.shape[1] == 1
