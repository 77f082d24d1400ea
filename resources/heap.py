"""What was imported stays, and is no longer looked through for garbage.

Streamlit collects garbage after every run of a page or a part of it, while its answer is on the way to the browser.
With all that the libraries here have brought along that takes longer than a page of rows.
"""

from __future__ import annotations

import gc
import sys
import threading

_lock = threading.Lock()
_modules = 0  # that were there when it was last done


def settle() -> None:
    """Take what is there now out of the garbage collector's work, if modules were imported since that was last done.

    What sessions hold at that moment is never collected if it then becomes a cycle: little, and a few times in all.
    """
    global _modules
    with _lock:
        if len(sys.modules) == _modules:
            return
        _modules = len(sys.modules)
        gc.collect()
        gc.freeze()
