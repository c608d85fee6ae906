// How far jobs are: those of the submission that a job belongs to, or on a page of its own all of mine.
import { connect, Refused } from "/ui/extensions/host-1.js";

const said = document.getElementById("said");
const list = document.getElementById("states");

try {
  const host = await connect();
  const { where, title } = await whose(host);
  const counts = await host.get("/v1/jobs/summary", { where, by: ["state"] });
  const all = counts.reduce((sum, one) => sum + one.count, 0);
  said.textContent = `${title}: ${all} ${all === 1 ? "job" : "jobs"}`;
  list.replaceChildren(...counts.map((one) => line(host, where, one, all)));
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  said.textContent = `It cannot be shown: ${error.message}`;
}

async function whose(host) {
  if (host.subject === null) return { where: `account = ${host.account}`, title: `Jobs of ${host.account}` };
  const job = await host.get(`/v1/jobs/${host.subject.job_id}`);
  return { where: `submission = ${job.submission_id}`, title: `Submission ${job.submission_id}` };
}

function line(host, where, { state, count }, all) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  const bar = document.createElement("progress");
  const number = document.createElement("span");
  button.textContent = state;
  button.onclick = () => host.open(`/jobs?everybody=true&where=${encodeURIComponent(`${where} & state = ${state}`)}`);
  number.textContent = count;
  bar.max = all;
  bar.value = count;
  bar.setAttribute("aria-label", `${state}: ${count} of ${all}`);
  item.append(button, number, bar);
  return item;
}
