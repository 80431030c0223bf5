"""What changed since learners got the deck: the package of an earlier time, the notes of two times, and what differs between them."""
