/// The style of pages: light, dark, and on paper. Texts have a contrast of 4.5 or more (WCAG 2.2, 1.4.3). Colour alone
/// never carries information, and no element has its own style, which the policy would block.
enum BrowseStyle {
  static let css: StaticString = """
    :root{--back:#fff;--text:#1a1c1e;--soft:#585e64;--rule:#c9ced3;--mark:#1f5fa8;--this:#e6effa;--warn:#7a4b00}
    @media (prefers-color-scheme:dark){:root{--back:#15181b;--text:#e8eaec;--soft:#a9b1b8;--rule:#3d444a;--mark:#6fb1ff;
    --this:#1d3045;--warn:#ffc266}}
    *{box-sizing:border-box}
    html{scroll-padding-top:1rem}
    body{margin:0;background:var(--back);color:var(--text);font:15px/1.45 system-ui,sans-serif}
    header,main,footer{max-width:92rem;margin:0 auto;padding:.6rem 1.2rem}
    header{display:flex;flex-wrap:wrap;gap:.4rem 1.5rem;align-items:center;border-bottom:1px solid var(--rule)}
    nav{display:flex;flex-wrap:wrap;gap:.2rem 1rem}
    nav a{text-decoration:none;padding:.1rem 0}nav a:hover{text-decoration:underline}
    nav a[aria-current]{border-bottom:2px solid currentColor}
    .home{font-weight:700}.place{margin:0 0 0 auto;color:var(--soft);font-size:.87rem}
    .skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.4rem;background:var(--back);padding:.3rem}
    a{color:var(--mark)}
    :focus-visible{outline:2px solid var(--mark);outline-offset:2px}
    h1{font-size:1.45rem;margin:.2rem 0 .5rem;overflow-wrap:anywhere}h2{font-size:1.05rem;margin:1rem 0 .2rem}
    p{margin:.35rem 0}.soft,caption,th,.trail{color:var(--soft)}.trail{font-size:.87rem;overflow-wrap:anywhere}
    .late{color:var(--warn);border-left:3px solid currentColor;padding-left:.6rem}
    form{display:flex;flex-wrap:wrap;gap:.4rem .7rem;align-items:center}
    header form{flex:0 1 28rem}header input{flex:1 1 12rem}
    input,button,select{font:inherit;color:inherit;background:var(--back);border:1px solid var(--soft);border-radius:4px;
    padding:.15rem .5rem;min-width:0}
    button{cursor:pointer}button:hover{border-color:var(--mark)}
    .slider{padding:.4rem 0}.slider input[type=range]{flex:1 1 12rem;max-width:34rem;padding:0}
    .steps{display:flex;gap:1.5rem}.steps>*{min-width:7rem}
    .scroll{overflow-x:auto}
    table{border-collapse:collapse;margin:.4rem 0;font-variant-numeric:tabular-nums;font-size:.87rem}
    caption{text-align:left;padding-bottom:.2rem}
    th,td{padding:.18rem .9rem .18rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}
    th{font-weight:600;white-space:nowrap}
    td{overflow-wrap:anywhere;min-width:3rem;max-width:44rem}
    .number{text-align:right;white-space:nowrap;overflow-wrap:normal}time{white-space:nowrap}
    tr.this{background:var(--this)}tr.this td:first-child::before{content:"▸ "}
    tr.at{outline:2px solid var(--mark);outline-offset:-2px}
    code,pre,kbd{font:13px/1.4 ui-monospace,monospace}td code{font-size:12px}
    pre{margin:.3rem 0;padding:.6rem;border:1px solid var(--rule);border-radius:4px;overflow:auto;max-height:34rem}
    .halves{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(26rem,100%),1fr));gap:0 2rem}
    .halves>section{min-width:0}
    svg.lanes{display:block;width:100%;height:auto;margin:.6rem 0}
    text{font:12px system-ui,sans-serif;fill:currentColor}
    .grid{stroke:var(--rule)}.bar{fill:var(--mark)}a:focus-visible .bar{stroke:currentColor;stroke-width:3}
    footer{border-top:1px solid var(--rule);margin-top:1.5rem}
    .command{display:flex;gap:.7rem;align-items:center}.command code{overflow-wrap:anywhere}
    kbd{border:1px solid var(--rule);border-radius:3px;padding:0 .3rem}
    #switches:not([hidden]){display:flex;flex-wrap:wrap;gap:.7rem;align-items:center}
    @media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
    @page{size:A4;margin:14mm}
    @media print{:root{--back:#fff;--text:#000;--soft:#444;--rule:#aaa;--mark:#000;--this:#eee;--warn:#000}
    nav,form,.steps,button,#switches,.skip{display:none!important}
    body{font-size:10pt}main,header,footer{max-width:none;padding:0}.scroll,pre{overflow:visible;max-height:none}
    tr,svg,h2{break-inside:avoid}h2{break-after:avoid}pre{white-space:pre-wrap;overflow-wrap:anywhere}}
    """

  static let icon: StaticString = """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#1f5fa8"/>\
    <path d="M4 4.5h8M4 8h8M4 11.5h5" stroke="#fff" stroke-width="1.6" stroke-linecap="round"/></svg>
    """
}
