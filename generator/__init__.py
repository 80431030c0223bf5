"""The compiler: Markdown cards and the kernels' results in, an Anki package out.

    read_file(source, frame)  -> File        read/      what one file of cards says
    resolve(note, results)    -> Resolved    resolve/   values in place of references, claims judged
    render(resolved, types)   -> Rendered    render/    HTML and media
    made(source, ...)         -> Sheet       keep/      these three for one file, or what they gave before
    update(lock, notes)       -> Update      pack/      what is new, changed, refused
    write_package(notes)      -> .apkg       pack/

Each step adds a type of its own (notes.py) and changes nothing that it was given; build.py puts them in order. Torch is never imported here.
"""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# `python -m` looks into the working folder first, where a deck keeps its own kernels in a folder of our laboratory's name:
if sys.path[:1] == [os.getcwd()] != [ROOT] and os.path.isdir("kernels"):
    del sys.path[0]  # the installed command does not look there at all
