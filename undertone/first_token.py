"""The last layer of a network whose head reads nothing but the first token, worked out for that token alone.

BERT and its kin judge a text by what their last layer makes of its first token. The keys and values of all the tokens
are needed for that, but one query, and the rest of the layer for one token: with six layers a seventh of all the work
is not done, and the outputs are the same but for rounding.

Importing this module is cheap; torch is imported where it is used.
"""

from __future__ import annotations

from typing import Any

# Classifiers of transformers whose head reads the first token: where their layers are.
ENCODERS = {
    "BertForSequenceClassification": "bert.encoder",
    "CamembertForSequenceClassification": "roberta.encoder",
    "DistilBertForSequenceClassification": "distilbert.transformer",
    "ElectraForSequenceClassification": "electra.encoder",
    "RobertaForSequenceClassification": "roberta.encoder",
    "XLMRobertaForSequenceClassification": "roberta.encoder",
}


def shorten(network: Any) -> Any:
    """`network`, in place, with a last layer that gives the first token alone, where its head reads no other."""
    path = ENCODERS.get(type(network).__name__)
    if path is None or getattr(network.config, "is_decoder", False):
        return network
    layers = network.get_submodule(path).layer
    layers[-1] = _layer(layers[-1], distilled="Distil" in type(network).__name__)
    return network


def _layer(layer: Any, *, distilled: bool) -> Any:
    """A module that computes the first token of what `layer` does; its weights are the layer's own."""
    import torch

    attention = layer.attention if distilled else layer.attention.self
    names = ("q_lin", "k_lin", "v_lin") if distilled else ("query", "key", "value")

    class FirstToken(torch.nn.Module):
        """(texts, tokens, width) to (texts, 1, width)."""

        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, hidden: Any, attention_mask: Any = None, *_: Any, **__: Any) -> Any:
            first = hidden[:, :1]
            query, key, value = (
                getattr(attention, name)(states).unflatten(-1, (-1, attention.attention_head_size)).transpose(1, 2)
                for name, states in zip(names, (first, hidden, hidden), strict=True)
            )
            # (texts, 1, tokens, tokens), alike for every query.
            mask = None if attention_mask is None else attention_mask[:, :, :1]
            attended = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
            attended = attended.transpose(1, 2).flatten(2)
            if not distilled:
                return layer.feed_forward_chunk(layer.attention.output(attended, first))
            attended = layer.sa_layer_norm(attention.out_lin(attended) + first)
            return layer.output_layer_norm(layer.ffn(attended) + attended)

    return FirstToken()
