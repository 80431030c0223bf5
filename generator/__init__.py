"""The compiler: Markdown cards and the kernels' results in, an Anki package out.

    read_file(source, frame)  -> File        read/      what one file of cards says
    resolve(note, results)    -> Resolved    resolve/   values in place of references, claims judged
    render(resolved, types)   -> Rendered    render/    HTML and media
    made(source, ...)         -> Sheet       keep/      these three for one file, or what they gave before
    update(lock, notes)       -> Update      pack/      what is new, changed, refused
    write_package(notes)      -> .apkg       pack/

Each step adds a type of its own (notes.py) and changes nothing that it was given; build.py puts them in order. Torch is never imported here.
"""
