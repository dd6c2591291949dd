"""Generations: the search indexes of one state of the catalogue, built beside the live one and never changed.

    data/generations/<name>/chroma/         vectors
                            exact/          the same, while they are few enough to be compared one by one
                            keywords.db     words
                            manifest.json   what it was made of, written last

folders    where they lie
manifest   what one was made of, and the checksums of its files
build      writing one, from nothing or from a copy of the live one
check      comparing a new one with the database, in a process of its own
renew      a new one, published and the old one swept
opened     searching one, whatever state its files are in
live       the one that the catalogue names
rebuild    the files of the live one made again from the database

A generation becomes live when `Catalogue.publish` commits its name. Until then nobody reads it.
"""

from index.generation.manager import LiveGeneration
from index.generation.manifest import generations_folder
from index.generation.publish import clean_up, renew
from index.generation.snapshot import Generation, problem_of

__all__ = ["Generation", "LiveGeneration", "clean_up", "generations_folder", "problem_of", "renew"]
