// Turns <time data-age> into "12 s ago" and keeps it true. The server writes the moment itself, so that an
// unchanged fragment stays byte for byte the same.
const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

function age(seconds) {
  if (seconds < 1) return "just now";
  const [size, unit] = UNITS.find(([size]) => seconds >= size);
  return `${Math.floor(seconds / size)} ${unit} ago`;
}

function update() {
  for (const time of document.querySelectorAll("time[data-age]")) {
    const text = age((Date.now() - Date.parse(time.dateTime)) / 1000);
    if (time.textContent !== text) time.textContent = text;
  }
}

update();
setInterval(update, 1000);
document.addEventListener("fragment", update);
