"""The child process that runs the local model with OpenVINO.

Started as `python -P -m bot.language_model.runtime`. It speaks JSON, one object a line: the first line on stdin says
what to load, the first on stdout that it is loaded (`{"ready": …}`) or why not (`{"error": …}`). Then each request has
a number, which every line about it repeats. The end of stdin, which a dead parent causes too, ends the process.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import queue
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PR_SET_PDEATHSIG = 1
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
# Names of a vocabulary that end a reply, besides the one that the model's file names.
_END_TOKENS = (b"<|im_end|>", b"<|endoftext|>", b"<|eot_id|>", b"<|end_of_text|>", b"</s>")
_MOST_THREADS = 8  # more slow a small model down
_LISTED = 20  # likeliest first tokens
_AT_ONCE = 2  # requests that take turns; the others wait
_STATES = 6  # prompts whose key-value state is kept, those of the requests under way included
_CONTEXT = 4_096  # tokens of a prompt and its reply

# Tokens read at a time. A request that nobody waits for ends after the piece it is in, so a piece takes no more than
# `_PIECE_SECONDS`, unless it is the smallest one: still smaller ones are read at half the speed.
_PIECES = (256, 128, 64)
_PIECE_SECONDS = 0.8
# A state is copied only for a gain of this many tokens.
_LEAST_SHARED = 8

# Prompt lookup decoding: the tokens that followed an earlier occurrence of the last `_NGRAM` tokens are proposed.
_NGRAM = 3
_FIRST_PROPOSAL, _LONGEST_PROPOSAL = 3, 8

Tokens = list[int]
Message = dict[str, Any]
Steps = Generator[Message | None, None, None]


@dataclass(frozen=True, slots=True)
class RuntimeOptions:
    """What the child loads.

    Attributes:
        folder: The converted model.
        threads: Processor threads.
        layers: Layers whose hidden state after the last token of a prompt is returned with its log-odds.
    """

    folder: str
    threads: int
    layers: tuple[int, ...] = ()

    def line(self) -> str:
        """Return the JSON line for the child."""
        return json.dumps(asdict(self)) + "\n"


class _State:
    """An infer request with its key-value state.

    Attributes:
        prompt: The tokens that it reads, or has read.
        read: How many of them are in the state, from the first on.
        used: When it was last given a prompt, as a number that only grows.
    """

    def __init__(self, model: Any) -> None:
        self._request = model.create_infer_request()
        self.prompt: Tokens = []
        self.read = 0
        self.used = 0
        self.is_free = True
        self._mask: list[int] = []  # one for each entry of the state, 0 for a rejected proposal
        self._position = 0

    def infer(self, tokens: Sequence[int], results: int = 1) -> NDArray[np.float32]:
        """Append tokens; return the logits after the last `results` of them, of shape (results, vocabulary)."""
        self._mask += [1] * len(tokens)
        self._request.infer(
            {
                "input_ids": np.array([tokens], dtype=np.int64),
                "attention_mask": np.array([self._mask], dtype=np.int64),
                "position_ids": np.arange(self._position, self._position + len(tokens), dtype=np.int64)[None],
                "beam_idx": np.zeros(1, dtype=np.int32),
                "result_positions": np.arange(len(tokens) - results, len(tokens), dtype=np.int64),
            }
        )
        self._position += len(tokens)
        logits: NDArray[np.float32] = self._request.get_tensor("logits").data[0]
        return logits

    def hidden(self, layer: int) -> list[float]:
        """Return the hidden state after a layer at the last token, as many numbers as the model is wide."""
        values: list[float] = self._request.get_tensor(f"hidden.{layer}").data[0, -1].tolist()
        return values

    def reject(self, count: int) -> None:
        """Hide the last `count` tokens from all that follow."""
        if count:
            self._mask[-count:] = [0] * count
            self._position -= count

    def resume(self, other: _State, length: int) -> None:
        """Take over the first `length` tokens that `other`, which may be this one, has read."""
        if other is not self or len(self._mask) != length:
            if length:
                kept = [np.ascontiguousarray(state.state.data[:, :, :length]) for state in other._request.query_state()]
                tensor = _openvino().Tensor
                for state, values in zip(self._request.query_state(), kept, strict=True):
                    state.state = tensor(values)
            else:
                self._request.reset_state()
        self._mask = [1] * length
        self._position = self.read = length


class Engine:
    """Answers requests in small steps, so that several take turns.

    A prompt that begins like one whose state is kept is read from where they part. Two prompts that come at once and
    begin alike are read once up to there.
    """

    def __init__(self, options: RuntimeOptions) -> None:
        """Load the model, which takes seconds.

        Raises:
            RuntimeError: The folder holds no model that can be used.
        """
        import openvino_genai

        self._options = options
        self._tokenizer = openvino_genai.Tokenizer(options.folder)
        vocabulary = self._tokenizer.get_vocab()
        self._ends = {vocabulary[name] for name in _END_TOKENS if name in vocabulary}
        self._ends.add(self._tokenizer.get_eos_token_id())
        model = _compile(options)
        self._states = [_State(model) for _ in range(_STATES)]
        self._turn = 0
        self._speed = 0.0  # tokens a second, while reading
        # The first inference takes ten times as long as the next ones, because it lays the weights out anew.
        self._states[0].infer([0] * _PIECES[-1])
        self._states[0].resume(self._states[0], 0)

    def answer(self, request: Message) -> Steps:
        """Yield the lines of an answer, and None after each step that brings none.

        Args:
            request: `turns`, pairs of a role and a text; `tokens`, the length of the reply, or 0 for the likeliest
                first tokens alone; `stop`, texts that end it.
        """
        prompt = self._tokens(request["turns"])
        if len(prompt) + request["tokens"] > _CONTEXT:
            yield {"refused": f"was given {len(prompt)} tokens, more than fit"}
            return
        state = self._choose(prompt)
        state.is_free = False
        try:
            begun = time.monotonic()
            skipped = yield from self._read(state)
            logits = state.infer(prompt[-1:])
            state.read = len(prompt)
            used = {"read": len(prompt) - skipped, "reading": time.monotonic() - begun}
            if not request["tokens"]:
                hidden = {layer: state.hidden(layer) for layer in self._options.layers}
                yield used | {"end": True, "first": self._likeliest(logits[-1]), "hidden": hidden}
                return
            begun = time.monotonic()
            written = yield from self._write(state, logits, request["tokens"], request["stop"])
            yield used | {"end": True, "written": written, "writing": time.monotonic() - begun}
        finally:
            state.is_free = True

    def _tokens(self, turns: Sequence[tuple[str, str]]) -> Tokens:
        """Return the tokens of a prompt in the model's own chat template."""
        # No text of a document may stand for a token that begins or ends a turn.
        chat = [{"role": role, "content": text.replace("<|", "< |")} for role, text in turns]
        text = self._tokenizer.apply_chat_template(
            chat, add_generation_prompt=True, extra_context={"enable_thinking": False}
        )
        tokens: Tokens = self._tokenizer.encode(text, add_special_tokens=False).input_ids.data[0].tolist()
        return tokens

    def _choose(self, prompt: Tokens) -> _State:
        """Return the free state in whose place a prompt costs the fewest tokens that no other state holds.

        A state that holds the beginning of the prompt goes on from there; of equals, the one longest unused is taken.
        """

        def cost(state: _State) -> tuple[int, int, int]:
            held = state.prompt[: state.read]
            shared = _shared(held, prompt)
            elsewhere = (_shared(held, other.prompt[: other.read]) for other in self._states if other is not state)
            return state.read - max(shared, *elsewhere), -shared, state.used

        state = min((state for state in self._states if state.is_free), key=cost)
        self._turn += 1
        state.used = self._turn
        state.resume(state, min(_shared(state.prompt[: state.read], prompt), len(prompt) - 1))
        state.prompt = prompt
        return state

    def _read(self, state: _State) -> Generator[Message, None, int]:
        """Read all of a prompt but its last token, yielding progress; return how many tokens needed no reading."""
        end = len(state.prompt) - 1
        skipped = state.read
        while state.read < end:
            source, length = self._longest_shared(state)
            if length >= state.read + _LEAST_SHARED:
                skipped += length - state.read
                state.resume(source, length)
            elif not self._is_being_read(state):
                longest = self._speed * _PIECE_SECONDS
                piece = min(next((piece for piece in _PIECES if piece <= longest), _PIECES[-1]), end - state.read)
                begun = time.monotonic()
                state.infer(state.prompt[state.read : state.read + piece])
                state.read += piece
                speed = piece / (time.monotonic() - begun)
                self._speed = 0.7 * (self._speed or speed) + 0.3 * speed
            yield {"read": state.read}
        return skipped

    def _longest_shared(self, state: _State) -> tuple[_State, int]:
        others = [other for other in self._states if other is not state]
        lengths = [_shared(other.prompt[: other.read], state.prompt[:-1]) for other in others]
        longest = max(range(len(others)), key=lengths.__getitem__)
        return others[longest], lengths[longest]

    def _is_being_read(self, state: _State) -> bool:
        """Return whether an older request is about to read what comes next in this prompt."""
        return any(
            other.used < state.used
            and not other.is_free
            and other.read < len(other.prompt) - 1
            and _shared(other.prompt, state.prompt[:-1]) >= state.read + _LEAST_SHARED
            for other in self._states
        )

    def _write(
        self, state: _State, logits: NDArray[np.float32], maximum: int, stop: Sequence[str]
    ) -> Generator[Message | None, None, int]:
        """Write greedily, yielding pieces of text; return the number of tokens.

        Copied text is written several tokens at a time: Saxena, 2023, "Prompt Lookup Decoding".
        """
        written: Tokens = []
        proposed: Tokens = []
        longest = _FIRST_PROPOSAL
        sent = 0
        while True:
            accepted = 0
            for row in logits:
                token = int(row.argmax())
                written.append(token)
                if token in self._ends or len(written) >= maximum:
                    break
                if accepted == len(proposed) or proposed[accepted] != token:
                    break
                accepted += 1
            is_over = written[-1] in self._ends or len(written) >= maximum
            text = self._tokenizer.decode(written)
            cut = min((place for place in (text.find(end) for end in stop) if place >= 0), default=-1)
            is_over = is_over or cut >= 0
            shown = text[:cut] if cut >= 0 else text if is_over else text[: _safe_length(text, stop)]
            yield {"piece": shown[sent:]} if len(shown) > sent else None
            sent = max(sent, len(shown))
            if is_over:
                return len(written)
            if proposed:
                longest = min(longest + 2, _LONGEST_PROPOSAL) if accepted == len(proposed) else max(accepted + 1, 2)
            state.reject(len(proposed) - accepted)
            proposed = _look_up(state.prompt + written, min(longest, maximum - len(written) - 1))
            logits = state.infer([written[-1], *proposed], len(proposed) + 1)

    def _likeliest(self, logits: NDArray[np.float32]) -> list[tuple[str, float]]:
        """Return the likeliest tokens as text, each with its natural log-probability."""
        logits = logits.astype(np.float64)
        total = logits.max() + np.log(np.exp(logits - logits.max()).sum())
        return [
            (self._tokenizer.decode([int(token)], skip_special_tokens=False), float(logits[token] - total))
            for token in np.argsort(-logits)[:_LISTED]
        ]


