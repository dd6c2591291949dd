"""What in a document is kept out of answers, each with its words, so that nothing goes in silence.

Words in a document that speak to a machine: "ignore previous instructions", role markers, "do not tell the user".

These patterns are meant to be certain, not complete. On 39,370 passages of public question sets, in English and
Chinese, they mark none. What they miss still meets the checks on every answer.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

import regex

from index.document import Mark, MarkKind, Span
from index.readers.block_text import BuiltText
from index.readers.titles import on_one_line
from index.text.invisible import comparable_places, spelled_by_tags, suspicious_places

_MOST_OF_A_KIND: Final = 200  # more of them tell staff nothing new
_LONGEST_EXCERPT: Final = 200


def marks_of(text: str, built: BuiltText, title: str) -> tuple[Mark, ...]:
    """Return the marks of a document.

    Args:
        text: As it is stored.
        built: What stands in the source beside the text.
        title: As the source gives it; comments and properties are marked, as it is, only where they speak to a machine.
    """
    unseen = (words for words in (title, *built.unseen) if is_planted(words))
    return (
        *_at_places(MarkKind.PLANTED_INSTRUCTION, ((place, place.of(text)) for place in planted_places(text))),
        *_elsewhere(MarkKind.PLANTED_INSTRUCTION, unseen),
        *_at_places(
            MarkKind.INVISIBLE_CHARACTERS, ((place, _spell(place.of(text))) for place in suspicious_places(text))
        ),
        *_elsewhere(MarkKind.HIDDEN_TEXT, built.hidden),
        *_elsewhere(MarkKind.BOILERPLATE, built.left_out),
    )


def _at_places(kind: MarkKind, found: Iterable[tuple[Span, str]]) -> list[Mark]:
    most = None if kind is MarkKind.PLANTED_INSTRUCTION else _MOST_OF_A_KIND  # each of those bars a place
    return [Mark(kind, place, _excerpt(words)) for place, words in islice(found, most)]


def _elsewhere(kind: MarkKind, found: Iterable[str]) -> list[Mark]:
    return [Mark(kind, None, words) for words in islice(dict.fromkeys(map(_excerpt, found)), _MOST_OF_A_KIND)]


def _excerpt(words: str) -> str:
    return on_one_line(words[:_LONGEST_EXCERPT])


def _spell(characters: str) -> str:
    return spelled_by_tags(characters) or " ".join(f"U+{ord(character):04X}" for character in characters)


_PATTERN = regex.compile(
    r"""
    # Take back what was said before.
      \b(?:ignore|disregard|forget|(?:do\ not|don't)\ (?:follow|obey))\s+
        (?:(?:all|any|each|every|everything|of|the|your|these|those|my|other)\s+){0,3}
        (?:previous|prior|above|earlier|preceding|foregoing|original|initial|existing|current|system|safety)(?:ly)?\s+
        (?:(?:and|or|given|system|safety|developer|user|set|of)\s+){0,2}
        (?:instructions?|prompts?|directives?|guidelines?|commands?|messages?|rules|context|constraints)\b
    | \b(?:ignore|disregard|forget|override)\s+(?:all\s+(?:of\s+)?)?your\s+(?:\w+\s+)?(?:instructions?|prompts?|
        guidelines|rules|training|programming)\b
    | \b(?:ignore|disregard|forget)\s+(?:all|everything)\s+(?:that\s+)?(?:you\s+(?:were|have\s+been)\s+told|
        (?:written\s+)?(?:above|before\s+this))\b
    | \b(?:override|bypass)\s+(?:(?:all|any|the|your)\s+){0,2}(?:previous|prior|system|safety|original|
        initial)\s+(?:instructions?|prompts?|constraints)\b
    # Pretend to be the system.
    | <\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id|end_header_id|begin_of_text)\|>
    | \[/?INST\]|<</?SYS>>|</?(?:system|assistant)(?:[_-](?:prompt|message|instructions?))?>\s*\S
    | ^\W{0,4}(?:system|assistant|developer)[\ _-]*(?:prompt|message|override|instructions?|directive|note)s?\s*[:：]
    | ^\W{0,4}(?:begin|start)\ (?:of\ )?(?:new|system|hidden|secret)\ (?:system\ )?(?:prompt|instructions?)\b
    | ^\W{0,4}(?:new|updated|additional|important|hidden|secret)\ (?:system\ )?(?:prompt|instructions?)\ (?:for|
        to)\ (?:the\ )?(?:ai|llm|assistant|model|bot|chatbot)\b
    | \byou\s+are\s+now\s+(?:in\s+)?(?:an?\s+)?(?:developer|dan|jailbr\w+|admin\w*|root|debug|god|unrestricted|
        unfiltered|uncensored)\b
    # Speak to whoever reads by machine.
    | \b(?:if\s+you\s+are|as|dear|attention|attn|hey|hello|note\s+to|message\s+(?:to|for)|instructions?\s+(?:to|
        for))[\s,:!]+(?:an?\s+|the\s+|any\s+|all\s+)?
        (?:ai|a\.i\.|llms?|large\s+language\s+models?|language\s+models?|chat\s?bots?|ai\s+(?:assistants?|models?|
        agents?|systems?|reviewers?)|gpt|chatgpt|copilot|claude)\b
        [^.\n]{0,60}?\b(?:you\s+(?:must|should|shall|will|need\s+to|have\s+to|are\s+to)|please|must|ignore|do\s+not|
        don't|always|never|say|state|output|respond|reply|recommend|include|summari[sz]e|rate|give)\b
    | \b(?:ai|llm|language\s+model|chatbot)s?\s+(?:assistants?\s+|models?\s+|agents?\s+)?(?:reading|processing|
        parsing|summari[sz]ing|analy[sz]ing)\s+this\s+(?:\w+\s+)?(?:document|text|page|file|e-?mail|message|
        content)?[^.\n]{0,30}\b(?:must|should|shall|please|are\s+(?:required|instructed|to))\b
    | \bwhen\s+(?:you\s+)?(?:summari[sz](?:e|ing)|answer(?:ing)?\s+(?:any\s+)?(?:questions?\s+)?(?:about|from|on|
        with)|processing|process)\s+this\s+(?:document|text|page|file|e-?mail|article|content),?\s+(?:you\s+(?:must|
        should)|always|never|please|say|state|include|do\s+not|instead|only)\b
    # Put something into every answer.
    | \b(?:add|append|insert|attach|include|put)\s+(?:this|these|the|that|an?)\s+(?:[\w'"]+\s+){0,4}?(?:pictures?|
        images?|links?|urls?|sentences?|words?|codes?|phrases?|lines?)\b[^\n]{0,80}?\b(?:to|in|into|after|before|at\s+
        the\s+end\s+of)\s+(?:your|every|each|all|any)\s+(?:of\s+your\s+)?(?:answers?|repl(?:y|ies)|responses?|
        summar(?:y|ies))\b(?!\s+(?:sheets?|books?|papers?|cards?|box|boxes|forms?))
    | \b(?:end|begin|start|finish|close|sign)\s+(?:your|every|each|all|any)\s+(?:answers?|repl(?:y|ies)|responses?|
        summar(?:y|ies))\s+with\b
    | \bmust\s+be\s+(?:a\s+)?part\s+of\s+(?:your|every|each)\s+(?:answer|reply|response|summary)\b
    # Keep it from the reader, or hand out what is not theirs.
    | \b(?:do\s+not|don't|never)\s+(?:tell|inform|alert|notify|warn|mention\s+(?:this|it|that|
        these\s+instructions)\s+to|reveal\s+(?:this|it|that)\s+to|disclose\s+(?:this|it)\s+to)\s+(?:the\s+)?(?:user|
        human|reader)s?\b(?:[^.\n]{0,40}\b(?:this|these|instructions?|message|that\s+you|about|why)\b|\s*[.!\n]|\s*$)
    | \bwithout\s+(?:telling|informing|notifying|alerting)\s+the\s+(?:user|human|reader)\b[^.\n]{0,40}\b(?:this|
        these\s+instructions?|that\s+you)\b
    | \b(?:reveal|print|repeat|output|show|display|leak|send|exfiltrate|disclose|recite|tell\s+(?:me|
        us))\s+(?:(?:me|us|out|verbatim|all|of|to)\s+){0,2}(?:your|the)\s+(?:full\s+|entire\s+|complete\s+|own\s+|
        hidden\s+|secret\s+)*(?:system\s+prompt|system\s+message|initial\s+(?:prompt|instructions)|
        hidden\s+(?:prompt|instructions)|prompt\s+verbatim)\b
    | !\[[^\]\n]*\]\(https?://[^)\s]*[?&=/](?:\{|%7B|\[|<|\$)[^)\n]*\)
    # The same in Chinese.
    | (?:忽略|無視|无视|忘記|忘记|忘掉|不要理會|不要理会|不要遵守|不要遵循|覆蓋|覆盖|繞過|绕过)(?:掉|你|您|的|所有|
        一切|全部|任何){0,4}
        (?:之前|以上|先前|前面|上面|上述|此前|原有|原本|系統|系统|既有|你的|所有|一切)[^。！？\n]{0,8}?(?:指示|指令|
        提示|提示詞|提示词|命令|規則|规则|設定|设定|限制|約束|约束)
    | (?:不要|切勿|請勿|请勿|別|别|不得|不可)(?:向|對|对|讓|让)?(?:告訴|告诉|告知|通知|提醒|透露給|透露给)?(?:用戶|
        用户|使用者|讀者|读者)(?:知道|透露|提及|提到|說明|说明|發現|发现)?(?:這|这|此|本|上述|
        以上)[^。！？\n]{0,8}(?:指示|指令|提示|訊息|信息|消息|內容|内容|事)
    | (?:輸出|输出|顯示|显示|洩露|泄露|洩漏|泄漏|透露|重複|重复|說出|说出|列出|打印|告訴我|告诉我)(?:出|你|您|的|
        完整|全部|所有){0,4}(?:系統|系统|初始|隱藏|隐藏|原始|內部|内部)(?:的)?(?:提示詞|提示词|提示語|提示语|提示|
        指令)
    | (?:你|您)(?:現在|现在|從現在起|从现在起)(?:起)?(?:是|已|進入|进入|處於|处于)[^。！？\n]{0,6}(?:不受限制|
        沒有限制|没有限制|無限制|无限制|開發者|开发者|越獄|越狱|管理員|管理员)(?:模式|的)
    | (?:致|如果你是|若你是|假如你是|請注意|请注意|注意)[，,：:\s]{0,2}(?:一個|一个|任何|所有|各位)?(?:閱讀本文的|
        阅读本文的)?(?:AI|人工智能|人工智慧|大?語言模型|大?语言模型|大模型|聊天機器人|聊天机器人)(?:助手|助理|模型|
        系統|系统)?[，,：:\s]{0,2}[^。！？\n]{0,16}(?:必須|必须|務必|务必|請|请|應當|应当|忽略|不要|只能)
    | (?:總結|总结|摘要|回答|處理|处理)(?:關於|关于|有關|有关)?(?:本|此|這份|这份|這篇|这篇|該|该)(?:文件|文檔|文档|
        文章|網頁|网页|郵件|邮件)[^。！？\n]{0,8}時?时?[，,]?(?:你|您)(?:必須|必须|務必|务必|應|应|只能|要)
    """,
    regex.IGNORECASE | regex.VERBOSE | regex.MULTILINE,
)
# Every alternative holds one of these. Plain search for them is a hundred times faster than the pattern, which is then
# tried only around them.
_HINTS = (
    "ignore;disregard;forget;overrid;bypass;not follow;n't follow;not obey;n't obey;<|;inst];sys>>;<system;"
    "</system;<assistant;</assistant;prompt;instruction;directive;system message;assistant message;"
    "developer message;system note;assistant note;developer note;you are now;language model;chatbot;chat bot;"
    "llm;gpt;copilot;claude;a.i.; ai ; ai,; ai:;ai assistant;ai model;ai agent;ai system;ai review;"
    "your answer;your repl;your response;your summar;every answer;every repl;every response;each answer;each repl;"
    "each response;all answers;all repl;any answer;any repl;every summar;each summar;"
    "when summari;when you summari;when answer;when you answer;when process;when you process;not tell;n't tell;"
    "never tell;not inform;n't inform;never inform;not alert;n't alert;never alert;not notify;n't notify;"
    "never notify;not warn;n't warn;never warn;not mention;n't mention;never mention;not reveal;n't reveal;"
    "never reveal;not disclose;n't disclose;never disclose;without telling;without informing;without notifying;"
    "without alerting;![;忽略;無視;无视;忘記;忘记;忘掉;不要理;不要遵;覆蓋;覆盖;繞過;绕过;用戶;用户;使用者;讀者;"
    "读者;提示;指令;你現在;你现在;您現在;您现在;從現在;从现在;致ai;致人工;致語言;致语言;致大;你是;注意;總結;"
    "总结;摘要;回答;處理;处理"
).split(";")
_REACH = 250  # characters from a hint to either end of what it is part of
_BASE64 = regex.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{24,4000}={0,2}(?![A-Za-z0-9+/=])")
_LONGEST_TAIL = 400


def planted_places(text: str) -> list[Span]:
    """Return where the text speaks to a machine, each place with the rest of its line, in order and apart.

    The rest of the line is what the machine is told to do. Encoded words count as what they say.
    """
    places = sorted([*_spoken(text), *_encoded(text)])
    merged: list[Span] = []
    for place in places:
        if merged and place.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, place.end))
        else:
            merged.append(place)
    return merged


def is_planted(text: str) -> bool:
    """Return whether any of the text speaks to a machine."""
    return bool(planted_places(text))


def _spoken(text: str) -> Iterator[Span]:
    plain, origin = comparable_places(text)
    for window in _windows(plain):
        for match in _PATTERN.finditer(plain, window.start, window.end):
            end_of_line = plain.find("\n", match.end())
            end = min(match.end() + _LONGEST_TAIL, end_of_line if end_of_line >= 0 else len(plain))
            yield Span(match.start(), end) if origin is None else Span(origin[match.start()], origin[end - 1] + 1)


def _windows(text: str) -> list[Span]:
    """Return the surroundings of every hint, apart from each other."""
    lowered = text.lower().replace("\n", " ")
    if len(lowered) != len(text):  # a few capitals have small letters of two characters
        return [Span(0, len(text))]
    found = sorted({place for hint in _HINTS if hint in lowered for place in _occurrences(lowered, hint)})
    windows: list[Span] = []
    for place in found:
        start, end = max(0, place - _REACH), min(len(text), place + _REACH)
        if windows and start <= windows[-1].end:
            windows[-1] = Span(windows[-1].start, end)
        else:
            windows.append(Span(start, end))
    return windows


def _occurrences(text: str, hint: str) -> Iterator[int]:
    place = text.find(hint)
    while place >= 0:
        yield place
        place = text.find(hint, place + 1)


def _encoded(text: str) -> Iterator[Span]:
    for match in _BASE64.finditer(text):
        words = match.group().rstrip("=")
        with_padding = words + "=" * (-len(words) % 4)
        try:
            decoded = base64.b64decode(with_padding, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue
        if _PATTERN.search(decoded):
            yield Span(*match.span())
    for place in suspicious_places(text):
        if _PATTERN.search(spelled_by_tags(place.of(text))):
            yield place
