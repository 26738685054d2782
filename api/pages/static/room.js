// Keeps the room up to date: parts that only show are replaced, parts in which one writes stay as they are.
const EVERY = 4; // seconds between two looks at the server
const words = document.getElementById("seats").dataset;
let since = performance.now();

for (const part of document.querySelectorAll("[data-scripted]")) part.hidden = false;

function written(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60)];
  const two = (number) => String(number).padStart(2, "0");
  if (hours) return words.hours.replace("{hours}", hours).replace("{minutes}", two(minutes % 60));
  if (minutes >= 5) return words.minutes.replace("{minutes}", minutes);
  return words.seconds.replace("{minutes}", minutes).replace("{seconds}", two(whole % 60));
}

function tick() {
  const passed = (performance.now() - since) / 1000;
  for (const value of document.querySelectorAll("[data-remaining]")) {
    const text = written(Number(value.dataset.remaining) - passed);
    if (value.textContent !== text) value.textContent = text;
  }
}

function busy(part) {
  if (part.contains(document.activeElement) || part.querySelector("details[open]")) return true;
  return [...part.querySelectorAll("textarea, input:not([type=hidden])")].some((field) =>
    field.type === "radio" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue);
}

function replace(part, fresh) {
  const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  part.replaceChildren(...document.importNode(fresh, true).childNodes);
  if (focused) (document.getElementById(focused) ?? part.querySelector("button") ?? document.getElementById("content")).focus();
}

const plain = (part) => part.innerHTML.replace(/data-remaining="[^"]*">[^<]*/g, "");

async function look() {
  let page;
  try {
    const response = await fetch(words.address, { cache: "no-store" });
    if (!response.ok) return location.assign(words.address);
    page = new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    return; // the network is away for a moment: ask again
  }
  const ids = (root) => [...root.querySelectorAll(".seat")].map((seat) => seat.id).join();
  if (ids(page) !== ids(document)) {
    if (!busy(document.getElementById("seats"))) location.assign(words.address);
    return;
  }
  since = performance.now();
  for (const fresh of page.querySelectorAll("[data-live]")) {
    const part = document.querySelector(`[data-live="${fresh.dataset.live}"]`);
    if (!part || part.dataset.live === "said") continue;
    if (plain(part) !== plain(fresh)) replace(part, fresh);
    const values = [...part.querySelectorAll("[data-remaining]")];
    [...fresh.querySelectorAll("[data-remaining]")].forEach((value, place) => {
      values[place].dataset.remaining = value.dataset.remaining;
    });
    part.dataset.needs = fresh.dataset.needs ?? "";
  }
  for (const fresh of page.querySelectorAll("[data-kept]")) {
    const part = document.querySelector(`[data-kept="${fresh.dataset.kept}"]`);
    if (!part || part.dataset.key === fresh.dataset.key || busy(part)) continue;
    replace(part, fresh);
    part.dataset.key = fresh.dataset.key;
  }
  tick();
}

setInterval(tick, 250);
setInterval(look, 1000 * EVERY);
tick();
