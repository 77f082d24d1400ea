"""`python -m bench NAME`: measure, and print the ratio last."""

import importlib
import signal
import sys

NAMES = {
    "browse": "pages of ten million rows, beside psql, Datasette and a bare Streamlit page (--quick, --rows, --json)",
    "classify": "rows a second, beside the pipeline of every tutorial (--quick, --json)",
    "console": "statements, grids and exports of the SQL page, beside psql (--quick, --json)",
    "first": "the first page in a browser, beside a bare Streamlit app",
    "rerun": "the same run again, nothing or little to do, beside the plainest pass over the table (--quick)",
    "scale": "two workers beside one, and as many as one store carries (--quick, --json)",
}


def main() -> None:
    """Run the named measurement."""
    if len(sys.argv) < 2 or sys.argv[1] not in NAMES:
        print(
            "usage: python -m bench NAME [OPTION …]", *(f"  {name}: {what}" for name, what in NAMES.items()), sep="\n"
        )
        sys.exit(2)
    # Whoever ends it leaves no server and no worker behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    importlib.import_module(f"bench.{sys.argv[1]}").main(*sys.argv[2:])


if __name__ == "__main__":
    main()
