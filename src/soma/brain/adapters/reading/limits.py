"""How much a document may cost to read."""

CPU_SECONDS = 60
MEMORY_BYTES = 1 << 30
"""Address space of the reading process, its libraries included."""
WALL_SECONDS = 180.0
MAX_CHARACTERS = 4_000_000
"""Of text, which is a book of 1,500 pages."""
MAX_PAGES = 5_000
MAX_ANSWER_BYTES = 64 << 20
"""What a reader may write: its chunks, each character four bytes at most, with their names around them."""
