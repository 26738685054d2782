// Keeps the estimates in step with the competences that are ticked. The numbers come from the server.
const form = document.querySelector("form.start");

function chosen() {
  const boxes = form.querySelectorAll("[name=competence]");
  if (form.elements.scope.value === "all") return boxes.length;
  return Math.max(1, [...boxes].filter((box) => box.checked).length);
}

function tell() {
  const place = chosen() - 1;
  for (const estimate of form.querySelectorAll(".estimate")) {
    const { text, questions, minutes } = estimate.dataset;
    estimate.textContent = text
      .replace("{questions}", questions.split(" ")[place])
      .replace("{minutes}", minutes.split(" ")[place]);
  }
}

form.addEventListener("change", tell);
tell();
