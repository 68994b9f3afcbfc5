"use strict";

const byId = (id) => document.getElementById(id);
const base = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`;
const maxShown = 500;

// Sent along with each message, so that a page knows its own when they come back.
const self = crypto.getRandomValues(new Uint32Array(2)).join("-");
let socket = null;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

function element(tag, text) {
  const created = document.createElement(tag);
  // Everything shown is set as text, never as markup: it comes from other people.
  created.textContent = text;
  return created;
}

function append(item) {
  const list = byId("messages");
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.append(item);
  if (list.childElementCount > maxShown) {
    list.firstElementChild.remove();
  }
  // Whoever reads further up is not torn away.
  if (isAtEnd || item.className === "own") {
    list.scrollTop = list.scrollHeight;
  }
}

function show({ name, text, from }) {
  const item = document.createElement("li");
  item.className = from === self ? "own" : "";
  const now = new Date();
  const time = element("time", clock.format(now));
  time.dateTime = now.toISOString();
  item.append(element("b", name), time, element("p", text));
  append(item);
  byId("hint").hidden = true;
}

function note(text) {
  const item = element("li", text);
  item.className = "note";
  append(item);
}

function setStatus(state, text) {
  byId("status").className = state;
  byId("status").textContent = text;
  byId("send").querySelector("button").disabled = state !== "open";
}

// Messages are JSON from this page, and anything at all from other clients.
function parse(data) {
  if (typeof data !== "string") {
    return { name: "binary message", text: `${data.byteLength} bytes` };
  }
  try {
    const message = JSON.parse(data);
    if (typeof message?.name === "string" && typeof message?.text === "string") {
      return message;
    }
  } catch {
    // Plain text from another kind of client.
  }
  return { name: "another client", text: data };
}

function join(topic, isAgain) {
  socket?.close(1000, "joins another topic");
  setStatus("connecting", isAgain ? "reconnecting…" : "connecting…");
  const address = `${base}/topic/${encodeURIComponent(topic)}`;
  byId("example").textContent = `new WebSocket("${address}").onmessage = (event) => console.log(event.data)`;
  const joined = new WebSocket(address);
  joined.binaryType = "arraybuffer";
  socket = joined;
  let wasOpen = false;
  joined.onopen = () => {
    wasOpen = true;
    setStatus("open", "connected");
    note(isAgain ? `Connected to ${topic} again.` : `You joined ${topic}.`);
  };
  joined.onmessage = (event) => {
    if (joined === socket) {
      show(parse(event.data));
    }
  };
  joined.onclose = (event) => {
    if (joined !== socket) {
      return;
    }
    setStatus("closed", "disconnected, trying again");
    if (wasOpen) {
      note(`Disconnected (close code ${event.code}${event.reason ? `: ${event.reason}` : ""}). Trying again until the server is back.`);
    }
    reconnectLater(() => joined === socket && join(topic, isAgain || wasOpen));
  };
}

function joinTopicOfAddress() {
  const topic = topicOfAddress();
  byId("topic").value = topic;
  byId("second").href = location.href;
  byId("messages").replaceChildren();
  byId("hint").hidden = false;
  join(topic, false);
}

// The topic is in the address, so that a copy of it leads to the same place.
function topicOfAddress() {
  try {
    return decodeURIComponent(location.hash.slice(1)).slice(0, 64).trim() || "lobby";
  } catch {
    return "lobby";
  }
}

function watch() {
  const live = new WebSocket(`${base}/live`);
  live.onmessage = (event) => {
    const figures = JSON.parse(event.data);
    byId("figures").className = "";
    byId("connections").textContent = figures.connections.toLocaleString();
    byId("received").textContent = figures.receivedPerSecond.toLocaleString();
    byId("sent").textContent = figures.sentPerSecond.toLocaleString();
    byId("dropped").textContent = figures.dropped.toLocaleString();
  };
  live.onclose = () => {
    byId("figures").className = "stale";
    reconnectLater(watch);
  };
}

// Spread over time, so that many pages do not come back at the same instant.
function reconnectLater(action) {
  setTimeout(action, 500 + Math.random() * 2500);
}

byId("join").onsubmit = (event) => {
  event.preventDefault();
  const hash = `#${encodeURIComponent(byId("topic").value.trim())}`;
  if (hash === location.hash) {
    joinTopicOfAddress();
  } else {
    location.hash = hash;
  }
  byId("text").focus();
};

byId("send").onsubmit = (event) => {
  event.preventDefault();
  const text = byId("text").value;
  if (text && socket?.readyState === WebSocket.OPEN) {
    socket.send(JSON.stringify({ name: byId("name").value.trim() || "anonymous", text, from: self }));
    byId("text").value = "";
  }
};

byId("name").value = sessionStorage.getItem("name") ?? `guest-${Math.floor(Math.random() * 9000 + 1000)}`;
byId("name").onchange = () => sessionStorage.setItem("name", byId("name").value);
window.onhashchange = joinTopicOfAddress;

watch();
joinTopicOfAddress();
