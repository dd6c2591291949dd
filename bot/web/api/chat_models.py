"""What is said in OpenAI's chat-completions format. Fields that are not named here are ignored."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.answer.answer import Answer

MODEL = "footnote"

# Parameters with a meaning that Footnote cannot give them; any other value than the harmless one is refused.
REFUSED_VALUES = {
    "n": "there is one answer to a question, so `n` may only be 1",
    "logprobs": "answers have no log-probabilities",
    "tool_choice": "Footnote calls no tools, so it cannot be made to",
    "response_format": "answers are text; the whole Answer object is under `footnote`",
    "modalities": "answers are text",
}


class _Spoken(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class TextPart(_Spoken):
    """A part of a message; only text can be read."""

    type: Literal["text"]
    text: str


class ChatMessage(_Spoken):
    """One message. Those of the roles `user` and `assistant` are read, the others are ignored."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | tuple[TextPart, ...] | None = None

    def text(self) -> str:
        """Return the words of the message."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content or ())


class StreamOptions(_Spoken):
    """What else a stream brings."""

    include_usage: bool | None = None


class TextFormat(_Spoken):
    """The only format of answers."""

    type: Literal["text"]


def _needs_user_message(schema: dict[str, Any]) -> None:
    schema["contains"] = {"type": "object", "properties": {"role": {"const": "user"}}, "required": ["role"]}


class ChatRequest(_Spoken):
    """The last message of the role `user` is the question, the messages before it are the history."""

    model: str = Field(description="The model's name: `footnote`.")
    messages: Annotated[tuple[ChatMessage, ...], Field(min_length=1, json_schema_extra=_needs_user_message)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = None
    logprobs: Literal[False] | None = None
    tool_choice: Literal["none", "auto"] | None = None
    response_format: TextFormat | None = None
    modalities: tuple[Literal["text"], ...] | None = None


class UrlCitation(BaseModel):
    """A marker `[n]` in the message, and the page that shows its place in the source."""

    start_index: int = Field(description="Where the marker begins in the message, in characters.")
    end_index: int = Field(description="Where it ends: the index after its last character.")
    title: str
    url: str


class Annotation(BaseModel):
    """A footnote in the form that clients of OpenAI's API show as a link."""

    type: Literal["url_citation"] = "url_citation"
    url_citation: UrlCitation


class AssistantMessage(BaseModel):
    """The answer; a refusal is a message like any other."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None
    annotations: tuple[Annotation, ...]


class ChatChoice(BaseModel):
    """The only choice there is."""

    index: int = 0
    message: AssistantMessage
    finish_reason: Literal["stop"] = "stop"
    logprobs: None = None


class Usage(BaseModel):
    """How much was read and written, in tokens of the embedding model's vocabulary."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatCompletion(BaseModel):
    """An answer in OpenAI's format, with the whole Answer object under `footnote`."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str = MODEL
    choices: tuple[ChatChoice]
    usage: Usage
    footnote: Answer


class Model(BaseModel):
    """A model that can be named in a request."""

    id: str = MODEL
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "footnote"


class ModelList(BaseModel):
    """The models: one."""

    object: Literal["list"] = "list"
    data: tuple[Model, ...]
