// Turns the ranks of an ordering question into lines that move up and down. The ranks stay in the form, hidden.
const set = document.querySelector("fieldset.ordering");
const list = set.querySelector("ol");
const said = document.createElement("p");

function button(name, sign, line) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "move";
  made.dataset.move = name;
  made.textContent = sign;
  made.setAttribute("aria-label", `${set.dataset[name]} – ${line.querySelector(".text").textContent}`);
  return made;
}

function number() {
  const lines = [...list.children];
  lines.forEach((line, place) => {
    line.querySelector("select").value = String(place + 1);
    line.querySelector("[data-move=up]").setAttribute("aria-disabled", String(place === 0));
    line.querySelector("[data-move=down]").setAttribute("aria-disabled", String(place === lines.length - 1));
  });
}

function move(pressed) {
  const line = pressed.closest("li");
  const other = pressed.dataset.move === "up" ? line.previousElementSibling : line.nextElementSibling;
  if (!other) return;
  list.insertBefore(line, pressed.dataset.move === "up" ? other : other.nextElementSibling);
  number();
  pressed.focus();
  said.textContent = set.dataset.moved
    .replace("{text}", line.querySelector(".text").textContent)
    .replace("{rank}", [...list.children].indexOf(line) + 1)
    .replace("{count}", list.children.length);
}

const rank = (line) => Number(line.querySelector("select").value) || list.children.length + 1;
list.append(...[...list.children].sort((one, other) => rank(one) - rank(other)));
for (const line of list.children) {
  line.querySelector(".rank").hidden = true;
  const moves = document.createElement("span");
  moves.className = "moves";
  moves.append(button("up", "↑", line), button("down", "↓", line));
  line.append(moves);
}
said.className = "unseen";
said.setAttribute("role", "status");
said.lang = document.documentElement.lang;
set.append(said);
set.querySelector("#hint").textContent = set.dataset.hint;
set.classList.add("movable");
list.addEventListener("click", (event) => {
  const pressed = event.target.closest("[data-move]");
  if (pressed) move(pressed);
});
number();
