// Plays a client of the npm package ws. See tests/Testing/Processes/PeerProcess.cs for how it is asked.
import { createInterface } from "node:readline";
import { randomBytes } from "node:crypto";
import WebSocket from "ws";

const deflate = (a) => (a.deflate === true ? { threshold: 0 } : a.deflate ?? false);

// A connection whose events are awaited one by one.
class Session {
  constructor(a, url = a.url) {
    this.messages = [];
    this.waiting = null;
    this.socket = new WebSocket(url, { perMessageDeflate: deflate(a), maxPayload: 0, rejectUnauthorized: false });
    this.closed = new Promise((resolve) => this.socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() })));
    this.opened = new Promise((resolve, reject) => {
      this.socket.on("open", resolve);
      this.socket.on("error", (error) => reject(error));
      this.closed.then(({ code }) => this.waiting?.reject(new Error(`closed with ${code}`)));
    });
    this.socket.on("upgrade", (response) => (this.extensions = response.headers["sec-websocket-extensions"] ?? ""));
    this.socket.on("message", (data, isBinary) => {
      const message = { data, isBinary };
      if (this.waiting) {
        this.waiting.resolve(message);
        this.waiting = null;
      } else {
        this.messages.push(message);
      }
    });
  }

  static async open(a, url) {
    const session = new Session(a, url);
    await session.opened;
    return session;
  }

  receive() {
    return this.messages.length > 0 ? Promise.resolve(this.messages.shift()) : new Promise((resolve, reject) => (this.waiting = { resolve, reject }));
  }

  async echo(message) {
    const received = this.receive();
    this.socket.send(message);
    await this.check(received, message);
  }

  async echoFragments(parts) {
    const received = this.receive();
    parts.forEach((part, i) => this.socket.send(part, { fin: i === parts.length - 1, binary: typeof parts[0] !== "string" }));
    await this.check(received, typeof parts[0] === "string" ? parts.join("") : Buffer.concat(parts));
  }

  async check(received, message) {
    const { data, isBinary } = await received;
    expect(isBinary, typeof message !== "string", "binary");
    if (!data.equals(Buffer.from(message))) {
      throw new Error(`${message.length} sent, ${data.length} of other content received`);
    }
  }

  async close() {
    this.socket.close(1000, "done");
    expect((await this.closed).code, 1000, "close code");
  }
}

function expect(actual, expected, what) {
  if (actual !== expected) {
    throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
  }
}

const scenarios = {
  async text(a) {
    const session = await Session.open(a);
    for (const message of ["hello", "Grüße, Welt", "\u65e5\u672c\u8a9e \u{1f44b}", "\0 and \u2028"]) {
      await session.echo(message);
    }
    await session.close();
  },

  async binary(a) {
    const session = await Session.open(a);
    await session.echo(Buffer.from(Array.from({ length: 256 }, (_, i) => i)));
    await session.close();
  },

  async empty(a) {
    const session = await Session.open(a);
    await session.echo("");
    await session.echo(Buffer.alloc(0));
    await session.close();
  },

  async sized(a) {
    const session = await Session.open(a);
    await session.echo(randomBytes(a.size));
    await session.echo("ab\u00e9\u{1f44b}".repeat(a.size / 8));
    await session.close();
  },

  async fragments(a) {
    const session = await Session.open(a);
    await session.echoFragments(Array.from({ length: 1000 }, (_, i) => `part ${i} \u{1f44b}, `));
    await session.echoFragments(Array.from({ length: 300 }, (_, i) => randomBytes(i)));
    await session.echoFragments(["", "x", ""]);
    await session.close();
  },

  async ping(a) {
    const session = await Session.open(a);
    for (const payload of [Buffer.alloc(0), Buffer.from("payload"), randomBytes(125)]) {
      const pong = new Promise((resolve) => session.socket.once("pong", resolve));
      session.socket.ping(payload);
      expect((await pong).toString("hex"), payload.toString("hex"), "pong");
    }
    await session.close();
  },

  async close_by_client(a) {
    for (const code of [1000, 1001, 1011, 3000, 4001, 4999]) {
      const session = await Session.open(a);
      session.socket.close(code, "enough");
      expect((await session.closed).code, code, "close code");
    }
  },

  // Sends what the endpoint does not accept, and sees with what it is closed.
  async close_by_server(a) {
    const session = await Session.open(a);
    session.socket.send(Buffer.alloc(a.size));
    const { code, reason } = await session.closed;
    expect(`${code} ${reason}`, `${a.code} ${a.reason}`, "close");
  },

  async many(a) {
    const one = async (number) => {
      const session = await Session.open(a);
      for (let i = 0; i < 10; i++) {
        await session.echo(`client ${number} message ${i}`);
      }
      await session.close();
    };
    await Promise.all(Array.from({ length: a.count }, (_, i) => one(i)));
  },

  async compressed(a) {
    const session = await Session.open(a);
    const before = session.socket._socket.bytesRead;
    for (let i = 0; i < 5; i++) {
      await session.echo(`${i} all work and no play `.repeat(2500));
    }
    const received = session.socket._socket.bytesRead - before;
    if (received > 25_000) {
      throw new Error(`${received} bytes came for 5 messages of 60 KB that compress well`);
    }
    await session.close();
    return session.extensions;
  },

  async agreed(a) {
    const session = await Session.open(a);
    await session.echo("all work and no play ".repeat(2500));
    await session.close();
    return session.extensions;
  },

  // Two connections on one topic: both read what one of them writes.
  async publish(a) {
    const [reader, writer] = [await Session.open(a), await Session.open(a)];
    await Promise.all([reader.echo("both are subscribed"), writer.receive()]);
    writer.socket.send("for all");
    for (const session of [reader, writer]) {
      expect((await session.receive()).data.toString(), "for all", "message");
      await session.close();
    }
  },

  async wait_for_close(a) {
    const session = await Session.open(a);
    await session.echo("open");
    console.log("> note open");
    const { code, reason } = await session.closed;
    return `${code} ${reason}`;
  },

  // Sees the server's Close frame and never answers it.
  async ignore_close(a) {
    const session = await Session.open(a);
    await session.echo("open");
    session.socket._socket.removeAllListeners("data");
    session.socket._socket.resume();
    console.log("> note open");
    const { code } = await session.closed;
    return `${code}`;
  },
};

console.log("> note ready");
for await (const line of createInterface({ input: process.stdin })) {
  const { scenario, arguments: a } = JSON.parse(line);
  try {
    console.log("> done " + JSON.stringify((await scenarios[scenario](a)) ?? ""));
  } catch (error) {
    console.log("> failed " + JSON.stringify(String(error?.stack ?? error)));
  }
}

// Not when the last socket is closed: a scenario that failed may have left one open.
process.exit();
