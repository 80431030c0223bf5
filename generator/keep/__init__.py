"""What an unchanged deck, file, note and figure cost nothing by. Disposable: without it everything is made again, alike."""
