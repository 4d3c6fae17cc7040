"""Reads the results of the conformance suite: what failed without being listed, and what is listed and passed.

    verdict.py RESULTS.json LEASEHOLD.toml PYTEST_STATUS NUMBER_OF_ARGUMENTS
"""

import json
import sys
import tomllib
from collections import Counter
from pathlib import Path

results_file, list_file, status, arguments = sys.argv[1:]
text = Path(results_file).read_text()
rows = json.loads(text) if text else {}
listed = tomllib.loads(Path(list_file).read_text())["differences"]
partial = int(arguments) > 0
problems = []

if int(status) > 1 and not (partial and int(status) == 5):
    problems.append(f"pytest ended with {status}: the suite itself did not run well")
if not rows:
    problems.append("no row was run")
for row, found in rows.items():
    if found["outcome"] in ("failed", "error"):
        problems.append(f"{row} fails and is not listed: {found['why'].splitlines()[0][:200]}")
    elif found["outcome"] == "xpassed":
        problems.append(f"{row} is listed and passes: take it out of {list_file}")
if not partial:
    for row in listed:
        if row not in rows:
            problems.append(f"{row} is listed and there is no such row")
        elif rows[row]["outcome"] == "skipped":
            problems.append(f"{row} is listed and was skipped: {rows[row]['why'][:200]}")

counts = Counter(found["outcome"] for found in rows.values())
print("conformance:", ", ".join(f"{counts[name]} {name}" for name in sorted(counts)) or "nothing run")
for problem in problems:
    print("error:", problem)
sys.exit(1 if problems else 0)
