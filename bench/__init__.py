"""Measured speed: our side and the yardstick in one run, the ratio last. `python -m bench NAME`."""
