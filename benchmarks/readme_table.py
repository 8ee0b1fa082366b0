"""Write the README's table of performance from the results of the benchmarks.

python benchmarks/readme_table.py
"""

from __future__ import annotations

import json
from pathlib import Path

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
START, END = "<!-- performance -->\n", "<!-- end of performance -->\n"


def table(folder=HERE / "results"):
    """The rows that the benchmarks marked for the README."""
    lines = ["| what | measured | target | command |", "|---|---|---|---|"]
    for file in sorted(folder.glob("bench_*.json")):
        result = json.loads(file.read_text())
        for row in result["checks"]:
            if row["readme"]:
                value = f"{row['value']:.3g} {row['unit']}".strip()
                target = f"{row['sign']} {row['limit']:g} {row['unit']}".strip()
                missed = "" if row["passed"] else ", missed"
                command = f"`{result['command']}`"
                lines.append(f"| {row['what']} | {value} | {target}{missed} | {command} |")
    return "\n".join(lines) + "\n"


def replaced(text):
    """The README's text with a new table between the two marks."""
    before, rest = text.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    README.write_text(replaced(README.read_text(encoding="utf-8")), encoding="utf-8")
