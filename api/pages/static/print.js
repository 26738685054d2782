// Shows the button that prints, for browsers that run scripts, and prints what is folded too.
const button = document.getElementById("print");
button.hidden = false;
button.addEventListener("click", () => window.print());
window.addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
});
