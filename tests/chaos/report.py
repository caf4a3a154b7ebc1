"""The counts of a run of the chaos suite, and where docs/reliability.md keeps those of the last full one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.acceptance.processes import HOUSE
from tests.chaos.checks import DIFFERING, DOUBLED, LOST, Damage

PAGE = HOUSE / "docs" / "reliability.md"
BEGIN, END = "<!-- counts: written by make chaos -->", "<!-- end of counts -->"
HEAD = (
    "| experiment | door | harms done | jobs | lost | doubled | differing | damage in all | once more |",
    "|---|---|---:|---:|---:|---:|---:|---:|---|",
)


@dataclass(frozen=True)
class Line:
    """One experiment on one door."""

    experiment: str
    door: str
    harms: int
    jobs: int
    damage: Counter[str]
    command: str

    def __str__(self) -> str:
        kinds = (LOST, DOUBLED, DIFFERING)
        counts = [
            *(self.damage[kind] for kind in kinds),
            sum(self.damage.values()) - sum(self.damage[k] for k in kinds),
        ]
        cells = (self.experiment, self.door, self.harms, self.jobs, *counts, f"`{self.command}`")
        return f"| {' | '.join(map(str, cells))} |"


class Report:
    """What was counted so far."""

    def __init__(self) -> None:
        self._lines: list[Line] = []

    def add(
        self, experiment: str, door: str, harms: int, jobs: int, damage: Sequence[Damage], *, test: str, seed: int
    ) -> None:
        """Count an experiment, whatever came out."""
        again = f"TRAINWIRE_TEST_SEED={seed} .venv/bin/pytest --full '{test}'"
        self._lines.append(Line(experiment, door, harms, jobs, Counter(each.kind for each in damage), again))

    def write(self) -> None:
        """Put the counts into the page; a line of an experiment that was not run stays."""
        text = PAGE.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        old, _, after = rest.partition(END)
        lines = {_key(line): line for line in old.splitlines() if line.startswith("| ") and line not in HEAD}
        lines |= {_key(line): line for line in map(str, self._lines)}
        table = "\n".join([*HEAD, *(lines[key] for key in sorted(lines))])
        PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def _key(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.split("|")[1:3])
