"""The headers that keep a browser from doing more with a response than showing it."""

from soma.interfaces.http.guard import Application, Message, Receive, Scope, Send

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class SecurityHeaders:
    """ASGI: puts HEADERS on every response that lacks them, files and refusals included.

    Django's SecurityMiddleware does this for views only, and at the cost of two changes of thread.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message["headers"])
                present = {name.lower() for name, _ in given}
                given += [header for header in HEADERS if header[0] not in present]
                message = {**message, "headers": given}
            await send(message)

        await self._application(scope, receive, protected)