def instruction_set() -> str:
    """Return the widest instructions of this processor that a language model gains from."""
    with contextlib.suppress(OSError):
        flags = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("flags")[2].partition("\n")[0].split())
        for flag, name in _INSTRUCTION_SETS:
            if flag in flags:
                return name
    return "unknown"


_INSTRUCTION_SETS = (
    ("amx_int8", "AMX"),
    ("avx512_vnni", "AVX-512 VNNI"),
    ("avx_vnni", "AVX2 VNNI"),
    ("avx512f", "AVX-512"),
    ("avx2", "AVX2"),
)


def usable_threads() -> int:
    """Return how many threads the model runs with."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, _MOST_THREADS)


def main() -> None:
    """Run until stdin ends."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no reply
    options = RuntimeOptions(**json.loads(sys.stdin.readline()))
    restrict(can_write=False)
    requests: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(requests,), daemon=True).start()

    def send(message: Message) -> None:
        replies.write(json.dumps(message) + "\n")
        replies.flush()

    try:
        engine = Engine(options)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        send({"error": " ".join(str(error).split()) or type(error).__name__})
        return
    send({"ready": True})
    _take_turns(engine, requests, send)


def _take_turns(engine: Engine, requests: queue.SimpleQueue[Message], send: Any) -> None:
    """Give each request under way one step after the other; the rest wait in the order in which they came."""
    waiting: deque[Message] = deque()
    running: dict[int, Steps] = {}
    while True:
        while not (requests.empty() and (running or waiting)):
            message = requests.get()
            if "cancel" in message:
                waiting = deque(request for request in waiting if request["id"] != message["cancel"])
                if steps := running.pop(message["cancel"], None):
                    steps.close()
            else:
                waiting.append(message)
        while waiting and len(running) < _AT_ONCE:
            request = waiting.popleft()
            running[request["id"]] = engine.answer(request)
        for number, steps in list(running.items()):
            line = steps.send(None)
            if line:
                send(line | {"id": number})
                if "end" in line or "refused" in line:
                    del running[number]
                    steps.close()


