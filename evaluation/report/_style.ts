/** The report's style: the only one that its policy lets a browser apply. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f6f7f9; --text: #1b1f24; --muted: #57606a; --line: #d0d7de;
  --candidate: #0b62c4; --baseline: #7d8590; --better: #1a7f37; --worse: #c4320a;
  --good-text: #116329; --good-page: #dafbe1; --bad-text: #a40e26; --bad-page: #ffebe9; --link: #0b62c4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1318; --panel: #181d24; --text: #e6e9ed; --muted: #a3adb8; --line: #39424d;
    --candidate: #58a6ff; --baseline: #8b949e; --better: #3fb950; --worse: #f0824d;
    --good-text: #7ee2a0; --good-page: #12311f; --bad-text: #ff9d94; --bad-page: #431a1a; --link: #79b8ff;
  }
}
* { box-sizing: border-box; }
html { background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .5rem; padding-top: .5rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0 0 .25rem; }
.row-body h3 { font-size: .85rem; margin: 1rem 0 .3rem; color: var(--muted); text-transform: uppercase; letter-spacing: .04em; }
h4 { font-size: .75rem; margin: 0 0 .15rem; color: var(--muted); font-weight: 600; }
p { margin: .4rem 0; }
.facts { color: var(--muted); font-size: .87rem; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .75rem; margin: .5rem 0; }
dl.facts dd { margin: 0; color: var(--text); }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(10rem, 45%), 1fr)); gap: .75rem; margin: 1rem 0; padding: 0; list-style: none; }
.tiles li { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; }
.tiles b { display: block; font-size: 1.35rem; line-height: 1.3; }
.tiles span { color: var(--muted); font-size: .85rem; }
.key { display: flex; gap: 1.25rem; margin: .5rem 0; padding: 0; list-style: none; font-size: .9rem; }
.key li::before { content: ""; display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem; border-radius: .15rem; }
.key .candidate::before { background: var(--candidate); }
.key .baseline::before { background: var(--baseline); }
.scroll { overflow-x: auto; }
.scroll:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .5rem; border-bottom: 1px solid var(--line); overflow-wrap: normal; }
th:first-child { padding-left: 0; }
thead th { color: var(--muted); font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 600; white-space: nowrap; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.interval { color: var(--muted); }
td.why { white-space: pre-wrap; overflow-wrap: anywhere; min-width: 12rem; }
.mark { display: inline-block; border-radius: .7rem; padding: 0 .5rem; font-size: .82rem; font-weight: 600; white-space: nowrap; }
.mark.good { color: var(--good-text); background: var(--good-page); }
.mark.bad { color: var(--bad-text); background: var(--bad-page); }
.mark.none { color: var(--muted); background: var(--panel); }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(19rem, 100%), 1fr)); gap: 1rem; }
figure { margin: 0; background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem; break-inside: avoid; }
figcaption { font-size: .85rem; color: var(--muted); }
figcaption h3 { color: var(--text); }
.chart svg { display: block; max-width: 100%; height: auto; }
.wide { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(26rem, 100%), 1fr)); gap: 1rem; margin-top: 1rem; }
details.row { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; background: var(--panel); }
details.row > summary { cursor: pointer; padding: .5rem .8rem; }
.row-id { font-family: ui-monospace, monospace; font-size: .85rem; font-weight: 600; }
.row-question { color: var(--muted); }
.row-body { padding: 0 .8rem .8rem; background: var(--page); border-top: 1px solid var(--line); border-radius: 0 0 .5rem .5rem; }
pre { margin: 0; font: inherit; white-space: pre-wrap; overflow-wrap: anywhere; }
.message { border-left: 3px solid var(--line); padding: .25rem .7rem; margin: .4rem 0; }
.message.user { border-color: var(--muted); }
.message.assistant { border-color: var(--candidate); }
.message.answer { background: var(--panel); }
.message.failed { border-color: var(--worse); }
.quoted { border-left: 3px solid var(--line); padding: .25rem .7rem; margin: .3rem 0; }
ins { color: var(--good-text); background: var(--good-page); text-decoration: underline; }
del { color: var(--bad-text); background: var(--bad-page); text-decoration: line-through; }
@media print {
  :root {
    color-scheme: light;
    --page: #ffffff; --panel: #ffffff; --text: #000000; --muted: #444444; --line: #bbbbbb;
    --candidate: #0b62c4; --baseline: #8c8c8c; --better: #1a7f37; --worse: #c4320a;
    --good-text: #116329; --good-page: #ffffff; --bad-text: #a40e26; --bad-page: #ffffff;
  }
  body { max-width: none; padding: 0; }
  h2, h3, h4 { break-after: avoid; }
  tr, .message { break-inside: avoid; }
  .scroll { overflow: visible; }
  .mark { border: 1px solid currentColor; }
  /* What is closed on the screen is shown on paper. */
  details.row::details-content { content-visibility: visible; block-size: auto; }
}
`;
