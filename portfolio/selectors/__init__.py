"""What is read of the books, for API and pages alike: evaluated frozen rows, inside an open door."""
