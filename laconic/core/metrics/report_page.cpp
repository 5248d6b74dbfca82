#include "laconic/core/metrics/report_page.h"

#include "laconic/core/metrics/html.h"

namespace laconic::metrics {
namespace {

constexpr const char* kReportStyle = R"css(
:root {
  color-scheme: light dark;
  --page: #f7f7f5; --card: #ffffff; --ink: #1c2126; --soft: #5f6973; --faint: #8b949c; --rule: #e6e6e2; --grid: #ececea;
  --before: #8a93a0; --after: #0b7a75; --good: #1a7f4b; --bad: #b3412e; --code: #f3f3f0; --shadow: 0 1px 2px rgba(20,25,30,.05);
  --s0: #0b7a75; --s1: #b8622a; --s2: #4f5fc4; --s3: #a23b72; --s4: #6f7f1f; --s5: #4d7894;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #111417; --card: #191d21; --ink: #e7e9ea; --soft: #a3acb4; --faint: #77818a; --rule: #2a3036; --grid: #262c31;
    --before: #8d97a3; --after: #4cc2b4; --good: #5cc98d; --bad: #ef8a75; --code: #14181b; --shadow: none;
    --s0: #4cc2b4; --s1: #e39a63; --s2: #97a4f5; --s3: #dd86b4; --s4: #b7c65a; --s5: #8fb8d2;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums; }
main { max-width: 1140px; margin: 0 auto; padding: 56px 28px 72px; }
header { margin-bottom: 40px; }
h1 { font-size: 2rem; line-height: 1.2; letter-spacing: -.018em; font-weight: 650; margin: 0 0 8px; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; letter-spacing: -.008em; font-weight: 620; margin: 56px 0 6px; }
h3 { font-size: .92rem; font-weight: 600; margin: 0; }
p { margin: 0; } .lead { color: var(--soft); font-size: 1.05rem; max-width: 46em; overflow-wrap: anywhere; }
.about { color: var(--soft); font-size: .92rem; margin-bottom: 18px; max-width: 62em; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 12px; box-shadow: var(--shadow); }
.result { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1.25fr); gap: 20px; align-items: stretch; }
.result .stats { display: grid; gap: 20px; }
.stat { padding: 24px 26px 20px; display: flex; flex-direction: column; justify-content: space-between; }
.stat .name { color: var(--soft); font-size: .92rem; }
.stat .values { display: flex; align-items: baseline; flex-wrap: wrap; gap: 0 12px; margin: 2px 0 14px; }
.stat .was { color: var(--before); font-size: 1.35rem; } .stat .to { color: var(--faint); font-size: 1.2rem; }
.stat .now { font-size: 2.5rem; line-height: 1.15; font-weight: 660; letter-spacing: -.02em; color: var(--after); }
.stat .now.only { color: var(--ink); }
.stat .change { font-size: .95rem; font-weight: 600; margin-left: auto; }
.better { color: var(--good); } .worse { color: var(--bad); } .same { color: var(--soft); }
.limits { font-size: .88rem; color: var(--soft); white-space: nowrap; }
.ranges { display: grid; grid-template-columns: auto 1fr 8.6em; gap: 6px 12px; align-items: center; font-size: .82rem; color: var(--soft); }
.ranges svg { width: 100%; height: 14px; display: block; overflow: visible; }
.figure { padding: 20px 22px 12px; display: grid; align-items: center; }
.chart { display: block; width: 100%; height: auto; overflow: visible; font: inherit; }
.scatter { max-width: 680px; margin: 0 auto; } .chart[data-points] { touch-action: pan-y; }
.chart text { fill: var(--soft); font-size: 12.5px; }
.grid { stroke: var(--grid); stroke-width: 1; shape-rendering: crispEdges; }
.chart text.axis { fill: var(--soft); } .chart text.label { font-weight: 600; fill: var(--ink); paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round; }
.chart text.label.before { fill: var(--before); } .chart text.label.after { fill: var(--after); }
.before { --c: var(--before); } .after { --c: var(--after); }
.s0 { --c: var(--s0); } .s1 { --c: var(--s1); } .s2 { --c: var(--s2); } .s3 { --c: var(--s3); } .s4 { --c: var(--s4); } .s5 { --c: var(--s5); }
.point, .dot { fill: var(--c); } .point { stroke: var(--card); stroke-width: 1.5; }
.bar { stroke: var(--c); stroke-width: 1.8; fill: none; opacity: .6; stroke-linecap: round; }
.track { stroke: var(--rule); stroke-width: 2; } .range { stroke: var(--c); stroke-width: 4; stroke-linecap: round; opacity: .4; }
.arrow { stroke: var(--faint); stroke-width: 1.4; fill: none; stroke-linecap: round; stroke-linejoin: round; }
.raw { fill: none; stroke: var(--c); stroke-width: 1; opacity: .4; stroke-linejoin: round; stroke-linecap: round; }
.line { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.lost { stroke: var(--bad); stroke-width: 1.5; fill: none; }
.cursor { stroke: var(--faint); stroke-width: 1; visibility: hidden; } .spot { fill: var(--c); stroke: var(--card); stroke-width: 1.5; }
.curves { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 310px), 1fr)); gap: 20px; }
.curve { padding: 16px 18px 10px; min-width: 0; }
.curve .head { display: flex; align-items: baseline; gap: 8px; margin-bottom: 8px; }
.curve h3 { white-space: nowrap; } .curve .unit { color: var(--faint); font-size: .82rem; min-width: 0; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; } .curve .last { margin-left: auto; font-size: .92rem; white-space: nowrap; } .last b { font-weight: 600; margin-left: 10px; }
.legend ~ .curves .last b { color: var(--c); }
.curve .warn { color: var(--bad); font-size: .82rem; margin: 2px 0 4px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: .88rem; color: var(--soft); margin-bottom: 14px; }
.legend i { display: inline-block; width: 14px; height: 3px; border-radius: 2px; background: var(--c); margin-right: 7px; vertical-align: middle; }
.tip { position: absolute; pointer-events: none; background: var(--ink); color: var(--page); border-radius: 7px; padding: 5px 9px;
  font-size: .8rem; line-height: 1.4; white-space: pre; z-index: 2; visibility: hidden; }
