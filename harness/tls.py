"""TLS before a local service, the bundle of roots that trusts it, and a proxy on the way to it."""

import asyncio
import ssl
import threading
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import certifi
import trustme

from harness.processes import free_ports

# A name and not an address, so that a call looks it up as it looks up the real service's.
_HOST = "localhost"

_CHUNK = 65536


class _Server:
    """A server on a thread of its own, from ``with`` to its end."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        (self.port,) = free_ports(1)
        self._context = context

    def __enter__(self) -> Self:
        """Start the server and return once it listens."""
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, _HOST, self.port, ssl=self._context)
        )
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        with closing(self._loop):
            self._server.close()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            # One round, in which the cancelled connections end.
            self._loop.run_until_complete(asyncio.sleep(0))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError


class TlsFront(_Server):
    """TLS before a plain HTTP server: start it with ``with``; then ``url`` and ``bundle`` are what a client needs.

    The chain is as long as AWS's own and of the same kind: an RSA root, an intermediate and a leaf.
    """

    def __init__(self, plain_url: str, directory: Path, certified_name: str = _HOST) -> None:
        """Describe the server behind, where the bundle of roots goes, and whom the certificate is for."""
        behind = urlsplit(plain_url)
        self._behind = (behind.hostname, behind.port)
        rsa = trustme.KeyType.RSA
        root = trustme.CA(key_type=rsa)
        leaf = root.create_child_ca(key_type=rsa).issue_cert(certified_name, key_type=rsa)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(context)
        super().__init__(context)
        self.url = f"https://{_HOST}:{self.port}"
        # As many roots as a client has to read in earnest, and the one that counts.
        self.bundle = directory / "roots.pem"
        self.bundle.write_bytes(Path(certifi.where()).read_bytes() + root.cert_pem.bytes())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            await _join(reader, writer, *self._behind)


class Proxy(_Server):
    """A proxy that opens tunnels, as a company's network has it; ``tunnels`` says where to."""

    def __init__(self) -> None:
        """Describe the proxy."""
        super().__init__(None)
        self.url = f"http://{_HOST}:{self.port}"
        self.tunnels: list[str] = []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            request = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = request.decode().split(" ", 2)
            if method != "CONNECT":
                writer.close()
                return
            self.tunnels.append(target)
            host, port = target.rsplit(":", 1)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await _join(reader, writer, host, int(port))


async def _join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str | None, port: int | None) -> None:
    """Connect to a server, and pass on in both directions until either end is closed."""
    behind_reader, behind_writer = await asyncio.open_connection(host, port)
    await asyncio.gather(_pass_on(reader, behind_writer), _pass_on(behind_reader, writer))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes in, until it ends."""
    with closing(writer):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
