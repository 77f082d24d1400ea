"""A link that holds a question: its statement, the values of its parameters, its chart and whom to ask.

    ?share=1.eNqrVkrOSCxKVbJSUCpOLUlV0lFQKk4tLkksSVWyUihKLcnMS1eyUoiuBQDrJA1U

The text is a version, a dot, and deflated JSON in the alphabet of addresses. Nobody wrote it but whoever sent the link:
everything is checked, and opening one fills a page and asks nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from undertone import errors, parameters

NAME = "share"  # of the query parameter
VERSION = "1"
MOST_CHARACTERS = 6_000  # proxies refuse addresses beyond 8 KB
MOST_BYTES = 256 * 1024  # unpacked: a short text may unpack to a huge one
MOST_PARAMETERS = 200
BROKEN = "This link is broken or was cut short; ask for it again."


class SharingError(errors.UndertoneError):
    """A question that is too long for a link, or a link that holds none."""


@dataclass(frozen=True)
class Shared:
    """What a link holds. `chart` is `charts.Chart.to_dict()`, unchecked."""

    statement: str
    parameters: Mapping[str, parameters.Value] = field(default_factory=dict)
    chart: Mapping[str, Any] | None = None
    target: str = "data"


def pack(shared: Shared) -> str:
    """The value of the query parameter. Raises SharingError where it would be longer than MOST_CHARACTERS."""
    content: dict[str, Any] = {"s": shared.statement}
    if shared.target != "data":
        content["t"] = shared.target
    if shared.parameters:
        content["p"] = {name: [value.kind, value.value] for name, value in shared.parameters.items()}
    if shared.chart is not None:
        content["c"] = dict(shared.chart)
    # Escaped to ASCII: half of a surrogate pair has no UTF-8.
    deflated = zlib.compress(json.dumps(content, separators=(",", ":")).encode("ascii"), 9)
    text = f"{VERSION}.{base64.urlsafe_b64encode(deflated).decode('ascii').rstrip('=')}"
    if len(text) > MOST_CHARACTERS:
        raise SharingError(
            f"This is too long for a link: {len(text):,} characters, and {MOST_CHARACTERS:,} are safe. Save the query"
            " instead, under a name that others can find."
        )
    return text


def unpack(text: str) -> Shared:
    """What a link holds. Raises SharingError, with one line for a person, for anything that `pack` did not make."""
    version, dot, body = text.partition(".")
    if dot and version.isdecimal() and version != VERSION:
        raise SharingError("This link was made by another version of Undertone; ask for its statement as text.")
    if not dot or version != VERSION or len(text) > MOST_CHARACTERS:
        raise SharingError(BROKEN)
    try:
        deflated = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        stream = zlib.decompressobj()
        plain = stream.decompress(deflated, MOST_BYTES)
        if not stream.eof or stream.unused_data:
            raise SharingError(BROKEN)
        return _checked(json.loads(plain))
    except (binascii.Error, zlib.error, ValueError, RecursionError):  # a UnicodeDecodeError, too, is a ValueError
        raise SharingError(BROKEN) from None


def _checked(content: Any) -> Shared:
    if not isinstance(content, dict):
        raise SharingError(BROKEN)
    statement, target = content.get("s"), content.get("t", "data")
    values, chart = content.get("p", {}), content.get("c")
    if not (isinstance(statement, str) and isinstance(target, str) and (chart is None or isinstance(chart, dict))):
        raise SharingError(BROKEN)
    if not (isinstance(values, dict) and len(values) <= MOST_PARAMETERS and all(map(_is_value, values.values()))):
        raise SharingError(BROKEN)
    given = {name: parameters.Value(kind, value) for name, (kind, value) in values.items()}
    return Shared(statement, given, chart, target)


def _is_value(pair: Any) -> bool:
    return (
        isinstance(pair, list)
        and len(pair) == 2
        and pair[0] in parameters.KINDS
        and (pair[1] is None or isinstance(pair[1], str))
    )
