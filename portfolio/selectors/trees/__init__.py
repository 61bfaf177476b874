"""Where numbers come from, as trees whose sums are added up again from their leaves."""
