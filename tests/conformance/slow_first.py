"""pytest plugin of tests/conformance/run: the rows that wait for minutes begin at once, side by side, each on a worker
of its own, and the others run meanwhile. Without it the run takes as long as all waits together.
"""

import pytest

# Rows with a wait of more than a minute, longest first (their `pass_time` in the suite's scenarios).
WAITING = ["B-05", "L-19", "S-17", "S-15"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    waiting = [item for item in items if getattr(item, "conf_id", None) in WAITING]
    waiting.sort(key=lambda item: WAITING.index(item.conf_id))
    others = [item for item in items if item not in waiting]
    # xdist gives each worker two rows in a row to begin with.
    first = []
    for item in waiting:
        first.append(item)
        first += others[:1]
        del others[:1]
    items[:] = first + others
