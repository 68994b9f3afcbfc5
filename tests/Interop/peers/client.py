"""Plays a client of Debian's python3-websockets. See tests/Testing/Processes/PeerProcess.cs for how it is asked."""
import asyncio
import json
import os
import ssl
import sys

try:
    import websockets
    from websockets.client import WebSocketClientProtocol
    from websockets.exceptions import ConnectionClosed
except ImportError:
    sys.exit("The Debian package python3-websockets is missing: run eng/prerequisites.")


class CountingProtocol(WebSocketClientProtocol):
    """Counts what comes over the wire."""

    bytes_received = 0

    def data_received(self, data):
        self.bytes_received += len(data)
        super().data_received(data)


def connect(a, url=None, **options):
    return websockets.connect(
        url or a["url"],
        compression="deflate" if a.get("deflate") else None,
        max_size=None,
        ping_interval=None,
        open_timeout=60,
        close_timeout=60,
        ssl=tls(a),
        create_protocol=CountingProtocol,
        **options,
    )


def tls(a):
    if not a["url"].startswith("wss"):
        return None
    if "authority" in a:
        return ssl.create_default_context(cafile=a["authority"])
    unchecked = ssl.create_default_context()
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE
    return unchecked


def expect(actual, expected, what):
    if actual != expected:
        raise AssertionError(f"{what}: {str(actual)[:200]!r} instead of {str(expected)[:200]!r}")


async def echo(ws, message):
    await ws.send(message)
    answer = await ws.recv()
    if isinstance(message, list):
        message = type(message[0])().join(message)
    expect(type(answer), type(message), "type")
    if answer != message:
        raise AssertionError(f"{len(message)} sent, {len(answer)} of other content received")


async def text(a):
    async with connect(a) as ws:
        for message in ["hello", "Grüße, Welt", "\u65e5\u672c\u8a9e \U0001f44b", "\x00 and \u2028"]:
            await echo(ws, message)


async def binary(a):
    async with connect(a) as ws:
        await echo(ws, bytes(range(256)))


async def empty(a):
    async with connect(a) as ws:
        await echo(ws, "")
        await echo(ws, b"")


async def sized(a):
    async with connect(a) as ws:
        await echo(ws, os.urandom(a["size"]))
        await echo(ws, "ab\u00e9\U0001f44b" * (a["size"] // 8))


async def fragments(a):
    async with connect(a) as ws:
        await echo(ws, [f"part {i} \U0001f44b, " for i in range(1000)])
        await echo(ws, [os.urandom(i) for i in range(300)])
        await echo(ws, ["", "x", ""])


async def ping(a):
    async with connect(a) as ws:
        # Its future completes for a pong with just this payload.
        for payload in [b"", b"payload", os.urandom(125)]:
            await asyncio.wait_for(await ws.ping(payload), 60)
        await echo(ws, "still open")


async def close_by_client(a):
    ws = await connect(a)
    await ws.close(4001, "enough")
    expect(ws.close_code, 4001, "close code")


async def close_by_server(a):
    """Sends what the endpoint does not accept, and sees with what it is closed."""
    ws = await connect(a)
    try:
        await ws.send(b"x" * a["size"])
        while True:
            await ws.recv()
    except ConnectionClosed:
        expect((ws.close_code, ws.close_reason), (a["code"], a["reason"]), "close")


async def many(a):
    async def one(number):
        async with connect(a) as ws:
            for i in range(10):
                await echo(ws, f"client {number} message {i}")

    await asyncio.gather(*(one(number) for number in range(a["count"])))


async def compressed(a):
    async with connect(a) as ws:
        expect([extension.name for extension in ws.extensions], ["permessage-deflate"], "extensions")
        before = ws.bytes_received
        for i in range(5):
            await echo(ws, f"{i} all work and no play " * 2500)
        received = ws.bytes_received - before
        if received > 25_000:
            raise AssertionError(f"{received} bytes came for 5 messages of 60 KB that compress well")


async def refused(a):
    try:
        await connect(a, origin=a.get("origin"))
    except websockets.InvalidStatusCode as e:
        return str(e.status_code)
    raise AssertionError("The server accepted the opening handshake.")


async def echo_from_origin(a):
    async with connect(a, origin=a["origin"]) as ws:
        await echo(ws, "from a page")


async def wait_for_close(a):
    ws = await connect(a)
    await echo(ws, "open")
    print("> note open")
    await ws.wait_closed()
    return f"{ws.close_code} {ws.close_reason}"


async def main():
    print("> note ready")
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        request = json.loads(line)
        try:
            result = await globals()[request["scenario"]](request["arguments"])
            print("> done " + json.dumps(result or ""))
        except Exception as e:
            print("> failed " + json.dumps(f"{type(e).__name__}: {e}"))


asyncio.run(main())
