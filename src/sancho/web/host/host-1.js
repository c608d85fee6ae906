// The extension's side of what it and the page say to each other; host-1.d.ts says what it does.

export class Refused extends Error {
  constructor({ status, code, message }) {
    super(message);
    this.name = "Refused";
    this.status = status;
    this.code = code;
  }
}

const hello = new Promise((resolve) => {
  const hear = ({ source, data, ports }) => {
    if (source !== parent || data?.sancho !== 1 || ports.length !== 1) return;
    removeEventListener("message", hear);
    resolve([data, ports[0]]);
  };
  addEventListener("message", hear);
});

export async function connect() {
  parent.postMessage({ sancho: "here" }, "*");
  const [said, port] = await hello;
  const waiting = new Map();
  const listeners = [];
  let last = 0;
  const host = { vo: said.vo, account: said.account, place: said.place, subject: said.subject, look: said.look };

  const call = (what) =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, { resolve, reject });
      port.postMessage({ id: last, ...what });
    });
  port.onmessage = ({ data }) => {
    if (data.look !== undefined) {
      wear(data.look);
      host.look = data.look;
      for (const listener of listeners) listener(data.look);
      return;
    }
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.ok) asked?.resolve(data.value);
    else asked?.reject(new Refused(data.problem));
  };
  wear(said.look);

  host.get = (path, query) => call({ call: "get", path, ...(query === undefined ? {} : { query }) });
  host.open = (to) => call({ call: "open", to });
  host.height = (pixels) => void call({ call: "height", pixels }).catch(() => undefined);
  host.onLook = (listener) => void listeners.push(listener);

  let height = 0;
  new ResizeObserver(() => {
    const now = Math.ceil(document.documentElement.getBoundingClientRect().height);
    if (now !== height) host.height(now);
    height = now;
  }).observe(document.documentElement);
  return host;
}

function wear({ scheme, colours }) {
  const { style } = document.documentElement;
  style.colorScheme = scheme;
  for (const [name, colour] of Object.entries(colours)) style.setProperty(name, colour);
}
