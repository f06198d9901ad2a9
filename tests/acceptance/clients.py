"""Clients that go on asking whatever becomes of the server, and note what it has acknowledged."""

import threading
import time
from typing import Any

import httpx

from soma.base.ids import new_id
from tests.acceptance.server import Server

PAUSE_SECONDS = 0.05
QUESTION = "What is 12 * 34?"
ACKNOWLEDGED = (httpx.codes.OK, httpx.codes.CREATED, httpx.codes.ACCEPTED)


class Client:
    """Somebody of `tenant`, who has the API key `key`. A thread of its own asks one thing after another.

    What was acknowledged is what events name as `names`: one of the type `begins`, and one of `ends` where
    there are any.
    """

    names = begins = ""
    ends: tuple[str, ...] = ()

    def __init__(self, server: Server, tenant: str, key: str) -> None:
        self.tenant = tenant
        self.acknowledged: list[str] = []
        self._server = server
        self._key = key
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """End after the request that runs. Does not wait."""
        self._ended.set()

    def stop(self) -> None:
        """End after the request that runs."""
        self.ask_to_stop()
        self._thread.join(120)
        assert not self._thread.is_alive()

    def ask(self) -> None:
        """One thing to ask. May raise httpx.TransportError."""
        raise NotImplementedError

    def _run(self) -> None:
        while not self._ended.wait(PAUSE_SECONDS):
            try:
                self.ask()
            except httpx.TransportError:
                continue  # it was killed, and perhaps after it had done what was asked

    def _request(
        self, method: str, path: str, body: Any = None, *, token: str, **headers: str
    ) -> httpx.Response:
        sent = {"Authorization": f"Bearer {token}", **headers}
        return httpx.request(method, f"{self._server.url}{path}", json=body, headers=sent, timeout=60)

    def _mint(self) -> dict[str, Any] | None:
        answer = self._request("POST", "/v1/session/mint", {}, token=self._key)
        granted: dict[str, Any] = answer.json() if answer.is_success else {}
        return granted or None


class SessionClient(Client):
    """Opens sessions; each is an event of its own."""

    names, begins = "session_id", "identity.session_minted"

    def ask(self) -> None:
        """See Client."""
        if granted := self._mint():
            self.acknowledged.append(granted["session_id"])


class ChatClient(Client):
    """Posts a message, waits until its turn is over, and posts the next."""

    names, begins = "turn_id", "chat.turn_started"
    ends = ("chat.turn_completed", "chat.turn_failed")

    def __init__(self, server: Server, tenant: str, key: str) -> None:
        super().__init__(server, tenant, key)
        self._token = self._conversation = self._turn = ""
        self._message = str(new_id())

    def ask(self) -> None:
        """See Client. The key of a message whose answer went missing finds its turn again."""
        if not self._token:
            self._token = self._signed_in()
        elif not self._conversation:
            answer = self._request("POST", "/api/v2/chat/conversations", {}, token=self._token)
            self._conversation = answer.json()["id"] if answer.status_code in ACKNOWLEDGED else ""
        elif not self._turn:
            self._post()
        else:
            time.sleep(PAUSE_SECONDS)
            answer = self._request("GET", f"/api/v2/chat/turns/{self._turn}", token=self._token)
            if answer.is_success and answer.json()["status"] != "running":
                self._turn = ""

    def _post(self) -> None:
        answer = self._request(
            "POST",
            f"/api/v2/chat/conversations/{self._conversation}/messages",
            {"message": QUESTION},
            token=self._token,
            **{"Idempotency-Key": self._message},
        )
        if answer.status_code in ACKNOWLEDGED:
            self._turn = answer.json()["turn_id"]
            self.acknowledged.append(self._turn)
            self._message = str(new_id())

    def _signed_in(self) -> str:
        granted = self._mint()
        return granted["jwt"] if granted else ""
