"""Learning to rank from feedback: `python benchmarks/learning.py --data DIRECTORY [--seeds 3] [--kinds a,b]`.

DIRECTORY holds turns.jsonl and questions.jsonl like those of LoCoMo. The questions of each conversation are a
stream: recall answers, somebody marks which of the twenty memories shown were evidence, and that is learned
before the next. One conversation at a time is left out of what is learned on first; several orders are drawn.
Then learning goes on, or has ended; the conversation is told in other ways, of those in variants.py; in the
first order, the feedback is wrong. The same from nothing. Prints JSON lines, in percent, differences with
95 % confidence intervals.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Measure in a process of its own, which finds its packages wherever this one was started."""
    parser = argparse.ArgumentParser(description="Learning to rank from feedback.")
    parser.add_argument(
        "--data", type=Path, required=True, help="directory of turns.jsonl and questions.jsonl"
    )
    parser.add_argument("--seeds", type=int, default=3, help="orders to draw")
    parser.add_argument("--kinds", default="assistant chat,long messages", help="other ways to tell")
    given = parser.parse_args()
    command = [sys.executable, "-m", "benchmarks.feedback", "--data", str(given.data.resolve())]
    options = ["--seeds", str(given.seeds), "--kinds", given.kinds]
    return subprocess.run([*command, *options], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