def _receive(requests: queue.SimpleQueue[Message]) -> None:
    for line in sys.stdin:
        requests.put(json.loads(line))
    os._exit(0)


def restrict(*, can_write: bool) -> None:
    """No network, no core dumps, no Ctrl-C of the terminal (the parent decides), no life after the parent.

    Args:
        can_write: Whether files may be written.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Modules and calls that other systems lack; the pipe does the rest there.
    with contextlib.suppress(ImportError, OSError, ValueError, AttributeError):
        import resource  # not on every system

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if not can_write:
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if libc.unshare(_NEW_NETWORK):
            libc.unshare(_NEW_NETWORK | _NEW_USER)


def _compile(options: RuntimeOptions) -> Any:
    """Return the model, compiled to multiply only the wanted positions with the vocabulary."""
    openvino = _openvino()
    from openvino import opset13

    model = openvino.Core().read_model(str(Path(options.folder) / "openvino_model.xml"))
    wanted = opset13.parameter([-1], np.int64, name="result_positions")
    wanted.output(0).set_names({"result_positions"})
    head = model.get_results()[0].input_value(0).get_node()  # the product with the vocabulary
    axis = opset13.constant(np.int64(1))
    head.input(0).replace_source_output(opset13.gather(head.input_value(0), wanted, axis).output(0))
    model.add_parameters([wanted])
    operations = {operation.get_friendly_name(): operation for operation in model.get_ops()}
    for layer in options.layers:
        residual = operations.get(f"model.layers.self_attn.add1.layer{layer}")
        if residual is None:
            raise RuntimeError(f"the model has no layer {layer}")
        hidden = opset13.gather(residual.output(0), wanted, axis)
        hidden.output(0).set_names({f"hidden.{layer}"})
        model.add_outputs([hidden.output(0)])
    model.validate_nodes_and_infer_types()
    # In float16 a state that is copied to another request is the same afterwards; the default, 8 bits, rounds it again.
    settings = {"NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": options.threads, "KV_CACHE_PRECISION": "f16"}
    return openvino.Core().compile_model(model, "CPU", settings)


def _openvino() -> Any:
    import openvino  # half a second

    return openvino


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many tokens two prompts have in common from the first on."""
    length = min(len(one), len(other))
    differences = np.nonzero(np.array(one[:length]) != np.array(other[:length]))[0]
    return int(differences[0]) if len(differences) else length


def _look_up(tokens: Tokens, most: int) -> Tokens:
    """Return what followed the latest earlier occurrence of the last tokens."""
    last = tokens[-_NGRAM:]
    if most > 0:
        for start in range(len(tokens) - _NGRAM - 1, -1, -1):
            if tokens[start : start + _NGRAM] == last:
                return tokens[start + _NGRAM : start + _NGRAM + most]
    return []


def _safe_length(text: str, stop: Sequence[str]) -> int:
    """Return how much of an unfinished text can be shown: no half character, no beginning of a text that ends it."""
    shown = text.rstrip("\ufffd")
    held = (length for end in stop for length in range(1, len(end)) if shown.endswith(end[:length]))
    return len(shown) - max(held, default=0)


if __name__ == "__main__":
    main()
