"""A first look at a policy that is not ours, where it can do no harm.

Some faulty policies make rego-cpp abort the process (a function declared twice with different numbers of
arguments does); others never end. A server must outlive both.
"""

import subprocess
import sys
from pathlib import Path

import orjson

from soma.policy.adapters.policy_files import PolicyFiles
from soma.policy.errors import PolicyUnusable

PROBE = Path(__file__).parent / "policy_probe.py"
DEADLINE_S = 10.0


def vet(files: PolicyFiles, query: str) -> None:
    """Compile `files` and ask them once in another process. Raises PolicyUnusable."""
    question = orjson.dumps({"modules": files.modules, "data": files.data, "query": query})
    try:
        probe = subprocess.run(
            [sys.executable, "-P", str(PROBE)],
            input=question,
            capture_output=True,
            timeout=DEADLINE_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PolicyUnusable(f"The policy gave no answer in {DEADLINE_S:.0f} s.") from error
    if probe.returncode < 0:
        raise PolicyUnusable("The policy crashes the engine.")
    if probe.returncode > 0:
        raise PolicyUnusable(f"The policy does not compile: {probe.stdout.decode(errors='replace')}")
