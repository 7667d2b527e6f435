// Shows the script of the page in the page.
const response = await fetch("plain.js");
if (response.ok) document.getElementById("code").textContent = await response.text();
