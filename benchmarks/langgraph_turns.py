"""The same turn on LangGraph with its Postgres saver, as its documentation wires it: a chat model and a tool
node in a graph, a thread a conversation, a psycopg pool, the default durability.

It has no policy, no memory, no learning and no event log; it keeps every state of the graph.
"""

import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from benchmarks.contender import ITERATIONS, TurnTimes, answer, expression
from benchmarks.cpu import OURS_IN_BACKGROUND
from benchmarks.server import Server
from soma.agent.adapters.tool_calculator import evaluate
from soma.base.ids import new_id

DATABASE = "langgraph"
CONNECTIONS = 8
"""As many as our database threads."""

NUMBERS = itertools.count(1)


class ZeroCostChatModel(BaseChatModel):
    """Calls the calculator until it has been answered four times since the question, then answers."""

    @property
    def _llm_type(self) -> str:
        return "zero-cost"

    def _generate(self, messages: list[BaseMessage], *arguments: Any, **options: Any) -> ChatResult:
        iteration = sum(1 for _ in itertools.takewhile(_is_of_tools, reversed(messages))) // 2
        return ChatResult(generations=[ChatGeneration(message=_reply(iteration))])

    async def _agenerate(self, messages: list[BaseMessage], *arguments: Any, **options: Any) -> ChatResult:
        return self._generate(messages)


class LangGraphTurns:
    """A Contender."""

    name = "langgraph"
    database = DATABASE
    background = OURS_IN_BACKGROUND

    def __init__(self, saver: AsyncPostgresSaver) -> None:
        self._graph = _graph(saver)

    async def open(self, count: int) -> list[str]:
        """See Contender. One turn is spent, as ours spends one."""
        first, *opened = [str(new_id()) for _ in range(count + 1)]
        await self.turn(first, "What is 12 * 7?")
        return opened

    async def turn(self, conversation: str, text: str) -> TurnTimes:
        """See Contender."""
        config: RunnableConfig = {"configurable": {"thread_id": conversation}}
        started, last = time.perf_counter(), ""
        marks: list[float] = []
        async for update in self._graph.astream(
            {"messages": [("user", text)]}, config, stream_mode="updates"
        ):
            (last,) = update
            if last == "tools" or len(marks) == ITERATIONS - 1:
                marks.append(time.perf_counter())
        ended = time.perf_counter()
        if (last, len(marks)) != ("model", ITERATIONS):
            raise RuntimeError(f"the turn ended with {last} after {len(marks)} iterations")
        return TurnTimes(
            turn=(ended - started) * 1000,
            iterations=tuple((b - a) * 1000 for a, b in itertools.pairwise([started, *marks])),
        )

    async def settle(self) -> None:
        """See Contender: a graph that has ended has stored its states."""


@asynccontextmanager
async def langgraph_turns(server: Server) -> AsyncIterator[LangGraphTurns]:
    """The contender, in a database of its own on `server`."""
    server.create_database(DATABASE)
    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    async with AsyncConnectionPool(
        server.address(DATABASE), min_size=CONNECTIONS, max_size=CONNECTIONS, kwargs=options, open=False
    ) as pool:
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
        yield LangGraphTurns(saver)


@tool
def calculator(expression: str) -> str:
    """Evaluates an arithmetic expression."""
    return evaluate(expression)


def _graph(saver: AsyncPostgresSaver) -> Any:
    model = ZeroCostChatModel()

    async def ask(state: MessagesState) -> dict[str, list[BaseMessage]]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("model", ask)
    graph.add_node("tools", ToolNode([calculator]))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    return graph.compile(checkpointer=saver)


def _is_of_tools(message: BaseMessage) -> bool:
    return isinstance(message, ToolMessage) or (isinstance(message, AIMessage) and bool(message.tool_calls))


def _reply(iteration: int) -> AIMessage:
    if iteration == ITERATIONS - 1:
        return AIMessage(answer(next(NUMBERS)))
    arguments = {"expression": expression(iteration)}
    call = ToolCall(name="calculator", args=arguments, id=str(new_id()), type="tool_call")
    return AIMessage("", tool_calls=[call])
