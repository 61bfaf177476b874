"""The last net under every log line: what looks like a secret is blanked before a handler writes it.

Secrets are not meant to reach a log at all (exchanges.failures scrubs what exchanges say); this holds for what
libraries write, for tracebacks, and for what somebody adds one day.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any, Final

HIDDEN: Final = "[redacted]"

# Names whose values are secrets, wherever they stand: JSON, Python, headers, query strings, environment. The first
# also as the end of a longer word (`binanceApiKey`), the others as whole words or parts (`JWT_TOKEN_SECRET`, no
# `design`).
_ENDINGS: Final = (
    r"api[_-]?key|secret[_-]?key|api[_-]?secret|passphrase|pass(?:word|wd)|listen[_-]?key|session[_-]?id"
    r"|(?:access|refresh|csrf(?:middleware)?)[_-]?token"
)
_WHOLE: Final = (
    r"secret|token|signature|sign|totp|recovery[_-]?code|access-(?:key|sign)|apisign|authorization"
    r"|cookie|encryption[_-]keys?|iv[_-]key"
)
_NAME: Final = rf"(?:[A-Za-z0-9_-]*?(?:{_ENDINGS})|[_-]*(?:[A-Za-z0-9]+[_-]+)*(?:{_WHOLE}))"
_SECRET_NAME: Final = re.compile(_NAME, re.IGNORECASE)
_QUOTED: Final = r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
# A header's value has a scheme before it, and cookies are a list: the rest of the line goes.
_HEADER: Final = re.compile(
    r"""\b((?:proxy-)?authorization|cookie|set-cookie)(["']?\s*[:=]\s*)(?!\s*\[redacted\])(?:"""
    + _QUOTED
    + r"""|[^\r\n"']+)""",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(
    rf"""(?<![A-Za-z0-9_-])({_NAME}\\?["']?\s*(?:=>|[:=])\s*)"""
    rf"""(?!\[redacted\])((?:b|f|r|u)?(?:{_QUOTED})|\\"(?:[^"\\]|\\[^"])*\\"|[^\s,;&"'<>)\]}}}}]+)""",
    re.IGNORECASE,
)
_SIGNED_QUERY: Final = re.compile(
    r"""(://[^\s?"'<>]{0,300})\?[^\s"'<>]*\b(?:signature|sign|api_?key|listenKey)=[^\s"'<>]*""",
    re.IGNORECASE,
)
_USER_INFO: Final = re.compile(r"""(://[^\s/:@"']{0,300}):[^\s/@"']+@""", re.IGNORECASE)
_SHAPED: Final = re.compile(
    r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?"  # JSON web tokens
    r"|\bcgt_[A-Za-z0-9_-]{8,}"  # API tokens of our own
    r"|\b(?:Bearer|Basic)\s+(?!\[redacted\])[A-Za-z0-9._~+/=-]{8,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_DEEPEST: Final = 6


def redact(text: str) -> str:
    """The text with every value that is, or is named like, a secret blanked."""
    text = _SIGNED_QUERY.sub(rf"\1?{HIDDEN}", text)
    text = _USER_INFO.sub(rf"\1:{HIDDEN}@", text)
    text = _HEADER.sub(rf"\1\2{HIDDEN}", text)
    text = _NAMED.sub(rf"\1{HIDDEN}", text)
    return _SHAPED.sub(HIDDEN, text)


def redact_value(value: Any, depth: int = 0) -> Any:
    """The same of a structure; what is neither text, number, list nor mapping is told as its text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth > _DEEPEST:
        return HIDDEN
    if isinstance(value, Mapping):
        return {
            key: HIDDEN if _SECRET_NAME.fullmatch(str(key)) else redact_value(each, depth + 1)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redact_value(each, depth + 1) for each in value]
    return redact(str(value))


class RedactingFilter(logging.Filter):
    """Rewrites a record in place: message, traceback, stack and whatever was added to it. Goes on every handler."""

    _formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(_message(record)), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        record.exc_info = None  # a formatter would write it anew, and locals with it
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        for name, value in vars(record).items():
            if name not in _STANDARD:
                setattr(record, name, HIDDEN if _SECRET_NAME.fullmatch(name) else redact_value(value))
        return True


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # wrong arguments: the logging module would print them all, unredacted
        return f"{record.msg} (its arguments do not fit)"
