/// The style of a report: on a screen, light and dark, and on paper. Its contrast is 4.5 or more (WCAG 2.2, 1.4.3).
enum ReportStyle {
  static let css: StaticString = """
    :root{--back:#fff;--text:#1a1c1e;--soft:#585e64;--rule:#c9ced3;--mark:#1f5fa8;--good:#0b6b2e;--warn:#7a4b00;--bad:#b00020}
    @media (prefers-color-scheme:dark){:root{--back:#15181b;--text:#e8eaec;--soft:#a9b1b8;--rule:#3d444a;--mark:#6fb1ff;\
    --good:#7ddc9a;--warn:#ffc266;--bad:#ff9a91}}
    *{box-sizing:border-box}
    body{margin:0 auto;max-width:62rem;padding:1.5rem;background:var(--back);color:var(--text);\
    font:15px/1.45 system-ui,sans-serif}
    h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:0 0 .2rem}
    p{margin:.3rem 0}.soft,caption,th{color:var(--soft)}
    section{border-top:1px solid var(--rule);padding:1rem 0;margin-top:1rem}
    svg{display:block;width:100%;height:auto;margin:.6rem 0}svg.spark{display:inline-block;width:7rem;height:1.3rem;margin:0}
    text{font:11px system-ui,sans-serif;fill:var(--soft)}
    .bar{fill:var(--mark)}.ring{fill:var(--back);stroke:var(--mark);stroke-width:2}.grid{stroke:var(--rule)}
    .line{fill:none;stroke:var(--mark);stroke-width:2}.dashed{stroke-dasharray:5 4}.band{fill:var(--mark);fill-opacity:.2}
    .heat0{fill:none;stroke:var(--rule)}.heat1{fill:var(--mark);fill-opacity:.18}.heat2{fill:var(--mark);fill-opacity:.36}
    .heat3{fill:var(--mark);fill-opacity:.55}.heat4{fill:var(--mark);fill-opacity:.77}.heat5{fill:var(--mark)}
    .scroll{overflow-x:auto}
    table{border-collapse:collapse;margin:.6rem 0;font-variant-numeric:tabular-nums;font-size:.87rem}
    caption{text-align:left;padding-bottom:.2rem;white-space:nowrap}
    th,td{padding:.15rem .6rem .15rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}
    td{overflow-wrap:anywhere}.number{text-align:right;overflow-wrap:normal;white-space:nowrap}
    .dense th,.dense td{padding-right:.35rem;font-size:.74rem}
    ul{list-style:none;padding:0;margin:.5rem 0}li{padding:.15rem 0}
    .good b{color:var(--good)}.warn b{color:var(--warn)}.bad b{color:var(--bad)}
    li b{display:inline-block;min-width:6.5rem}
    @page{size:A4;margin:14mm}
    @media print{:root{--back:#fff;--text:#000;--soft:#444;--rule:#aaa;--mark:#333;--good:#000;--warn:#000;--bad:#000}
    body{max-width:none;padding:0;font-size:10pt}.scroll{overflow:visible}
    svg,tr,h2,li{break-inside:avoid}h2,caption,section>p{break-after:avoid}.bar,.band,[class^=heat]{print-color-adjust:exact}}
    """
}
