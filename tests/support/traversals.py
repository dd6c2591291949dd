"""Addresses that try to leave the documents, each in another way (W4)."""

from __future__ import annotations

from bot.web.page.links import encode_id

# How a way up can be written so that some layer, but not another, takes it for one: plain, with a backslash, encoded
# once, twice and thrice, in part, in over-long and broken UTF-8, in UTF-16, doubled against filters, and look-alikes.
_WAYS_UP = (
    "../",
    "..\\",
    "..%2f",
    "..%5c",
    "..%5C",
    "%2e%2e/",
    "%2E%2E/",
    ".%2e/",
    "%2e./",
    "%2e%2e%2f",
    "%2e%2e%5c",
    "..%252f",
    "..%255c",
    "%252e%252e%252f",
    "%25252e%25252e%25252f",
    "..%c0%af",
    "..%c1%9c",
    "%c0%ae%c0%ae/",
    "%c0%ae%c0%ae%c0%af",
    "%e0%80%ae%e0%80%ae%e0%80%af",
    "..%u2215",
    "%uff0e%uff0e%uff0f",
    "..%00/",
    "..%0a/",
    "..%0d%0a/",
    "..%09/",
    "..;/",
    "..;a=b/",
    "....//",
    "....\\/",
    "..././",
    "...\\.\\",
    "..//",
    ".//../",
    "./../",
    "x/../../",
    "x%2f..%2f..%2f",
    "..%ef%bc%8f",
    "%ef%bc%8e%ef%bc%8e%ef%bc%8f",
    "..%e2%88%95",
    "..%20/",
    "..%3f/",
    "..%23/",
)
_TO_PASSWORDS = tuple(way * 6 + "etc/passwd" for way in _WAYS_UP)
_FROM_THE_TOP = (
    "..",
    "../",
    "/etc/passwd",
    "//etc/passwd",
    "///etc/passwd",
    "%2fetc%2fpasswd",
    "%252fetc%252fpasswd",
    "/./etc/./passwd",
    "/etc/passwd%00",
    "/etc/passwd%00.txt",
    "/etc/passwd?",
    "/etc/passwd#",
    "/etc/passwd/.",
    "/proc/self/environ",
    "/proc/self/cmdline",
    "/proc/self/fd/3",
    "/proc/self/cwd/footnote.db",
    "/dev/stdin",
    "proc/self/environ",
    "~root",
    "%7eroot",
    "~/.ssh/id_rsa",
    "$HOME/.ssh/id_rsa",
    "%24%7bHOME%7d",
    "C:%5cwindows%5cwin.ini",
    "C:/windows/win.ini",
    "c%3a%2fwindows%2fwin.ini",
    "%5c%5cevil.example%5cshare",
    "%5c%5c%3f%5cC:%5cwindows",
    "%5c%5c.%5cPhysicalDrive0",
    "CON",
    "footnote.txt::$DATA",
)
_OTHER_SCHEMES = (
    "file:///etc/passwd",
    "file:%2f%2f%2fetc%2fpasswd",
    "file:/etc/passwd",
    "file://localhost/etc/passwd",
    "http://127.0.0.1:22/",
    "http:%2f%2f169.254.169.254%2flatest%2fmeta-data%2f",
    "//evil.example/",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1:6379/_INFO",
    "jar:file:///etc/passwd!/",
    "php://filter/resource=/etc/passwd",
    "data:text/html,root:",
    "javascript:alert(1)",
)
_OUR_OWN = (
    "footnote.db",
    "footnote.db-wal",
    "./footnote.db",
    "data/footnote.db",
    "..%2fdata%2ffootnote.db",
    "generations",
    "footnote.toml",
    ".env",
    ".git/config",
    "bot/settings.py",
    "*",
    "%2a",
    "' OR '1'='1",
    "%25",
    "_",
)
_NO_TEXT = ("%00", "a%00.txt", "%ff%fe", "%c3%28", "%ed%a0%80", "%F0%9F%92%A9", "%e2%80%ae", "%0d%0aSet-Cookie:a=b")
# Addresses of the form that the page makes, of documents that are not there.
_WELL_FORMED = tuple(
    encode_id(name)
    for name in (
        "../../etc/passwd",
        "..\\..\\windows\\win.ini",
        "/etc/passwd",
        "file:///etc/passwd",
        "\x00",
        "\x00/etc/passwd",
        "\ud800",
        "footnote.db",
        "reports/../reports/ferry 2025.pdf",
        "reports//ferry 2025.pdf",
        "./reports/ferry 2025.pdf",
        "REPORTS/FERRY 2025.PDF",
        "reports/ferry 2025.pdf ",
        "reports/ferry 2025.pdf\x00",
        "%",
        "_" * 22,
    )
)
_TOO_LONG = ("A" * 5_000, encode_id("../" * 1_000))

TRAVERSALS = tuple(
    dict.fromkeys((*_TO_PASSWORDS, *_FROM_THE_TOP, *_OTHER_SCHEMES, *_OUR_OWN, *_NO_TEXT, *_WELL_FORMED, *_TOO_LONG))
)
