"""Files that the pages look genes up in."""
