// Asks the server what there is to do now, and goes there when that has changed. Nothing on the page is lost before.
const watched = document.querySelector("[data-watch]");

async function look() {
  try {
    const response = await fetch("/session", { cache: "no-store", redirect: "manual" });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (page.querySelector("[data-watch]")?.dataset.watch !== watched.dataset.watch) location.assign("/session");
  } catch {
    // the network is away for a moment: ask again
  }
}

setInterval(look, 1000 * Number(watched.dataset.every));
