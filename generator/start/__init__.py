"""What an author begins with: the folder of a new deck (deck/ holds its files), and the frame of a new note."""