.sample { padding: 20px 22px 22px; margin-bottom: 20px; }
.sample .prompt { white-space: pre-wrap; overflow-wrap: anywhere; font-weight: 550; max-height: 20em; overflow: auto; }
.sample .reference { color: var(--soft); font-size: .88rem; margin-top: 2px; overflow-wrap: anywhere; }
.sides { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 18px; margin-top: 16px; }
.side .head { display: flex; flex-wrap: wrap; gap: 2px 12px; align-items: baseline; font-size: .85rem; color: var(--soft); margin-bottom: 6px; }
.side .head b { color: var(--c); font-weight: 640; }
.mark { font-weight: 600; } .side .head .tokens { margin-left: auto; }
pre { margin: 0; padding: 14px 16px; background: var(--code); border-radius: 8px; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere;
  font: .84rem/1.6 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.side pre { max-height: 26em; border-left: 3px solid var(--c); border-radius: 2px 8px 8px 2px; }
details { margin-top: 12px; padding: 12px 18px; } details[open] { padding-bottom: 18px; }
summary { cursor: pointer; font-weight: 600; font-size: .95rem; } details > :nth-child(2) { margin-top: 12px; } section > pre { margin-top: 12px; background: var(--card); border: 1px solid var(--rule); }
table { border-collapse: collapse; font-size: .9rem; width: 100%; } td { padding: 5px 0; border-bottom: 1px solid var(--rule); vertical-align: top; overflow-wrap: anywhere; }
tr:last-child td { border-bottom: 0; } td:first-child { color: var(--soft); padding-right: 24px; width: 1%; white-space: nowrap; }
th { font-weight: 600; text-align: left; padding: 5px 0; border-bottom: 1px solid var(--rule); }
.points { padding: 14px 22px 16px; align-self: stretch; } .points td { padding: 9px 0; } .points td:first-child { color: var(--ink); white-space: normal; overflow-wrap: break-word; width: auto; padding-right: 18px; }
.points b { font-weight: 640; white-space: nowrap; display: inline-block; min-width: 3.7em; margin-right: 4px; }
.points .limits { font-size: .82rem; } .points th + th, .points td + td { padding-left: 14px; } .result + .points { margin-top: 20px; }
.result .points table { height: 100%; } .points td { vertical-align: middle; }
.wide { padding: 14px 22px 16px; overflow-x: auto; margin-bottom: 20px; } .wide table { font-size: .84rem; white-space: nowrap; } .wide th { white-space: normal; vertical-align: bottom; padding-right: 18px; color: var(--soft); }
.wide td { padding-right: 18px; } .wide td:first-child { color: var(--ink); font-weight: 600; position: sticky; left: 0; background: var(--card); } .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 20px; margin-bottom: 20px; }
.figures .figure { display: block; } .figures h3 { margin-bottom: 10px; }
ul.notes { margin: 0; padding-left: 1.1em; color: var(--soft); font-size: .92rem; overflow-wrap: anywhere; }
@media (max-width: 820px) { .result { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 620px) {
  main { padding: 32px 16px 48px; } header { margin-bottom: 28px; } h1 { font-size: 1.55rem; } h2 { margin-top: 44px; }
  .stat, .sample { padding: 18px; } .stat .now { font-size: 2.1rem; } .figure { padding: 14px 10px 8px; } .sides { grid-template-columns: minmax(0, 1fr); }
  .scatter text { font-size: 16px; } .curve text { font-size: 13.5px; } .points { overflow-x: auto; padding: 10px 16px; } .points .limits { display: block; } .curves { gap: 14px; }
}
@media print { body { background: #fff; } .card { break-inside: avoid; box-shadow: none; } }
)css";

constexpr const char* kReportScript = R"js(
(() => {
  const tip = document.body.appendChild(Object.assign(document.createElement('div'), { className: 'tip' }));
  const nearest = (points, x) => {
    let low = 0, high = points.length - 1;
    while (low < high) { const middle = (low + high) >> 1; if (points[middle][2] < x) low = middle + 1; else high = middle; }
    return low > 0 && x - points[low - 1][2] < points[low][2] - x ? points[low - 1] : points[low];
  };
  for (const svg of document.querySelectorAll('svg[data-points]')) {
    const runs = JSON.parse(svg.dataset.points), cursor = svg.querySelector('.cursor');
    const names = [...svg.closest('section').querySelectorAll('.legend span')].map(e => e.textContent);
    const spots = runs.map(([color]) => {
      const spot = document.createElementNS('http://www.w3.org/2000/svg', 'circle');
      spot.setAttribute('class', 'spot s' + color % 6); spot.setAttribute('r', 4); spot.style.visibility = 'hidden';
      return svg.appendChild(spot);
    });
    const hide = () => { for (const e of [cursor, tip, ...spots]) e.style.visibility = 'hidden'; };
    const move = event => {
      const box = svg.getBoundingClientRect(), x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
      const lines = []; let at = null, head = '';
      runs.forEach(([color, points], i) => {
        if (!points.length) return;
        const [steps, value, px, py] = nearest(points, x);
        if (at === null) { at = px; head = steps; lines.push(steps); }
        lines.push((runs.length > 1 ? (names[color] || '') + '  ' : '') + value + (steps === head ? '' : ' at ' + steps));
        spots[i].setAttribute('cx', px); spots[i].setAttribute('cy', py); spots[i].style.visibility = 'visible';
      });
      if (at === null) return;
      cursor.setAttribute('x1', at); cursor.setAttribute('x2', at); cursor.style.visibility = 'visible';
      tip.textContent = lines.join('\n');
      const left = box.left + at / svg.viewBox.baseVal.width * box.width;
      const room = document.documentElement.clientWidth - left - tip.offsetWidth - 20;
      tip.style.left = window.scrollX + Math.max(6, room > 0 ? left + 12 : left - 12 - tip.offsetWidth) + 'px';
      tip.style.top = window.scrollY + box.top + 6 + 'px'; tip.style.visibility = 'visible';
    };
    for (const name of ['pointermove', 'pointerdown']) svg.addEventListener(name, move);
    for (const name of ['pointerleave', 'pointercancel']) svg.addEventListener(name, hide);
  }
})();
)js";

}  // namespace

std::string render_page(const std::string& title, const std::string& subtitle, const std::string& body) {
  std::string html =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "script-src 'unsafe-inline'\">";
  html += "<title>" + escape_html(title) + "</title><style>" + kReportStyle + "</style></head><body><main>";
  html += "<header><h1>" + escape_html(title) + "</h1>";
  if (!subtitle.empty()) html += "<p class=\"lead\">" + escape_html(subtitle) + "</p>";
  return html + "</header>" + body + "</main><script>" + kReportScript + "</script></body></html>\n";
}

}  // namespace laconic::metrics
