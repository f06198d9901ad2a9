"""Evidence retrieval on long conversations: `python benchmarks/locomo.py --data DIRECTORY [--run FILE]`.

DIRECTORY holds turns.jsonl and questions.jsonl like those of LoCoMo. Each conversation is told to a memory of
its own, turn by turn, and asked through the recall API with the defaults as shipped; BM25, dense retrieval
and the reciprocal rank fusion of the two are measured in the same run. Prints JSON lines; with --run the
rankings are written as well, one {question_id, ranked, latency_ms} a line.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Measure in a process of its own, which finds its packages wherever this one was started."""
    parser = argparse.ArgumentParser(description="Evidence retrieval on long conversations.")
    parser.add_argument(
        "--data", type=Path, required=True, help="directory of turns.jsonl and questions.jsonl"
    )
    parser.add_argument("--run", type=Path, help="where to write the rankings")
    given = parser.parse_args()
    command = [sys.executable, "-m", "benchmarks.retrieval", "--data", str(given.data.resolve())]
    if given.run is not None:
        command += ["--run", str(given.run.resolve())]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
