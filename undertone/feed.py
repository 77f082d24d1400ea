"""What COPY reads: the rows of a source in COPY's text format, in which each row is one line."""

from __future__ import annotations

from collections.abc import Iterator

from undertone import files, sources


class Feed:
    """A file to read for psycopg2's `copy_expert`; `numbered` puts the number of the row, from 1, before it.

    `error` is what stopped the reading: psycopg2 keeps only its words.
    """

    def __init__(self, source: sources.Source, numbered: bool, tick: files.Tick) -> None:
        self._blocks = _blocks(source, numbered, tick)
        self._block, self._position = b"", 0
        self.error: BaseException | None = None

    def read(self, size: int) -> bytes:
        """The next bytes, `size` of them at most; none at the end."""
        try:
            while self._position >= len(self._block):
                self._block, self._position = next(self._blocks), 0
        except StopIteration:
            return b""
        except BaseException as error:
            self.error = error
            raise
        piece = self._block[self._position : self._position + size]
        self._position += size
        return piece


def _blocks(source: sources.Source, numbered: bool, tick: files.Tick) -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.compute as pc

    tab, end, nothing = (pa.scalar(text, pa.large_string()) for text in ("\t", "\n", ""))
    done = 0
    for arrays in source.batches(tick):
        cells = []
        for array in arrays:
            for plain, escaped in (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
                array = pc.replace_substring(array, plain, escaped)
            cells.append(array)
        count = len(cells[0])
        if numbered:
            cells.insert(0, pa.array(range(done + 1, done + count + 1)).cast(pa.large_string()))
        rows = pc.binary_join_element_wise(*cells, tab, null_handling="replace", null_replacement="\\N")
        rows = pc.binary_join_element_wise(rows, nothing, end)
        done += count
        # The strings of an Arrow array lie one behind the other: this is all rows, each with its line feed.
        yield rows.buffers()[2][: pc.sum(pc.binary_length(rows)).as_py()].to_pybytes()
