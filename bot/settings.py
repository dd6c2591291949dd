"""Settings of the chatbot, and the order they are read in: flag, environment variable, file, default."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, IPvAnyNetwork, SecretStr, StringConstraints, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    TomlConfigSettingsSource,
)
from pydantic_settings import (
    SettingsError as SettingsSourceError,
)

from bot.answer.errors import SettingsError
from index.settings import IndexSettings

AnswererName = Literal["extractive", "local", "remote"]
# Rules on the path of a question that can be measured: what an answer would be without one of them.
Rule = Literal["clarification", "collection", "demotion", "disagreement", "document_date", "imperative", "premise"]
LogFormat = Literal["text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]
# A scheme and a host with nothing behind it, as a browser sends it: no wildcard, no path.
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[a-z0-9.-]+(:\d+)?$")]
DEFAULT_CONFIG = Path("footnote.toml")
# From this likeness on, the name of a variable is taken for a slip of the finger.
_MISSPELT = 0.8


class Settings(IndexSettings):
    """Everything that can be set, one flat list of names.

    Attributes:
        documents: Folders or `corpus.jsonl` files that `footnote index` reads when none is named, and that
            `footnote serve --watch` follows.
        watch_sweep_seconds: How often followed folders are scanned for changes that the system did not report.
        answerer: Who writes the answer: `extractive` quotes, `local` runs the local model, `remote` asks the server at
            `remote_url`.
        gguf: Weights of the local model; the fetched ones when not given.
        remote_url: Base address of an OpenAI-compatible server, such as `http://localhost:11434/v1`.
        remote_model: That server's name for the model.
        remote_key: Its secret key; best given as FOOTNOTE_REMOTE_KEY, never shown.
        top_k: How many chunks are retrieved for a question.
        refusal_threshold: Answers with a lower confidence are refused; where it is not given, an admin may choose it on
            the staff's pages.
        rules_off: Rules that are not applied, to measure what each is worth.
        approved_answers: Whether a question that staff have approved an answer for gets that answer.
        maximum_question_characters: A longer question is declined in one sentence.
        keep_answers: Whether what readers ask and are answered is kept for staff; verdicts of readers are kept anyway.
        retention_days: How long it is kept.
        metrics_address: Where Prometheus reads metrics, such as `127.0.0.1:9464`; nowhere when empty.
        log_format: `text` or `json`.
        log_level: `debug`, `info`, `warning` or `error`, of Footnote's own modules; others speak from a warning on.
        session_idle_minutes: A member of staff who does nothing for so long is logged out.
        session_hours: However busy, they log in again after so long.
        oidc_issuer: Address of an OpenID Connect provider that staff may log in with, such as `https://login.example.org`.
        oidc_client_id: By what name it knows Footnote.
        oidc_client_secret: The secret that goes with it; best given as FOOTNOTE_OIDC_CLIENT_SECRET, never shown.
        oidc_scope: What is asked of it.
        oidc_name_claim: Which of its claims names the account; one that people cannot change themselves.
        oidc_role_claim: Which of its claims holds the groups.
        oidc_roles: Which role each group gives.
        review_sample: The share of answers that is drawn at random for staff to check.
        golden_suite: The suite that golden questions of staff are added to; `suites/staff.yaml` in the data folder when
            not given.
        golden_second_person: Whether another person than its author confirms a golden question.
        host: Address the web application listens on.
        port: Port the web application listens on.
        api_anonymous: Whether programs may use the API without a key; they count as visitors then.
        trusted_proxies: Addresses or networks of proxies whose X-Forwarded-For header is trusted.
        allowed_hosts: Names by which the web application may be addressed; empty for any.
        allowed_origins: Other sites, such as `https://example.org`, that may embed the page and ask from their own.
        widget_origins: Other sites that may show the widget, and nothing else of the page, in a frame.
        visitor_requests: How often one visitor may ask for anything but the page's files.
        visitor_questions: How many questions one visitor may ask.
        all_questions: How many questions all visitors together may ask.
        model_tokens_per_day: Tokens, about, that the language model may be given and write in 24 hours; 0 for any
            number. When they are spent answers are quotations.
        limits_storage: Where requests and tokens are counted: `memory://`, or a store that several machines share.
        model_patience: Seconds that one question may wait for the language model; then the answer is a quotation.
        answers_at_once: How many questions are worked on at once; 4, or 16 with a remote model, when not given.
    """

    documents: Annotated[tuple[Path, ...], NoDecode] = (Path("seeds"),)
    watch_sweep_seconds: float = Field(default=600, ge=1)
    answerer: AnswererName = "local"
    gguf: Path | None = None
    remote_url: str = ""
    remote_model: str = ""
    remote_key: SecretStr = SecretStr("")
    top_k: int = Field(default=8, ge=1, le=100)
    refusal_threshold: float = Field(default=0.4, ge=0, le=1)
    rules_off: Annotated[frozenset[Rule], NoDecode] = frozenset()
    approved_answers: bool = True
    maximum_question_characters: int = Field(default=2_000, ge=10)
    keep_answers: bool = True
    retention_days: float = Field(default=90, gt=0)
    metrics_address: str = ""
    log_format: LogFormat = "text"
    log_level: LogLevel = "warning"
    session_idle_minutes: float = Field(default=60, gt=0)
    session_hours: float = Field(default=12, gt=0)
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_scope: str = "openid email profile"
    oidc_name_claim: str = "email"
    oidc_role_claim: str = "groups"
    oidc_roles: dict[str, Literal["staff", "evaluator", "admin"]] = Field(default_factory=dict)
    review_sample: float = Field(default=0.02, ge=0, le=1)
    golden_suite: Path | None = None
    golden_second_person: bool = False
    host: str = "127.0.0.1"
    port: int = Field(default=7860, ge=0, le=65_535)
    api_anonymous: bool = False
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = ()
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    allowed_origins: Annotated[tuple[Origin, ...], NoDecode] = ()
    widget_origins: Annotated[tuple[Origin, ...], NoDecode] = ()
    visitor_requests: str = "600/minute"
    visitor_questions: str = "30/minute; 300/hour"
    all_questions: str = "600/minute"
    model_tokens_per_day: int = Field(default=0, ge=0)
    limits_storage: str = "memory://"
    model_patience: float = Field(default=22, gt=0)
    answers_at_once: int | None = Field(default=None, ge=1, le=256)

    @field_validator(
        "rules_off", "trusted_proxies", "allowed_hosts", "allowed_origins", "widget_origins", mode="before"
    )
    @classmethod
    def _split_names(cls, value: object) -> object:
        """Accept names joined by commas."""
        return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value

    @field_validator("documents", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        """Accept what a shell would write: paths joined by the separator of PATH."""
        return tuple(value.split(os.pathsep)) if isinstance(value, str) else value


def load_settings(flags: Mapping[str, Any], config: Path | None = None) -> Settings:
    """Return the settings from flags, `FOOTNOTE_*` variables, a TOML file and defaults, in this order.

    Args:
        flags: Values given on the command line; None means not given.
        config: TOML file; `footnote.toml` in the working directory is read when it exists and none is named.

    Raises:
        SettingsError: The file is missing or damaged, or a value is unknown or out of range.
    """
    if config is not None and not config.is_file():
        raise SettingsError(f"There is no settings file at {str(config)!r}: name an existing TOML file with --config.")
    toml_file = config or (DEFAULT_CONFIG if DEFAULT_CONFIG.is_file() else None)

    class _Layered(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            sources: tuple[PydanticBaseSettingsSource, ...] = (init_settings, env_settings)
            return (*sources, TomlConfigSettingsSource(settings_cls, toml_file)) if toml_file else sources

    _refuse_misspelt(os.environ)
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        layered = _Layered(**given)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {str(toml_file)!r} is not valid TOML: {error}.") from error
    except SettingsSourceError as error:
        raise SettingsError(f"A FOOTNOTE_ variable cannot be read ({error}): correct or unset it.") from error
    except ValidationError as error:
        raise SettingsError(_describe(error, toml_file)) from error
    return Settings.model_construct(layered.model_fields_set, **layered.model_dump())


def _refuse_misspelt(environment: Mapping[str, str]) -> None:
    """Raise SettingsError for a variable that is nearly one of ours: it would be passed over in silence."""
    prefix = str(Settings.model_config["env_prefix"])
    for variable in environment:
        name = variable.removeprefix(prefix).lower()
        if variable.startswith(prefix) and name not in Settings.model_fields:
            for near in difflib.get_close_matches(name, Settings.model_fields, n=1, cutoff=_MISSPELT):
                raise SettingsError(f"There is no setting {variable}: did you mean {prefix}{near.upper()}?")


def _describe(error: ValidationError, toml_file: Path | None) -> str:
    first = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"]) or "settings"
    where = f"flag, FOOTNOTE_{name.upper()} or {str(toml_file)!r}" if toml_file else f"flag or FOOTNOTE_{name.upper()}"
    if first["type"] == "extra_forbidden" and toml_file:
        near = difflib.get_close_matches(name, Settings.model_fields, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "remove it."
        return f"There is no setting {name!r} (in {str(toml_file)!r}): {hint}"
    reason = str(first["msg"]).lower()
    return f"The setting {name!r} cannot be used ({reason}): correct it ({where})."
