"""A server of Debian's python3-websockets. The path says how it behaves."""
import asyncio
import sys

try:
    import websockets
except ImportError:
    sys.exit("The Debian package python3-websockets is missing: run eng/prerequisites.")


async def serve(ws):
    if ws.path == "/closes":
        await ws.close(4002, "enough of that")
        return
    if ws.path == "/vanishes":
        await ws.recv()
        ws.transport.abort()
        return
    if ws.path == "/pings":
        await (await ws.ping(b"from the server"))
        await ws.send("pong seen")
    async for message in ws:
        if ws.path == "/fragments":
            size = max(1, len(message) // 100)
            await ws.send([message[i : i + size] for i in range(0, len(message), size)])
        else:
            await ws.send(message)


async def main():
    async with websockets.serve(serve, "127.0.0.1", 0, max_size=None, subprotocols=["chat.v2"]) as server:
        print(f"ready ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.Future()


asyncio.run(main())
