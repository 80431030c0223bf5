"""Cards in: what stands in the files of cards/, judged as far as it can be without a value."""
