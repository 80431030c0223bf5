"""One file per kernel, in a folder for each area; the file's name is the kernel's name. catalogue.py finds them."""
