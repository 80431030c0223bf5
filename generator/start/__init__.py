"""What an author begins with: the folder of a new deck (deck/ holds its files), the frame of a new note, and schemas for editors."""
