"use strict";

const byId = (id) => document.getElementById(id);
const base = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`;
const maxShown = 500;
let socket = null;

byId("name").value = `guest-${Math.floor(Math.random() * 9000 + 1000)}`;

// Everything shown is set as text, never as markup: it comes from other people.
function show(text, name) {
  const item = document.createElement("li");
  const time = document.createElement("time");
  time.textContent = new Date().toLocaleTimeString();
  item.append(time);
  if (name === undefined) {
    item.className = "note";
  } else {
    const who = document.createElement("b");
    who.textContent = name;
    item.append(who);
  }
  item.append(text);
  const list = byId("messages");
  list.append(item);
  if (list.childElementCount > maxShown) {
    list.firstElementChild.remove();
  }
  list.scrollTop = list.scrollHeight;
}

function setStatus(state, text) {
  byId("status").className = state;
  byId("status").textContent = text;
  byId("send").querySelector("button").disabled = state !== "open";
}

// Messages are JSON from this page, and anything at all from other clients.
function parse(data) {
  if (typeof data !== "string") {
    return { name: "binary", text: `${data.byteLength} bytes` };
  }
  try {
    const message = JSON.parse(data);
    if (typeof message?.name === "string" && typeof message?.text === "string") {
      return message;
    }
  } catch {
    // Plain text from another kind of client.
  }
  return { name: "anonymous", text: data };
}

function join(topic) {
  socket?.close(1000, "joins another topic");
  setStatus("connecting", "connecting");
  const address = `${base}/topic/${encodeURIComponent(topic)}`;
  byId("address").textContent = address;
  const joined = new WebSocket(address);
  joined.binaryType = "arraybuffer";
  socket = joined;
  joined.onopen = () => {
    setStatus("open", `on ${topic}`);
    show(`You joined ${topic}.`);
  };
  joined.onmessage = (event) => {
    const { name, text } = parse(event.data);
    show(text, name);
  };
  joined.onclose = (event) => {
    if (joined === socket) {
      setStatus("closed", `closed (${event.code}${event.reason ? `, ${event.reason}` : ""})`);
      reconnectLater(() => joined === socket && join(topic));
    }
  };
}

function watch() {
  const live = new WebSocket(`${base}/live`);
  live.onmessage = (event) => {
    const figures = JSON.parse(event.data);
    byId("connections").textContent = figures.connections.toLocaleString();
    byId("received").textContent = figures.receivedPerSecond.toLocaleString();
    byId("sent").textContent = figures.sentPerSecond.toLocaleString();
    byId("dropped").textContent = figures.dropped.toLocaleString();
  };
  live.onclose = () => reconnectLater(watch);
}

// Spread over time, so that many pages do not come back at the same instant.
function reconnectLater(action) {
  setTimeout(action, 500 + Math.random() * 2500);
}

byId("join").onsubmit = (event) => {
  event.preventDefault();
  join(byId("topic").value.trim());
};

byId("send").onsubmit = (event) => {
  event.preventDefault();
  const text = byId("text").value;
  if (text && socket?.readyState === WebSocket.OPEN) {
    socket.send(JSON.stringify({ name: byId("name").value.trim() || "anonymous", text }));
    byId("text").value = "";
  }
};

watch();
join(byId("topic").value);
