"""An iteration as a JSON document, in which what is long stands by its hash: what rows and the log keep."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from soma.agent.domain.evidence import EvidenceBlock
from soma.agent.domain.iteration import Iteration
from soma.agent.domain.shelf import Shelf, text_of, value_of
from soma.agent.domain.tool import ToolCall, ToolExecution, ToolStatus
from soma.base.clock import iso

Contents = Mapping[str, bytes]


def document_of(iteration: Iteration, shelf: Shelf) -> dict[str, Any]:
    """The document of `iteration`; what is long goes to `shelf`. Evidence stands in a turn's first alone."""
    content, content_hash = shelf.text(iteration.content)
    record = iteration.record()
    record["evidence"] = [_shelved_block(block, shelf) for block in record["evidence"]]
    return {
        "number": iteration.number,
        "record": record,
        "content": content,
        "content_hash": content_hash,
        "executions": [_shelved_execution(one, shelf) for one in iteration.executions],
        "script": list(iteration.script),
        "first_frame_id": iteration.first_frame_id,
        "started_at": iso(iteration.started_at),
        "completed_at": iso(iteration.completed_at),
    }


def hashes_in(document: Mapping[str, Any]) -> Iterator[str]:
    """What of the document's contents is elsewhere."""
    named = [document["content_hash"]]
    named += [block.get("content_hash") for block in document["record"]["evidence"]]
    for one in document["executions"]:
        named += [one["arguments_hash"], one["output_hash"]]
    yield from filter(None, named)


def iterations_of(documents: Sequence[Mapping[str, Any]], contents: Contents) -> list[Iteration]:
    """The iterations of a turn from its documents, in order. Raises KeyError for what `contents` lacks."""
    evidence: tuple[EvidenceBlock, ...] = ()
    found = []
    for document in documents:
        if document["number"] == 0:
            evidence = tuple(_block(each, contents) for each in document["record"]["evidence"])
        found.append(_iteration(document, evidence, contents))
    return found


def _iteration(
    document: Mapping[str, Any], evidence: tuple[EvidenceBlock, ...], contents: Contents
) -> Iteration:
    record = {name: value for name, value in document["record"].items() if name != "evidence"}
    return Iteration(
        number=document["number"],
        content=text_of(document["content"], document["content_hash"], contents),
        evidence=evidence,
        executions=tuple(_execution(one, contents) for one in document["executions"]),
        script=tuple(document["script"]),
        first_frame_id=document["first_frame_id"],
        started_at=datetime.fromisoformat(document["started_at"]),
        completed_at=datetime.fromisoformat(document["completed_at"]),
        suggestions=tuple(record.pop("suggestions", ())),
        offered=tuple(record.pop("offered")),
        capabilities=tuple(record.pop("capabilities")),
        phases=tuple((name, offset, ms) for name, offset, ms in record.pop("phases")),
        **record,
    )


def _shelved_block(block: dict[str, Any], shelf: Shelf) -> dict[str, Any]:
    content, name = shelf.text(block["content"])
    return block if name is None else {**block, "content": content, "content_hash": name}


def _block(block: Mapping[str, Any], contents: Contents) -> EvidenceBlock:
    plain = {name: value for name, value in block.items() if name != "content_hash"}
    content = text_of(block["content"], block.get("content_hash"), contents)
    return EvidenceBlock.from_dict({**plain, "content": content})


def _shelved_execution(one: ToolExecution, shelf: Shelf) -> dict[str, Any]:
    arguments, arguments_hash = shelf.value(one.call.arguments)
    output, output_hash = shelf.value(one.output)
    return {
        "call_id": one.call.call_id,
        "tool": one.call.tool,
        "arguments": arguments,
        "arguments_hash": arguments_hash,
        "status": one.status.value,
        "output": output,
        "output_hash": output_hash,
        "reasons": list(one.reasons),
        "policy_hash": one.policy_hash,
        "latency_ms": one.latency_ms,
        "idempotency_key": one.idempotency_key,
        "started_at": iso(one.started_at),
        "completed_at": iso(one.completed_at),
    }


def _execution(one: Mapping[str, Any], contents: Contents) -> ToolExecution:
    return ToolExecution(
        call=ToolCall(
            call_id=one["call_id"],
            tool=one["tool"],
            arguments=value_of(one["arguments"], one["arguments_hash"], contents),
        ),
        status=ToolStatus(one["status"]),
        output=value_of(one["output"], one["output_hash"], contents),
        reasons=tuple(one["reasons"]),
        policy_hash=one["policy_hash"],
        latency_ms=one["latency_ms"],
        idempotency_key=one["idempotency_key"],
        started_at=datetime.fromisoformat(one["started_at"]),
        completed_at=datetime.fromisoformat(one["completed_at"]),
    )
