"""A TLS front for the local SageMaker, and the bundle of roots that trusts it."""

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


class TlsFront:
    """TLS before a plain HTTP server: start it with ``with``; then ``url`` and ``bundle`` are what a client needs.

    The chain is as long as AWS's own and of the same kind: an RSA root, an intermediate and a leaf.
    """

    def __init__(self, plain_url: str, directory: Path) -> None:
        """Describe the server behind, and where the bundle of roots goes."""
        behind = urlsplit(plain_url)
        self._behind = (behind.hostname, behind.port)
        (port,) = free_ports(1)
        self._port = port
        self.url = f"https://{_HOST}:{port}"
        rsa = trustme.KeyType.RSA
        root = trustme.CA(key_type=rsa)
        leaf = root.create_child_ca(key_type=rsa).issue_cert(_HOST, key_type=rsa)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(self._context)
        # As many roots as a client has to read in earnest, and the one that counts.
        self.bundle = directory / "roots.pem"
        self.bundle.write_bytes(Path(certifi.where()).read_bytes() + root.cert_pem.bytes())

    def __enter__(self) -> Self:
        """Start the front and return once it listens."""
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, _HOST, self._port, ssl=self._context)
        )
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the front."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        with closing(self._loop):
            self._server.close()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            # One round, in which the cancelled connections end.
            self._loop.run_until_complete(asyncio.sleep(0))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            behind_reader, behind_writer = await asyncio.open_connection(*self._behind)
            await asyncio.gather(_pass_on(reader, behind_writer), _pass_on(behind_reader, writer))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes in, until it ends."""
    with closing(writer):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
