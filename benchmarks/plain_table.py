"""What one would otherwise build: a table with a vector and a text search column, searched with psycopg."""

import struct
from typing import Any

import numpy as np
import psycopg

from benchmarks.made_up_texts import texts
from benchmarks.server import Server
from benchmarks.simulated_embedder import WIDTH, SimulatedEmbedder

DATABASE = "plain"
TABLE = f"""
    CREATE EXTENSION vector;
    CREATE TABLE item (
        id bigint PRIMARY KEY, content text NOT NULL, embedding vector({WIDTH}) NOT NULL,
        words tsvector GENERATED ALWAYS AS (to_tsvector('english', content)) STORED
    )
"""
DROP_INDEXES = "DROP INDEX IF EXISTS item_embedding, item_words"
VECTOR_INDEX = "CREATE INDEX item_embedding ON item USING hnsw (embedding vector_cosine_ops)"
TEXT_INDEX = "CREATE INDEX item_words ON item USING gin (words)"
NEAREST = "SELECT id, content FROM item ORDER BY embedding <=> %s::vector LIMIT %s"
MATCHING = """
    SELECT id, content FROM item, (
        SELECT replace(plainto_tsquery('english', %s)::text, '&', '|')::tsquery AS query
    ) AS asked
    WHERE words @@ query ORDER BY ts_rank_cd(words, query) DESC LIMIT %s
"""
"""Any of the words, as BM25 has it, the best first."""

PAGE = 1_000


class PlainTable:
    """The table, in a database of its own."""

    def __init__(self, server: Server, embedder: SimulatedEmbedder) -> None:
        server.create_database(DATABASE)
        self._server = server
        self._embedder = embedder
        self._connection = server.connect(DATABASE)
        self._connection.execute(TABLE)
        self.size = 0

    def grow(self, size: int) -> None:
        """Copy rows in, without the indexes: the fastest way there is."""
        self._connection.execute(DROP_INDEXES)
        with (
            self._connection.cursor() as cursor,
            cursor.copy("COPY item (id, content, embedding) FROM STDIN (FORMAT binary)") as copy,
        ):
            copy.set_types(["int8", "text", "bytea"])
            for start in range(self.size, size, PAGE):
                numbers = range(start, min(start + PAGE, size))
                page = texts(len(numbers), first=numbers[0])
                for number, text, vector in zip(numbers, page, self._embedder.embed(page), strict=True):
                    copy.write_row((number, text, _sent(vector)))
        self.size = size

    def build(self) -> None:
        """Make both indexes, in memory and on both cores."""
        self._connection.execute("SET maintenance_work_mem = '2GB'")
        for statement in (VECTOR_INDEX, TEXT_INDEX, "ANALYZE item"):
            self._connection.execute(statement)
        # As many candidates as are asked for, which is the least that can give them.
        self._connection.execute("SET hnsw.ef_search = 50")

    def nearest(self, question: str, limit: int) -> list[tuple[Any, ...]]:
        """The rows nearest to a question's vector."""
        [vector] = self._embedder.embed([question])
        return self._connection.execute(NEAREST, [str(vector.tolist()), limit]).fetchall()

    def matching(self, question: str, limit: int) -> list[tuple[Any, ...]]:
        """The rows that hold a question's words."""
        return self._connection.execute(MATCHING, [question, limit]).fetchall()

    def sizes_mb(self) -> dict[str, float]:
        """Megabytes of the table and of each index."""
        return self._server.sizes_mb(DATABASE, "item")

    def drop(self) -> None:
        """Close the connection, and drop the database."""
        self._connection.close()
        with self._server.connect("postgres") as connection:
            connection.execute(psycopg.sql.SQL("DROP DATABASE {}").format(psycopg.sql.Identifier(DATABASE)))


def _sent(vector: np.ndarray[Any, Any]) -> bytes:
    """A vector as pgvector receives it."""
    return struct.pack(">HH", len(vector), 0) + vector.astype(">f4").tobytes()
