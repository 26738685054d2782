// Counts down from the time that the server gave, and says it now and then. The server alone decides when it is up.
// Asks the server whether the test still runs: while the invigilator has stopped it, the question is hidden.
const clock = document.getElementById("clock");
const value = document.getElementById("clock-value");
const said = document.getElementById("clock-said");
const TOLD = [3600, 1800, 900, 300, 60]; // seconds left at which the time is said aloud
const EVERY = 5; // seconds between two looks at the server

let standing = clock.dataset.standing === "yes";
let left = Number(clock.dataset.remaining);
let since = [performance.now(), Date.now()];

// a machine that slept has not counted: the longer of two clocks is right
const passed = () => Math.max(performance.now() - since[0], Date.now() - since[1]) / 1000;
const remaining = () => Math.max(0, standing ? left : left - passed());

function written(seconds) {
  const whole = Math.floor(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60)];
  const two = (number) => String(number).padStart(2, "0");
  if (hours) return clock.dataset.hours.replace("{hours}", hours).replace("{minutes}", two(minutes % 60));
  if (minutes >= 5) return clock.dataset.minutes.replace("{minutes}", minutes);
  return clock.dataset.seconds.replace("{minutes}", minutes).replace("{seconds}", two(whole % 60));
}

let told = remaining();
function tick() {
  const now = remaining();
  if (value.textContent !== written(now)) value.textContent = written(now);
  clock.classList.toggle("short", now <= 300);
  if (TOLD.some((mark) => now <= mark && told > mark)) said.textContent = clock.dataset.read.replace("{time}", written(now));
  told = now;
  if (now <= 0) location.assign("/session");
}

function stop(page) {
  let cover = document.getElementById("stopped");
  if (!cover) {
    cover = document.createElement("div");
    cover.id = "stopped";
    cover.setAttribute("role", "alert");
    document.getElementById("content").prepend(cover);
  }
  const [title, text] = [document.createElement("h1"), document.createElement("p")];
  title.textContent = page.querySelector("h1").textContent;
  text.className = "lead";
  text.textContent = page.querySelector(".lead").textContent;
  cover.replaceChildren(title, text);
  for (const part of document.querySelectorAll("[data-hidden-when-stopped]")) part.hidden = true;
}

function go_on() {
  document.getElementById("stopped").remove();
  for (const part of document.querySelectorAll("[data-hidden-when-stopped]")) part.hidden = false;
}

async function look() {
  let page;
  try {
    const response = await fetch("/session", { cache: "no-store" });
    page = new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    return; // the network is away for a moment: ask again
  }
  const state = page.querySelector("[data-watch]")?.dataset.watch;
  const stopped = document.getElementById("stopped") !== null;
  const there = page.getElementById("clock");
  if (there && state === clock.dataset.watch) {
    left = Number(there.dataset.remaining);
    since = [performance.now(), Date.now()];
    standing = false;
    if (stopped) go_on();
  } else if (state === "paused") {
    left = remaining();
    standing = true;
    if (!stopped) stop(page);
  } else {
    location.assign("/session");
  }
}

setInterval(tick, 250);
setInterval(look, 1000 * EVERY);
tick();
