"""Waiting for conditions, never for a time: emulated machines are slow, and loaded ones slower."""

import time

# Far longer than anything takes; only a failing scenario waits for it.
DEADLINE = 60


def wait_for(what, found, seconds=DEADLINE, pause=0.02):
    """Polls until there is a result, and returns it."""
    end = time.monotonic() + seconds
    while True:
        if value := found():
            return value
        if time.monotonic() > end:
            raise AssertionError(f"never came: {what}")
        time.sleep(pause)
