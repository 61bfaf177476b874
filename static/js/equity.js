// Draws the equity curve with the drawdown beneath it. Floats are for drawing only: what is read out is the
// server's own text.
const { createChart, createSeriesMarkers, AreaSeries, LineSeries, CrosshairMode, LineStyle } = window.LightweightCharts;
const box = document.getElementById("equity-chart");
const part = document.getElementById("equity");
const readout = document.getElementById("equity-readout");
const ROOM = 110; // pixels that an arrow's amount takes: beside more arrows than fit they cannot be read
let chart = null;
let equity = null;
let benchmark = null;
let flows = null;
let drawdown = null;
let rows = new Map();

// A canvas knows neither var() nor light-dark(): a probe element resolves them.
function colour(name, share = 100) {
  const probe = document.createElement("i");
  probe.hidden = true;
  probe.style.color = `color-mix(in srgb, var(${name}) ${share}%, transparent)`;
  document.body.append(probe);
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  canvas.fillStyle = getComputedStyle(probe).color;
  probe.remove();
  canvas.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
  return `rgba(${red}, ${green}, ${blue}, ${alpha / 255})`;
}

const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });

function paint() {
  if (!chart) return;
  const line = colour("--line");
  chart.applyOptions({
    layout: {
      background: { color: colour("--card") },
      textColor: colour("--muted"),
      panes: { separatorColor: line, separatorHoverColor: colour("--line-strong") },
    },
    grid: { vertLines: { visible: false }, horzLines: { color: line } },
    crosshair: {
      vertLine: { color: colour("--line-strong"), labelBackgroundColor: colour("--accent-fill") },
      horzLine: { color: colour("--line-strong"), labelBackgroundColor: colour("--accent-fill") },
    },
  });
  equity.applyOptions({
    lineColor: colour("--accent"), topColor: colour("--accent", 22), bottomColor: colour("--accent", 2),
  });
  benchmark.applyOptions({ color: colour("--muted") });
  drawdown.applyOptions({
    lineColor: colour("--down"), topColor: colour("--down", 4), bottomColor: colour("--down", 28),
  });
}

function build() {
  chart = createChart(box, {
    autoSize: true,
    layout: { attributionLogo: false, fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 11 },
    rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.08, bottom: 0.06 } },
    timeScale: { borderVisible: false, minBarSpacing: 0.05, fixLeftEdge: true, fixRightEdge: true },
    crosshair: { mode: CrosshairMode.Magnet },
    handleScroll: { vertTouchDrag: false },
    localization: { locale: "en-GB", dateFormat: "d MMM yyyy" },
  });
  const common = { lineWidth: 2, priceLineVisible: false, lastValueVisible: false };
  equity = chart.addSeries(
    AreaSeries,
    { ...common, priceFormat: { type: "custom", minMove: 0.01, formatter: (value) => short.format(value) } },
    0,
  );
  benchmark = chart.addSeries(LineSeries, { ...common, lineWidth: 1, lineStyle: LineStyle.Dashed, crosshairMarkerVisible: false }, 0);
  flows = createSeriesMarkers(equity, []);
  drawdown = chart.addSeries(
    AreaSeries,
    {
      ...common, lineWidth: 1, invertFilledArea: true,
      priceFormat: { type: "custom", minMove: 0.01, formatter: (value) => `${value.toFixed(1)}%`.replace("-", "−") },
    },
    1,
  );
  drawdown.createPriceLine({ price: 0, lineStyle: LineStyle.Solid, lineWidth: 1, axisLabelVisible: false, color: "rgba(128,128,128,.4)" });
  chart.panes()[0].setStretchFactor(3);
  chart.panes()[1].setStretchFactor(1);
  chart.subscribeCrosshairMove((move) => tell(rows.get(move.time)));
  paint();
}

function tell(row) {
  const [day, balance, fall] = readout.querySelectorAll("b");
  const shown = row ?? [...rows.values()].at(-1);
  if (!shown) return;
  [day.textContent, balance.textContent, fall.textContent] = [shown.label, shown.balance_text, shown.drawdown_text];
}

function load() {
  const source = document.getElementById("equity-points");
  const points = source ? JSON.parse(source.textContent) : [];
  box.parentElement.hidden = readout.hidden = points.length === 0;
  if (!points.length) return;
  if (!chart) build();
  rows = new Map(points.map((row) => [row.day, row]));
  equity.setData(points.map((row) => ({ time: row.day, value: Number(row.balance) })));
  drawdown.setData(points.map((row) => (row.drawdown === null ? { time: row.day } : { time: row.day, value: -Number(row.drawdown) })));
  benchmark.setData(points.map((row) => (row.benchmark === null ? { time: row.day } : { time: row.day, value: Number(row.benchmark) })));
  const moved = points.filter((row) => row.flow !== null);
  const withAmounts = moved.length * ROOM <= box.clientWidth;
  flows.setMarkers(moved.map((row) => {
    const isIn = Number(row.flow) > 0;
    return { time: row.day, position: isIn ? "belowBar" : "aboveBar", shape: isIn ? "arrowUp" : "arrowDown", color: colour("--muted"), text: withAmounts ? row.flow_text : "" };
  }));
  box.setAttribute("aria-label", document.getElementById("equity-finding").textContent);
  chart.timeScale().fitContent();
  tell();
}

if (box) {
  load();
  part.addEventListener("fragment", load);
  document.addEventListener("theme", paint);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
}
