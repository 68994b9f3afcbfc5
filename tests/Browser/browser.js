// Drives Debian's Chromium. See tests/Testing/Processes/PeerProcess.cs for how it is asked.
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const executablePath = "/usr/bin/chromium";
if (!existsSync(executablePath)) {
  console.log(`${executablePath} is missing: run eng/prerequisites, which installs the Debian package chromium.`);
  process.exit(1);
}

// playwright-core gives each start a fresh user-data-dir and removes it.
const browser = await chromium.launch({
  executablePath,
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"],
});
const patience = 60_000;

// One browser window with its tabs, and everything that went wrong in them.
class Window {
  faults = [];

  static async open(options = {}) {
    const window = new Window();
    window.context = await browser.newContext({ viewport: { width: 1100, height: 800 }, reducedMotion: "reduce", ...options });
    window.context.setDefaultTimeout(patience);
    return window;
  }

  async tab(url) {
    const page = await this.context.newPage();
    page.on("pageerror", (error) => this.faults.push(`page error: ${error.message}`));
    page.on("dialog", (dialog) => {
      this.faults.push(`dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on("console", (message) => message.type() === "error" && this.faults.push(`console: ${message.text()}`));
    page.on("request", (request) => new URL(request.url()).host === new URL(url).host || request.url().startsWith("data:") || this.faults.push(`request: ${request.url()}`));
    await page.goto(url);
    return page;
  }

  async close() {
    await this.context.close();
    expect(this.faults.join("\n"), "", "faults");
  }
}

const isConnected = (page) => page.waitForSelector("#status.open");
const texts = (page) => page.$$eval("#messages li:not(.note) p", (all) => all.map((p) => p.textContent));
const waitForMessages = (page, count) => page.waitForFunction((count) => document.querySelectorAll("#messages li:not(.note)").length >= count, count);

async function join(window, url) {
  const page = await window.tab(url);
  await isConnected(page);
  return page;
}

async function write(page, text) {
  await page.fill("#text", text);
  await page.press("#text", "Enter");
}

function expect(actual, expected, what) {
  if (actual !== expected) {
    throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
  }
}

const hostile = [
  "<img src=x onerror=window.harmed=1>",
  "<script>window.harmed=1</script>",
  "</p></li></ol><script>window.harmed=1</script>",
  "<svg onload=window.harmed=1>",
  "<iframe srcdoc='<script>parent.harmed=1</script>'></iframe>",
  "<style>*{display:none}</style>",
  "<a href=\"javascript:window.harmed=1\">here</a>",
  "javascript:window.harmed=1",
  "\"><b onmouseover=window.harmed=1>",
  "' onclick='window.harmed=1",
  "`${window.harmed=1}`",
  "{{constructor.constructor('window.harmed=1')()}}",
  "&lt;b&gt; &amp; &#x3c;",
  "\\u003cscript\\u003e \\\" \\\\",
  "\u202eright to left override\u202c and \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
  "e\u0301\u0323\u0323\u0323\u0323\u0323 Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d",
  "\u{1f468}\u200d\u{1f469}\u200d\u{1f467} \u{1f3f3}\ufe0f\u200d\u{1f308} \u200b\u00ad\ufeff",
  '{"name":"x","text":"nested"}',
  "__proto__ constructor toString",
  "\u0007\u001b[31mred\u001b[0m",
  "W".repeat(2000),
];

const scenarios = {
  async two_tabs(a) {
    const window = await Window.open();
    const [one, other] = [await join(window, a.url), await join(window, a.url)];
    await write(one, "to the other tab");
    await Promise.all([waitForMessages(one, 1), waitForMessages(other, 1)]);
    expect((await texts(other)).join(), "to the other tab", "other tab");
    expect(await one.getAttribute("#messages li:not(.note)", "class"), "own", "class in the sender's tab");
    expect(await other.getAttribute("#messages li:not(.note)", "class"), "", "class in the other tab");
    expect(await one.inputValue("#text"), "", "input after sending");
    await window.close();
  },

  async topics_are_apart(a) {
    const window = await Window.open();
    const [lobby, kitchen] = [await join(window, a.url), await join(window, `${a.url}#kitchen`)];
    await lobby.fill("#topic", "kitchen");
    await lobby.press("#topic", "Enter");
    await lobby.waitForSelector("text=You joined kitchen.");
    await write(lobby, "soup");
    await waitForMessages(kitchen, 1);
    await lobby.fill("#topic", "a/b <i>?#% \u{1f44b}");
    await lobby.press("#topic", "Enter");
    await lobby.waitForSelector("text=You joined a/b <i>?#%");
    await write(lobby, "only here");
    await waitForMessages(lobby, 1);
    expect((await texts(lobby)).join(), "only here", "messages of the new topic");
    expect((await texts(kitchen)).join(), "soup", "messages of the old topic");
    await window.close();
  },

  async figures(a) {
    const window = await Window.open();
    const page = await join(window, a.url);
    const shows = (id, value) => page.waitForFunction(([id, value]) => document.getElementById(id).textContent === value, [id, value]);
    await shows("connections", "2");
    const other = await join(window, a.url);
    await shows("connections", "4");
    await other.close();
    await shows("connections", "2");
    await page.evaluate(async (count) => {
      for (let i = 0; i < count; i++) {
        socket.send(`message ${i}`);
      }
    }, 100);
    await page.waitForFunction(() => Number(document.getElementById("received").textContent) > 10);
    await window.close();
  },

  async hostile_text(a) {
    const window = await Window.open();
    const [writer, reader] = [await join(window, a.url), await join(window, a.url)];
    for (const text of hostile) {
      await writer.fill("#name", text.slice(0, 24));
      await write(writer, text);
    }
    // What no input field lets through, from another kind of client.
    const raw = ["<img src=x onerror=window.harmed=1>\n<b>", "null", "[]", '{"name":{},"text":"<i>"}', '{"name":"<b>","text":"<i>","from":{}}', '{"__proto__":{"name":"x"}}'];
    await writer.evaluate((raw) => raw.forEach((text) => socket.send(text)), raw);
    await writer.evaluate(() => socket.send(new Uint8Array(3)));
    const expected = [...hostile, ...raw.slice(0, 4), "<i>", raw[5], "3 bytes"];
    for (const page of [writer, reader]) {
      await waitForMessages(page, expected.length);
      const shown = await texts(page);
      expected.forEach((text, i) => expect(shown[i], text, `message ${i}`));
      expect(await page.evaluate(() => window.harmed), undefined, "window.harmed");
      const tags = await page.$$eval("#messages *", (all) => [...new Set(all.map((each) => each.tagName))].sort().join());
      expect(tags, "B,LI,P,TIME", "elements in the conversation");
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(overflow, 0, "pixels that the page is too wide");
    }
    await window.close();
  },

  async inline_script_is_refused(a) {
    const window = await Window.open();
    const page = await join(window, a.url);
    await page.evaluate(() => {
      const image = document.createElement("div");
      image.innerHTML = "<img src=x onerror='window.harmed=1'>";
      document.body.append(image);
    });
    const violation = await page.evaluate(
      () =>
        new Promise((resolve) => {
          document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective), { once: true });
          const script = document.createElement("script");
          script.textContent = "window.harmed = 1";
          document.body.append(script);
        }),
    );
    expect(violation.startsWith("script-src"), true, "violation of script-src");
    expect(await page.evaluate(() => window.harmed), undefined, "window.harmed");
    await window.context.close();
  },

  // new WebSocket() as any page would use it.
  async raw_echo(a) {
    const window = await Window.open();
    const page = await window.tab(a.url);
    const found = await page.evaluate(async (address) => {
      const open = () =>
        new Promise((resolve, reject) => {
          const ws = new WebSocket(address);
          ws.onopen = () => resolve(ws);
          ws.onerror = () => reject(new Error("not opened"));
        });
      const ws = await open();
      ws.binaryType = "arraybuffer";
      const echo = (message) =>
        new Promise((resolve) => {
          ws.onmessage = (event) => resolve(event.data);
          ws.send(message);
        });
      const bytes = crypto.getRandomValues(new Uint8Array(64 * 1024));
      const same = (buffer) => buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length && new Uint8Array(buffer).every((value, i) => value === bytes[i]);
      const found = {
        extensions: ws.extensions,
        text: await echo("Gr\u00fc\u00dfe \u{1f44b}"),
        emptyText: await echo(""),
        emptyBinary: (await echo(new ArrayBuffer(0))).byteLength,
        buffer: same(await echo(bytes.buffer)),
        blob: same(await echo(new Blob([bytes]))),
        largeText: (await echo("x".repeat(64 * 1024))).length,
      };
      ws.binaryType = "blob";
      found.asBlob = (await echo(new Uint8Array([1, 2, 3]))) instanceof Blob;
      const closed = new Promise((resolve) => (ws.onclose = resolve));
      ws.close(4001, "enough");
      const { code, wasClean } = await closed;
      const tooBig = await open();
      const refused = new Promise((resolve) => (tooBig.onclose = resolve));
      tooBig.send(new Uint8Array(64 * 1024 + 1));
      const { code: tooBigCode, reason } = await refused;
      return { ...found, code, wasClean, tooBigCode, reason };
    }, a.address);
    await window.close();
    return JSON.stringify(found);
  },

  // Ends with the page open; the next scenarios go on with it.
  async stay(a) {
    this.staying = await Window.open();
    this.stayed = await join(this.staying, a.url);
    await write(this.stayed, "before the restart");
    await waitForMessages(this.stayed, 1);
  },

  async see_disconnected() {
    await this.stayed.waitForSelector("#status:not(.open)");
    await this.stayed.waitForSelector("text=close code 1012: server stops");
    expect(await this.stayed.isDisabled("#send button"), true, "Send is disabled");
  },

  async see_reconnected() {
    await isConnected(this.stayed);
    await this.stayed.waitForFunction(() => document.getElementById("figures").className === "" && document.getElementById("connections").textContent === "2");
    await write(this.stayed, "after the restart");
    await waitForMessages(this.stayed, 2);
    expect((await texts(this.stayed)).join(), "before the restart,after the restart", "messages");
    // That nobody listened meanwhile is in the console, as it should be.
    await this.staying.context.close();
  },

  async screenshots(a) {
    for (const colorScheme of ["light", "dark"]) {
      for (const [size, viewport] of [["desktop", { width: 1100, height: 800 }], ["phone", { width: 390, height: 780 }]]) {
        const window = await Window.open({ viewport, colorScheme });
        const topic = `${a.url}#${colorScheme}-${size}`;
        const page = await join(window, topic);
        const take = (what) => page.screenshot({ path: `${a.folder}/${what}-${size}-${colorScheme}.png` });
        await page.waitForFunction(() => document.getElementById("connections").textContent !== "–");
        await take("empty");
        const other = await join(window, topic);
        await page.fill("#name", "Ada");
        await other.fill("#name", "Grace");
        const talk = [
          [page, "Does anybody read this?"],
          [other, "Yes, in the other tab. That was quick!"],
          [page, "A long one: " + "what is written here goes to the server once and from there to everybody on the topic. ".repeat(3)],
          [other, `And a long word: https://example.com/${"averylongpath".repeat(12)}`],
          [other, "\u05e9\u05dc\u05d5\u05dd <b>not bold</b> \u{1f44b}"],
          [page, "Good."],
        ];
        let count = 0;
        for (const [from, text] of talk) {
          await write(from, text);
          await Promise.all([waitForMessages(page, ++count), waitForMessages(other, count)]);
        }
        await page.evaluate(() => socket.send("plain text from another program"));
        await waitForMessages(page, count + 1);
        await take("talk");
        expect(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, "page is wider than the window");
        expect(await page.evaluate(() => document.querySelector("#send button").getBoundingClientRect().bottom <= innerHeight), true, "Send is in view");
        await window.close();
      }
    }
  },

  async screenshot_of_stayed(a) {
    await this.stayed.screenshot({ path: `${a.folder}/${a.name}.png` });
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
await browser.close();
