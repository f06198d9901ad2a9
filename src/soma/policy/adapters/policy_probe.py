"""Run as a program: compile the policy given on standard input and ask it once, in a process of its own.

Kept free of this package's imports, so that it starts fast and wherever regopy is installed.
"""

import json
import sys

from regopy import Interpreter, LogLevel, RegoError


def main() -> int:
    """Standard input: {"modules": [[name, text]], "data": {}, "query": text}. 0 when the policy compiles."""
    policy = json.load(sys.stdin)
    interpreter = Interpreter()
    interpreter.log_level = LogLevel.NONE
    try:
        for name, text in policy["modules"]:
            interpreter.add_module(name, text)
        interpreter.add_data(policy["data"])
        bundle = interpreter.build(policy["query"])
        interpreter.set_input({})
        interpreter.query_bundle(bundle)
    except (RegoError, ValueError, RecursionError) as error:
        sys.stdout.write(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
