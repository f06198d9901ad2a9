"""The verifier for somebody who has an export and nothing of ours."""

from pathlib import Path


def verifier_source() -> str:
    """The text of a Python program that stands alone: verifier.py."""
    return Path(__file__).with_name("verifier.py").read_text(encoding="utf-8")
