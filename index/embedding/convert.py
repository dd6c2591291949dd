"""Compiles a model for OpenVINO. Run as a process of its own, which frees the memory of PyTorch when it ends:

    python -m index.embedding.convert MODEL_FOLDER TARGET_FOLDER

Writes `model.xml`, `model.bin` and `probe.json`: texts with their vectors by sentence-transformers, which
`OpenVinoEncoder` compares with its own.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

from index.embedding.sentence_transformer import TorchEncoder

# A word, a sentence, another script, and a text longer than any model reads.
_PROBES = (
    "Hello",
    "How much is reserved for the new hospital, and by when must it be spent?",
    "政府預留多少撥款？ Le conseil a décidé le 3 mars 2024.",
    "The library opens at nine and closes at six; on Sundays it stays closed. " * 80,
)


def convert(folder: Path, target: Path) -> None:
    """Write the compiled form of the model in a folder to another folder."""
    import openvino  # after its telemetry has been disabled
    import torch

    encoder = TorchEncoder(folder)
    model = encoder.model

    class Vectoriser(torch.nn.Module):
        """Token ids and their mask to vectors of length one."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            found = self.model({"input_ids": input_ids, "attention_mask": attention_mask})["sentence_embedding"]
            return torch.nn.functional.normalize(found, dim=1)

    # Two texts of unequal length, so that the trace includes the padding mask.
    tokens = model.tokenizer(list(_PROBES[:2]), padding=True, truncation=True, return_tensors="pt")
    compiled = openvino.convert_model(Vectoriser(), example_input=(tokens["input_ids"], tokens["attention_mask"]))
    openvino.save_model(compiled, target / "model.xml", compress_to_fp16=False)
    probe = {"max_tokens": int(model.max_seq_length), "texts": _PROBES, "vectors": encoder.encode(_PROBES).tolist()}
    (target / "probe.json").write_text(json.dumps(probe), encoding="utf-8")


if __name__ == "__main__":
    # The converter reports its use over the network where this package can be imported; see openvino.tools.ovc.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    warnings.simplefilter("ignore")  # tracing warns of every branch; the probe shows whether the result is right
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
