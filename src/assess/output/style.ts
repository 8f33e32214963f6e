/** How the page looks: light and dark by the reader's setting, no font and no file from elsewhere. */
export const STYLE = `
:root { color-scheme: light dark;
  --paper: #fbfbf9; --card: #ffffff; --ink: #1d2433; --soft: #5d6678; --rule: #e4e6ea; --cell: #f1f3f6;
  --precision: #2f6fdb; --recall: #c2570c; --deny: #c93440; --escalate: #a87400; --saved: #cfe8dc; --ran: #2e8b63; --lost: #c93440; --time: #6b54c4; --right: #2e8b63; --wrong: #c93440; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #12161d; --card: #1a202a; --ink: #e6e9ef; --soft: #9aa4b5; --rule: #2b3340; --cell: #232b37;
  --precision: #7aa9ff; --recall: #f59e5b; --deny: #ff7b83; --escalate: #e5b454; --saved: #24453a; --ran: #58c495; --lost: #ff7b83; --time: #ab99f5; --right: #58c495; --wrong: #ff7b83; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 1064px; margin: 0 auto; padding: 40px 24px 72px; }
h1 { font-size: 30px; line-height: 1.2; letter-spacing: -0.015em; margin: 0 0 6px; overflow-wrap: anywhere; }
h2 { font-size: 20px; letter-spacing: -0.01em; margin: 0 0 4px; }
p { margin: 0; } .lead, .about { color: var(--soft); } .about { max-width: 78ch; font-size: 14.5px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 28px 0; }
.tile { background: var(--card); border: 1px solid var(--rule); border-radius: 12px; padding: 14px 16px; }
.tile b { display: block; font-size: 26px; line-height: 1.25; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
.tile span { font-size: 14px; } .tile small { display: block; color: var(--soft); font-size: 13px; }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 12px; padding: 22px 24px; margin: 16px 0; }
.plot { overflow-x: auto; margin: 16px 0 4px; } svg { display: block; width: 100%; min-width: 720px; height: auto; }
svg text { font: 13.5px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; fill: var(--ink); font-variant-numeric: tabular-nums; }
svg .name { font-weight: 600; } svg .detail, svg .tick { fill: var(--soft); font-size: 12.5px; } svg .value { font-weight: 600; } svg .cell-share { font-size: 12.5px; opacity: 0.8; } svg .count { font-size: 18px; font-weight: 600; }
.grid, .rule { stroke: var(--rule); stroke-width: 1; } .interval { stroke-width: 2.5; stroke-linecap: round; } .faint { opacity: 0.5; } .cell { fill: var(--cell); }
.interval.precision { stroke: var(--precision); } .mark.precision { fill: var(--precision); } svg .precision-text { fill: var(--precision); }
.interval.recall { stroke: var(--recall); } .mark.recall { fill: var(--recall); } svg .recall-text { fill: var(--recall); }
.interval.deny { stroke: var(--deny); } .mark.deny { fill: var(--deny); } svg .deny-text { fill: var(--deny); }
.interval.escalate { stroke: var(--escalate); } .mark.escalate { fill: var(--escalate); } svg .escalate-text { fill: var(--escalate); }
.interval.stopped { stroke: var(--ran); } .mark.stopped { fill: var(--ran); } svg .stopped-text { fill: var(--ran); }
.interval.lost { stroke: var(--lost); } .mark.lost { fill: var(--lost); } .interval.time { stroke: var(--time); } .mark.time { fill: var(--time); }
.saved { fill: var(--saved); } .ran { fill: var(--ran); } .cell-right { fill: var(--right); } .cell-near { fill: var(--escalate); } .cell-wrong { fill: var(--wrong); } .cell-unscored { fill: var(--soft); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; margin-top: 10px; font-size: 14px; color: var(--soft); }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 50%; margin-right: 7px; }
.legend .precision { background: var(--precision); } .legend .recall { background: var(--recall); } .legend .deny { background: var(--deny); } .legend .escalate { background: var(--escalate); }
.legend .stopped { background: var(--ran); } .legend .saved { background: var(--saved); border: 1px solid var(--rule); } .legend .ran { background: var(--ran); } .legend .lost { background: var(--lost); } .legend .time { background: var(--time); }
details { margin-top: 12px; } summary { cursor: pointer; color: var(--soft); font-size: 14px; } summary:hover { color: var(--ink); }
.scroll { overflow-x: auto; margin-top: 10px; } table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 6px 14px 6px 0; border-bottom: 1px solid var(--rule); vertical-align: top; white-space: nowrap; } td:last-child, th:last-child { padding-right: 0; }
th { color: var(--soft); font-weight: 500; font-size: 13px; } .r { text-align: right; } .wide { white-space: normal; min-width: 190px; }
.below { color: var(--soft); font-size: 14px; margin-top: 10px; overflow-wrap: anywhere; } ul { margin: 8px 0 0; padding-left: 20px; } li { overflow-wrap: anywhere; }
@media (max-width: 560px) { main { padding: 24px 12px 48px; } section { padding: 16px 14px; } h1 { font-size: 24px; } }
@media print { section, .tile { break-inside: avoid; } details { display: none; } }
`;
