// Shows the button that prints, for browsers that run scripts.
const button = document.getElementById("print");
button.hidden = false;
button.addEventListener("click", () => window.print());
