"""Errors of the chatbot, below the one base of `index.errors`.

FootnoteError
├── SettingsError      a setting is unknown or out of range
├── QuestionError      a question, or a file of questions, cannot be used
├── ServeError         the web application cannot start
├── WatchError         followed folders could not be indexed this time
├── KeyNameError       an API key cannot have, or does not have, this name
├── BackupError        a backup cannot be written or restored
├── AccountError       an account cannot be made, changed or found
├── ReviewError        an answer cannot be checked as asked
│   └── NewerVerdictError  its reviewer gave another verdict meanwhile
└── ApprovalError      an answer cannot be approved as asked
"""

from __future__ import annotations

from index.errors import FootnoteError


class SettingsError(FootnoteError):
    """A setting is unknown, out of range, or its file is damaged."""


class QuestionError(FootnoteError):
    """A question or a line of a batch file cannot be used."""


class ServeError(FootnoteError):
    """The web application cannot start."""


class WatchError(FootnoteError):
    """The folders that are followed could not be indexed this time."""


class KeyNameError(FootnoteError):
    """An API key cannot be given this name, or none has it."""


class BackupError(FootnoteError):
    """A backup cannot be written, or what is restored is no whole backup."""


class AccountError(FootnoteError):
    """An account cannot be made, changed or found as asked."""


class ReviewError(FootnoteError):
    """An answer cannot be taken, judged or made a golden question as asked."""


class NewerVerdictError(ReviewError):
    """The reviewer has given another verdict since the form was shown."""


class ApprovalError(FootnoteError):
    """An answer cannot be approved, or no approved answer has this id."""
