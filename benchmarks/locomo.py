"""Evidence retrieval on long conversations: `python benchmarks/locomo.py --data DIRECTORY [--run FILE]`.

DIRECTORY holds turns.jsonl and questions.jsonl like those of LoCoMo. Each conversation is told to a memory of
its own, turn by turn, and asked through the recall API with the defaults as shipped; BM25, dense retrieval
and the reciprocal rank fusion of the two are measured in the same run. Prints JSON lines; with --run the
rankings are written as well, one {question_id, ranked, latency_ms} a line. With --variants the conversations
are told in other ways as well (benchmarks/variants.py), and recall is compared with the baselines on each.
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
    parser.add_argument("--variants", nargs="?", const="all", help="names of variants, by commas; none: all")
    parser.add_argument("--conversations", type=int, help="so many of them only, with --variants")
    given = parser.parse_args()
    if given.variants is not None:
        return _variants(given)
    command = [sys.executable, "-m", "benchmarks.retrieval", "--data", str(given.data.resolve())]
    if given.run is not None:
        command += ["--run", str(given.run.resolve())]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _variants(given: argparse.Namespace) -> int:
    command = [sys.executable, "-m", "benchmarks.retrieval_variants", "--data", str(given.data.resolve())]
    command += ["--variants", given.variants]
    if given.conversations is not None:
        command += ["--conversations", str(given.conversations)]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
