"""Generations: search indexes of one state of the catalogue, built beside the live ones and never changed afterwards.

    data/generations/<name>/chroma/         vectors
                            exact/          the same vectors for exhaustive search, while there are few
                            keywords.db     words
                            manifest.json   contents and checksums, written last

A generation becomes live when `Catalogue.publish` commits its name. Until then no process reads it.
"""

from index.generation.manager import GenerationManager
from index.generation.manifest import generations_folder
from index.generation.publication import finish_sweep, publish_generation
from index.generation.snapshot import GenerationSnapshot, problem_of

__all__ = [
    "GenerationManager",
    "GenerationSnapshot",
    "finish_sweep",
    "generations_folder",
    "problem_of",
    "publish_generation",
]
