"""Text to vectors by a sentence-transformers model, through the fastest runtime that gives the same vectors.

embedder.py               what the rest of Footnote sees
model_folder.py           which model, and where it lies
sentence_transformer.py   the model: its name, tokens and vectors, safe under threads
torch_encoder.py          runs it as sentence-transformers does: the plain path, and the measure of the other
openvino_encoder.py       runs it compiled for this processor
compiled.py               the compiled model in the user's cache, made once, checked every time
convert.py                makes it, in a process of its own
remembering.py            keeps the last vectors
build.py                  settings to embedder
"""
