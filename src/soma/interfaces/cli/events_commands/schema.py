"""`somagent events schema`: topics, event types and their JSON Schemas."""

from typing import Any

import click
import orjson
from rich import box
from rich.table import Table

from soma.events.api import TOPICS, schema_document, schemas_of
from soma.interfaces.cli.asked import AS_JSON
from soma.interfaces.cli.terminal import output


@click.command()
@click.argument("name", metavar="[TYPE|TOPIC]", required=False)
@click.option("--version", type=click.IntRange(1), help="Of a type, instead of its latest.")
@AS_JSON
def schema(name: str | None, *, version: int | None, as_json: bool) -> None:
    """List topics and their event types; or print the JSON Schema of the payload of TYPE, or of the records
    of TOPIC."""
    if name is not None:
        indent = 0 if as_json else orjson.OPT_INDENT_2
        click.echo(orjson.dumps(schema_document(name, version), option=indent))
    elif as_json:
        click.echo(orjson.dumps([_topic(topic) for topic in TOPICS]))
    else:
        output().print(_table())


def _topic(topic: str) -> dict[str, Any]:
    types = [
        {"type": each.type, "version": each.version, "description": each.document["description"]}
        for each in schemas_of(topic)
    ]
    return {"topic": topic, "description": TOPICS[topic], "types": types}


def _table() -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for header in ("topic", "type", "version", "what it says"):
        table.add_column(header)
    for topic, description in TOPICS.items():
        schemas = schemas_of(topic)
        for each in schemas:
            table.add_row(topic, each.type, str(each.version), each.document["description"])
        if not schemas:
            table.add_row(topic, "", "", description)
    return table
