// Tries what an extension must not be able to do, and says what came of it.
import { connect } from "/ui/extensions/host-1.js";

const host = await connect();
const tries = {
  inline: () => document.title,
  fetch: () => fetch("/v1/whoami").then((answer) => answer.status),
  session: () => fetch("/ui/session/renewal", { method: "POST", headers: { "x-sancho-page": "1" } }).then(() => "got it"),
  beacon: () => new Promise((resolve, reject) => Object.assign(new Image(), { onload: resolve, onerror: () => reject(new Error("no")), src: "/v1/health/live" })),
  cookie: () => document.cookie,
  storage: () => localStorage.length,
  page: () => parent.document.title,
  top: () => { top.location.href = "https://evil.example/"; },
  popup: () => String(open("https://evil.example/")),
  undeclared: () => host.get("/v1/whoami"),
  disguised: () => host.get("/v1/jobs/summary"),
  slashed: () => host.get("/v1/jobs/1%2Flog"),
  outside: () => host.open("//evil.example/"),
  unwanted: () => host.open("/jobs"),
  flood: () => Promise.all(Array.from({ length: 60 }, () => host.get("/v1/jobs/1"))),
};
const results = {};
for (const [name, attempt] of Object.entries(tries)) {
  try {
    results[name] = String(await attempt());
  } catch (error) {
    results[name] = `refused: ${error.code ?? error.name}`;
  }
}
document.querySelector("button").onclick = () => {
  location.href = `/v1/public/belle/dids?stolen=${host.account}`;
};
console.log(`tried ${JSON.stringify(results)}`);
