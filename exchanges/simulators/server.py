"""A small HTTP/1.1 server with keep-alive for simulated exchanges. It can break a connection the way real
ones break."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

HOST = "127.0.0.1"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Request:
    """`query` and `body` are as they came: signatures are over their text. Header names are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    client: str


@dataclass(slots=True)
class Response:
    """`delay` in seconds; `truncated` announces the whole body and sends half; `reset` sends nothing but a
    RST."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json;charset=UTF-8"
    delay: float = 0.0
    truncated: bool = False
    reset: bool = False


App = Callable[[Request], Response]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True
    request_queue_size = 256

    def __init__(self, port: int, app: App) -> None:
        self.app = app
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__((HOST, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End idle keep-alive connections, whose threads wait for a next request."""
        with self._guard:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is its own affair; an app answers for its own mistakes."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave in one packet
    disable_nagle_algorithm = True
    server: _Server

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            method=self.command,
            path=path,
            query=query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
            client=self.client_address[0],
        )
        self._send(self.server.app(request))

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

    def _send(self, response: Response) -> None:
        if response.delay:
            time.sleep(response.delay)
        if response.reset:
            self._reset()
            return
        head = [
            f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
            f"Content-Type: {response.content_type}",
            f"Content-Length: {len(response.body)}",
            f"Date: {formatdate(usegmt=True)}",
            *(f"{name}: {value}" for name, value in response.headers.items()),
        ]
        body = response.body
        if response.truncated:
            body = body[: len(body) // 2]
            self.close_connection = True
        self.wfile.write("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body)
        self.wfile.flush()

    def _reset(self) -> None:
        """Close with a RST instead of a FIN, as a crashed peer or a firewall does."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.rfile.close()
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Silent: the one who runs the simulator decides what is shown."""


class HttpServer:
    """Runs an app on 127.0.0.1 in a thread, from `start` (or `with`) until `stop`. Port 0 takes a free
    one."""

    def __init__(self, app: App, *, port: int = 0) -> None:
        self._server = _Server(port, app)
        self.port: int = self._server.server_address[1]
        self.url = f"http://{HOST}:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.hang_up()
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
