"""Holographic vectors beside torch-hd and plain numpy: `python -m benchmarks --only hrr`.

Systems take turns in each round, so that the machine's noise hits all alike; every figure is a median of
rounds.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import psutil

from benchmarks.holographic import Holographic, Plain, Soma, SomaTogether, in_time
from benchmarks.lines import emit, tell
from benchmarks.machine import describe

DIMENSION = 8192
CANDIDATES = 4096
DECAYED = (2048, 200, 20, 0.08)
"""Dimension, writes, how many of the last are asked for, and η."""

BARS = {  # times are the processor's; loads are those with all pairs of a trace read together
    "bind_us": (10.0, "at most"),
    "unbind_us": (10.0, "at most"),
    "cleanup_ms": (25.0, "at most"),
    "chain_cosine": (0.9999, "above"),
    "top1_128_pairs": (0.99, "at least"),
    "top1_256_pairs": (0.97, "at least"),
    "top1_last_20_decayed": (0.97, "at least"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """How long to measure: rounds, calls a round, trials of each load, and vectors to find one among."""

    rounds: int
    calls: int
    trials: int
    stored: int


FULL = Effort(rounds=15, calls=200, trials=4, stored=100_000)
QUICK = Effort(rounds=3, calls=50, trials=1, stored=10_000)


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """Seconds a call: on the clock, and of the processor, which others at work on the machine change less."""

    clock: float
    processor: float


BYTES_A_VECTOR = 4 * 4 * DIMENSION
"""Of a stored one, by all systems together: half of it stays, the rest is needed on the way, or left free."""


def hrr(effort: Effort) -> None:
    """Measure all systems that are installed and print what they take, what they find, and which bars ours
    meets."""
    describe()
    systems = _systems()
    reached = {**_operations(systems, effort), **_chains(systems), **_loads(systems, effort)}
    reached |= _cleanups(systems, effort)
    for name, (bar, sense) in BARS.items():
        met = reached[name] <= bar if sense == "at most" else reached[name] >= bar
        among = {"among": int(reached["cleanup_among"])} if name == "cleanup_ms" else {}
        met &= not among or among["among"] >= effort.stored  # fewer vectors prove nothing
        emit("hrr_bar", figure=name, measured=reached[name], bar=bar, sense=sense, met=met, **among)


def _systems() -> list[Holographic]:
    systems: list[Holographic] = [Soma(), Plain()]
    try:
        from benchmarks.hrr_oracle import differences  # noqa: PLC0415 - both need gigabytes that only
        from benchmarks.torch_hd import TorchHd  # noqa: PLC0415 - `make bench-hrr` installs
    except ImportError as missing:
        tell(f"without torch-hd, which `make bench-hrr` installs: {missing}")
        return systems
    emit("hrr_agreement", of="somastack, torch-hd HRR", largest_difference=differences(DIMENSION))
    return [*systems, TorchHd("HRR"), TorchHd("FHRR")]


def _operations(systems: Sequence[Holographic], effort: Effort) -> dict[str, float]:
    reached = {}
    for name in ("bind", "unbind", "bundle of 128", "permute"):
        tell(name)
        calls = {system.name: _call(system, name) for system in systems}
        spent = _in_turn(calls, effort.rounds, effort.calls if "bundle" not in name else effort.calls // 10)
        _report(name, spent, "us", 1e6, effort.rounds)
        reached[f"{name}_us"] = round(1e6 * spent["somastack"].processor, 2)
    return reached


def _call(system: Holographic, name: str) -> Callable[[], Any]:
    vectors = system.vectors(128, DIMENSION, 1)
    one, other = vectors[0], vectors[1]
    return {
        "bind": lambda: system.bind(one, other),
        "unbind": lambda: system.unbind(one, other),
        "bundle of 128": lambda: system.bundle(vectors),
        "permute": lambda: system.permute(one, 1),
    }[name]


def _in_turn(calls: dict[str, Callable[[], Any]], rounds: int, repeats: int) -> dict[str, Spent]:
    """What a call takes, by system."""
    clock: dict[str, list[float]] = {name: [] for name in calls}
    processor: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(rounds):
        for name, call in calls.items():
            started, used = time.perf_counter(), time.process_time()
            for _ in range(repeats):
                call()
            clock[name].append((time.perf_counter() - started) / repeats)
            processor[name].append((time.process_time() - used) / repeats)
    return {name: Spent(clock=median(clock[name]), processor=median(processor[name])) for name in calls}


def _report(
    operation: str, spent: dict[str, Spent], unit: str, scale: float, rounds: int, **more: Any
) -> None:
    ours = spent["somastack"]
    for system, taken in spent.items():
        emit(
            "hrr",
            operation=operation,
            system=system,
            dimension=DIMENSION,
            rounds=rounds,
            **{unit: round(scale * taken.clock, 3), f"cpu_{unit}": round(scale * taken.processor, 3)},
            times_ours=round(taken.clock / ours.clock, 2),
            **more,
        )


def _chains(systems: Sequence[Holographic]) -> dict[str, float]:
    """The cosine of a vector to itself after 1000 bindings and unbindings."""
    reached = {}
    for system in systems:
        with warnings.catch_warnings(action="ignore"):  # vectors that are not unitary overflow, or vanish
            reached[system.name] = round(_after_a_chain(system), 7)
        emit("hrr_chain", system=system.name, bindings=1000, unbindings=1000, cosine=reached[system.name])
    return {"chain_cosine": reached["somastack"]}


def _after_a_chain(system: Holographic) -> float:
    value, *keys = system.vectors(1001, DIMENSION, 2)
    there = value
    for key in keys:
        there = system.bind(there, key)
    for key in keys:
        there = system.unbind(there, key)
    return system.cosine(there, value)


def _loads(systems: Sequence[Holographic], effort: Effort) -> dict[str, float]:
    """The share of values that are found among CANDIDATES."""
    reached: dict[str, float] = {}
    for system in (*systems, SomaTogether()):
        tell(f"loads of {system.name}")
        found = {
            "top1_128_pairs": _found(system, DIMENSION, 128, 128, 0.0, effort.trials),
            "top1_256_pairs": _found(system, DIMENSION, 256, 256, 0.0, effort.trials),
            "top1_last_20_decayed": _found(system, *DECAYED, effort.trials * 5),
        }
        size = system.vectors(1, DIMENSION, 1)[0].nbytes
        emit("hrr_load", system=system.name, candidates=CANDIDATES, bytes_a_vector=size, **found)
        if isinstance(system, SomaTogether):
            reached |= found
    return reached


def _found(system: Holographic, dimension: int, writes: int, asked: int, decay: float, trials: int) -> float:
    """Write pairs one after the other, and ask for the last."""
    items = system.vectors(CANDIDATES, dimension, 3)
    memory, right = system.memory(items), 0
    for trial in range(trials):
        keys = system.vectors(writes, dimension, 10 + trial)
        values = np.random.default_rng(trial).integers(0, CANDIDATES, writes).tolist()
        trace = system.bind(keys[0], items[values[0]])
        for key, value in zip(keys[1:], values[1:], strict=True):
            trace = (1.0 - decay) * trace + system.bind(key, items[value])
        found = _answers(system, trace, keys[-asked:], memory)
        right += sum(one == other for one, other in zip(found, values[-asked:], strict=True))
    return round(right / trials / asked, 4)


def _answers(system: Holographic, trace: Any, keys: Any, memory: Any) -> list[int]:
    if isinstance(system, SomaTogether):
        return system.read(trace, keys, memory)
    return system.nearest(system.unbind(trace, keys), memory)


def _cleanups(systems: Sequence[Holographic], effort: Effort) -> dict[str, float]:
    """Finding one of 32 superposed vectors again among many; all systems hold the same ones."""
    stored = min(effort.stored, psutil.virtual_memory().available // BYTES_A_VECTOR)
    tell(f"cleanup among {stored}")
    ours = Soma()
    started = time.perf_counter()
    spectra = ours.vectors(stored, DIMENSION, 4)
    made = time.perf_counter() - started
    emit("hrr_atoms", system=ours.name, count=stored, us_each=round(1e6 * made / stored, 1))
    members = np.linspace(0, stored - 1, 32).astype(int)
    query, vectors = ours.bundle(spectra[members])[None], in_time(spectra)
    asked: dict[str, tuple[Holographic, Any, Any]] = {ours.name: (ours, query, ours.memory(spectra))}
    for system in systems:
        if system.name in {"numpy", "torch-hd HRR"}:
            held, noisy = _as_held(system, vectors), _as_held(system, in_time(query))
            asked[system.name] = (system, noisy, held)
    calls = {name: _nearest_call(*each) for name, each in asked.items()}
    right = {name: call()[0] in members for name, call in calls.items()}
    spent = _in_turn(calls, effort.rounds, 1)
    _report("cleanup", spent, "ms", 1e3, effort.rounds, stored=stored, right=all(right.values()))
    return {"cleanup_ms": round(1e3 * spent[ours.name].processor, 2), "cleanup_among": stored}


def _as_held(system: Holographic, vectors: Any) -> Any:
    if system.name == "numpy":
        return vectors
    from benchmarks.torch_hd import as_torch  # noqa: PLC0415 - installed, or the system would not be here

    return as_torch(vectors)


def _nearest_call(system: Holographic, query: Any, memory: Any) -> Callable[[], list[int]]:
    return lambda: system.nearest(query, memory)
