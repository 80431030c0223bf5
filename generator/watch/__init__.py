"""The preview while cards are written: what stands on disk, served to browsers that are told of each change.

notices   waits until a file may have changed
renewal   lets this process see what a new one would
deck      the deck as it stands, built again where it changed
board     the states that pages wait for
state     what a page shows, and what differs between two states
runs      executes, beside all this, what cards wait for
server    HTTP: the page, its pictures, the stream of changes
editor    the address that opens a file at a line
"""
