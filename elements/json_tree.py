"""JSON as a tree that a browser folds: read here, where numbers keep all their digits and names may be there twice."""

from __future__ import annotations

import json
from typing import Any

MOST = 5_000  # values in a tree; a longer one is shown as text
DEEPEST = 60


class _Number(str):
    __slots__ = ()


class _Pairs(list[tuple[str, Any]]):
    __slots__ = ()


def tree(text: str) -> dict[str, Any] | None:
    """The tree of a JSON text: None for one that is no JSON, is too large or too deep, or has nothing to fold.

    A node is `{"object": [[name, node], …]}`, `{"array": [node, …]}` or a leaf, `{"is": "text", "kind": "string"}`, as
    it is spelled in JSON.
    """
    try:
        value = json.loads(
            text, parse_float=_Number, parse_int=_Number, parse_constant=_Number, object_pairs_hook=_Pairs
        )
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, list):
        return None
    try:
        return _Tree().node(value, 0)
    except OverflowError:
        return None


class _Tree:
    def __init__(self) -> None:
        self._left = MOST

    def node(self, value: Any, depth: int) -> dict[str, Any]:
        self._left -= 1
        if self._left < 0 or depth > DEEPEST:
            raise OverflowError
        if isinstance(value, _Pairs):
            return {"object": [[name, self.node(inner, depth + 1)] for name, inner in value]}
        if isinstance(value, list):
            return {"array": [self.node(inner, depth + 1) for inner in value]}
        if isinstance(value, _Number):
            return {"is": str(value), "kind": "number"}
        if isinstance(value, str):
            return {"is": json.dumps(value, ensure_ascii=False), "kind": "string"}
        return {"is": json.dumps(value), "kind": "literal"}
